"""The gateway: one replica holds it, it comes back by itself, and a refusal is said and not hammered."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.discord.app import DiscordAdapter
from bot.commands import HoldLease
from bot.errors import Unavailable
from bot.settings import Discord, TeamPolicy, Timing
from tests.fakes.discord import FakeDiscord, pointed_at
from tests.waiting import until

TIMING = replace(
    Timing().scaled(0.05),
    call_timeout=2.0,
    due_tick=0.1,
    members_refresh=0.5,
    socket_watch=3.0,
    backoff_first=0.02,
)


class House:
    """What replicas share: a bus that knows leases, and takes down what arrives."""

    def __init__(self) -> None:
        self.leases: dict[str, tuple[str, float]] = {}
        self.away = False
        self.arrived: list[Any] = []
        self.patience: list[float] = []

    async def submit(self, command: Any) -> Any:
        if self.away:
            raise Unavailable("the database is away")
        if not isinstance(command, HoldLease):
            return ""
        holder, ends = self.leases.get(command.name, ("", 0.0))
        if holder not in ("", command.holder) and ends > time.monotonic():
            return False
        self.leases[command.name] = (command.holder, time.monotonic() + command.seconds)
        return True

    def arrive(self, lane: str, order: str, command: Any, *, patience: float = 0.0) -> Any:
        self.patience.append(patience)

        async def taken() -> None:
            if self.away:
                raise Unavailable("the database is away")
            self.arrived.append(command)

        return asyncio.ensure_future(taken())

    def subscribe(self, _: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: None


class Replica:
    """One process: its adapter, and how often it read the threads back."""

    def __init__(self, house: House, discord: FakeDiscord, **options: Any):
        settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        team = TeamPolicy("support", "discord", "#support")
        self.adapter = DiscordAdapter(settings, TIMING, [team], **options)
        self.house = house
        self.caught_up = 0

    async def start(self) -> None:
        async def catch_up() -> None:
            self.caught_up += 1

        desk: Any = None
        await self.adapter.start(self.house, desk, self.house, catch_up)  # type: ignore[arg-type]


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[tuple[House, FakeDiscord, Callable[[], Replica]]]:
    house, replicas = House(), []
    async with FakeDiscord() as discord:
        discord.add_channel("support")
        with pointed_at(discord, hurried=True):

            def replica() -> Replica:
                replicas.append(Replica(house, discord, **options))
                return replicas[-1]

            yield house, discord, replica
            for one in replicas:
                await one.adapter.stop()


async def test_one_of_two_replicas_listens_and_both_are_connected() -> None:
    async with running() as (_, discord, replica):
        first, second = replica(), replica()
        await first.start()
        await second.start()
        assert discord.connections == 1
        assert (first.adapter.connected, second.adapter.connected) == (True, True)
        assert (first.caught_up, second.caught_up) == (1, 0)


async def test_another_replica_takes_over_when_the_one_that_listened_stops() -> None:
    async with running() as (_, _discord, replica):
        first, second = replica(), replica()
        await first.start()
        await second.start()
        await first.adapter.stop()
        await until(lambda: second.caught_up == 1)
        assert second.adapter.connected


async def test_another_replica_takes_over_when_the_lease_of_a_dead_one_ends() -> None:
    async with running() as (house, discord, replica):
        house.leases["discord gateway"] = ("dead", time.monotonic() + 0.6)
        second = replica()
        await second.start()
        assert discord.connections == 0
        assert second.adapter.connected
        await until(lambda: second.caught_up == 1)


async def test_a_replica_that_lost_the_lease_stops_listening() -> None:
    async with running() as (house, discord, replica):
        first = replica()
        await first.start()
        house.leases["discord gateway"] = ("another", time.monotonic() + 60)
        await discord.wait_for(lambda: discord.connections == 0)


async def test_the_gateway_is_held_while_the_database_is_away_for_a_moment() -> None:
    async with running() as (house, discord, replica):
        first = replica()
        await first.start()
        house.away = True
        await asyncio.sleep(0.5)  # two renewals fail; the lease has not ended
        house.away = False
        assert discord.connections == 1


async def test_every_fresh_session_is_caught_up_and_a_resumed_one_is_not() -> None:
    async with running(alone=True) as (_, discord, replica):
        first = replica()
        await first.start()
        discord.drop_sockets()
        await discord.wait_for(lambda: discord.gateway.resumes == 1)
        assert first.caught_up == 1
        await discord.invalidate(resumable=False)
        await until(lambda: first.caught_up == 2)


async def test_an_outage_of_the_gateway_ends_by_itself() -> None:
    async with running(alone=True) as (_, discord, replica):
        first = replica()
        await first.start()
        discord.gateway_down(0.7)
        await discord.wait_for(lambda: discord.connections == 0)
        await until(lambda: not first.adapter.connected)
        await until(lambda: first.adapter.connected)


async def test_a_gateway_that_greets_nobody_is_connected_to_anew() -> None:
    async with running(alone=True) as (_, discord, replica):
        first = replica()
        discord.silence(True)
        started = asyncio.create_task(first.start())
        await discord.wait_for(lambda: discord.gateway.connects >= 1)
        discord.silence(False)
        await until(lambda: first.adapter.connected, 15)
        await started


@pytest.mark.parametrize(
    ("missing", "word"), [("message_content", "Message Content intent"), ("token", "DISCORD_TOKEN")]
)
async def test_what_discord_will_not_have_is_said_once_and_looked_at_again_a_minute_later(
    missing: str, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(alone=True) as (_, discord, replica):
        first = replica()
        if missing == "token":
            discord.revoke_token()
        else:
            discord.privileged_intents.discard(missing)
        with caplog.at_level(logging.ERROR, "baton.discord"):
            await first.start()
            await asyncio.sleep(TIMING.members_refresh * 2.5)
        said = [one.getMessage() for one in caplog.records if word in one.getMessage()]
        assert len(said) == 1
        assert discord.token not in caplog.text
        assert not first.adapter.connected
        assert discord.gateway.identifies == 0
        assert len(discord.calls_to("get_me")) <= 5
        if missing != "token":
            discord.privileged_intents.add(missing)
            await until(lambda: first.adapter.connected)


async def test_without_the_other_intents_it_listens_all_the_same() -> None:
    async with running(alone=True) as (_, discord, replica):
        discord.privileged_intents = {"message_content"}
        first = replica()
        await first.start()
        assert first.adapter.connected


async def test_an_event_that_could_not_be_stored_is_read_back() -> None:
    """Discord asks for no acknowledgement and sends nothing twice."""
    async with running(alone=True) as (house, discord, replica):
        anna = discord.add_user("anna")
        channel = next(one.id for one in discord.world.channels.values() if one.name == "support")
        first = replica()
        await first.start()
        root = await discord.post(anna, channel, "root")
        thread = await discord.start_thread(anna, channel, root, "case")
        await discord.post(anna, channel, "hello", thread)
        await until(lambda: len(house.arrived) == 1)
        house.away = True
        await discord.post(anna, channel, "lost?", thread)
        await until(lambda: first.caught_up == 2)
