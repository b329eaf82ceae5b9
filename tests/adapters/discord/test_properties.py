"""What holds for every text, each way (hypothesis). `reader` is the oracle of what Discord shows."""

import os
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.discord import markup
from adapters.discord.formatting import blocks_of, command_of, markdown_of
from bot import markdown, markdown_writer
from bot.markdown import Block
from bot.relay import is_marked_inside
from bot.splitting import units
from bot.typed import clean
from tests.adapters.discord import reader
from tests.adapters.discord.typed import CODES, MARKS, TRICKY, documents, texts

MANY = os.environ.get("BATON_EXAMPLES")
many = settings(
    deadline=None,
    derandomize=MANY is None,
    max_examples=int(MANY or 60),
    database=None,
    suppress_health_check=list(HealthCheck),
)
BOT, ANNA = "100000000000000001", "100000000000000007"
both = pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])


STYLED = ["{}", "**{}**", "*{}*", "||{}||", "__{}__", "`{}`", "> {}", "- {}", "# {}"]


def name_of(user_id: str) -> str:
    return {ANNA: "Anna"}.get(user_id, "someone")


def solid(text: str) -> str:
    """Without what nobody sees."""
    return "".join(one for one in text.replace(markup.BREAK, "") if not markdown.is_blank(one))


def words(blocks: list[Block]) -> str:
    return solid("".join(span.text or span.url or "" for block in blocks for span in block.spans))


def styled(blocks: list[Block]) -> list[tuple[str, frozenset[str]]]:
    return [
        (one, frozenset(name for name in ("bold", "italic", "strike", "code") if getattr(span, name)))
        for block in blocks
        for span in block.spans
        for one in solid(span.text or span.url or "")
    ]


def read_back(content: str) -> str:
    return markdown_of({"content": content}, BOT, name_of)[1]


# --- from the shopper to Discord ------------------------------------------------------------------------------


@both
@many
@given(texts)
@example(" ".join(TRICKY))
@example("\n".join(TRICKY))
@example("<@everyone>")
def test_a_shoppers_text_reads_as_it_was_written(phone: bool, text: str) -> None:
    for before in ("", "**Sarah**  ", "**Sarah**\n"):
        seen = reader.shown(before + markup.inert(text), phone)
        assert solid(seen.text) == solid("Sarah" * bool(before) + clean(text))
        assert [one for one, names in seen.characters if names and one.strip()] == list(
            "Sarah" * bool(before)
        )


@many
@given(texts)
@example(" ".join(TRICKY))
@example("<@everyone>")
def test_nothing_of_a_shopper_pings_links_or_previews(text: str) -> None:
    for sent in (markup.inert(text), markup.escape(clean(text)), markup.bold(text), markup.quoted(text)):
        assert reader.pings(sent) == []
        assert reader.previews(sent) == []
        seen = reader.shown(sent)
        assert seen.links == []
        assert seen.tokens == []


@many
@given(texts)
def test_a_name_is_one_bold_line(text: str) -> None:
    shown = markup.bold(text)
    assert "\n" not in shown
    seen = reader.shown(shown)
    assert solid(seen.text) == solid(" ".join(clean(text).split()))
    assert seen.styles <= {"bold"}


@both
@many
@given(texts)
def test_a_quote_stays_a_quote_and_nothing_else(phone: bool, text: str) -> None:
    seen = reader.shown(markup.quoted(text), phone)
    assert solid(seen.text) == solid(clean(text).strip())
    assert all(names == {"quote"} for one, names in seen.characters if solid(one))


# --- from Markdown to Discord ---------------------------------------------------------------------------------


@both
@many
@given(documents)
def test_a_formatted_text_shows_its_words_and_no_marks(phone: bool, blocks: list[Block]) -> None:
    sent = markup.written(blocks)
    expected = words([block for block in blocks if block.kind != "code" or words([block])])
    assert solid(reader.shown(sent, phone).text) == expected, sent


