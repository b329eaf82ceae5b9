"""From the shopper's POST to the post's arrival at Slack: at the pace Slack permits, and without limits."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.house import Case, House, Served, escalated, house, roots_of
from benchmarks.load import undisturbed
from benchmarks.processes import BenchFailed, calm
from benchmarks.wire import Wire, request

CHANNELS = 5
WAIT_SECONDS = 20.0
WIRES = 32
Posts = Callable[[], Iterator[tuple[float, str]]]
_MARK = re.compile(r"\(n(\d+)\)")


async def within_limits(folder: Path, seconds: float) -> list[float]:
    """Delays in ms at 1/s in each of five channels; Baton keeps Slack's limits, and the fake enforces them."""
    async with house(folder, "outgoing", channels=CHANNELS, limits=True, enforce=True) as ours:
        cases = await escalated(ours, [f"case-{index}" for index in range(CHANNELS)])
        await roots_of(ours, cases)
        await asyncio.sleep(6)  # until the allowance that the opening used is there again
        delays = await write(ours, cases, CHANNELS, int(seconds * CHANNELS), posts_of(ours))
        refused = [call.method for call in ours.slack.calls if call.status == 429]
        if refused:
            raise BenchFailed(f"Slack refused {len(refused)} calls as too many; the first was {refused[0]}.")
        return delays


async def without_limits(folder: Path, per_second: int, seconds: float) -> list[float]:
    """Delays in ms with the limits switched off on both sides; each of `per_second` shoppers writes once a second,
    since one who writes faster is held back."""
    async with house(folder, "outgoing-fast", channels=CHANNELS, limits=False) as ours:
        cases = await escalated(ours, [f"case-{index:04}" for index in range(per_second)])
        await roots_of(ours, cases)
        await calm(ours.batons)
        return await write(ours, cases, per_second, int(per_second * seconds), posts_of(ours))


def posts_of(ours: House) -> Posts:
    """What has been posted from now on: when, and what it says."""
    before = len(ours.slack.calls)

    def posts() -> Iterator[tuple[float, str]]:
        for call in ours.slack.calls[before:]:
            if call.method == "chat.postMessage" and not call.error:
                yield call.at, json.dumps(call.args.get("blocks") or call.args.get("text"))

    return posts


async def write(
    ours: Served, cases: Sequence[Case], per_second: float, amount: int, posts: Posts
) -> list[float]:
    """Shoppers write in turn at this pace; every text must be posted once, in its own thread and order."""
    wires = [await Wire.connect(ours.baton.port) for _ in range(WIRES)]
    idle: asyncio.Queue[Wire] = asyncio.Queue()
    for wire in wires:
        idle.put_nowait(wire)
    sent: dict[int, float] = {}

    async def send(number: int) -> None:
        case = cases[number % len(cases)]
        body = json.dumps({"id": f"w{number}", "text": f"When will it arrive? (n{number})"}).encode()
        wire = await idle.get()
        sent[number] = time.time()
        try:
            whole = request("POST", "/widget/v1/messages", body, case.token)
            status, answer = await wire.send(whole)
            while status == 503:  # as the widget does: the same again a second later
                await asyncio.sleep(1)
                status, answer = await wire.send(whole)
        finally:
            idle.put_nowait(wire)
        if status != 200:
            raise BenchFailed(f"A shopper's message was answered with {status}: {answer[:200]!r}")

    try:
        with undisturbed():
            began = time.perf_counter()
            tasks = []
            for number in range(amount):
                await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
                tasks.append(asyncio.ensure_future(send(number)))
            await asyncio.gather(*tasks)
            arrived = await _arrivals(posts, amount, len(cases))
    finally:
        for wire in wires:
            wire.close()
    ours.require_alive()
    return [(arrived[number] - at) * 1000 for number, at in sent.items()]


async def _arrivals(posts: Posts, amount: int, cases: int) -> dict[int, float]:
    """When each text reached the platform, by the fake's clock."""
    until = time.perf_counter() + WAIT_SECONDS
    while True:
        arrived: dict[int, float] = {}
        latest: dict[int, int] = {}
        for at, text in posts():
            for number in map(int, _MARK.findall(text)):
                if number in arrived:
                    raise BenchFailed(f"The shopper's message {number} was posted twice.")
                if latest.get(number % cases, -1) > number:
                    raise BenchFailed(f"The shopper's message {number} was posted after a later one.")
                arrived[number] = at
                latest[number % cases] = number
        if len(arrived) == amount:
            return arrived
        if time.perf_counter() > until:
            raise BenchFailed(
                f"{amount - len(arrived)} of {amount} shoppers' messages never reached the team."
            )
        await asyncio.sleep(0.2)
