"""What holds for every text and every `rich_text` block (hypothesis; the browser is a real Chromium)."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.slack import mrkdwn
from adapters.slack.formatting import markdown_of, to_markdown
from adapters.slack.inbound import arrival
from adapters.slack.rendering import render_post, split_post
from adapters.slack.rich_text import Names, blocks_of
from bot import markdown, markdown_writer
from bot.commands import ThreadMessage
from bot.entries import Author
from bot.markdown import Block, Span
from bot.people import Actor
from bot.posts import Post, PostKind, Turn
from bot.relay import is_marked_inside
from bot.splitting import split_markdown, split_text, units
from tests.adapters.slack.markdown_page import MarkdownPage
from tests.adapters.slack.typed import TRICKY, blocks, texts
from tests.fakes.slack.blocks import problems

MANY = os.environ.get("BATON_EXAMPLES")
"""How many other examples to look for, in a search by hand; else the same hundred each time."""
settings.register_profile(
    "baton",
    deadline=None,
    derandomize=MANY is None,
    max_examples=int(MANY or 100),
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("baton")

BOT, ANNA, ROOM, ROOT, TS = "U0BATON", "U0000ANNA", "C0000ROOM", "1700000000.000100", "1700000005.000200"
LIVE = re.compile(r"<[@!#]|<[^<>\s]+\|")
"""What would ping, or be a link, in mrkdwn."""
FORMATS = re.compile(r"(?<![A-Za-z0-9])[*_~](?=[^\s\u200b])|`(?!\u200b)|:[a-z0-9_+'-]+:", re.IGNORECASE)
"""What would be a style, code or an emoji there."""
SLACK_CODES = "<@U0000ANNA> <!here> <!subteam^S012345|@leads> <#C012345|returns> :tada: :+1: *so* and"
MARKS = ("//", "// ", "note:", "Note : ", "internal: ")
WORDS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
KEYS = st.sampled_from(["type", "elements", "text", "style", "url", "name", "indent"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def page() -> Iterator[MarkdownPage]:
    shown = MarkdownPage()
    yield shown
    shown.close()


def name_of(user_id: str) -> str:
    return {ANNA: "Anna"}.get(user_id, "someone")


def event(text: str, parts: Any = None) -> dict[str, Any]:
    base = {"type": "message", "user": ANNA, "text": text, "ts": TS, "thread_ts": ROOT, "channel": ROOM}
    return base | ({"blocks": parts} if parts is not None else {})


def section(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}]


def typed(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def words(found: list[str]) -> str:
    """What the browser shows, without blank space, styles and blocks: one character each."""
    return "".join(one[0] for one in found if not one.startswith("\n") and not markdown.is_blank(one[0]))


def solid(text: str) -> str:
    return "".join(one for one in text if not markdown.is_blank(one))


def said_by_shopper(text: str) -> tuple[list[str], list[str]]:
    """What Slack is sent for a shopper's message: the sections, and the texts of notifications."""
    turn = Turn(1, Author.SHOPPER, "Sarah", text, 0.0)
    posts = [render_post(part) for part in split_post(Post(PostKind.TURNS, turns=(turn,)))]
    assert [problems(post.blocks) for post in posts] == [[]] * len(posts)
    sections = [block["text"]["text"] for post in posts for block in post.blocks]
    return sections, [post.text for post in posts]


# --- from Slack to the shopper --------------------------------------------------------------------------------


@given(texts, st.none() | blocks)
def test_no_message_makes_the_relay_fail(text: str, parts: Any) -> None:
    found = arrival(event(text, parts), {ANNA: Actor("slack", ANNA, "Anna Berg")}, BOT)
    assert found is not None
    assert isinstance(found.command, ThreadMessage)
    found.command.heard.text.encode()  # no half characters: a database takes it


@given(ANYTHING)
def test_blocks_of_any_shape_are_read_or_left_alone(parts: Any) -> None:
    markdown_of(event("on it", parts), BOT, name_of)


