"""What is heard: people's words in threads, in Discord's order; not bots, webhooks, previews or other guilds."""

import asyncio
from typing import Any

import pytest

from adapters.discord.listeners import Listeners
from bot.commands import RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage, Withdraw
from bot.people import Role
from bot.posts import Place
from bot.settings import TeamPolicy
from tests.adapters.discord.conftest import CARD, Room
from tests.adapters.discord.test_line import House


class Ear:
    """The listeners, fed with the events that the guild sends."""

    def __init__(self, room: Room):
        self.room = room
        self.house = House()
        self.tasks: list[asyncio.Task[Any]] = []
        self.missed = 0
        chat = room.another(TeamPolicy("support", "discord", "#support"))
        desk: Any = None
        self.listeners = Listeners(chat, self.house, desk, self._errand, self._missed)  # type: ignore[arg-type]

    def _errand(self, work: Any) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def _missed(self) -> None:
        self.missed += 1

    async def hear(self, first: int = 0) -> list[Any]:
        """All that was sent since; what became of it."""
        for name, event in self.room.discord.gateway.events[first:]:
            self.listeners.hear(name, event)
        while pending := [one for one in self.tasks if not one.done()]:
            await asyncio.gather(*pending)
        return self.house.arrived


@pytest.fixture
async def ear(room: Room) -> Ear:
    return Ear(room)


async def case(room: Room) -> tuple[Place, int]:
    """A thread, and how many events there were by then."""
    place = await room.thread()
    return place, len(room.discord.gateway.events)


