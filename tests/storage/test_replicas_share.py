"""Replicas on one database know how many they are, and so together stay within what Slack allows them all."""

import asyncio
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from adapters.slack.allowance import CHANNEL_POSTS, Allowance, Importance, used
from bot.errors import PlaceFault
from bot.replicas import Replicas
from storage.tables import LeaseRow, table
from tests.adapters.slack.test_allowance import Hands, settle
from tests.fakes.slack.faults import Limits
from tests.storage.world import ManualClock, World

POST = "chat.postMessage"
LEASE = 15.0
CHANNELS = ("C1", "C2", "C3", "C4", "C5")


def replica_of(world: World) -> Replicas:
    return Replicas(world.writer, LEASE)


async def test_each_replica_counts_all_that_live(world: World) -> None:
    first, second = replica_of(world), replica_of(world)
    await first.attend()
    assert first.alive == 1
    await second.attend()
    await first.attend()
    assert (first.alive, second.alive) == (2, 2)


async def test_one_that_stops_is_not_counted_any_more(world: World) -> None:
    first, second = replica_of(world), replica_of(world)
    await second.attend()
    await first.attend()
    await second.leave()
    await first.attend()
    assert first.alive == 1


async def test_one_that_died_is_counted_until_its_lease_ends(world: World, clock: ManualClock) -> None:
    first, second = replica_of(world), replica_of(world)
    await second.attend()
    clock.advance(LEASE - 1)
    await first.attend()
    assert first.alive == 2
    clock.advance(1)
    await first.attend()
    assert first.alive == 1


async def test_the_dead_leave_no_rows(world: World, clock: ManualClock) -> None:
    last = replica_of(world)
    for _ in range(3):
        await replica_of(world).attend()
    clock.advance(LEASE)
    for _ in range(3):
        await last.attend()
    assert last.alive == 1
    with world.engine.connect() as connection:
        assert len(connection.execute(select(table(LeaseRow))).all()) == 1


async def test_who_serves_alone_asks_nobody() -> None:
    alone = Replicas(None, LEASE, alone=True)  # type: ignore[arg-type]
    await alone.attend()
    await alone.leave()
    assert alone.alive == 1


@dataclass
class Workspace:
    """A Slack that enforces its limits, and replicas with more to post than it takes, all by one clock."""

    world: World
    hands: Hands = field(default_factory=Hands)
    limits: Limits = field(default_factory=Limits)
    taken: dict[str, list[float]] = field(default_factory=lambda: {channel: [] for channel in CHANNELS})
    refused: int = 0
    callers: dict[Replicas, list[asyncio.Task[None]]] = field(default_factory=dict)

    async def join(self, callers: int = 12) -> Replicas:
        """One more replica, which so many lanes of each channel keep busy."""
        replica = replica_of(self.world)
        await replica.attend()
        allowance = Allowance(loop=self.hands, replicas=lambda: replica.alive)
        self.callers[replica] = [
            asyncio.create_task(self._post_on(allowance, channel, f"{channel} {number}"))
            for channel in CHANNELS
            for number in range(callers)
        ]
        await settle()
        return replica

    async def _post_on(self, allowance: Allowance, channel: str, name: str) -> None:
        while True:
            try:
                await allowance.turn(POST, channel, Importance.POST, name)
            except PlaceFault as fault:
                await self._sleep(fault.retry_after or 1.0)
                continue
            wait = self.limits.wait(POST, {"channel": channel}, self.hands.now)
            if wait:
                self.refused += 1
                allowance.pause(POST, channel, wait)
            else:
                self.taken[channel].append(self.hands.now)
            await self._sleep(0.05)  # the call itself

    async def _sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.hands.call_later(seconds, woken.set)
        await woken.wait()

    async def pass_time(self, seconds: int) -> None:
        """Everybody who lives renews in time."""
        for second in range(seconds):
            for replica in self.callers:
                if second % int(replica.every) == 0:
                    await replica.attend()
            await self.hands.turn(1.0)
            self.world.clock.advance(1.0)

    async def kill(self, replica: Replicas) -> None:
        tasks = self.callers.pop(replica)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        for replica in list(self.callers):
            await self.kill(replica)

    def least_used(self, since: float) -> float:
        """Of what the channel that got least was allowed since then, the share that was made use of."""
        return min(used([at for at in times if at >= since], CHANNEL_POSTS) for times in self.taken.values())


@pytest.fixture
async def workspace(world: World):  # type: ignore[no-untyped-def]
    workspace = Workspace(world)
    yield workspace
    await workspace.end()


@pytest.mark.parametrize("replicas", [2, 3])
async def test_replicas_together_stay_within_the_limits_and_use_them(
    workspace: Workspace, replicas: int
) -> None:
    began = workspace.hands.now
    for _ in range(replicas):
        await workspace.join()
    await workspace.pass_time(60)
    assert workspace.refused == 0
    assert workspace.least_used(began) >= 0.85


async def test_one_that_comes_to_a_busy_one_is_refused_nothing(workspace: Workspace) -> None:
    await workspace.join()
    await workspace.pass_time(30)
    assert workspace.refused == 0
    await workspace.join()
    await workspace.pass_time(60)
    assert workspace.refused == 0


async def test_after_a_death_the_other_has_the_whole_allowance_within_the_lease_time(
    workspace: Workspace,
) -> None:
    await workspace.join()
    second = await workspace.join()
    await workspace.pass_time(30)
    await workspace.kill(second)
    await workspace.pass_time(int(LEASE + second.every))
    whole = workspace.hands.now
    await workspace.pass_time(40)
    assert all(sum(at > whole for at in times) >= 0.85 * 40 for times in workspace.taken.values())
    assert workspace.refused == 0