@both
@many
@given(documents)
def test_a_style_is_the_style_it_was(phone: bool, blocks: list[Block]) -> None:
    """But for code that holds marks of its own, which is code only."""
    sent = markup.written(blocks)
    seen = [
        (one, names - {"quote", "item", "link"})
        for one, names in reader.shown(sent, phone).characters
        if solid(one)
    ]
    meant = [(one, names if "code" not in names else frozenset({"code"})) for one, names in styled(blocks)]
    assert [(one, names if "code" not in names else frozenset({"code"})) for one, names in seen] == meant, (
        sent
    )


@many
@given(texts)
@example(
    "[bank.example](https://evil.example) [@Dana](https://evil.example) [a](https://b.example/@everyone)"
)
def test_nothing_written_in_markdown_pings_or_lies_about_an_address(text: str) -> None:
    sent = markup.marked_up(text)
    assert reader.pings(sent) == []
    for label, target in reader.shown(sent).links:
        assert label == target or not re.search(r"//|\w\.\w\w|@\w", label)
    assert reader.previews(re.sub(r"<https?://[^\s<>]+>", "", sent)) == []


# --- from Discord to the shopper ------------------------------------------------------------------------------


@many
@given(texts)
@example(" ".join(CODES))
def test_no_message_makes_the_relay_fail(text: str) -> None:
    message = {"content": text}
    _, found = markdown_of(message, BOT, name_of)
    found.encode()
    markdown.parse(found)
    command_of(message, BOT, {})


@many
@given(texts)
def test_what_was_escaped_is_read_back_the_same(text: str) -> None:
    assert words(markdown.parse(read_back(markup.inert(text)))) == solid(clean(text))


@many
@given(documents)
def test_there_and_back_gives_the_same_words_and_styles(blocks: list[Block]) -> None:
    there = markup.written(blocks)
    back = blocks_of(there, name_of)
    assert words(back) == words([block for block in blocks if block.kind != "code" or words([block])]), there
    plain_code = [
        (one, names if "code" not in names else frozenset({"code"})) for one, names in styled(blocks)
    ]
    assert [
        (one, names if "code" not in names else frozenset({"code"})) for one, names in styled(back)
    ] == plain_code, there
    assert words(markdown.parse(markdown_writer.written(back))) == words(back)


@many
@given(st.lists(st.sampled_from([*CODES, "and", "**so**", "\n", "> "]), max_size=8).map(" ".join))
def test_no_code_of_discords_is_shown_to_a_shopper(text: str) -> None:
    for content in (text, f"**{text}**", f"- {text}", f"||{text}||"):
        shown = words(markdown.parse(read_back(content)))
        assert not re.search(r"<[@#:/t]|\d{10}|:tada:", shown), content


@many
@given(
    st.sampled_from(MARKS),
    texts,
    st.sampled_from(["{}", "**{}**", "*{}*", "||{}||", "__{}__", "`{}`", "> {}", "- {}", "# {}"]),
)
def test_a_note_is_a_note_however_it_is_styled(mark: str, rest: str, style: str) -> None:
    assert is_marked_inside(read_back(f"{style.format(mark)} {rest}"))


# --- splitting ------------------------------------------------------------------------------------------------


@many
@given(texts.map(lambda text: text * 40), st.integers(100, 400))
def test_the_pieces_of_a_shoppers_text_are_the_text_and_fit(text: str, room: int) -> None:
    pieces = markup.pieces(text, literal=True, room=room)
    assert "".join(pieces) == text
    assert all(units(markup.inert(piece)) <= room for piece in pieces)


@many
@given(texts.map(lambda text: text * 20), st.integers(200, 600))
def test_the_pieces_of_markdown_fit_and_lose_no_word(text: str, room: int) -> None:
    pieces = markup.pieces(text, literal=False, room=room)
    assert all(units(markup.marked_up(piece)) <= room for piece in pieces)
    left = text
    for piece in pieces:  # only fences are added
        for one in piece:
            if left and left[0] == one:
                left = left[1:]
            else:
                assert one in "`~\n"
    assert left == ""


def test_a_code_block_that_is_cut_is_a_code_block_on_both_sides() -> None:
    text = "see\n```\n" + "\n".join(f"line {n} of the log" for n in range(300)) + "\n```\nend"
    for piece in markup.pieces(text, literal=False):
        sent = markup.marked_up(piece)
        assert units(sent) <= markup.MESSAGE
        assert all("code" in names for one, names in reader.shown(sent).characters if one.isdigit())
