"""What a hostile reviewer tried, and what had to be mended; each claim failed before."""

import asyncio
import contextlib
import time
from typing import Any

import pytest

from adapters.discord import form_view
from adapters.discord.components import press
from adapters.discord.directory import Directory
from adapters.discord.files import kept_of
from adapters.discord.inbound import WITHDRAWS
from adapters.discord.limits import MOST_REFUSED, MOST_REFUSED_CHANGES, Refusals
from adapters.discord.presence import SharedPresence
from adapters.discord.queue_view import team_board
from adapters.discord.webhooks import _Webhook
from bot.boards import Board, Look, View
from bot.commands import AddNote, HoldLease, Keep, ThreadEdit, ThreadMessage
from bot.errors import NotStored, PlaceFault, Unavailable, Unsure
from bot.forms import FieldKind, Form, FormField, Option
from bot.people import Role
from bot.posts import Action, Answer, Place, Receipt
from tests.adapters.discord.conftest import CARD, Room, line, shopper
from tests.adapters.discord.counter import Counter
from tests.adapters.discord.test_interactions import counter as counter_
from tests.adapters.discord.test_line import running
from tests.adapters.discord.test_listening import Ear, case
from tests.adapters.discord.test_listening import ear as ear_
from tests.fakes.discord import Fault
from tests.waiting import until

counter, ear = counter_, ear_  # pytest finds its fixtures by name

# --- a history that cannot be read is not an empty one --------------------------------------------------------


async def test_without_read_message_history_nothing_counts_as_deleted(room: Room) -> None:
    """Discord answers with an empty list there, and every message would be taken back from the shopper."""
    place = await room.thread()
    await room.discord.post(room.anna, room.channel, "hello", place.root)
    room.discord.revoke("read_message_history", room.channel)
    with pytest.raises(PlaceFault) as fault:
        await room.chat.history(place, "")
    assert fault.value.reason == "missing_permissions"


@pytest.mark.parametrize("said", [line("one"), CARD])
async def test_without_read_message_history_nothing_counts_as_never_said(room: Room, said: Any) -> None:
    place = await room.thread()
    room.discord.revoke("read_message_history", room.channel)
    looked_at = place if said is not CARD else Place("discord", room.channel, "")
    with pytest.raises(PlaceFault):
        await room.another().recognise(looked_at, said, room.began, frozenset())


