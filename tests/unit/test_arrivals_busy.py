"""An event that its source says only once waits until the writer has room for it, and what came after it, behind it."""

import asyncio
from typing import Any

import pytest

from bot import arrivals as module
from bot.arrivals import Arrivals
from bot.errors import Busy

WAITS = 5.0


class Writer:
    """Has no room for so many commands, then for all."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.handled: list[Any] = []

    async def __call__(self, command: Any) -> Any:
        if self.refuses:
            self.refuses -= 1
            raise Busy(1.0)
        self.handled.append(command)
        return f"{command} done"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_PAUSE", 0.01)


async def test_what_had_no_room_is_stored_before_what_came_later() -> None:
    writer = Writer(refuses=2)
    arrivals = Arrivals(writer, most_wait=0.05)
    first = [asyncio.ensure_future(arrivals.arrive("t", f"{n}", f"m{n}", patience=WAITS)) for n in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # they have been refused
    third = asyncio.ensure_future(arrivals.arrive("t", "3", "m3", patience=WAITS))
    assert await asyncio.gather(*first, third) == ["m1 done", "m2 done", "m3 done"]
    assert writer.handled == ["m1", "m2", "m3"]


async def test_room_that_comes_free_between_two_is_not_taken_by_the_second() -> None:
    writer = Writer(refuses=0)
    refused = iter([True])

    def submit(command: Any) -> Any:
        if next(refused, False):
            raise Busy(1.0)
        return writer(command)

    arrivals = Arrivals(submit, most_wait=0.05)
    asked = [arrivals.arrive("t", f"{n}", f"m{n}", patience=WAITS) for n in (1, 2, 3)]
    await asyncio.gather(*asked)
    assert writer.handled == ["m1", "m2", "m3"]


async def test_another_thread_does_not_wait_with_it() -> None:
    writer = Writer(refuses=1)
    arrivals = Arrivals(writer, most_wait=0.05)
    waiting = asyncio.ensure_future(arrivals.arrive("t", "1", "m1", patience=WAITS))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await arrivals.arrive("other", "1", "o1")
    await waiting
    assert writer.handled == ["o1", "m1"]


async def test_without_patience_who_asked_is_told_at_once() -> None:
    writer = Writer(refuses=1)
    with pytest.raises(Busy):
        await Arrivals(writer, most_wait=0.05).arrive("t", "1", "m1")
    assert writer.handled == []


async def test_patience_ends_and_the_thread_goes_on() -> None:
    writer = Writer(refuses=1_000)
    arrivals = Arrivals(writer, most_wait=0.05)
    with pytest.raises(Busy):
        await arrivals.arrive("t", "1", "m1", patience=0.05)
    writer.refuses = 0
    assert await arrivals.arrive("t", "2", "m2", patience=WAITS) == "m2 done"


async def test_nobody_waits_for_room_for_what_nobody_asks_for_any_more() -> None:
    writer = Writer(refuses=1)
    arrivals = Arrivals(writer, most_wait=0.05)
    asked = asyncio.ensure_future(arrivals.arrive("t", "1", "m1", patience=WAITS))
    asked.cancel()
    assert await arrivals.arrive("t", "2", "m2", patience=WAITS) == "m2 done"
    assert "m1" not in writer.handled
