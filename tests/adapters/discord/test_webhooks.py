"""What a shopper writes stands under their own name where that is permitted, and under Baton's where it is not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.discord.api import DiscordApi
from adapters.discord.directory import Directory
from adapters.discord.webhooks import Voices, content_of, name_of
from bot.entries import Author
from bot.errors import EntryFault, RootGone, Unsure
from bot.posts import Place, Post, PostKind, Turn
from bot.settings import Discord
from bot.splitting import units
from tests.fakes.discord import FakeDiscord, Fault


def said(text: str = "It came in *two* pieces", name: str = "Sarah K.", **more: Any) -> Post:
    turn = Turn(1, more.pop("author", Author.SHOPPER), name, text, 0.0, more.pop("note", ""))
    return Post(PostKind.TURNS, turns=(turn,), **more)


class Room:
    """A channel with a thread, and the adapter under test."""

    def __init__(self, discord: FakeDiscord):
        self.discord = discord
        self.settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        self.api = DiscordApi(self.settings, 5.0)
        self.ann = discord.add_user("Ann")
        self.channel = discord.add_channel("support", [self.ann])
        self.voices = self.again()

    def again(self) -> Voices:
        """As after a restart."""
        return Voices(self.api, Directory(self.api, self.settings))

    async def thread(self) -> Place:
        root = await self.discord.post(self.ann, self.channel, "root")
        await self.discord.start_thread(self.ann, self.channel, root, "case")
        return Place("discord", self.channel, root)

    def last(self, place: Place) -> Any:
        return self.discord.thread(self.channel, place.root)[-1]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with FakeDiscord() as discord:
        room = Room(discord)
        yield room
        await room.api.close()


async def test_a_shopper_speaks_under_their_own_name(room: Room) -> None:
    place = await room.thread()
    posted = await room.voices.post(place, said())
    assert posted is not None
    message = room.last(place)
    assert (message.id, message.username) == (posted.remote_id, "Sarah K. (Shopper)")
    assert message.content == r"It came in \*two\* pieces"
    assert message.pinged == []


async def test_one_webhook_is_made_and_found_again_after_a_restart(room: Room) -> None:
    place = await room.thread()
    await room.voices.post(place, said("one"))
    await room.voices.post(place, said("two"))
    await room.again().post(place, said("three"))
    assert len(room.discord.webhooks) == 1


async def test_without_the_permission_nothing_is_said_and_nobody_is_asked_each_time(room: Room) -> None:
    place = await room.thread()
    room.discord.revoke("manage_webhooks")
    assert [await room.voices.post(place, said()) for _ in range(3)] == [None, None, None]
    assert room.discord.webhooks == []
    assert len(room.discord.thread(room.channel, place.root)) == 1


async def test_a_webhook_that_somebody_deleted_is_made_anew(room: Room) -> None:
    place = await room.thread()
    await room.voices.post(place, said("one"))
    room.discord.world.webhooks.clear()
    assert await room.voices.post(place, said("two")) is not None
    assert room.last(place).content == "two"


async def test_a_webhook_that_may_not_be_made_anew_leaves_it_to_baton(room: Room) -> None:
    place = await room.thread()
    await room.voices.post(place, said("one"))
    room.discord.world.webhooks.clear()
    room.discord.revoke("manage_webhooks")
    assert await room.again().post(place, said("two")) is None


async def test_an_edit_and_a_delete_reach_it_after_a_restart_too(room: Room) -> None:
    place = await room.thread()
    posted = await room.voices.post(place, said("Frday"))
    assert posted is not None
    later = room.again()
    assert await later.amend(place, posted.remote_id, said("Friday", note="edited"))
    assert room.last(place).content == "Friday  *(edited)*"
    await room.discord.archive(place.root)
    assert await later.retract(place, posted.remote_id)
    assert len(room.discord.thread(room.channel, place.root)) == 1


async def test_what_baton_itself_said_is_none_of_its_voices(room: Room) -> None:
    place = await room.thread()
    ours = await room.api.call(
        "POST", "/channels/{channel_id}/messages", json={"content": "hi"}, channel_id=place.root
    )
    assert not await room.voices.amend(place, ours["id"], said())
    assert not await room.voices.retract(place, ours["id"])


async def test_what_a_lost_webhook_said_can_be_deleted_but_not_changed(room: Room) -> None:
    place = await room.thread()
    posted = await room.voices.post(place, said())
    assert posted is not None
    room.discord.world.webhooks.clear()
    room.discord.revoke("manage_webhooks")
    later = room.again()
    with pytest.raises(EntryFault, match="webhook_gone"):
        await later.amend(place, posted.remote_id, said("other"))
    assert await later.retract(place, posted.remote_id)


async def test_a_lost_answer_leaves_it_open_whether_it_was_said(room: Room) -> None:
    """And the post can be recognised by what it says, also by a process that did not say it."""
    place = await room.thread()
    room.discord.faults.add("execute_webhook", Fault.drop(commit=True))
    with pytest.raises(Unsure):
        await room.voices.post(place, said())
    page = await room.api.call("GET", "/channels/{channel_id}/messages", channel_id=place.root)
    later = room.again()
    later.application_id = room.discord.application_id
    found = [one for one in page if later.is_ours(one) and one["content"] == later.content_of(said())]
    assert len(found) == 1


async def test_a_thread_that_is_gone_is_said_to_be(room: Room) -> None:
    place = await room.thread()
    await room.discord.delete_thread(place.root)
    with pytest.raises(RootGone):
        await room.voices.post(place, said())


@pytest.mark.parametrize(
    "post",
    [
        said(author=Author.ASSISTANT),
        said(author=Author.OPERATOR),
        said(mentions=("100000000000000007",)),
        said(text=""),
        said(text="*" * 1500),
        Post(PostKind.TURNS, turns=said().turns * 2),
        Post(PostKind.LINE, text="claimed"),
    ],
)
def test_only_one_shoppers_words_are_said_in_their_name(post: Post) -> None:
    assert content_of(post) is None


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200b\u202e", "Clyde", "Discord Support", "dIsCoRd", "Baton", "the baton"]
)
def test_a_name_that_is_taken_or_none_is_not_used(name: str) -> None:
    assert name_of(said(name=name)) is None


@pytest.mark.parametrize(
    "name", ["Dana Miller", "x" * 300, "😀" * 90, "a\nb\tc", "\u202eanaD", "@everyone", "**Dana**"]
)
def test_a_name_always_says_that_it_is_a_shoppers(name: str) -> None:
    shown = name_of(said(name=name))
    assert shown is not None
    assert shown.endswith(" (Shopper)")
    assert units(shown) <= 80
    assert "\u202e" not in shown
    assert "\n" not in shown