async def test_without_the_message_content_intent_nothing_counts_as_empty(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    await room.discord.post(room.anna, room.channel, "hello", place.root)
    room.discord.privileged_intents.discard("message_content")
    with pytest.raises(PlaceFault) as fault:
        await room.chat.history(place, "")
    assert fault.value.reason == "message_content"
    for name, event in room.discord.gateway.events[begin:]:
        ear.listeners.hear(name, {**event, "content": ""} if name == "MESSAGE_CREATE" else event)
    assert await ear.hear(len(room.discord.gateway.events)) == []
    assert ear.missed == 1


async def test_history_says_who_stopped_a_message(room: Room) -> None:
    place = await room.thread()
    held = await room.discord.post(room.anna, room.channel, "wait", place.root)
    await room.discord.post(room.anna, room.channel, "other", place.root)
    for who in (room.lea, room.discord.bot_id):
        await room.discord.react(who, place.root, held, WITHDRAWS)
    stopped, other = await room.chat.history(place, "")
    assert [one.id for one in stopped.extra["stopped_by"]] == [room.lea]
    assert "stopped_by" not in other.extra


# --- what is heard --------------------------------------------------------------------------------------------


async def test_a_file_removed_alone_is_told_although_discord_calls_it_no_edit(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    files = [room.discord.add_file(room.anna, name, b"x", "image/png") for name in ("a.png", "b.png")]
    said = await room.discord.post(room.anna, room.channel, "both", place.root, files=files)
    message = room.discord.message(place.root, said)
    room.discord.world.edit(message, stamp=False, attachments=message.attachments[:1])
    await room.discord.unfurl(place.root, said)
    heard = await ear.hear(begin)
    assert [type(one) for one in heard] == [ThreadMessage, ThreadEdit]
    assert [one["name"] for one in heard[1].heard.extra["files"]] == ["a.png"]


async def test_a_thread_that_was_hidden_for_a_moment_is_heard_again(room: Room, ear: Ear) -> None:
    place, begin = await case(room)
    said = [await room.discord.post(room.anna, room.channel, text, place.root) for text in ("one", "two")]
    first, second = (
        {**event} for name, event in room.discord.gateway.events[begin:]
        if name == "MESSAGE_CREATE" and event["id"] in said
    )  # fmt: skip
    room.discord.revoke("view_channel", room.channel)
    ear.listeners.hear("MESSAGE_CREATE", first)
    assert await ear.hear(len(room.discord.gateway.events)) == []
    room.discord.grant("view_channel", room.channel)
    ear.listeners.hear("MESSAGE_CREATE", second)
    assert [one.heard.text for one in await ear.hear(len(room.discord.gateway.events))] == ["two"]


async def test_a_role_that_was_taken_away_after_a_message_is_not_given_back_by_it(
    room: Room,
    ear: Ear,
) -> None:
    """The event waits for a look-up, and names the roles of before."""
    place, begin = await case(room)
    crew = room.discord.add_role("crew")
    await room.discord.post(room.lea, room.channel, "mine", place.root)
    (event,) = (one for name, one in room.discord.gateway.events[begin:] if name == "MESSAGE_CREATE")
    ear.listeners.hear("MESSAGE_CREATE", {**event, "member": {**event["member"], "roles": [crew]}})
    left = {"guild_id": room.discord.guild_id, "user": event["author"], "roles": []}
    ear.listeners.hear("GUILD_MEMBER_UPDATE", left)
    await ear.hear(len(room.discord.gateway.events))
    known = await ear.listeners._directory._find(room.lea)
    assert known.roles == ()


async def test_a_deleted_thread_of_somebody_elses_takes_no_message_of_a_person_along(
    counter: Counter,
) -> None:
    counter.discord.grant("manage_messages", counter.room)
    counter.desk.case = None
    mine = await counter.discord.post(counter.anna, counter.room, "my own words")
    await counter.discord.start_thread(counter.anna, counter.room, mine, "a thread of mine")
    await counter.discord.delete_thread(mine)
    await counter.discord.settled()
    await asyncio.sleep(0.2)  # nothing is expected
    assert not counter.discord.message(counter.room, mine).deleted


async def test_who_replies_to_a_card_in_the_channel_is_told_that_the_shopper_does_not_see_it(
    counter: Counter,
) -> None:
    discord = counter.discord
    await discord.post(counter.anna, counter.room, "Hi Sarah!", reply_to=counter.card.id)
    told = "The shopper of #7 does not see this"
    await discord.wait_for(
        lambda: any(told in discord.text_of(one) for one in discord.messages(counter.room))
    )
    assert counter.bus.commands(ThreadMessage) == []


def test_what_is_forwarded_brings_its_files_along() -> None:
    file = {"id": "9", "filename": "a.png", "url": "https://cdn.discordapp.com/a.png"}
    message = {
        "id": "1",
        "channel_id": "2",
        "message_snapshots": [{"message": {"content": "", "attachments": [file]}}],
    }
    assert [one["name"] for one in kept_of(message)] == ["a.png"]


# --- posts ----------------------------------------------------------------------------------------------------


async def test_a_locked_thread_that_we_may_write_in_is_written_in(room: Room) -> None:
    """A webhook may not, whatever our own permissions."""
    place = await room.thread()
    room.discord.grant("manage_webhooks manage_threads", room.channel)
    await room.discord.lock(place.root)
    await room.chat.post(place, shopper("hello"), "d-1")
    assert room.posts(place) == ["**Sarah K.**  hello"]


async def test_a_name_that_discord_refuses_costs_nobody_their_words(room: Room) -> None:
    place = await room.thread()
    room.discord.grant("manage_webhooks", room.channel)
    room.discord.faults.add("execute_webhook", Fault.error("50035"))
    await room.chat.post(place, shopper("hello"), "d-1")
    assert room.posts(place) == ["**Sarah K.**  hello"]


async def test_a_channel_that_was_renamed_is_still_the_teams(room: Room) -> None:
    await room.thread()
    await room.discord.rename(room.lea, room.channel, "helpdesk")
    room.chat.directory.forget_places()
    assert await room.chat.directory.channel_id("#support") == room.channel


# --- refused calls are bounded --------------------------------------------------------------------------------


def test_before_discord_bans_us_we_rest() -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    for _ in range(MOST_REFUSED_CHANGES):
        refusals.require_room(looks=False)
        refusals.note(403)
    with pytest.raises(PlaceFault) as fault:
        refusals.require_room(looks=False)
    assert (fault.value.reason, fault.value.retry_after) == ("allowance", 600.0)
    for _ in range(MOST_REFUSED - MOST_REFUSED_CHANGES):
        refusals.require_room(looks=True)
        refusals.note(401)
    with pytest.raises(PlaceFault):
        refusals.require_room(looks=True)
    refusals.note(404)
    now = 600.0
    refusals.require_room(looks=False)


async def test_calls_that_discord_refuses_are_counted(room: Room) -> None:
    place = await room.thread()
    room.discord.revoke("send_messages_in_threads", room.channel)
    for _ in range(3):
        with pytest.raises(PlaceFault):
            await room.chat.post(place, line("one"), "d-1")
    assert len(room.chat.api._refusals._at) == 3


# --- forms and buttons ----------------------------------------------------------------------------------------


def tags_form(name: str, *known: str) -> Form:
    options = tuple(Option(one, one) for one in known)
    return Form(
        Action.TAG, 7, "Tags #7", "Save",
        (FormField(name, "Tags", FieldKind.MANY, options, value="vip", optional=True), FormField("new", "New tags")),
    )  # fmt: skip


def test_a_refused_form_of_tags_keeps_what_was_chosen_and_since_when() -> None:
    """The name of its field says when it was shown; meanwhile a colleague added "late"."""
    draft = form_view.draft(tags_form("tags@9", "vip", "damaged", "late"),
                            {"tags@4": "vip,damaged", "new": "x" * 90}, "Too long.")  # fmt: skip
    (again,) = draft["components"][0]["components"]
    seen = again["custom_id"].split(":", 4)[-1]
    form = form_view.as_seen(tags_form("tags@9", "vip", "damaged", "late"), seen)
    assert form_view.kept_values(form, draft["embeds"]) == {"tags@4": "vip,damaged", "new": "x" * 90}


def test_the_button_of_a_refused_form_names_when_it_was_shown() -> None:
    draft = form_view.draft(tags_form("tags@9", "vip", "damaged"), {"tags@4": "damaged"}, "No.")
    names = [one["custom_id"] for one in draft["components"][0]["components"]]
    assert names == ["baton:change:tag:7:tags@4"]


async def test_a_button_of_another_version_says_so(counter: Counter) -> None:
    row = {"type": 1, "components": [press("baton:teleport:7", "Old")]}
    counter.discord.world.edit(counter.card, components=[row])
    answer = await counter.click("baton:teleport:7")
    assert "another version" in answer.text


@pytest.mark.parametrize(
    ("command", "options"), [("note", {"text": "1042 is the order"}), ("tag", {"tags": "7, vip"})]
)
async def test_outside_a_thread_a_number_among_the_words_is_no_case(
    counter: Counter,
    command: str,
    options: dict[str, str],
) -> None:
    answer = await counter.type(command, **options)
    assert f"Which case should I {command}?" in answer.text
    assert counter.bus.commands(AddNote) == []


async def test_a_strange_digit_for_a_case_breaks_nothing(counter: Counter) -> None:
    counter.desk.answer_said = None
    answer = await counter.type("show", case="²")
    assert not answer.failed


def test_the_board_marks_the_view_that_it_shows() -> None:
    board = Board(Look(View.UNCLAIMED), (), {}, (), 1, "")
    styles = {
        one["label"]: one["style"]
        for row in team_board(board, "support", 0.0, 0)
        for one in row.get("components", ())
        if one.get("type") == 2
    }
    assert sorted(styles.values()) == [2] * (len(styles) - 1) + [3]
    assert styles["Unclaimed"] == 3


# --- replicas -------------------------------------------------------------------------------------------------


class Keeping:
    """What replicas share."""

    def __init__(self) -> None:
        self.kept = ""

    async def submit(self, command: Keep) -> str:
        if command.value is not None and command.instead_of == self.kept:
            self.kept = command.value
        return self.kept


async def test_a_replica_without_the_gateway_knows_who_is_online(room: Room) -> None:
    now, bus = 1_000.0, Keeping()
    listens, other = (room.another().directory for _ in range(2))
    ours, theirs = (
        SharedPresence(directory, bus, lambda one=one: one, 30.0, lambda: now)  # type: ignore[arg-type,misc]
        for directory, one in ((listens, True), (other, False))
    )
    listens.hears_presence(True)
    presences = [{"user": {"id": room.anna}, "status": "dnd"}, {"user": {"id": room.lea}, "status": "idle"}]
    listens.learn("GUILD_CREATE", {"id": room.discord.guild_id, "roles": [], "presences": presences})
    await ours._tell()
    await theirs._hear()
    assert [other._is_present(one) for one in (room.anna, room.lea, room.gus)] == [True, False, False]
    now += 200.0
    await theirs._hear()
    assert other._is_present(room.anna) is None
    await ours._tell()
    await theirs._hear()
    assert other._is_present(room.anna) is True


async def test_between_a_greeting_and_the_guild_nobody_counts_as_gone(room: Room) -> None:
    directory: Directory = room.chat.directory
    directory.hears_presence(True)
    assert directory._is_present(room.anna) is None
    assert (await directory.actor(room.anna)).role in (Role.NONE, Role.OPERATOR)


async def test_a_reply_of_which_nobody_knows_whether_it_was_stored_leaves_under_the_same_name_again(
    counter: Counter,
) -> None:
    """The database broke off in the middle: sent again under another name it might be said twice."""
    names: list[str] = []

    async def submit(action: Action, number: int, values: Any, actor: Any, id: str) -> Answer:
        names.append(id)
        if len(names) < 3:
            raise Unavailable("the database is away")
        return Answer("Noted.")

    counter.desk.submit = submit  # type: ignore[assignment,method-assign]
    sent = await counter.fill(await counter.choose("baton:note:7"), text="order 12")
    draft = sent.reply
    assert draft is not None
    for _ in range(2):
        again = await counter.click("Open it again…", draft)
        sent = await counter.fill(again, text="order 12")
    await counter.discord.wait_for(lambda: "Noted." in counter.discord.text_of(draft))
    assert (len(names), len(set(names))) == (3, 1)


async def test_a_post_of_another_applications_webhook_is_none_of_ours(room: Room) -> None:
    """It says the very same, in a thread of ours, and this process has posted nothing yet."""
    place = await room.thread()
    await room.discord.post_as_webhook(room.channel, "hello", "Sarah K. (Shopper)", place.root)
    found = await room.another().recognise(place, shopper("hello"), room.began, frozenset())
    assert found is None


async def test_a_message_that_bears_as_many_reactions_as_it_may_stops_nothing(room: Room) -> None:
    place = await room.thread()
    said = await room.discord.post(room.anna, room.channel, "hello", place.root)
    room.discord.faults.add("create_reaction", Fault.error("30010"))
    await room.chat.mark(place, said, Receipt.SEEN, None)


async def test_a_brief_whose_answer_was_lost_stands_once(room: Room) -> None:
    """It is announced again a minute later."""
    for fault in (Fault.drop(commit=True), None):
        if fault is not None:
            room.discord.faults.add("create_message", fault)
        with contextlib.suppress(Unsure):
            await room.chat.announce(room.channel, Answer("Good morning: three are waiting."))
    assert len(room.cards()) == 1


async def test_a_lease_that_the_database_refuses_once_is_asked_for_again() -> None:
    async with running() as (house, discord, replica):
        first = replica()
        await first.start()
        submit, refused = house.submit, False

        async def refuses(command: Any) -> Any:
            nonlocal refused
            if isinstance(command, HoldLease) and not refused:
                refused = True
                raise NotStored("IntegrityError")
            return await submit(command)

        house.submit = refuses  # type: ignore[method-assign]
        await until(lambda: refused)
        house.leases["discord gateway"] = ("another", time.monotonic() + 60)
        await discord.wait_for(lambda: discord.connections == 0)


async def test_what_another_replicas_webhook_said_is_changed_and_taken_back(room: Room) -> None:
    """Both made one at the same moment, and each knows its own."""
    place = await room.thread()
    room.discord.grant("manage_webhooks", room.channel)
    posted = await room.chat.post(place, shopper("hello"), "d-1")
    other = room.another()
    made = await other.api.call(
        "POST", "/channels/{channel_id}/webhooks", json={"name": "Baton"}, channel_id=room.channel
    )
    other.voices._webhooks[room.channel] = _Webhook(str(made["id"]), str(made["token"]))
    await other.amend(place, posted.remote_id, shopper("hello, corrected"))
    assert room.posts(place) == ["hello, corrected"]
    await other.retract(place, posted.remote_id)
    assert room.posts(place) == []


async def test_what_a_webhook_said_can_be_changed_into_what_it_would_not_have_said(room: Room) -> None:
    """A shopper's words that were erased: nothing is left of them but that they were there."""
    place = await room.thread()
    room.discord.grant("manage_webhooks", room.channel)
    posted = await room.chat.post(place, shopper("my card is 4111 1111"), "d-1")
    await room.another().amend(place, posted.remote_id, line("erased"))
    assert room.posts(place) == ["erased"]
