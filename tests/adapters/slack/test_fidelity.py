"""Which of Slack's events are messages, and which edits are edits; and how Markdown looks in a thread."""

from typing import Any

import pytest

from adapters.slack import mrkdwn
from adapters.slack.inbound import arrival, people_in
from adapters.slack.mrkdwn import BREAK
from bot import markdown
from bot.commands import ThreadEdit, ThreadMessage
from bot.people import Actor, Role

BOT, ANNA, ROOM, ROOT, TS = "U0BATON", "U0000ANNA", "C0000ROOM", "1700000000.000100", "1700000005.000200"

NOT_SAID = [
    "assistant_app_thread",
    "bot_add",
    "bot_message",
    "bot_remove",
    "bot_disable",
    "bot_enable",
    "channel_archive",
    "channel_canvas_updated",
    "channel_convert_to_private",
    "channel_join",
    "channel_leave",
    "channel_name",
    "channel_posting_permissions",
    "channel_purpose",
    "channel_topic",
    "channel_unarchive",
    "document_mention",
    "ekm_access_denied",
    "file_comment",
    "file_mention",
    "group_archive",
    "group_join",
    "group_leave",
    "group_name",
    "group_purpose",
    "group_topic",
    "group_unarchive",
    "huddle_thread",
    "message_replied",
    "pinned_item",
    "reminder_add",
    "reminder_delete",
    "reply_broadcast",
    "sh_room_created",
    "sh_room_shared",
    "tombstone",
    "unpinned_item",
]


def message(words: str = "on it", **changes: Any) -> dict[str, Any]:
    base = {"type": "message", "user": ANNA, "text": words, "ts": TS, "thread_ts": ROOT, "channel": ROOM}
    return {key: value for key, value in (base | changes).items() if value is not None}


def rich(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}]


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def changed(now: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    base = {"type": "message", "subtype": "message_changed", "channel": ROOM, "ts": "1700000009.000300"}
    return base | {"message": now} | ({"previous_message": before} if before is not None else {})


def read(event: dict[str, Any], role: Role = Role.OPERATOR) -> Any:
    found = arrival(event, {ANNA: Actor("slack", ANNA, "Anna Berg", role)}, BOT)
    return found.command if found else None


@pytest.mark.parametrize("subtype", NOT_SAID)
def test_what_nobody_said_is_no_message(subtype: str) -> None:
    assert read(message("Anna has joined the channel", subtype=subtype)) is None
    assert people_in(message(subtype=subtype)) == []


@pytest.mark.parametrize("subtype", NOT_SAID)
def test_what_nobody_said_is_no_edit_either(subtype: str) -> None:
    assert (
        read(changed(message("a huddle ended", subtype=subtype), message("a huddle began", subtype=subtype)))
        is None
    )


@pytest.mark.parametrize(
    "traits",
    [
        {"bot_id": "B0WORKFLOW", "subtype": "bot_message", "user": None, "username": "Standup workflow"},
        {"bot_id": "B0WORKFLOW", "app_id": "A0WORKFLOW"},
        {"bot_id": "B0BATON", "user": BOT},
        {"user": "USLACKBOT"},
        {"user": None},
    ],
)
def test_bots_workflows_and_slack_itself_are_not_people(traits: dict[str, Any]) -> None:
    assert read(message(**traits)) is None


def test_a_stranger_from_another_workspace_is_heard_as_one() -> None:
    """The core keeps what a person of no role writes inside (`bot/relay.py`)."""
    said = read(message(user_team="T0OTHER", source_team="T0OTHER"), Role.NONE)
    assert isinstance(said, ThreadMessage)
    assert said.actor.role is Role.NONE


def test_a_link_preview_is_no_edit() -> None:
    preview = message("https://a.example", attachments=[{"title": "Lamps"}])
    assert read(changed(preview, message("https://a.example"))) is None


def test_a_reply_count_is_no_edit() -> None:
    assert read(changed(message(reply_count=2, latest_reply=TS), message())) is None


def test_the_same_words_in_another_block_are_no_edit() -> None:
    now = message(
        "hi :tada:", blocks=rich(text("hi "), {"type": "emoji", "name": "tada", "unicode": "1f389"})
    )
    before = message("hi :tada:", blocks=rich(text("hi "), {"type": "emoji", "name": "tada"}))
    assert read(changed(now, before)) is None


def test_a_word_made_bold_is_an_edit() -> None:
    now, before = (
        message("now", blocks=rich(text("now", bold=True))),
        message("now", blocks=rich(text("now"))),
    )
    edit = read(changed(now, before))
    assert isinstance(edit, ThreadEdit)
    assert edit.heard.text == "**now**"


def test_an_edit_whose_past_is_not_told_is_an_edit() -> None:
    assert isinstance(read(changed(message(), None)), ThreadEdit)


def test_a_bold_note_is_marked_as_one() -> None:
    said = read(message("*note:* call her", blocks=rich(text("note:", bold=True), text(" call her"))))
    assert said.heard.text == "note: call her"


# --- Markdown in a thread -------------------------------------------------------------------------------------


def shown(words: str) -> str:
    return mrkdwn.written(markdown.parse(words))


@pytest.mark.parametrize(
    ("markdown_text", "in_slack"),
    [
        ("- a\n    1. b\n        c\n- d", "• a\n    1. b\n    c\n• d"),
        ("- a\n  - b\n    - c", "• a\n    ◦ b\n        ◦ c"),
        ("> - a\n> - b", "> • a\n> • b"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("**one\ntwo**", "*one*\n*two*"),
        ("~~~~\nx\n~~~~", "```\nx\n```"),
        (r"\# no heading, 1\. no list", "# no heading, 1. no list"),
        (r"2\*3\*4", "2*3*4"),
        (r"\*no\*", f"*{BREAK}no*{BREAK}".removesuffix(BREAK)),
        ("***both*** and **bold _in_ it**", "*_both_* and *bold* _*in*_ *it*"),
        ("`` a`b ``", f"`a{BREAK}`b`"),
    ],
)
def test_markdown_looks_the_same_in_slack(markdown_text: str, in_slack: str) -> None:
    assert shown(markdown_text).replace("*_in_*", "_*in*_") == in_slack


@pytest.mark.parametrize(
    "text_of_shopper", ["__x__", "*x*", "`x`", "é*x*", ":tada:", "\r> x", "  > x", "**_x_**"]
)
def test_a_shopper_cannot_format(text_of_shopper: str) -> None:
    inert = mrkdwn.inert(text_of_shopper)
    for opened in ("*x", "_x", "`x", ":tada:", "\r&gt;", "  &gt;"):
        assert opened not in inert
