"""How many escalations a second a store's backend can hand over, each committed before its answer."""

import asyncio
import json
import time
from pathlib import Path

from benchmarks.house import House, api_key, escalation, house
from benchmarks.load import undisturbed
from benchmarks.processes import BenchFailed, calm
from benchmarks.wire import Wire, request

IN_FLIGHT = 32
CHANNELS = 5
WARM = 100


async def per_second(where: House, amount: int, label: str) -> float:
    """`amount` escalations of new conversations, so many on their way; the answer is how many a second."""
    requests = []
    for index in range(amount):
        body = json.dumps(escalation(f"{label}-{index:05}", turns=3)).encode()
        requests.append(request("POST", "/v1/escalations", body, api_key(index % CHANNELS)))
    waiting = iter(requests)
    numbers: set[int] = set()
    ports = [where.batons[index % len(where.batons)].port for index in range(IN_FLIGHT)]
    wires = [await Wire.connect(port) for port in ports]

    async def work(wire: Wire) -> None:
        for one in waiting:
            status, answer = await wire.send(one)
            while status == 503:
                await asyncio.sleep(0.2)
                status, answer = await wire.send(one)
            if status != 202:
                raise BenchFailed(f"An escalation was answered with {status}: {answer[:300]!r}")
            numbers.add(int(json.loads(answer)["number"]))

    try:
        with undisturbed():
            began = time.perf_counter()
            await asyncio.gather(*(work(wire) for wire in wires))
            took = time.perf_counter() - began
    finally:
        for wire in wires:
            wire.close()
    if len(numbers) != amount:
        raise BenchFailed(f"{amount} escalations became {len(numbers)} cases.")
    return amount / took


async def measure(
    folder: Path, name: str, seconds: float, rounds: int, database: str = "", replicas: int = 1
) -> list[float]:
    """Escalations per second, a value per round of about so many seconds."""
    async with house(
        folder, f"escalations-{name}", channels=CHANNELS, database=database, replicas=replicas
    ) as ours:
        amount = max(WARM, int(await per_second(ours, WARM, "warm") * seconds))
        found = []
        for index in range(rounds):
            await calm(ours.batons, share=0.3)
            found.append(await per_second(ours, amount, f"round{index}"))
        ours.require_alive()
        return found
