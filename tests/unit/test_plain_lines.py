"""A plain line is written as it stands only where reading it as Markdown gives the same words back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.markdown import Block, Span, parse
from bot.markdown_writer import _SENTENCE, written

PLAIN = st.from_regex(_SENTENCE, fullmatch=True)
TYPED = st.text(st.sampled_from("ab Z19.,:;?'()%#/-*_~`<>[]&\\!@é\n"), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_what_is_taken_for_a_plain_line_reads_as_itself(text: str) -> None:
    assert parse(text) == [Block("text", (Span(text),))]


@settings(max_examples=300, deadline=None)
@given(TYPED)
def test_whatever_is_typed_keeps_its_letters(text: str) -> None:
    read = parse(written([Block("text", (Span(text),))]))
    letters = "".join(span.text or span.url or "" for block in read for span in block.spans)
    assert "".join(letters.split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "1. not a list",
        "- nor this",
        "# heading",
        "see https://example.com",
        "a_b_c",
        "mailto:x",
        "ends with ",
    ],
)
def test_what_may_mean_something_goes_the_long_way(text: str) -> None:
    assert not _SENTENCE.fullmatch(text)


def test_a_sentence_goes_the_short_way() -> None:
    assert _SENTENCE.fullmatch("Your refund for order #4521 is on its way; it takes two days: really. (100%)")
