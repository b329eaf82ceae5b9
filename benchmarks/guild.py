"""The same with the teams in Discord: a guild for Baton and the floor, and the load on its gateway.

Discord asks for no acknowledgement and sends each event once, in order. So a message is on its way until its shopper
has it, and what was written in one thread must arrive in that order.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import outgoing, relay
from benchmarks.house import Case, common_environment, escalated, require_alive, write_policy
from benchmarks.load import Event, Rounds, Thread, Told
from benchmarks.processes import BenchFailed, Process, free_port, running
from benchmarks.wire import request
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.components import walk
from tests.fakes.discord.things import Message

SETTLE_SECONDS = 6.0
OPEN_SECONDS = 90.0


@dataclass
class Guild:
    """A store per channel, an operator in each, and one Baton."""

    discord: FakeDiscord
    folder: Path
    channels: list[str]
    operators: list[str]
    batons: list[Process] = field(default_factory=list)

    @property
    def baton(self) -> Process:
        return self.batons[0]

    def require_alive(self) -> None:
        """`BenchFailed` if Baton has ended, or its log says that something broke."""
        require_alive(self.batons)

    def environment(self, port: int) -> dict[str, str]:
        """Of Baton."""
        own = common_environment(
            self.folder, f"sqlite:///{self.folder / 'baton.db'}", port, len(self.channels)
        )
        return own | pointing_at(self.discord)


def pointing_at(discord: FakeDiscord) -> dict[str, str]:
    """Where Discord is, and who we are there."""
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_GUILD_ID": discord.guild_id,
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    }


@asynccontextmanager
async def guild_with(channels: int) -> AsyncIterator[tuple[FakeDiscord, list[str], list[str]]]:
    """A guild with so many channels, and an operator for each: the fake, the channels' ids, the operators'."""
    async with FakeDiscord() as discord:
        ids = [discord.add_channel(f"support-{index}") for index in range(channels)]
        yield discord, ids, [discord.add_user(f"operator {index}") for index in range(channels)]


@asynccontextmanager
async def guild(folder: Path, name: str, *, channels: int, enforce: bool) -> AsyncIterator[Guild]:
    """`enforce`: the fake keeps Discord's limits, and tells of them. A fresh SQLite file."""
    folder = folder / name
    folder.mkdir()
    async with AsyncExitStack() as stack:
        discord, ids, operators = await stack.enter_async_context(guild_with(channels))
        discord.enforce_limits = enforce
        made = Guild(discord, folder, ids, operators)
        write_policy(folder, ids)
        port = free_port()
        arguments = ["-m", "bot", "run"]
        process = await stack.enter_async_context(
            running(name, arguments, port, folder, made.environment(port))
        )
        made.batons.append(process)
        await discord.connected()
        yield made


# --- cases ----------------------------------------------------------------------------------------------------


async def threads_of(house: Guild, cases: Sequence[Case]) -> dict[str, str]:
    """The threads by the cases' names, once all of them stand with their transcripts and have been read once."""

    def complete() -> Mapping[str, str] | None:
        found: dict[str, str] = {}
        for channel in house.channels:
            for message in house.discord.messages(channel):
                named = re.search(r"Broken lamp \((\S+)\)", message.content.replace("\\", ""))
                if named and house.discord.thread(channel, message.id)[1:]:
                    found[named[1]] = message.id
        read = {call.args["channel_id"] for call in house.discord.calls_to("get_messages")}
        return found if len(found) == len(cases) and read >= set(found.values()) else None

    async with asyncio.timeout(OPEN_SECONDS):
        while (found := complete()) is None:  # noqa: ASYNC110 - looking costs more than a tenth of a second's wait
            await asyncio.sleep(0.1)
    return dict(found)


async def claimed(house: Guild, cases: Sequence[Case]) -> dict[str, str]:
    """Wait for the threads, and let each channel's operator claim theirs."""
    threads = await threads_of(house, cases)
    for case in cases:
        channel, operator = house.channels[case.store], house.operators[case.store]
        card = house.discord.message(channel, threads[case.name])
        names = [str(one["custom_id"]) for one in walk(card.components) if one.get("custom_id")]
        button = next(name for name in names if name.startswith("baton:claim:"))
        pressed = await (await house.discord.click(operator, channel, card.id, button)).outcome()
        if pressed.failed:
            raise BenchFailed(f"The click that claims {case.name} was not answered.")
    return threads


# --- an operator's message ------------------------------------------------------------------------------------


