"""What an operator typed in Discord, as the shopper reads it; and what we write, as Discord's marks."""

from typing import Any

import pytest

from adapters.discord import markup
from adapters.discord.formatting import addressed, command_of, markdown_of, mentioned_in
from bot.people import Actor

BOT, ROLE, ANNA, BEN = "100000000000000001", "100000000000000002", "100000000000000007", "100000000000000008"
PLACES = {"&100000000000000009": "leads", "#100000000000000004": "returns"}


def name_of(user_id: str) -> str:
    return {ANNA: "Anna", BEN: "Ben"}.get(user_id, "someone")


def read(content: str, **more: Any) -> tuple[str | None, str]:
    places = lambda one: PLACES.get(one, "")  # noqa: E731
    return markdown_of({"content": content, **more}, BOT, name_of, places, bot_role_id=ROLE)


@pytest.mark.parametrize(
    ("typed", "markdown"),
    [
        ("**b** *i* or _i_ ~~s~~ `c`", "**b** _i_ or _i_ ~~s~~ `c`"),
        ("***both*** and **bold *in* it**", "**_both_** and **bold _in_ it**"),
        ("__under__ and ||hidden||", "under and hidden"),
        ("# Title\n## Less\n-# small", "**Title\nLess**\nsmall"),
        ("> one\n> two\nthree", "> one\n> two\n\nthree"),
        (">>> one\ntwo", "> one\n> two"),
        ("- a\n  - b\n    1. c\n- d", "- a\n    - b\n        1. c\n- d"),
        ("```py\nx = '*'\n```", "```\nx = '*'\n```"),
        ("**two\nlines**", "**two\nlines**"),
        ("**intro\n- item** end", "**intro**\n\n- **item** end"),
        ("[our page](https://a.example/x_y)", "[our page](https://a.example/x_y)"),
        ("[our page](<https://a.example>)", "[our page](https://a.example)"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("see https://a.example/x_y_z. Now", "see https://a.example/x_y_z. Now"),
        (f"<@{ANNA}> and <@!{BEN}>, <@&100000000000000009>", "@Anna and @Ben, @leads"),
        ("<#100000000000000004> or <#5>", "#returns or #channel"),
        ("<:party_parrot:12> <a:blobWave:13> :tada:", "(party parrot) (blob Wave) 🎉"),
        ("<t:1700000000:R> <t:1700000000:D> <t:1700000000:t>",
         "14 November 2023, 22:13 UTC 14 November 2023 22:13 UTC"),
        ("</handoff claim:99> <id:customize>", "/handoff claim #customize"),
        (r"\*no\* 2\*3 snake_case_name", r"\*no\* 2\*3 snake_case_name"),
        (r"¯\_(ツ)_/¯", r"¯\\\_(ツ)\_/¯"),
        ("👍🏽 10:30:45", "👍🏽 10:30:45"),
    ],
)  # fmt: skip
def test_what_an_operator_typed_reads_as_they_see_it(typed: str, markdown: str) -> None:
    assert read(typed)[1] == markdown


@pytest.mark.parametrize(
    ("typed", "to"),
    [
        (f"<@{BOT}> claim", "bot"),
        (f"  \u200b<@!{BOT}>, claim", "bot"),
        (f"**<@{BOT}>** claim", "bot"),
        (f"<@&{ROLE}> claim", "bot"),
        (f"<@{ANNA}> look", "person"),
        (f"> <@{ANNA}> look", "person"),
        ("<@&100000000000000009> look", "person"),
        ("@everyone look", "person"),
        ("@here look", "person"),
        ("@hereby I promise", None),
        (f"Hi <@{BOT}>", None),
        (f"`<@{BOT}>`", None),
        ("hello", None),
    ],
)
def test_to_whom_a_message_is_said(typed: str, to: str | None) -> None:
    assert addressed(typed, BOT, ROLE)[0] == to


def test_a_command_is_read_as_it_was_typed_with_people_as_numbers() -> None:
    anna = Actor("discord", ANNA, "Anna Berg")
    found = command_of({"content": f"<@{BOT}> assign <@{ANNA}> a_b *c*"}, BOT, {ANNA: anna})
    assert found == {"command": "assign @1 a_b *c*", "people": (anna,)}
    assert command_of({"content": "assign"}, BOT, {}) == {}


def test_whom_a_message_mentions_is_known_before_it_is_read() -> None:
    forwarded = {"message": {"content": f"<@{BEN}>"}}
    message = {
        "content": f"<@{ANNA}> <@{ANNA}>",
        "message_reference": {"type": 1},
        "message_snapshots": [forwarded],
    }
    assert mentioned_in(message) == [ANNA, BEN]


def test_what_has_no_words_of_its_own_is_said_in_words() -> None:
    assert read("", sticker_items=[{"name": "Wave_hello"}])[1] == "(Wave hello)"
    poll = {
        "question": {"text": "*Which?*"},
        "answers": [{"poll_media": {"text": "Blue"}}, {"poll_media": {"text": "Red"}}],
    }
    assert read("", poll=poll)[1] == "\\*Which?\\*\n\n- Blue\n\n- Red"
    forwarded = {"message": {"content": "**hi**"}}
    assert read("look", message_reference={"type": 1}, message_snapshots=[forwarded])[1] == "look\n\n**hi**"


@pytest.mark.parametrize(
    "mark", ["// call her", "note: call her", "*note: * call her", "`// call` her", "> //x"]
)
def test_in_doubt_a_note_stays_a_note(mark: str) -> None:
    assert read(mark)[1].startswith(("//", "note:"))


# --- what we write --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("order #4521, 10:30, a-b, (c)", "order #4521, 10:30, a-b, (c)"),
        ("# x\n- y\n1. z\n> q", "\\# x\n\\- y\n1\\. z\n\\> q"),
        ("*a* _b_ ||c||", r"\*a\* \_b\_ \|\|c\|\|"),
        (f"<@{ANNA}> <#1>", rf"\<\@{ANNA}> \<\#1>"),
        ("https://a.example discord.gg/x", r"https\://a.example discord\.gg/x"),
        ("@everyone", "@\u200beveryone"),
        (":tada: 1:100:2", r"\:tada: 1\:100:2"),
    ],
)
def test_a_shoppers_text_is_escaped_no_more_than_it_must_be(text: str, sent: str) -> None:
    assert markup.inert(text) == sent


