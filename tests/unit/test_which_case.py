"""In a thread the case is known: a bare number that is not its own never acts on another case."""

import pytest

from bot.errors import Misread
from bot.verbs import Act, Verb, parse


def meant(text: str) -> str:
    with pytest.raises(Misread) as refused:
        parse(text, in_thread=True, case=1041)
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "here", "there"),
    [
        ("resolve 129", "resolve sale 129", "resolve #129"),
        ("resolve 129 EUR", "resolve sale 129 EUR", "resolve #129"),
        ("resolve 129 refund", "resolve refund 129", "resolve #129 refund"),
        ("outcome 20", "outcome refund 20", "outcome #20 refund 20"),
        ("outcome 20 refund", "outcome refund 20", "outcome #20 refund"),
        ("claim 1042", "claim", "claim #1042"),
        ("assign 1042 @1", "assign @1", "assign #1042 @1"),
        ("priority 1042 high", "priority high", "priority #1042 high"),
        ("snooze 2", "snooze 2h", "snooze #2 2h"),
        ("tag 129 vip", "tag 129, vip", "tag #129 vip"),
    ],
)
def test_a_bare_number_is_answered_with_both_readings(text: str, here: str, there: str) -> None:
    message = meant(text)
    assert f"For this one write `{here}`;" in message
    assert f"`{there}`." in message


@pytest.mark.parametrize(
    "text", ["resolve 129", "outcome 20 refund", "tag 129 vip", "claim 1042", "snooze 2", "resolve 7 EUR"]
)
def test_what_is_offered_is_understood_and_means_what_it_says(text: str) -> None:
    here, there = meant(text).split("`")[1::2]
    assert parse(here, in_thread=True, case=1041).number is None
    assert parse(there, in_thread=True, case=1041).number not in (None, 1041)


def test_a_number_with_its_sign_and_the_cases_own_are_taken() -> None:
    assert parse("resolve #129", in_thread=True, case=1041) == Verb(Act.RESOLVE, 129)
    assert parse("resolve 1041", in_thread=True, case=1041) == Verb(Act.RESOLVE, 1041)
    assert parse("resolve 129", in_thread=False) == Verb(Act.RESOLVE, 129)


def test_looking_at_another_case_needs_no_sign() -> None:
    assert parse("show 129", in_thread=True, case=1041) == Verb(Act.SHOW, 129)
