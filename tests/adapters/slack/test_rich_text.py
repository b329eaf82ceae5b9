"""What a shopper reads of an operator's `rich_text`, element by element."""

from typing import Any

import pytest

from adapters.slack.formatting import markdown_of, mentioned_in

BOT = "U0BATON"


def name_of(user_id: str) -> str:
    return {"U0000ANNA": "Anna", "U0STAR": "A*n*na"}.get(user_id, "someone")


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def section(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(parts)}


def listed(*items: str, style: str = "bullet", **more: Any) -> dict[str, Any]:
    parts = [section(text(item)) for item in items]
    return {"type": "rich_text_list", "style": style, "elements": parts, "indent": 0, **more}


def message(*parts: dict[str, Any], words: str = "the text") -> dict[str, Any]:
    return {"text": words, "blocks": [{"type": "rich_text", "elements": list(parts)}]}


def read(*parts: dict[str, Any], words: str = "the text") -> str:
    return markdown_of(message(*parts, words=words), BOT, name_of)[1]


LINK = {"type": "link", "url": "https://a.example/x_y"}
HELLO = {"type": "user", "user_id": "U0000ANNA"}


@pytest.mark.parametrize(
    ("parts", "markdown"),
    [
        ([text("so", bold=True), text(" it "), text("is", italic=True)], "**so** it _is_"),
        ([text("no", strike=True), text(", "), text("x < y", code=True)], "~~no~~, `x < y`"),
        ([text("all", bold=True, italic=True, strike=True)], "**~~_all_~~**"),
        ([text("all ", bold=True), text("of it", bold=True, italic=True)], "**all _of it_**"),
        ([text("un"), text("believ", italic=True), text("able")], "un*believ*able"),
        ([text(" wide ", bold=True), text("open")], "**wide** open"),
        ([text("one\ntwo", bold=True)], "**one\ntwo**"),
        ([text("one\n\ntwo", bold=True)], "**one**\n\n**two**"),
        ([LINK], "https://a.example/x_y"),
        ([text("see "), LINK, text(". Then")], "see https://a.example/x_y. Then"),
        ([LINK | {"text": "our [page]"}], r"[our \[page\]](https://a.example/x_y)"),
        ([LINK | {"text": "page", "style": {"bold": True}}], "**[page](https://a.example/x_y)**"),
        ([{"type": "link", "url": "https://a.example/(x)", "text": "x"}], "[x](https://a.example/%28x%29)"),
        ([{"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"}], "a@b.example"),
        ([{"type": "link", "url": "javascript:alert(1)", "text": "click"}], "click"),
        ([text("ask "), HELLO], "ask @Anna"),
        ([text("ask "), {"type": "user", "user_id": "U0STAR"}], r"ask @A\*n\*na"),
        ([text("hi "), {"type": "broadcast", "range": "here"}], "hi @here"),
        ([{"type": "emoji", "name": "tada", "unicode": "1f389"}], "🎉"),
        ([{"type": "emoji", "name": "wave"}], "👋"),
        ([{"type": "emoji", "name": "wave", "skin_tone": 4}], "👋🏽"),
        ([{"type": "emoji", "name": "party_parrot"}], "(party parrot)"),
        ([{"type": "date", "timestamp": 1, "format": "{date}", "fallback": "Nov 14"}], "Nov 14"),
        ([{"type": "color", "value": "#FF0000"}], "#FF0000"),
    ],
)
def test_each_element_is_carried_over(parts: list[dict[str, Any]], markdown: str) -> None:
    assert read(section(*parts)) == markdown


@pytest.mark.parametrize(
    ("typed", "markdown"),
    [
        ("2*3*4", r"2\*3\*4"),
        ("5 * 3 * 2", "5 * 3 * 2"),
        ("snake_case_name", "snake_case_name"),
        ("_so_ and `so`", r"\_so\_ and \`so\`"),
        ("# no heading", r"\# no heading"),
        ("1. no list\n- nor this\n> nor a quote", "1\\. no list\n\\- nor this\n\\> nor a quote"),
        ("<b>", r"\<b>"),
        ("&amp;", r"\&amp;"),
        ("[no](https://a.example)", r"[no\](https\://a.example)"),
        ("```", r"\`\`\`"),
        ("C:\\temp", r"C:\temp"),
        ("C:\\*", r"C:\\\*"),
        (":our_logo:", ":our_logo:"),
    ],
)
def test_what_was_typed_literally_stays_literal(typed: str, markdown: str) -> None:
    assert read(section(text(typed))) == markdown


