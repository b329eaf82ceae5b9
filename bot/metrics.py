"""A team's numbers, computed from when what happened. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class CaseTimes:
    """What the numbers need to know of a case; Unix seconds. They are of its newest handoff."""

    number: int
    team: str
    stage: str
    owner_id: int | None
    escalated_at: float | None
    claimed_at: float | None
    first_reply_at: float | None
    resolved_at: float | None


@dataclass(frozen=True, slots=True)
class PersonToday:
    """One operator: active cases now, cases they answered first today, and the median seconds of that."""

    operator_id: int
    open: int
    replies: int
    first_reply: float | None


@dataclass(frozen=True, slots=True)
class Today:
    """Since midnight: handoffs begun, cases resolved, and the median seconds to the first reply; with each person who
    has a case or answered one."""

    new: int
    resolved: int
    first_reply: float | None
    people: tuple[PersonToday, ...]


def today(cases: Sequence[CaseTimes], since: float, loads: Mapping[int, int]) -> Today:
    """`cases` are those that changed `since` midnight, `loads` the active cases by owner."""
    replies: dict[int, list[float]] = {owner: [] for owner in loads}
    for case in cases:
        seconds = reply_seconds(case, since)
        if seconds is not None and case.owner_id is not None:
            replies.setdefault(case.owner_id, []).append(seconds)
    every = [seconds for some in replies.values() for seconds in some]
    people = [
        PersonToday(owner, loads.get(owner, 0), len(some), median(some) if some else None)
        for owner, some in replies.items()
    ]
    return Today(
        new=sum(_is_since(case.escalated_at, since) for case in cases),
        resolved=sum(_is_since(case.resolved_at, since) for case in cases),
        first_reply=median(every) if every else None,
        people=tuple(sorted(people, key=lambda one: (-one.replies, -one.open, one.operator_id))),
    )


def reply_seconds(case: CaseTimes, since: float) -> float | None:
    """From the escalation to the first reply, if that was since then."""
    if case.first_reply_at is None or case.escalated_at is None or case.first_reply_at < since:
        return None
    return max(0.0, case.first_reply_at - case.escalated_at)


def _is_since(at: float | None, since: float) -> bool:
    return at is not None and at >= since
