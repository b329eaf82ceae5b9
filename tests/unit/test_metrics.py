"""The day's numbers, from when what happened."""

from bot.metrics import CaseTimes, PersonToday, reply_seconds, today

MIDNIGHT = 1_000.0


def case(number: int, owner: int | None = None, **times: float) -> CaseTimes:
    known = {"escalated_at": None, "claimed_at": None, "first_reply_at": None, "resolved_at": None} | times
    return CaseTimes(number, "support", "active", owner, **known)  # type: ignore[arg-type]


def test_only_what_happened_since_midnight_counts() -> None:
    day = today(
        [
            case(1, 7, escalated_at=900.0, first_reply_at=950.0, resolved_at=1_500.0),
            case(2, 7, escalated_at=1_100.0, first_reply_at=1_160.0),
            case(3, escalated_at=1_200.0),
        ],
        MIDNIGHT,
        {7: 1},
    )
    assert (day.new, day.resolved, day.first_reply) == (2, 1, 60.0)
    assert day.people == (PersonToday(7, 1, 1, 60.0),)


def test_a_reply_after_midnight_to_a_case_of_the_evening_counts_with_its_whole_wait() -> None:
    assert reply_seconds(case(1, escalated_at=900.0, first_reply_at=1_100.0), MIDNIGHT) == 200.0


def test_people_stand_by_how_many_they_answered_then_by_what_they_have() -> None:
    cases = [case(n, 8, escalated_at=1_100.0, first_reply_at=1_100.0 + n) for n in (1, 2, 3)]
    day = today(cases, MIDNIGHT, {7: 5, 9: 6})
    assert [(one.operator_id, one.open, one.replies) for one in day.people] == [
        (8, 0, 3),
        (9, 6, 0),
        (7, 5, 0),
    ]
    assert day.first_reply == 2.0


def test_a_day_without_anything_has_no_median() -> None:
    day = today([], MIDNIGHT, {})
    assert (day.new, day.resolved, day.first_reply, day.people) == (0, 0, None, ())