def test_lists_keep_their_levels_and_numbers() -> None:
    parts = (
        section(text("You need:\n")),
        listed("a lamp"),
        listed("warm", "cold", indent=1, style="ordered"),
        listed("a cable"),
        section(text("Then:\n")),
        listed("go on", style="ordered", offset=2),
    )
    expected = "You need:\n\n- a lamp\n    1. warm\n    2. cold\n- a cable\n\nThen:\n\n3. go on"
    assert read(*parts) == expected


def test_a_numbered_list_behind_another_begins_anew() -> None:
    assert read(listed("a", "b", style="ordered"), listed("c", style="ordered")) == "1. a\n2. b\n1) c"


def test_a_list_may_begin_deep() -> None:
    assert read(listed("a", indent=3), listed("b", indent=5), listed("c", indent=3)) == "- a\n    - b\n- c"


def test_quotes_and_code_keep_their_lines() -> None:
    quote = {"type": "rich_text_quote", "elements": [text("one\n\ntwo")]}
    code = {"type": "rich_text_preformatted", "elements": [text("if *a*:\n    <b>\n```")]}
    assert read(quote, code) == "> one\n>\n> two\n\n````\nif *a*:\n    <b>\n```\n````"


def test_the_text_gives_the_names_that_the_block_lacks() -> None:
    parts = [
        {"type": "usergroup", "usergroup_id": "S012345"},
        text(" see "),
        {"type": "channel", "channel_id": "C01"},
    ]
    words = "<!subteam^S012345|@leads> see <#C01|returns>"
    assert read(section(text("x "), *parts), words=words) == "x @leads see #returns"
    assert read(section(text("x "), *parts)) == "x @team see #channel"


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "rich_text", "elements": [{"type": "rich_text_hologram", "elements": []}]}],
        [{"type": "rich_text", "elements": [section({"type": "smell", "value": "rose"})]}],
        [{"type": "rich_text", "elements": [section(text("x"), {"type": "user"})]}],
        "nonsense",
    ],
)
def test_what_is_not_known_is_read_from_the_text(blocks: Any) -> None:
    found = markdown_of({"text": "so *it* is", "blocks": blocks}, BOT, name_of)
    assert found == (None, "so **it** is")


@pytest.mark.parametrize(
    ("first", "to"),
    [
        ({"type": "user", "user_id": BOT}, "bot"),
        ({"type": "user", "user_id": "U0000ANNA"}, "person"),
        ({"type": "user", "user_id": "U0000ANNA", "style": {"bold": True}}, "person"),
        ({"type": "usergroup", "usergroup_id": "S012345"}, "person"),
        ({"type": "broadcast", "range": "here"}, "person"),
        (text("hello"), None),
    ],
)
def test_a_mention_at_the_beginning_says_to_whom(first: dict[str, Any], to: str | None) -> None:
    assert markdown_of(message(section(text(" "), first, text(" look"))), BOT, name_of)[0] == to


def test_the_bots_mention_is_taken_off() -> None:
    bot = {"type": "user", "user_id": BOT}
    assert markdown_of(message(section(bot, text(": resolve *now*"))), BOT, name_of) == (
        "bot",
        r"resolve \*now\*",
    )


@pytest.mark.parametrize(
    ("parts", "markdown"),
    [
        ([section(text("// call her"))], "// call her"),
        ([section(text("note: 2*3*4"))], r"note: 2\*3\*4"),
        ([section(text("note:", bold=True), text(" call her", bold=True))], "note: **call her**"),
        ([section(text("\u200b// call her"))], "// call her"),
        ([{"type": "rich_text_quote", "elements": [text("internal: no")]}], "internal:\n>  no"),
        ([{"type": "rich_text_preformatted", "elements": [text("// x\ny")]}], "//\n```\n x\ny\n```"),
        ([listed("note: a", "b")], "note:\n- a\n- b"),
    ],
)
def test_a_notes_mark_comes_first_and_bare(parts: list[dict[str, Any]], markdown: str) -> None:
    assert read(*parts) == markdown


def test_everybody_mentioned_is_looked_up_also_where_only_the_block_names_them() -> None:
    assert mentioned_in(message(section(HELLO, HELLO), words="<@U0000BERT>")) == ["U0000BERT", "U0000ANNA"]
    assert mentioned_in({"blocks": None}) == []
