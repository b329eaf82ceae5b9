"""Whom to mention, and when again."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import brief, noticing
from bot.hours import parse_hours
from bot.people import Actor, Member, Operator, Role
from bot.settings import TeamPolicy

NOW = 1_790_000_000.0  # Monday 2026-09-21 14:13:20 UTC
DAY = parse_hours({"zone": "UTC", "mon": "09:00-12:00, 12:30-18:00", "tue": "09:00-18:00"})
MEMBERS = [Member(Actor("chat", f"U{n}", f"Person {n}"), present=n != 2) for n in range(1, 9)]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("UTC")).timestamp()


def team(**policy: Any) -> TeamPolicy:
    return TeamPolicy("support", "chat", "#support", **policy)


def mentioned(policy: TeamPolicy, members: list[Member] = MEMBERS, **rest: Any) -> tuple[str, ...]:
    return noticing.for_new_case(
        policy, members, rest.get("away", ()), rest.get("group", ""), rest.get("now", NOW)
    )


def test_a_new_case_mentions_up_to_five_who_are_present() -> None:
    assert mentioned(team()) == ("U1", "U3", "U4", "U5", "U6")


def test_who_said_that_they_are_away_is_not_mentioned() -> None:
    assert mentioned(team(), away={"U1", "U3"}) == ("U4", "U5", "U6", "U7", "U8")


def test_where_the_platform_does_not_tell_who_is_there_anybody_may_be() -> None:
    unknown = [replace(one, present=None) for one in MEMBERS]
    assert mentioned(team(), unknown) == ("U1", "U2", "U3", "U4", "U5")


def test_guests_are_not_mentioned() -> None:
    guest = Member(Actor("chat", "U9", "Gus", Role.NONE), present=True)
    assert mentioned(team(), [guest]) == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("here", ("here",)), ("group", ("S1",)), ("none", ())],
    ids=["here", "group", "none"],
)
def test_a_team_may_be_called_otherwise(rule: str, expected: tuple[str, ...]) -> None:
    assert mentioned(team(mentions=rule), group="S1") == expected


@pytest.mark.parametrize("rule", ["present", "here", "group", "none"])
def test_outside_hours_nobody_is_called(rule: str) -> None:
    assert mentioned(team(mentions=rule, hours=DAY), group="S1", now=at("2026-09-21 20:00")) == ()


ANNA = Operator(1, "chat", "U1", "Anna", "Anna")


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, True), ({"present": True}, True), ({"present": False}, False), ({"active": False}, False),
        ({"away_since": NOW - 1}, False), ({"away_since": NOW - 9, "away_until": NOW - 1}, True),
    ],
)  # fmt: skip
def test_somebody_is_there_unless_away_gone_or_known_to_be_absent(
    changes: dict[str, Any], there: bool
) -> None:
    assert noticing.is_there(replace(ANNA, **changes), NOW) is there


def test_the_lead_is_told_at_the_target_at_three_times_it_and_every_half_hour() -> None:
    told, moment = [], NOW
    for _ in range(5):
        moment = noticing.late_at(NOW, 90, moment)
        told.append(moment - NOW)
    assert told == [90, 270, 270 + 1800, 270 + 3600, 270 + 5400]


def test_times_that_were_missed_are_not_made_up_for() -> None:
    assert noticing.late_at(NOW, 90, NOW + 4 * 3600) - NOW == 270 + 8 * 1800


def test_a_target_that_ends_outside_hours_begins_with_the_next_day() -> None:
    assert noticing.within_hours(DAY, at("2026-09-21 18:01"), 90) == at("2026-09-22 09:01:30")
    assert noticing.within_hours(DAY, at("2026-09-21 17:01"), 90) == at("2026-09-21 17:01")


@pytest.mark.parametrize(
    ("when", "begun"),
    [
        ("2026-09-21 08:59", None), ("2026-09-21 09:00", "2026-09-21"), ("2026-09-21 09:59", "2026-09-21"),
        ("2026-09-21 10:00", None), ("2026-09-21 12:31", None),
    ],
)  # fmt: skip
def test_the_day_begins_in_the_first_hour_and_not_after_lunch(when: str, begun: str | None) -> None:
    assert brief.day_begun(DAY, at(when)) == begun


def test_a_team_that_never_closes_has_no_morning() -> None:
    assert brief.day_begun(parse_hours({}), NOW) is None
