"""Who types is told both ways, at most as often as Discord shows it, and never holds anything up."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.discord.outbound import DiscordChat
from adapters.discord.who_types import WhoTypes
from bot.commands import OperatorTypes
from bot.errors import Busy
from bot.posts import Place
from bot.settings import Discord, Timing
from tests.fakes.discord import FakeDiscord


class Room:
    """A channel with a thread, and what was asked of the core."""

    def __init__(self, discord: FakeDiscord):
        self.discord = discord
        settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        self.chat = DiscordChat(settings, Timing())
        self.ann = discord.add_user("Ann")
        self.channel = discord.add_channel("support", [self.ann])
        self.asked: list[Any] = []
        self.busy = False
        self.place: Place | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self.who = WhoTypes(self.chat, self, self, lambda work: self._tasks.append(asyncio.create_task(work)))  # type: ignore[arg-type]

    async def submit(self, command: Any) -> None:
        if self.busy:
            raise Busy(1.0)
        self.asked.append(command)

    async def thread_of(self, number: int, platform: str) -> Place | None:
        return self.place if number == 7 else None

    async def thread(self) -> str:
        root = await self.discord.post(self.ann, self.channel, "root")
        return await self.discord.start_thread(self.ann, self.channel, root, "case")

    def types(self, channel: str, user: str, **changes: Any) -> None:
        member = {"user": {"id": user, "username": "ann"}, "roles": []}
        event = {"guild_id": self.discord.guild_id, "channel_id": channel, "user_id": user, "member": member}
        self.who.heard(event | changes)

    def shopper_types(self, number: int = 7, author: str = "shopper") -> None:
        self.who.changed(SimpleNamespace(typing=[(number, author, None)]))  # type: ignore[arg-type]

    async def done(self) -> None:
        await asyncio.gather(*self._tasks)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with FakeDiscord() as discord:
        room = Room(discord)
        yield room
        await room.chat.close()


async def test_an_operator_who_types_in_a_thread_is_told_once_for_as_long_as_it_shows(room: Room) -> None:
    thread = await room.thread()
    for _ in range(3):
        room.types(thread, room.ann)
    await room.done()
    (asked,) = room.asked
    assert isinstance(asked, OperatorTypes)
    assert (asked.place, asked.actor.id) == (Place("discord", room.channel, thread), room.ann)


async def test_nothing_is_told_of_channels_bots_and_other_servers(room: Room) -> None:
    thread = await room.thread()
    room.types(room.channel, room.ann)
    room.types(thread, "1", member={"user": {"id": "1", "bot": True}})
    room.types(thread, room.ann, guild_id="2")
    await room.done()
    assert room.asked == []


async def test_a_core_that_is_busy_is_not_waited_for(room: Room) -> None:
    room.busy = True
    room.types(await room.thread(), room.ann)
    await room.done()


async def test_a_shopper_who_types_is_shown_in_the_thread(room: Room) -> None:
    thread = await room.thread()
    room.place = Place("discord", room.channel, thread)
    room.shopper_types()
    room.shopper_types()
    room.shopper_types(number=8)
    room.shopper_types(author="operator")
    await room.done()
    assert [call.args["channel_id"] for call in room.discord.calls_to("typing")] == [thread]
