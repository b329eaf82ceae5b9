"""Times as people write them ("2h", "tomorrow 9:00", "monday") and as they read them, in a team's time zone. Pure."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot import texts
from bot.errors import Misread
from bot.hours import DAYS, Hours

FARTHEST = 365 * 24 * 3600.0
MORNING = time(9)

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SPAN = re.compile(
    r"(\d{1,4}(?:[.,]\d)?)\s*(?:(m)(?:in(?:ute)?s?)?|(h)(?:(?:ou)?rs?)?|(d)(?:ays?)?|(w)(?:eeks?)?)(?![a-z])"
)
_LEADING = re.compile(r"(?:for|in|until|till?|at)\s+")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def moment(text: str, now: float, hours: Hours) -> float:
    """The Unix time that is meant, always after `now`; a day without a time means the team's opening.

    `Misread` with examples of the right form otherwise.
    """
    words = " ".join(text.lower().split())
    bare = _LEADING.sub("", words, count=1)
    seconds = _span(bare)
    at = now + seconds if seconds is not None else _on_the_clock(bare, words != bare, now, hours)
    if at is None:
        raise Misread(texts.answers.time_not_understood(text))
    if at <= now:
        raise Misread(texts.answers.time_is_over(text))
    if at - now > FARTHEST:
        raise Misread(texts.answers.time_too_far(text))
    return at


def _span(words: str) -> float | None:
    """Seconds of "2h", "1 hour 30 min"; None if it is something else."""
    if not words or _SPAN.sub("", words).replace("and", "").strip(" ,"):
        return None
    found = [(number, next(unit for unit in units if unit)) for number, *units in _SPAN.findall(words)]
    return sum(float(number.replace(",", ".")) * _UNITS[unit] for number, unit in found)


def _on_the_clock(words: str, after_preposition: bool, now: float, hours: Hours) -> float | None:
    if not words:
        return None
    local = datetime.fromtimestamp(now, ZoneInfo(hours.zone))
    first, _, rest = words.partition(" ")
    days = list(_days(first, local.date()))
    clock = rest.removeprefix("at ").strip() if days else words
    if not days and not after_preposition and clock.isdigit():
        return None  # "30" may be minutes as well as a time
    at = _clock(clock) if clock else None
    if clock and at is None:
        return None
    fixed = len(days) == 1
    for day in days or (local.date(), local.date() + timedelta(days=1)):
        found = datetime.combine(day, at or opening_on(day, hours), local.tzinfo).timestamp()
        if found > now or fixed:
            return found
    return None


def _days(word: str, today: date) -> Iterator[date]:
    """The days a word may mean, nearest first."""
    if word == "today":
        yield today
    elif word in ("tomorrow", "tmrw"):
        yield today + timedelta(days=1)
    elif word in DAYS or word in _WEEKDAYS:
        ahead = (DAYS.index(word[:3]) - today.weekday()) % 7
        yield today + timedelta(days=ahead)
        yield today + timedelta(days=ahead + 7)
    else:
        try:
            day = date.fromisoformat(word)
        except ValueError:
            return
        if abs(day.year - today.year) < 100:  # the calendar's ends have no Unix time
            yield day


def _clock(words: str) -> time | None:
    found = _CLOCK.fullmatch(words)
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def opening_on(day: date, hours: Hours) -> time:
    """When the team opens that day; nine in the morning where no rule says so."""
    return min((opens for opens, _ in hours.spans.get(day.weekday(), ())), default=MORNING)


def shown(at: float, now: float, hours: Hours) -> str:
    """ "14:00", "tomorrow 09:00", "Mon 09:00", "2 Oct 09:00": as short as it can be."""
    zone = ZoneInfo(hours.zone)
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (then.date() - today).days
    if days == 0:
        return f"{then:%H:%M}"
    if days == 1:
        return f"tomorrow {then:%H:%M}"
    if 1 < days < 7:
        return f"{then:%a %H:%M}"
    return f"{then.day} {then:%b %H:%M}"


def midnight(now: float, hours: Hours) -> float:
    """When the team's day began."""
    local = datetime.fromtimestamp(now, ZoneInfo(hours.zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
