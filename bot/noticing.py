"""Whom to mention, and when again. Pure: people and times in, accounts and times out."""

from collections.abc import Iterable, Sequence

from bot import hours
from bot.hours import Hours
from bot.people import Member, Operator, Role
from bot.settings import TeamPolicy

MOST_MENTIONS = 5
ABSENT_SECONDS = 120.0
"""An owner whom the platform shows as gone for so long is away, whatever they said."""
LATE_AGAIN = 30 * 60.0

OWNER_AWAY, NOBODY_THERE, LATE = "owner_away", "nobody_there", "late"
"""Codes of ALERTED entries."""


def is_there(operator: Operator, now: float) -> bool:
    """Whether somebody can take a case now: of the team, not away, and not known to be gone from the platform."""
    return operator.active and operator.present is not False and not operator.is_away(now)


def there(operators: Iterable[Operator], now: float) -> list[Operator]:
    """Those who can take a case."""
    return [one for one in operators if is_there(one, now)]


def for_new_case(
    team: TeamPolicy, members: Sequence[Member], away: Iterable[str], group: str, now: float
) -> tuple[str, ...]:
    """Accounts to mention in a new case, by the team's rule: `away` are those who said so, `group` is the id of the
    team's user group. Outside its hours nobody is called."""
    if not hours.is_open(team.hours, now):
        return ()
    match team.mentions:
        case "here":
            return ("here",)
        case "group":
            return (group,) if group else ()
        case "present":
            gone = set(away)
            told = any(one.present is not None for one in members)  # else anybody who may be there is
            present = [
                one.actor.id
                for one in members
                if (one.present or not told) and one.actor.role is not Role.NONE and one.actor.id not in gone
            ]
            return tuple(present[:MOST_MENTIONS])
        case _:
            return ()


def for_team(
    team: TeamPolicy, operators: Sequence[Operator], now: float, *, without: int | None = None
) -> list[int]:
    """Operators to mention when somebody of the team must look; `without` is who cannot."""
    if team.mentions == "none" or not hours.is_open(team.hours, now):
        return []
    return [one.id for one in there(operators, now) if one.id != without][:MOST_MENTIONS]


def late_at(escalated_at: float, target: float, after: float) -> float:
    """When the lead is told next of a first reply that is late: at the target, at three times it, and every half hour
    from then on; the first of these times that is later than `after`."""
    for moment in (escalated_at + target, escalated_at + 3 * target):
        if moment > after:
            return moment
    third = escalated_at + 3 * target
    return third + (int((after - third) // LATE_AGAIN) + 1) * LATE_AGAIN


def within_hours(when: Hours, moment: float, target: float) -> float:
    """That time, or if the team is away then, the target after it is back."""
    opens = hours.next_opening(when, moment)
    return moment if opens is None else opens.timestamp() + target