async def test_what_people_say_edit_and_take_back_becomes_commands(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    said = await room.discord.post(room.anna, room.channel, "one", place.root)
    await room.discord.edit(place.root, said, "one, corrected")
    await room.discord.delete(place.root, said)
    message, edit, delete = await ear.hear(begin)
    assert isinstance(message, ThreadMessage)
    assert (message.place, message.heard.id, message.heard.text) == (place, said, "one")
    assert (message.actor.name, message.actor.highest) == ("Anna Berg", Role.OPERATOR)
    assert isinstance(edit, ThreadEdit)
    assert (edit.heard.text, edit.heard.edited_order > edit.heard.order) == ("one, corrected", True)
    assert isinstance(delete, ThreadDelete)
    assert (delete.message_id, delete.order >= edit.heard.edited_order) == (said, True)


async def test_an_edit_has_one_key_whether_it_comes_live_or_from_history(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    said = await room.discord.post(room.anna, room.channel, "one", place.root)
    await room.discord.edit(place.root, said, "two")
    live = next(one for one in await ear.hear(begin) if isinstance(one, ThreadEdit))
    (read,) = await room.chat.history(place, "")
    assert (live.heard.edited_order, live.heard.text) == (read.edited_order, read.text)


async def test_bots_webhooks_previews_and_discords_own_notes_are_not_heard(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    said = await room.discord.post(room.anna, room.channel, "https://shop.example", place.root)
    await room.discord.post_as_app(place.root, "beep")
    await room.discord.post_as_webhook(place.root, "beep", "Somebody else")
    await room.discord.unfurl(place.root, said)
    await room.discord.react(room.anna, place.root, said, "👍")
    await room.discord.typing(room.anna, place.root)
    await room.discord.post(room.anna, room.channel, "beside all threads")
    assert [type(one).__name__ for one in await ear.hear(begin)] == ["ThreadMessage"]


async def test_several_deleted_at_once_are_all_taken_back(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    ids = [await room.discord.post(room.anna, room.channel, f"n{n}", place.root) for n in range(3)]
    await room.discord.bulk_delete(place.root, ids)
    heard = await ear.hear(begin)
    assert [one.message_id for one in heard if isinstance(one, ThreadDelete)] == ids


async def test_a_deleted_card_and_a_deleted_thread_are_the_same_news(room: Room, ear: Ear) -> None:
    first, begin = await case(room)
    second = (await room.chat.open_thread("#support", CARD, "d-2")).remote_id
    await room.discord.delete(room.channel, first.root)
    await room.discord.delete_thread(second)
    roots = {one.place.root for one in await ear.hear(begin) if isinstance(one, RootDeleted)}
    assert roots >= {first.root, second}


async def test_a_stop_sign_withdraws_a_message(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    said = await room.discord.post(room.anna, room.channel, "oops", place.root)
    asked: list[Any] = []
    ear.house.submit = lambda command: _taken(asked, command)  # type: ignore[method-assign]
    await room.discord.react(room.anna, place.root, said, "🛑")
    await room.discord.react(room.anna, place.root, said, "👍")
    await ear.hear(begin)
    (command,) = asked
    assert isinstance(command, Withdraw)
    assert (command.place, command.message_id, command.actor.id) == (place, said, room.anna)


async def _taken(asked: list[Any], command: Any) -> str:
    asked.append(command)
    return ""


async def test_another_guild_is_not_listened_to(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    await room.discord.post(room.anna, room.channel, "hello", place.root)
    name, event = room.discord.gateway.events[-1]
    ear.listeners.hear(name, {**event, "guild_id": "99"})
    assert await ear.hear(begin + 10) == []


async def test_messages_that_come_together_keep_their_order(room: Room, ear: Ear) -> None:
    """Whose author must be looked up first does not let the next one pass."""
    place, begin = await case(room)
    room.discord.faults.add("get_channel", _slow())
    ids = [
        await room.discord.post(who, room.channel, f"n{n}", place.root)
        for n, who in enumerate((room.anna, room.lea, room.anna))
    ]
    heard = await ear.hear(begin)
    assert [one.heard.id for one in heard] == ids
    assert [one.heard.order for one in heard] == sorted(one.heard.order for one in heard)


def _slow() -> Any:
    from tests.fakes.discord import Fault

    return Fault.latency(0.1)


async def test_what_is_written_edited_or_deleted_waits_for_room_since_discord_says_it_once(
    room: Room, ear: Ear
) -> None:
    place, begin = await case(room)
    said = await room.discord.post(room.anna, room.channel, "one", place.root)
    await room.discord.edit(place.root, said, "two")
    await room.discord.delete(place.root, said)
    assert len(await ear.hear(begin)) == len(ear.house.patience) == 3
    assert all(ear.house.patience)


async def test_what_cannot_be_looked_up_now_is_read_back(room: Room, ear: Ear) -> None:
    from tests.fakes.discord import Fault

    place, begin = await case(room)
    await room.discord.post(room.anna, room.channel, "hello", place.root)
    room.discord.faults.add("get_guild", Fault.http(503))
    room.discord.faults.add("get_channel", Fault.http(503))
    assert await ear.hear(begin) == []
    assert ear.missed == 1


async def test_what_was_written_while_we_were_kept_out_is_read_back(room: Room, ear: Ear) -> None:
    """Kicked and invited again, or the channel hidden for a while: no greeting follows."""
    chat = ear.listeners._chat
    await chat.check_channel("#support")
    chat.directory.keep_thread("1", room.channel)
    ear.listeners.hear("READY", {})
    ear.listeners.hear("GUILD_CREATE", room.discord.world.guild_json(members=True, presences=True))
    assert ear.missed == 0
    ear.listeners.hear("GUILD_DELETE", {"id": room.discord.guild_id})
    ear.listeners.hear("GUILD_CREATE", room.discord.world.guild_json(members=True, presences=True))
    invited, begin = ear.missed, len(room.discord.gateway.events)
    room.discord.revoke("view_channel", room.channel)
    room.discord.grant("view_channel", room.channel)
    await ear.hear(begin)
    assert (invited, ear.missed) == (1, 2)


async def test_files_people_and_commands_come_with_the_words(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    file = room.discord.add_file(room.anna, "label.pdf", b"%PDF", "application/pdf")
    await room.discord.post(room.anna, room.channel, "here", place.root, files=[file])
    await room.discord.post(
        room.anna, room.channel, f"<@{room.discord.bot_id}> assign <@{room.lea}>", place.root
    )
    with_file, command = await ear.hear(begin)
    assert [one["id"] for one in with_file.heard.extra["files"]] == [file.id]
    assert (command.heard.addressed, command.heard.extra["command"]) == ("bot", "assign @1")
    assert [one.id for one in command.heard.extra["people"]] == [room.lea]
