"""Files at Discord: fetched from its hosts only, with a fresh address where the old one expired; shown once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.discord import files as discord_files
from adapters.discord.api import DiscordApi
from adapters.discord.directory import Directory
from adapters.discord.files import DiscordFiles, kept_of
from bot.errors import EntryFault, PlaceFault, RootGone, Unsure
from bot.posts import Place
from bot.settings import Discord
from tests.fakes.discord import FakeDiscord, Fault

CONTENT = b"%PDF-1.7 " + b"x" * 300_000


class Room:
    """A channel with a thread, and the adapter under test."""

    def __init__(self, discord: FakeDiscord, timeout: float = 5.0):
        self.discord = discord
        settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        self.api = DiscordApi(settings, timeout)
        self.files = DiscordFiles(self.api, Directory(self.api, settings))
        self.ann = discord.add_user("Ann")
        self.channel = discord.add_channel("support", [self.ann])

    async def thread(self) -> Place:
        root = await self.discord.post(self.ann, self.channel, "root")
        await self.discord.start_thread(self.ann, self.channel, root, "case")
        return Place("discord", self.channel, root)

    async def posted(self, place: Place, mimetype: str = "application/pdf") -> dict[str, Any]:
        """A file of an operator's message, as history gives it."""
        file = self.discord.add_file(self.ann, "bill.pdf", CONTENT, mimetype)
        message = await self.discord.post(self.ann, self.channel, "here", thread=place.root, files=[file])
        found = await self.api.call(
            "GET", "/channels/{channel_id}/messages/{message_id}", channel_id=place.root, message_id=message
        )
        return {**kept_of(found)[0], "platform": "discord", "at": 0.0}

    async def fetch(self, remote: dict[str, Any]) -> bytes:
        known = await self.files.describe(remote)
        return b"".join([piece async for piece in self.files.fetch(known)])

    async def share(self, place: Place, remote: str) -> Any:
        return await self.files.share(place, remote, "bill.pdf", pieces)

    def shown(self, place: Place) -> list[str]:
        found = self.discord.thread(self.channel, place.root)
        return [file.name for message in found for file in message.attachments]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with FakeDiscord() as discord:
        room = Room(discord)
        yield room
        await room.files.close()
        await room.api.close()


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 50_000):
        yield CONTENT[start : start + 50_000]


# --- from Discord ---------------------------------------------------------------------------------------------


async def test_an_operators_file_is_fetched(room: Room) -> None:
    remote = await room.posted(await room.thread())
    assert (remote["name"], remote["mimetype"], remote["size"]) == (
        "bill.pdf",
        "application/pdf",
        len(CONTENT),
    )
    assert await room.fetch(remote) == CONTENT


async def test_an_expired_address_is_asked_for_anew(room: Room) -> None:
    room.discord.cdn_seconds = -10
    remote = await room.posted(await room.thread())
    room.discord.cdn_seconds = 3600
    assert await room.fetch(remote) == CONTENT


async def test_an_address_that_expires_between_asking_and_fetching_is_asked_for_anew(room: Room) -> None:
    remote = await room.posted(await room.thread())
    room.discord.faults.add("cdn", Fault.http(404))
    assert await room.fetch(remote) == CONTENT


async def test_a_file_whose_message_is_gone_is_gone(room: Room) -> None:
    room.discord.cdn_seconds = -10
    place = await room.thread()
    remote = await room.posted(place)
    await room.discord.delete(place.root, remote["message"])
    with pytest.raises(EntryFault, match="file_not_found"):
        await room.fetch(remote)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/steal",
        "https://cdn.discordapp.com.evil.example/x",
        "https://cdn.discordapp.com@evil.example/x",
        "http://cdn.discordapp.com/plain",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ],
)
async def test_nothing_is_fetched_from_elsewhere(room: Room, url: str) -> None:
    remote = {**await room.posted(await room.thread()), "url": url}
    with pytest.raises(EntryFault, match="file_elsewhere"):
        await room.files.describe(remote)


@pytest.mark.parametrize("fault", [Fault.http(503), Fault.drop()])
async def test_a_cdn_that_is_away_is_the_places_fault(room: Room, fault: Fault) -> None:
    remote = await room.posted(await room.thread())
    room.discord.faults.add("cdn", fault, times=3)
    with pytest.raises(PlaceFault):
        await room.fetch(remote)


# --- to Discord -----------------------------------------------------------------------------------------------


async def test_a_shoppers_file_is_shown_with_its_bytes(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    assert room.shown(place) == []
    posted = await room.share(place, remote)
    assert room.shown(place) == ["bill.pdf"]
    assert room.discord.uploads[-1].content == CONTENT
    assert await room.files.find_share(place, remote) == posted


async def test_a_share_whose_answer_was_lost_is_found_and_not_repeated(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    room.discord.faults.add("create_message", Fault.drop(commit=True))
    with pytest.raises(Unsure):
        await room.share(place, remote)
    assert await room.files.find_share(place, remote) is not None
    assert room.shown(place) == ["bill.pdf"]


async def test_a_share_repeated_within_minutes_shows_nothing_twice(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    assert await room.share(place, remote) == await room.share(place, remote)
    assert room.shown(place) == ["bill.pdf"]


async def test_a_share_that_did_not_happen_is_not_found(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    other = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    await room.share(place, other)
    assert await room.files.find_share(place, remote) is None


async def test_a_file_that_the_server_does_not_take_is_refused_before_it_is_sent(room: Room) -> None:
    with pytest.raises(EntryFault, match="too_large"):
        await room.files.upload("film.mp4", discord_files.LEAST + 1, pieces())


async def test_a_file_that_is_not_permitted_becomes_a_link(room: Room) -> None:
    place = await room.thread()
    room.discord.revoke("attach_files")
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    with pytest.raises(EntryFault, match="discord_50013"):
        await room.share(place, remote)


async def test_a_file_that_was_too_slow_once_becomes_a_link(room: Room) -> None:
    place = await room.thread()
    slow = Room(room.discord, timeout=0.3)
    remote = await slow.files.upload("bill.pdf", len(CONTENT), pieces())
    room.discord.faults.add("create_message", Fault.hang())
    with pytest.raises(Unsure, match="timeout"):
        await slow.share(place, remote)
    with pytest.raises(EntryFault, match="too_slow"):
        await slow.share(place, remote)
    await slow.api.close()


async def test_a_share_that_its_caller_gave_up_is_too_slow_as_well(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    room.discord.faults.add("create_message", Fault.hang())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await room.share(place, remote)
    with pytest.raises(EntryFault, match="too_slow"):
        await room.share(place, remote)


async def test_a_file_is_taken_back_from_an_archived_thread_too(room: Room) -> None:
    place = await room.thread()
    posted = await room.share(place, await room.files.upload("bill.pdf", len(CONTENT), pieces()))
    await room.discord.archive(place.root)
    await room.files.take_back(posted.remote_id)
    await room.files.take_back(posted.remote_id)
    assert room.shown(place) == []


async def test_a_thread_that_is_gone_is_said_to_be(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    await room.discord.delete_thread(place.root)
    with pytest.raises(RootGone):
        await room.share(place, remote)
