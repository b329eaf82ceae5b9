"""Verbs and times: what is understood, and what somebody is told who is not."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import Outcome
from bot.errors import Misread
from bot.hours import Hours, parse_hours
from bot.moments import midnight, moment, shown
from bot.verbs import EXAMPLES, Act, Verb, changed_tags, example, numbers_in, only_reads, page_value, parse

BERLIN = parse_hours(
    {"zone": "Europe/Berlin", "mon": "08:30-18:00", "tue": "10:00-18:00", "fri": "09:00-12:00"}
)
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 21, 16, 13, tzinfo=ZONE).timestamp()  # a Monday


def refusal(text: str, *, in_thread: bool = False) -> str:
    with pytest.raises(Misread) as raised:
        parse(text, in_thread=in_thread)
    return raised.value.message


# --- what is understood ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", list(Act))
def test_every_example_that_people_are_shown_is_understood(act: Act) -> None:
    assert parse(EXAMPLES[act], in_thread=False).act is act
    assert parse(example(act, in_thread=True), in_thread=True).act is act


@pytest.mark.parametrize("text", ["claim 1042", "claim #1042", "Claim  1042 ", "take 1042", "/claim 1042"])
def test_a_case_is_named_with_or_without_its_sign(text: str) -> None:
    assert parse(text, in_thread=False) == Verb(Act.CLAIM, 1042)


def test_in_a_thread_the_number_may_be_left_out() -> None:
    assert parse("claim", in_thread=True) == Verb(Act.CLAIM)
    assert parse("assign @1", in_thread=True) == Verb(Act.ASSIGN, None, "@1")
    assert parse("assign 7 to @1", in_thread=True) == Verb(Act.ASSIGN, 7, "@1")


def test_two_words_that_are_one_verb() -> None:
    assert parse("hand back 7", in_thread=False) == Verb(Act.HAND_BACK, 7)
    assert parse("take over 7", in_thread=False) == Verb(Act.TAKE_OVER, 7)


def test_no_words_ask_for_help() -> None:
    assert parse("  ", in_thread=True) == Verb(Act.HELP)


def test_a_note_in_a_thread_is_about_that_case_whatever_number_it_begins_with() -> None:
    assert parse("note #4521 was refunded", in_thread=True) == Verb(Act.NOTE, None, "#4521 was refunded")
    assert parse("note 7 was refunded", in_thread=False) == Verb(Act.NOTE, 7, "was refunded")


def test_a_note_keeps_its_lines() -> None:
    assert parse("note first\nsecond", in_thread=True).words == "first\nsecond"


def test_a_tag_may_look_like_a_number() -> None:
    assert parse("tag 2024", in_thread=True) == Verb(Act.TAG, None, "2024")
    assert parse("tag 7 2024, vip", in_thread=True) == Verb(Act.TAG, 7, "2024, vip")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("sale", Outcome("sale")),
        ("sale 129", Outcome("sale", 129.0)),
        ("sale 129 EUR", Outcome("sale", 129.0, "EUR")),
        ("Sale 129,50 eur she took two", Outcome("sale", 129.5, "EUR", "she took two")),
        ("refund €1.299,50 the lamp", Outcome("refund", 1299.5, "EUR", "the lamp")),
        ("refund $20, the lamp", Outcome("refund", 20.0, "USD", "the lamp")),
        ("refund 1,299 the lamp", Outcome("refund", 1299.0, None, "the lamp")),
        ("refund 20chf", Outcome("refund", 20.0, "CHF")),
        ("other swapped the lamp", Outcome("other", note="swapped the lamp")),
    ],
)
def test_an_outcome_is_a_kind_then_money_then_a_note(text: str, outcome: Outcome) -> None:
    assert parse(f"resolve 7 {text}", in_thread=False) == Verb(Act.RESOLVE, 7, outcome=outcome)
    assert parse(f"outcome {text}", in_thread=True) == Verb(Act.OUTCOME, None, outcome=outcome)


def test_resolve_needs_no_outcome() -> None:
    assert parse("resolve", in_thread=True) == Verb(Act.RESOLVE)


def test_a_page_button_carries_a_verb() -> None:
    assert parse(page_value(Act.QUEUE, 1), in_thread=False) == Verb(Act.QUEUE, page=1)
    assert parse(page_value(Act.FIND, 2, "red: lamp"), in_thread=False) == Verb(
        Act.FIND, words="red: lamp", page=2
    )
    assert parse("queue 2", in_thread=False) == Verb(Act.QUEUE, page=1)


def test_what_only_reads_is_told_apart_from_what_changes_something() -> None:
    assert [text for text in ("queue", "find x", "failed", "help", "asign me") if only_reads(text)] == [
        "queue", "find x", "failed", "help", "asign me",
    ]  # fmt: skip
    assert not any(only_reads(text) for text in ("claim", "failed retry d1", "away", "note x"))


def test_the_numbers_a_text_may_name_are_known_before_it_is_parsed() -> None:
    assert numbers_in("claim #1042") == {1042}
    assert numbers_in("assign 7 @1 and more") == {7}


def test_tags_are_added_taken_away_and_cleared() -> None:
    assert changed_tags(("vip",), "Damaged,  #two words, vip") == ("vip", "damaged", "two words")
    assert changed_tags(("vip", "damaged"), "-VIP, new") == ("damaged", "new")
    assert changed_tags(("vip",), "none") == ()


# --- what is not ----------------------------------------------------------------------------------------------


def test_a_misspelt_verb_is_answered_with_what_was_meant() -> None:
    assert refusal("asign @1", in_thread=True) == "There is no verb “asign”. Did you mean `assign @operator`?"
    assert "`resolve 1042 sale 129 EUR`" in refusal("reslove 7")
    assert "`handback 1042`" in refusal("handbak 7")


def test_a_verb_like_no_other_is_answered_with_help() -> None:
    assert refusal("xyzzy") == "There is no verb “xyzzy”. `help` lists them."


def test_a_missing_number_is_asked_for_with_an_example() -> None:
    assert "`claim 1042`" in refusal("claim")
    assert "Which case" in refusal("assign @1")


@pytest.mark.parametrize(
    "text",
    ["assign 7", "move 7", "priority 7", "tag 7", "snooze 7", "note 7", "outcome 7", "find", "claim 7 8",
     "failed again", "failed retry"],
)  # fmt: skip
def test_missing_or_surplus_words_are_answered_with_the_right_form(text: str) -> None:
    assert "is written like this: `" in refusal(text)


def test_a_verb_that_stands_alone_says_so() -> None:
    assert "stands alone" in refusal("queue billing")


def test_a_misspelt_choice_is_answered_with_what_was_meant() -> None:
    assert refusal("priority 7 hgih") == "“hgih” is no priority. Did you mean `high`?"
    assert refusal("resolve 7 sael 20") == "“sael” is no outcome. Did you mean `sale`?"
    assert "There is sale, refund, retention, other." in refusal("resolve 7 zzz")


def test_money_that_cannot_be_read_is_refused() -> None:
    assert "“1.2.3” is no amount" in refusal("outcome refund 1.2.3", in_thread=True)


def test_what_somebody_typed_is_no_markup_in_the_answer() -> None:
    assert "\\*bold\\*" in refusal("*bold*")


@given(st.text(max_size=80), st.booleans())
def test_no_text_makes_the_parser_fail(text: str, in_thread: bool) -> None:
    try:
        parse(text, in_thread=in_thread)
    except Misread:
        pass  # refused with a sentence, which is all that may happen


@given(st.sampled_from(list(Act)), st.text(max_size=60))
def test_no_words_after_a_verb_make_the_parser_fail(act: Act, rest: str) -> None:
    try:
        parse(f"{act} {rest}", in_thread=True)
    except Misread:
        pass  # refused with a sentence, which is all that may happen


# --- times ----------------------------------------------------------------------------------------------------


def local(*parts: int) -> float:
    return datetime(*parts, tzinfo=ZONE).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("for 90 min", 5400), ("in 2 hours", 7200),
     ("1.5h", 5400), ("1 hour and 5 minutes", 3900), ("1w", 604800)],
)  # fmt: skip
def test_a_span_is_counted_from_now(text: str, seconds: float) -> None:
    assert moment(text, NOW, BERLIN) == NOW + seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("18:00", (2026, 9, 21, 18)),
        ("until 14:00", (2026, 9, 22, 14)),  # past today
        ("until 18", (2026, 9, 21, 18)),
        ("9am", (2026, 9, 22, 9)),
        ("12am", (2026, 9, 22, 0)),
        ("today 17:30", (2026, 9, 21, 17, 30)),
        ("tomorrow", (2026, 9, 22, 10)),  # when the team opens
        ("tomorrow 9:00", (2026, 9, 22, 9)),
        ("tomorrow at 9", (2026, 9, 22, 9)),
        ("until monday", (2026, 9, 28, 8, 30)),  # today's opening is over
        ("mon 17:00", (2026, 9, 21, 17)),
        ("wednesday", (2026, 9, 23, 9)),  # closed that day: nine
        ("2026-10-02 15:00", (2026, 10, 2, 15)),
    ],
)
def test_a_time_of_day_is_the_teams_own(text: str, at: tuple[int, ...]) -> None:
    assert moment(text, NOW, BERLIN) == local(*at)


def test_a_day_with_a_clock_change_is_right() -> None:
    before = local(2026, 10, 24, 12)
    assert moment("tomorrow 9:00", before, BERLIN) - before == 22 * 3600


@pytest.mark.parametrize("text", ["", "soon", "25:00", "9:75", "30", "monday noon", "13pm", "tomorrow 2h"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Misread, match="is no time that I understand"):
        moment(text, NOW, BERLIN)


def test_a_time_that_is_over_or_too_far_is_refused() -> None:
    with pytest.raises(Misread, match="is over already"):
        moment("today 9:00", NOW, BERLIN)
    with pytest.raises(Misread, match="is over already"):
        moment("0m", NOW, BERLIN)
    with pytest.raises(Misread, match="too far"):
        moment("9999d", NOW, BERLIN)
    with pytest.raises(Misread):
        moment("0001-01-01", NOW, BERLIN)


@given(st.text(max_size=30))
def test_no_text_makes_the_clock_fail(text: str) -> None:
    try:
        assert moment(text, NOW, Hours()) > NOW
    except Misread:
        pass  # refused with a sentence, which is all that may happen


def test_times_are_shown_as_short_as_they_can_be() -> None:
    at = (local(2026, 9, 21, 18), local(2026, 9, 22, 9), local(2026, 9, 25, 9), local(2026, 10, 2, 9))
    assert [shown(one, NOW, BERLIN) for one in at] == ["18:00", "tomorrow 09:00", "Fri 09:00", "2 Oct 09:00"]


def test_a_day_begins_at_the_teams_midnight() -> None:
    assert midnight(NOW, BERLIN) == local(2026, 9, 21)