@pytest.mark.parametrize(
    ("markdown", "sent"),
    [
        ("**one\ntwo**", "**one**\n**two**"),
        ("**a**_b_", "**a**\u200b*b*"),
        ("- a\n    - b\n\nend", "- a\n  - b\n\nend"),
        ("1. a\n3. b", "1\\. a\n3\\. b"),
        ("> - a", "> - a"),
        ("[bank.example](https://evil.example)", "bank.example (<https://evil.example>)"),
        ("[ours](https://a.example/x)", "[ours](<https://a.example/x>)"),
        ("[write](mailto:a@b.example)", "write (a@b.example)"),
        ("`a` ``b`c``", "`a` ``b`c``"),
        ("```\n@everyone ```\n```", "```\n@\u200beveryone `\u200b`\u200b`\n```"),
    ],
)
def test_markdown_in_discords_marks(markdown: str, sent: str) -> None:
    assert markup.marked_up(markdown) == sent


@pytest.mark.parametrize(
    ("person", "ping"),
    [
        (ANNA, f"<@{ANNA}>"),
        (f"&{ROLE}", f"<@&{ROLE}>"),
        ("here", "@here"),
        ("everyone", ""),
        ("x", ""),
        ("1> @here", ""),
    ],
)
def test_only_ids_and_here_ping(person: str, ping: str) -> None:
    assert markup.mention(person) == ping
