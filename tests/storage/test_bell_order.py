"""What another replica committed is found within a look, in whatever order commits become visible (PostgreSQL)."""

import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from bot.commands import Escalate, SaidTurn, ShopperFacts
from bot.handlers import HANDLERS
from bot.ports import Changes
from bot.settings import Settings
from storage.bell import POLL_SECONDS, Bell
from storage.writer import Writer
from tests.storage.world import ManualClock, World
from tests.waiting import until

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Slow(Writer):
    """Of another replica, which dies after its commits: nobody is notified. `gate` holds them back."""

    gate = threading.Event()
    is_waiting = False

    def _commit(self, connection: Connection) -> None:
        self.is_waiting = True
        assert self.gate.wait(20)
        super()._commit(connection)
        self.is_waiting = False


class Watch:
    """A replica that listens to the bell's looks alone."""

    def __init__(self, world: World, clock: ManualClock):
        self.bell = Bell(world.settings.database_url, world.reads, clock, world.writer)
        self.told: list[set[int]] = []
        world.writer.subscribe(self._changed)
        self.clock = clock

    def _changed(self, changes: Changes) -> None:
        self.told.append(changes.touched)

    async def look(self) -> set[int]:
        """What the next look tells."""
        self.told.clear()
        self.clock.advance(POLL_SECONDS)
        await self.bell.look()
        return set().union(*self.told)


@pytest.fixture
async def watch(world: World, clock: ManualClock) -> Watch:
    return Watch(world, clock)


@pytest.fixture
async def other(settings: Settings, world: World, clock: ManualClock) -> AsyncIterator[Slow]:
    """Its clock is its own."""
    writer = Slow(world.engine, settings, HANDLERS, ManualClock(clock.now))
    writer.gate = threading.Event()
    writer.gate.set()
    writer.start()
    yield writer
    writer.gate.set()
    await writer.stop()


def escalation(name: str, turns: int = 1) -> Escalate:
    said = tuple(SaidTurn("shopper", f"{index}", f"t{index}") for index in range(turns))
    return Escalate("main", name, f"f{turns}", shopper=ShopperFacts("s-1"), transcript=said)


async def test_what_another_replica_committed_is_told_once(watch: Watch, other: Slow) -> None:
    number = (await other.submit(escalation("c-1")))["number"]
    assert await watch.look() == {number}
    assert await watch.look() == set()


@pytest.mark.parametrize("seconds", [3, 12, 45])
async def test_a_commit_that_is_seen_long_after_it_began_is_told(
    watch: Watch, other: Slow, seconds: int
) -> None:
    """It bears the time of its beginning, which the looks have long passed."""
    other.gate.clear()
    submitted = other.enqueue(escalation("c-1"))
    await until(lambda: other.is_waiting)
    for _ in range(int(seconds / POLL_SECONDS)):
        assert await watch.look() == set()
    other.gate.set()
    number = (await submitted)["number"]
    assert await watch.look() == {number}


async def test_what_is_seen_after_a_later_change_is_told(watch: Watch, other: Slow, world: World) -> None:
    other.gate.clear()
    submitted = other.enqueue(escalation("c-1"))
    await until(lambda: other.is_waiting)
    watch.clock.advance(20)
    later = await world.escalate("c-2", shopper=ShopperFacts("s-2"))
    assert await watch.look() == {later}
    other.gate.set()
    number = (await submitted)["number"]
    assert number in await watch.look()


async def test_two_changes_that_bear_the_same_time_are_both_told(watch: Watch, other: Slow) -> None:
    number = (await other.submit(escalation("c-1")))["number"]
    assert await watch.look() == {number}
    await other.submit(escalation("c-1", turns=2))
    assert await watch.look() == {number}


@pytest.mark.parametrize("seconds", [-40, 40])
async def test_a_replica_whose_clock_is_wrong_is_heard(watch: Watch, other: Slow, seconds: int) -> None:
    other._clock.now += seconds  # type: ignore[attr-defined]
    number = (await other.submit(escalation("c-1")))["number"]
    assert await watch.look() == {number}