class Line(Rounds):
    """Discord's: through the one connection that the gateway has with the system under test, `name`."""

    def __init__(self, discord: FakeDiscord, threads: Sequence[Thread], name: str) -> None:
        super().__init__(threads)
        self.mode = f"gateway, {name}"
        self._discord = discord
        self._awaited: dict[int, asyncio.Future[None]] = {}

    async def _pattern(self) -> str:
        thread = self._threads[0]
        await self._discord.post(thread.operator, thread.channel, "One moment, please.", thread.root)
        await self._discord.settled()
        return json.dumps(next(data for name, data in reversed(self._discord.gateway.events)
                               if name == "MESSAGE_CREATE" and data["channel_id"] == thread.root))  # fmt: skip

    def _event(self, index: int) -> Event:
        thread, number, world = self._threads[index], next(self._numbers), self._discord.world
        text = f"Your refund for order #4521 is on its way; it takes two working days. (n{number})"
        message = Message(world.new_id(), thread.root, thread.operator, text, at=time.time())
        world.channels[thread.root].messages[message.id] = message
        data = json.loads(self._template)
        data |= {"id": message.id, "channel_id": thread.root, "content": text, "nonce": message.id}
        data |= {"author": world.user_json(thread.operator)}
        return Event(number, index, "", json.dumps(data), b"")

    async def _send(self, event: Event) -> None:
        """As a number of the session, which a client that was cut off would be sent again; until it has arrived."""
        told, arrived = self._told, asyncio.get_running_loop().create_future()
        self._awaited[event.number] = arrived
        (session,) = self._discord.gateway.sessions.values()
        connection = session.connection
        if connection is None:
            raise BenchFailed("The connection to the gateway was lost.")
        session.seq += 1
        session.sent.append(f'{{"op": 0, "t": "MESSAGE_CREATE", "s": {session.seq}, "d": {event.text}}}')
        told.sent[event.number] = time.perf_counter()
        connection.send(session.sent[-1])
        await arrived
        told.acked[event.number] = told.arrived[event.number]

    def _hears(self, index: int) -> Callable[[int, float], None]:
        note = super()._hears(index)

        def heard(number: int, at: float) -> None:
            note(number, at)
            arrived = self._awaited.pop(number, None)
            if arrived is not None and not arrived.done():
                arrived.set_result(None)

        return heard

    def _checked(self, events: Sequence[Event], told: Told) -> Told:
        for came in told.order.values():
            if came != sorted(came):
                raise BenchFailed(f"{self.mode}: a shopper got {came} in this order.")
        return super()._checked(events, told)


@asynccontextmanager
async def line(discord: FakeDiscord, threads: Sequence[Thread], name: str) -> AsyncIterator[Line]:
    """An open line, hung up afterwards."""
    opened = Line(discord, threads, name)
    try:
        await opened.open()
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def floor_line(folder: Path, amount: int) -> AsyncIterator[tuple[Line, Process]]:
    """The bare discord.py listener with as many channels, threads and streams."""
    async with AsyncExitStack() as stack:
        discord, channels, operators = await stack.enter_async_context(guild_with(relay.CHANNELS))
        port, threads = free_port(), []
        for index in range(amount):
            channel, operator = channels[index % relay.CHANNELS], operators[index % relay.CHANNELS]
            card = await discord.post(operator, channel, "A case")
            root = await discord.start_thread(operator, channel, card, "A case")
            threads.append(
                Thread(channel, root, operator, request("GET", f"/stream?thread={root}", b""), port)
            )
        arguments = ["-m", "benchmarks.floor_discord", str(port)]
        process = await stack.enter_async_context(
            running("floor-discord", arguments, port, folder, pointing_at(discord))
        )
        yield await stack.enter_async_context(line(discord, threads, "floor")), process


@asynccontextmanager
async def baton_line(house: Guild, amount: int) -> AsyncIterator[Line]:
    """Baton with its claimed cases."""
    cases = await escalated(house, [f"case-{index:04}" for index in range(amount)])
    roots = await claimed(house, cases)
    threads = [
        Thread(
            house.channels[one.store],
            roots[one.name],
            house.operators[one.store],
            one.stream(),
            house.baton.port,
        )
        for one in cases
    ]
    async with line(house.discord, threads, "Baton") as opened:
        yield opened


async def against_floor(folder: Path, plan: relay.Plan) -> dict[str, relay.Measured]:
    """`floor` and `ours`, in turn."""
    async with (
        floor_line(folder, plan.threads) as (floor, floor_process),
        guild(folder, "baton-discord", channels=relay.CHANNELS, enforce=True) as ours,
        baton_line(ours, plan.threads) as opened,
    ):
        watched = [floor_process, *ours.batons]
        found = await relay.measure({"floor": floor, "ours": opened}, watched, plan)
        ours.require_alive()
        return found


# --- a shopper's message --------------------------------------------------------------------------------------


def posts_of(house: Guild) -> Callable[[], Iterator[tuple[float, str]]]:
    """What has been posted from now on: when, and what it says."""
    before = len(house.discord.calls)

    def posts() -> Iterator[tuple[float, str]]:
        for call in house.discord.calls[before:]:
            if call.method in ("execute_webhook", "create_message") and call.status == 200:
                yield call.at, str(call.args.get("content") or "").replace("\\", "")

    return posts


async def outgoing_delays(folder: Path, seconds: float) -> tuple[list[float], int]:
    """In ms, from a shopper's POST to its arrival at Discord, at 1/s in each of five channels; and how many calls were
    refused with 429, those before included that open the threads."""
    per_second = outgoing.CHANNELS
    async with guild(folder, "outgoing-discord", channels=per_second, enforce=True) as ours:
        cases = await escalated(ours, [f"case-{index}" for index in range(per_second)])
        await threads_of(ours, cases)
        await asyncio.sleep(SETTLE_SECONDS)  # until the allowance that the opening used is there again
        delays = await outgoing.write(ours, cases, per_second, int(per_second * seconds), posts_of(ours))
        return delays, sum(call.status == 429 for call in ours.discord.calls)
