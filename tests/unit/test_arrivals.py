"""Events of one thread are handled in the platform's order; threads do not wait for each other."""

import asyncio
from typing import Any

import pytest

from bot.arrivals import Arrivals, thread_lane
from bot.errors import Refused


class Writer:
    """Handles what is submitted; `blocked` commands wait for their event."""

    def __init__(self) -> None:
        self.handled: list[Any] = []
        self.blocked: dict[Any, asyncio.Event] = {}

    async def __call__(self, command: Any) -> Any:
        if command in self.blocked:
            await self.blocked[command].wait()
        self.handled.append(command)
        if command == "bad":
            raise Refused("no")
        return f"{command} done"


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def arrivals(writer: Writer) -> Arrivals:
    return Arrivals(writer, most_wait=0.05)


def arrive(arrivals: Arrivals, lane: str, order: str, command: Any, **rest: Any) -> "asyncio.Future[Any]":
    return asyncio.ensure_future(arrivals.arrive(lane, order, command, **rest))


async def test_events_that_wait_together_are_handled_in_their_order(
    arrivals: Arrivals, writer: Writer
) -> None:
    tasks = [arrive(arrivals, "a", order, order) for order in ("3", "1", "2")]
    assert await asyncio.gather(*tasks) == ["3 done", "1 done", "2 done"]
    assert writer.handled == ["1", "2", "3"]


async def test_events_that_come_while_one_is_handled_are_ordered_among_themselves(
    arrivals: Arrivals, writer: Writer
) -> None:
    writer.blocked["5"] = asyncio.Event()
    first = arrive(arrivals, "a", "5", "5")
    for _ in range(5):
        await asyncio.sleep(0)
    later = [arrive(arrivals, "a", order, order) for order in ("9", "7", "8")]
    for _ in range(5):
        await asyncio.sleep(0)
    assert writer.handled == []
    writer.blocked["5"].set()
    await asyncio.gather(first, *later)
    assert writer.handled == ["5", "7", "8", "9"]


async def test_events_with_one_order_keep_the_order_they_came_in(arrivals: Arrivals, writer: Writer) -> None:
    await asyncio.gather(*(arrive(arrivals, "a", "1", command) for command in ("x", "y", "z")))
    assert writer.handled == ["x", "y", "z"]


async def test_another_thread_is_not_held_up(arrivals: Arrivals, writer: Writer) -> None:
    writer.blocked["stuck"] = asyncio.Event()
    stuck = arrive(arrivals, "a", "1", "stuck")
    assert await arrivals.arrive("b", "1", "free") == "free done"
    assert not stuck.done()
    writer.blocked["stuck"].set()
    await stuck


async def test_an_error_reaches_the_one_who_asked_and_the_others_go_on(
    arrivals: Arrivals, writer: Writer
) -> None:
    tasks = [arrive(arrivals, "a", order, command) for order, command in (("1", "bad"), ("2", "good"))]
    bad, good = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(bad, Refused)
    assert good == "good done"
    assert await arrivals.arrive("a", "3", "next") == "next done"


async def test_a_caller_that_goes_away_does_not_take_its_event_with_it(
    arrivals: Arrivals, writer: Writer
) -> None:
    task = arrive(arrivals, "a", "1", "x")
    await asyncio.sleep(0)
    task.cancel()
    await arrivals.arrive("a", "2", "y")
    assert writer.handled == ["x", "y"]


async def test_a_live_event_waits_for_its_threads_catch_up(arrivals: Arrivals, writer: Writer) -> None:
    arrivals = Arrivals(writer, most_wait=60)
    arrivals.close_gates(["a"])
    live = arrive(arrivals, "a", "2", "live")
    await arrivals.arrive("a", "1", "missed", live=False)
    await arrivals.arrive("b", "1", "other")
    assert writer.handled == ["missed", "other"]
    arrivals.open_gate("a")
    await live
    assert writer.handled == ["missed", "other", "live"]


async def test_a_catch_up_that_hangs_holds_a_live_event_only_so_long(
    arrivals: Arrivals, writer: Writer
) -> None:
    arrivals.close_gates(["a"])
    assert await arrivals.arrive("a", "1", "live") == "live done"


async def test_opening_a_gate_that_is_open_is_nothing(arrivals: Arrivals) -> None:
    arrivals.open_gate("a")
    assert thread_lane("slack", "C1", "1.2") == "slack:C1:1.2"


async def test_who_closes_a_gate_may_wait_for_what_went_through_before(
    arrivals: Arrivals, writer: Writer
) -> None:
    writer.blocked["1"] = asyncio.Event()
    before = arrive(arrivals, "fake:C:r", "1", "1")
    for _ in range(5):
        await asyncio.sleep(0)
    arrivals.close_gates(["fake:C:r"])
    behind = arrive(arrivals, "fake:C:r", "2", "2")
    waiting = asyncio.ensure_future(arrivals.passed("fake:C:r"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    writer.blocked["1"].set()
    await waiting
    assert before.done()
    assert writer.handled == ["1"]
    arrivals.open_gate("fake:C:r")
    await behind
    await arrivals.passed("fake:C:r")
    assert writer.handled == ["1", "2"]
