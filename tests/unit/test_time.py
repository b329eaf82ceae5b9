"""Opening hours, waiting estimates, backoff, and texts that tell a time."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot import texts, waiting
from bot.delivering import backoff
from bot.hours import Hours, is_open, next_opening, parse_hours
from bot.settings import Timing

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


WEEK = parse_hours(
    {"zone": "Europe/Berlin", "mon": "09:00-12:30, 13:30-18:00", "fri": "20:00-02:00", "sun": "00:00-00:00"}
)


@pytest.mark.parametrize(
    ("when", "there"),
    [
        ("2026-11-16 08:59", False), ("2026-11-16 09:00", True), ("2026-11-16 12:29", True),
        ("2026-11-16 12:30", False), ("2026-11-16 13:30", True), ("2026-11-16 18:00", False),
        ("2026-11-17 10:00", False),
        ("2026-11-20 19:59", False), ("2026-11-20 23:00", True), ("2026-11-21 01:59", True),
        ("2026-11-21 02:00", False),
        ("2026-11-22 00:00", True), ("2026-11-22 23:59", True), ("2026-11-23 00:00", False),
    ],
)  # fmt: skip
def test_a_team_is_there_within_its_spans(when: str, there: bool) -> None:
    assert is_open(WEEK, at(when)) is there
    assert (next_opening(WEEK, at(when)) is None) is there


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-11-16 12:45", "2026-11-16 13:30"),
        ("2026-11-16 19:00", "2026-11-20 20:00"),
        ("2026-11-21 03:00", "2026-11-22 00:00"),
        ("2026-11-23 05:00", "2026-11-23 09:00"),
    ],
)
def test_the_next_opening_is_the_first_that_comes(when: str, opens: str) -> None:
    found = next_opening(WEEK, at(when))
    assert found is not None
    assert found.replace(tzinfo=None) == datetime.fromisoformat(opens)


def test_a_week_round_the_only_opening_is_found() -> None:
    monday = parse_hours({"zone": "Europe/Berlin", "mon": "09:00-10:00"})
    found = next_opening(monday, at("2026-11-16 10:00"))
    assert found is not None
    assert found.timestamp() == at("2026-11-23 09:00")


@pytest.mark.parametrize(("day", "offset"), [("2026-03-27", 1), ("2026-03-30", 2), ("2026-10-26", 1)])
def test_nine_oclock_is_nine_oclock_before_and_after_the_clocks_change(day: str, offset: int) -> None:
    rule = parse_hours({"zone": "Europe/Berlin", "mon": "09:00-17:00", "fri": "09:00-17:00"})
    nine_there = datetime.fromisoformat(f"{day}T09:00:00+00:00").timestamp() - offset * 3600
    assert is_open(rule, nine_there)
    assert not is_open(rule, nine_there - 60)


def test_the_night_the_clocks_change_has_its_real_length() -> None:
    """02:30 comes twice on 2026-10-25 in Berlin; a span until 03:00 holds both."""
    rule = parse_hours({"zone": "Europe/Berlin", "sat": "22:00-03:00"})
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert [is_open(rule, first + hours * 3600) for hours in (0, 1, 2)] == [True, True, False]


def test_no_rule_is_always_open_and_a_rule_without_spans_never() -> None:
    assert is_open(Hours(), 0.0)
    closed = parse_hours({"mon": ""})
    assert not is_open(closed, 0.0)
    assert next_opening(closed, 0.0) is None


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"zone": "Mars/Base"}, "zone: 'Mars/Base' is not a time zone"),
        ({"monday": "09:00-17:00"}, "monday: not a day; the days are mon, tue"),
        ({"mon": "9-17"}, "mon: '9-17' is not a span; write one like 09:00-18:00"),
        ({"mon": "09:00"}, "mon: '09:00' is not a span"),
        ({"mon": "09:00-10:00-11:00"}, "is not a span"),
        ({"mon": "09:00-25:00"}, "is not a span"),
    ],
)
def test_wrong_hours_say_which_day_and_what_to_write(raw: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_hours(raw)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("opens", "says"),
    [("2026-11-16 13:30", "today at 13:30 (CET)"), ("2026-11-17 09:00", "tomorrow at 09:00 (CET)"),
     ("2026-11-20 20:00", "on Friday at 20:00 (CET)")],
)  # fmt: skip
def test_outside_hours_the_day_is_named(opens: str, says: str) -> None:
    now = datetime.fromtimestamp(at("2026-11-16 12:45"), BERLIN)
    then = datetime.fromtimestamp(at(opens), BERLIN)
    assert says in texts.shopper.outside_hours(then, now)


# --- estimates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "waits", "seconds"),
    [
        (1, [100, 60, 80], 80), (2, [100, 60, 80], 120), (3, [80], 160),
        (1, [1], 15), (50, [3000], 3600), (1, [], None), (0, [80], None),
    ],
)  # fmt: skip
def test_an_estimate_is_the_median_wait_and_half_of_it_per_place(
    position: int, waits: list[float], seconds: int | None
) -> None:
    assert waiting.estimate(position, waits) == seconds


# --- backoff --------------------------------------------------------------------------------------------------


def test_pauses_double_up_to_the_most() -> None:
    timing = Timing()
    assert [backoff(n, timing, 0.0) for n in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]
    assert backoff(30, timing, 0.0) == timing.backoff_most
    assert backoff(2000, timing, 0.0) == timing.backoff_most


def test_jitter_takes_up_to_half_off() -> None:
    timing = Timing()
    pauses = [backoff(4, timing, random.random()) for _ in range(200)]
    assert min(pauses) >= 4.0
    assert max(pauses) <= 8.0
    assert backoff(4, timing, 1.0) == 4.0


def test_a_calls_timeout_is_under_a_third_of_the_lease() -> None:
    for timing in (Timing(), Timing().scaled(0.05)):
        assert timing.call_timeout < timing.lease / 3
        assert timing.settle < timing.lease


# --- texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "says"), [(2, "just now"), (30, "30 s ago"), (120, "2 min ago"), (3 * 3600, "3 h ago")]
)
def test_ages_are_rough_and_readable(seconds: float, says: str) -> None:
    assert texts.words.ago(seconds) == says


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        (None, "Outcome: sale"),
        (129.0, "Outcome: sale, 129.00 USD"),
        (12999.99, "Outcome: sale, 12,999.99 USD"),
    ],
)
def test_an_outcomes_amount_is_exact_to_the_cent(amount: float | None, says: str) -> None:
    assert texts.thread.line_outcome("sale", amount, "USD") == says


def test_the_promise_is_word_for_word() -> None:
    assert texts.shopper.claimed("Anna") == "Anna is here and has read your chat."


def test_every_offer_and_reason_has_its_words() -> None:
    from bot.posts import Action

    assert set(texts.thread.OFFERS) <= {str(action) for action in Action}
    assert {"claim_and_send", "send", "send_as_me", "reopen_and_send"} == set(texts.thread.OFFERS)
    assert {"explicit_request", "button", "keyword", "claim", "api"} <= set(texts.card.REASONS)