@given(blocks)
def test_the_shopper_reads_every_word_that_was_typed(page: MarkdownPage, parts: Any) -> None:
    meant = blocks_of(event("", parts), Names(name_of))
    assert meant is not None
    expected = solid("".join(span.text or span.url or "" for block in meant for span in block.spans))
    text = markdown_writer.written(meant)
    for script in ("widget", "console"):
        assert words(page.read(text, script)) == expected, text


@given(texts)
@example("2*3*4 = 24, snake_case_name, # no heading\n1. no list\n<b> \\ ~~no~~ `no` [no](https://a.example)")
def test_what_was_typed_without_a_style_is_shown_without_one(page: MarkdownPage, text: str) -> None:
    meant, shown = written_plain(text)
    for script in ("widget", "console"):
        found = page.read(shown, script)
        assert words(found) == solid(meant)
        assert {one[1:] for one in found if not one.startswith("\n")} <= {""}
        assert {one for one in found if one.startswith("\n")} <= {"\n"}


def written_plain(text: str) -> tuple[str, str]:
    meant = blocks_of(event("", section(typed(text))), Names(name_of))
    assert meant is not None
    return "".join(span.text for block in meant for span in block.spans), markdown_writer.written(meant)


@given(blocks)
def test_what_is_written_is_read_back_the_same(parts: Any) -> None:
    """Writing twice changes nothing: no style is lost on the way that was not lost at once."""
    meant = blocks_of(event("", parts), Names(name_of))
    assert meant is not None
    once = markdown_writer.written(meant)
    assert characters(markdown.parse(once)) == characters(
        markdown.parse(markdown_writer.written(markdown.parse(once)))
    )


@given(
    st.lists(
        st.tuples(st.sampled_from(["bold", "italic", "strike", "code", ""]), WORDS), min_size=1, max_size=6
    )
)
def test_a_style_between_spaces_is_never_lost(page: MarkdownPage, parts: list[tuple[str, str]]) -> None:
    elements = []
    for style, word in parts:
        elements += [typed(word, **({style: True} if style else {})), typed(" ")]
    _, text = markdown_of(event("", section(*elements)), BOT, name_of)
    found = [one for one in page.read(text) if not one.startswith("\n") and not markdown.is_blank(one[0])]
    assert found == [f"{one} {style}".strip() for style, word in parts for one in word]


@given(texts)
@example("***h****a*")  # a closing mark shorter than what is left of the opening ones: the widget lost a star
@example("***a*")
def test_browser_and_slack_read_the_same_markdown(page: MarkdownPage, text: str) -> None:
    """Of any Markdown, not only of ours: an assistant's, too."""
    python = unlinked(characters(markdown.parse(text)))
    assert unlinked(seen(page.read(text, "widget"))) == python
    assert unlinked(seen(page.read(text, "console"))) == python


def unlinked(found: list[str]) -> list[str]:
    """A browser makes no link of what is no address after all; the text is the same."""
    return [one.removesuffix(" link") for one in found]


def characters(found: list[Block]) -> list[str]:
    out = []
    for block in found:
        for span in block.spans:
            styles = sorted(name for name in ("bold", "code", "italic", "strike") if getattr(span, name))
            styles += ["link"] * bool(span.url)
            out += [
                " ".join([one, *styles]) for one in span.text or span.url or "" if not markdown.is_blank(one)
            ]
    return out


def seen(found: list[str]) -> list[str]:
    return [one for one in found if not one.startswith("\n") and not markdown.is_blank(one[0])]


@given(
    st.lists(
        st.sampled_from([*SLACK_CODES.split(" "), "<https://a.example>", "<https://a.example|our page>"]),
        max_size=8,
    ).map(" ".join)
)
def test_no_code_of_slacks_is_shown_to_a_shopper(page: MarkdownPage, text: str) -> None:
    for shown in (page.text(to_markdown(text, name_of)), page.text(to_markdown(f"*{text}*", name_of))):
        assert not re.search(r"<[@!#h]|\|our|U0000ANNA|:tada:|:\+1:|S012345|C012345", shown)


