"""Thousands of open widgets: memory and processor time, each stream with a conversation of its own."""

import asyncio
import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from adapters.storefront.tokens import Tokens
from benchmarks.house import SECRET, House, api_key, house
from benchmarks.load import Listener, listen
from benchmarks.processes import BenchFailed, calm
from benchmarks.wire import Wire, request

AT_ONCE = 64
SPARE_FILES = 300
STORE = "s0"


@dataclass(frozen=True)
class Crowd:
    """What so many open streams cost the server: kB of resident memory each, share of a core at rest, and
    milliseconds of a core to open one."""

    amount: int
    kb_each: float
    cpu_share: float
    open_ms: float


def raise_file_limit(wanted: int) -> int:
    """How many streams this machine lets us hold open, up to `wanted`; the server inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return min(wanted, most - SPARE_FILES)


async def measure(folder: Path, wanted: int, seconds: float) -> Crowd:
    """Open them all, look for `seconds`, and write one message into every hundredth to see that they live."""
    amount = raise_file_limit(wanted)
    async with house(folder, "streams", channels=1) as ours:
        names = [f"visit-{index:05}" for index in range(amount)]
        await _begin(ours, names)
        openings = _openings(names)
        listeners: list[Listener] = []
        try:
            for one in await _open(ours, openings[:AT_ONCE]):  # warm: buffers, statements, caches
                one.close()
            await calm(ours.batons)
            memory, spent = ours.baton.resident_kb(), ours.baton.cpu_seconds()
            listeners = await _open(ours, openings)
            await calm(ours.batons, patience=10)
            opening = ours.baton.cpu_seconds() - spent
            grown = ours.baton.resident_kb() - memory
            spent = ours.baton.cpu_seconds()
            await asyncio.sleep(seconds)
            share = (ours.baton.cpu_seconds() - spent) / seconds
            await _require_alive(ours, names, listeners)
        finally:
            for one in listeners:
                one.close()
        ours.require_alive()
        return Crowd(amount, grown / amount, share, opening / amount * 1000)


async def _begin(ours: House, names: list[str]) -> None:
    """Each conversation begins: its shopper's first words, logged by the store."""
    waiting = iter(names)

    async def work() -> None:
        wire = await Wire.connect(ours.baton.port)
        for name in waiting:
            await _log(wire, name, "m1", "Do you have this lamp in green?")
        wire.close()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _log(wire: Wire, name: str, message_id: str, text: str) -> None:
    body = {"id": message_id, "author": "shopper", "text": text, "shopper": {"id": f"shopper-{name}"}}
    path = f"/v1/conversations/{name}/messages"
    status, answer = await wire.send(request("POST", path, json.dumps(body).encode(), api_key(0)))
    while status == 503:
        await asyncio.sleep(0.2)
        status, answer = await wire.send(request("POST", path, json.dumps(body).encode(), api_key(0)))
    if status != 200:
        raise BenchFailed(f"A turn was answered with {status}: {answer[:200]!r}")


def _openings(names: list[str]) -> list[bytes]:
    """The requests for the streams. Tokens are signed here with Baton's own code, to save as many requests."""
    tokens = Tokens(SECRET, [STORE], 3600.0, time.time)
    return [
        request("GET", "/widget/v1/stream", b"", tokens.issue(STORE, f"shopper-{name}", name)[0])
        for name in names
    ]


async def _open(ours: House, openings: list[bytes]) -> list[Listener]:
    found: list[Listener] = []
    for start in range(0, len(openings), AT_ONCE):
        some = openings[start : start + AT_ONCE]
        found += await asyncio.gather(*(listen(ours.baton.port, one) for one in some))
    return found


async def _require_alive(ours: House, names: list[str], listeners: list[Listener]) -> None:
    """A message written into every hundredth conversation reaches its stream."""
    closed = sum(one.is_closed for one in listeners)
    if closed:
        raise BenchFailed(f"{closed} of {len(listeners)} streams were closed.")
    wire = await Wire.connect(ours.baton.port)
    chosen = range(0, len(names), 100)
    for index in chosen:
        listeners[index].hear()
        await _log(wire, names[index], "m2", f"Are you there? (n{index})")
    wire.close()
    until = time.perf_counter() + 5
    while any(listeners[index].heard != [index] for index in chosen):
        if time.perf_counter() > until:
            raise BenchFailed("A message did not reach one of the open streams.")
        await asyncio.sleep(0.05)
