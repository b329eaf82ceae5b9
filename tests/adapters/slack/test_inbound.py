"""Which of Slack's events say something, and what."""

from typing import Any

import pytest

from adapters.slack.clicks import click
from adapters.slack.inbound import Arrival, arrival, people_in
from bot.commands import Claim, RootDeleted, SendAside, ThreadDelete, ThreadEdit, ThreadMessage
from bot.people import Actor
from bot.posts import Action, Place

BOT, ANNA, ROOM, ROOT = "U0BATON", "U0000ANNA", "C0000ROOM", "1700000000.000100"
WHO = Actor("slack", ANNA, "Anna Berg")
PLACE = Place("slack", ROOM, ROOT)
TS = "1700000005.000200"


def message(**changes: Any) -> dict[str, Any]:
    base = {"type": "message", "user": ANNA, "text": "on it", "ts": TS, "thread_ts": ROOT, "channel": ROOM}
    return {key: value for key, value in (base | changes).items() if value is not None}


def changed(text: str, before: str, **more: Any) -> dict[str, Any]:
    now = message(text=text, edited={"user": ANNA, "ts": "1700000009.000000"}, **more)
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": ROOM,
        "ts": "1700000009.000300",
        "message": now,
        "previous_message": message(text=before, **more),
    }


def deleted(before: dict[str, Any] | None) -> dict[str, Any]:
    event = {"type": "message", "subtype": "message_deleted", "channel": ROOM, "ts": "1700000009.000300"}
    return event | {"deleted_ts": (before or {}).get("ts", TS), "previous_message": before}


def read(event: dict[str, Any]) -> Arrival | None:
    return arrival(event, {ANNA: WHO}, BOT)


def test_a_reply_is_a_thread_message() -> None:
    found = read(message())
    assert found is not None
    assert (found.lane, found.order) == (f"slack:{ROOM}:{ROOT}", TS)
    assert isinstance(found.command, ThreadMessage)
    assert (found.command.place, found.command.actor) == (PLACE, WHO)
    heard = found.command.heard
    assert (heard.id, heard.order, heard.author_id, heard.text) == (TS, TS, ANNA, "on it")
    assert (heard.at, heard.edited_order, heard.addressed) == (float(TS), "", None)


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_these_subtypes_are_said_by_people(subtype: str) -> None:
    assert read(message(subtype=subtype)) is not None


@pytest.mark.parametrize(
    "event",
    [
        message(thread_ts=None),
        message(thread_ts=TS),
        message(bot_id="B0OTHER"),
        message(user=BOT),
        message(user="USLACKBOT"),
        message(user=None, subtype="bot_message"),
        message(subtype="channel_join"),
        message(type="app_mention"),
        changed("same", "same"),
        changed("new", "old", bot_id="B0BATON"),
        changed("new", "old", thread_ts=None),
        deleted(message(bot_id="B0BATON", user=BOT)),
        deleted(message(bot_id="B0OTHER", user="U0OTHERBOT")),
        deleted(message(ts=ROOT)),
        deleted(message(ts=ROOT, thread_ts=None)),
        deleted(None),
    ],
)
def test_these_events_say_nothing_to_us(event: dict[str, Any]) -> None:
    assert read(event) is None


def test_an_edit_is_ordered_by_its_own_event() -> None:
    """`edited.ts` has whole seconds, so two quick edits would look like one."""
    found = read(changed("two pairs", "one pair"))
    assert found is not None
    assert isinstance(found.command, ThreadEdit)
    assert (found.command.heard.text, found.command.heard.id) == ("two pairs", TS)
    assert found.command.heard.edited_order == found.order == "1700000009.000300"


def test_a_removed_reply_is_a_thread_delete() -> None:
    found = read(deleted(message()))
    assert found is not None
    assert found.command == ThreadDelete(PLACE, TS, "1700000009.000300")


def test_our_card_being_deleted_is_noticed() -> None:
    bare = message(ts=ROOT, thread_ts=None, user=BOT, bot_id="B0BATON")
    found = read(deleted(bare))
    assert found is not None
    assert found.command == RootDeleted(PLACE)


def test_our_card_becoming_a_tombstone_is_noticed() -> None:
    event = changed("This message was deleted.", "#1042")
    event["message"] |= {"ts": ROOT, "subtype": "tombstone", "user": "USLACKBOT"}
    event["previous_message"] |= {"ts": ROOT, "user": BOT, "bot_id": "B0BATON"}
    found = read(event)
    assert found is not None
    assert found.command == RootDeleted(PLACE)


def test_somebody_elses_root_becoming_a_tombstone_is_not_ours() -> None:
    event = changed("This message was deleted.", "lunch?")
    event["message"] |= {"ts": ROOT, "subtype": "tombstone", "user": "USLACKBOT"}
    event["previous_message"] |= {"ts": ROOT}
    assert read(event) is None


def test_files_travel_beside_the_text() -> None:
    file = {"id": "F1", "name": "label.pdf", "mimetype": "application/pdf", "size": 9, "permalink": "x"}
    found = read(message(subtype="file_share", files=[file]))
    assert found is not None
    assert isinstance(found.command, ThreadMessage)
    assert found.command.heard.extra["files"] == [
        {"id": "F1", "name": "label.pdf", "mimetype": "application/pdf", "size": 9}
    ]


def test_whom_to_look_up_is_the_author_and_the_mentioned() -> None:
    assert people_in(message(text="ask <@U0000BERT>")) == [ANNA, "U0000BERT"]
    assert people_in(message(thread_ts=None)) == []


def clicked(action_id: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": ANNA, "username": "anna"},
        "channel": {"id": ROOM},
        "container": {"message_ts": ROOT, "channel_id": ROOM, **more},
        "actions": [{"action_id": action_id, "value": value, "type": "button"}],
    }


def test_a_click_is_the_buttons_command() -> None:
    pressed = click(clicked("baton:claim", "1042"))
    assert pressed is not None
    assert pressed.command(WHO) == Claim(1042, WHO)
    aside = click(clicked("baton:send_as_me:2", "1042:7"))
    assert aside is not None
    assert aside.command(WHO) == SendAside(1042, 7, Action.SEND_AS_ME, WHO)


def test_a_whisper_goes_where_the_click_was() -> None:
    on_root = click(clicked("baton:claim", "1", thread_ts=ROOT))
    on_reply = click(clicked("baton:send", "1:2", thread_ts=ROOT, message_ts=TS))
    assert on_root is not None
    assert on_reply is not None
    assert (on_root.where.root, on_reply.where.root) == ("", ROOT)


def test_foreign_buttons_are_not_ours() -> None:
    assert click(clicked("other:claim", "1")) is None
    nonsense = click(clicked("baton:explode", "1"))
    assert nonsense is not None
    with pytest.raises(ValueError):
        nonsense.command(WHO)