@given(st.sampled_from(MARKS), blocks, st.sampled_from(["bold", "italic", "code", ""]))
def test_a_note_is_a_note_however_it_is_styled(mark: str, parts: Any, style: str) -> None:
    inside = typed(mark, **({style: True} if style else {}))
    for start in (
        section(inside),
        *(_begins(kind, inside) for kind in ("rich_text_quote", "rich_text_preformatted")),
    ):
        whole = [
            {"type": "rich_text", "elements": start[0]["elements"] + (parts[0]["elements"] if parts else [])}
        ]
        _, text = markdown_of(event("", whole), BOT, name_of)
        assert is_marked_inside(text)


def _begins(kind: str, element: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": kind, "elements": [element]}]}]


# --- from the shopper to Slack --------------------------------------------------------------------------------


@given(texts)
@example(" ".join(TRICKY))
def test_nothing_of_a_shopper_pings_links_or_formats(text: str) -> None:
    sections, notifications = said_by_shopper(text)
    for sent in (*sections, *notifications):
        assert not LIVE.search(sent)
    for sent in sections:
        body = sent.replace("*Sarah*", "", 1)
        assert not FORMATS.search(body)
        assert not re.search(r"(?:^|[\n\r\v\f])\s*&gt;", body)


@given(texts)
def test_inert_text_is_the_text(text: str) -> None:
    shown = mrkdwn.inert(text).replace(mrkdwn.BREAK, "")
    shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert shown == text.replace(mrkdwn.BREAK, "")


@given(texts)
def test_an_assistants_markdown_pings_nobody(text: str) -> None:
    for part in split_post(Post(PostKind.TURNS, turns=(Turn(1, Author.ASSISTANT, "", text, 0.0),))):
        rendered = render_post(part)
        assert problems(rendered.blocks) == []
        for block in rendered.blocks:
            assert not re.search(r"<[@!#]|<(?!https?://|mailto:)", block["text"]["text"])


# --- splitting ------------------------------------------------------------------------------------------------


@given(texts, st.integers(20, 200))
def test_the_pieces_of_a_text_are_the_text(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert "".join(pieces) == text
    assert all(units(piece) <= limit for piece in pieces)


@given(st.lists(texts, max_size=30).map("\n".join), st.integers(60, 400))
def test_the_pieces_of_markdown_lose_no_word_and_keep_the_limit(text: str, limit: int) -> None:
    pieces = split_markdown(text, limit)
    assert all(units(piece) <= limit for piece in pieces)
    left = text
    for piece in pieces:  # only fences are added
        for one in piece:
            if left and left[0] == one:
                left = left[1:]
            else:
                assert one in "`~\n"
    assert left == ""


@settings(max_examples=25)
@given(st.lists(blocks, min_size=1, max_size=4))
def test_a_split_post_shows_all_and_fits(many: list[Any]) -> None:
    meant = [block for parts in many for block in blocks_of(event("", parts), Names(name_of)) or []] * 8
    text = markdown_writer.written(meant)
    parts = split_post(Post(PostKind.TURNS, turns=(Turn(1, Author.OPERATOR, "Anna", text, 0.0),)))
    for part in parts:
        rendered = render_post(part)
        assert problems(rendered.blocks) == []
        assert len(rendered.text) <= 4_000
        assert sum(len(block["text"]["text"]) for block in rendered.blocks) <= 12_500


def test_a_styled_span_alone_is_what_it_was() -> None:
    for style in ("bold", "italic", "strike", "code"):
        span = Span("a*b_c~d`e\\f[g](h)", **{style: True})
        assert list(markdown.inline(markdown_writer.paragraph([span]))) == [span]
