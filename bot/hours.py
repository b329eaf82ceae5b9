"""When a team answers. Pure: weekly opening hours in a time zone, open for ever when none are given."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans per weekday (0 is Monday), each (opens, closes) in local time; a span that closes at 00:00 runs to
    midnight. No spans at all: always open."""

    zone: str = "UTC"
    spans: dict[int, tuple[tuple[time, time], ...]] = field(default_factory=dict)

    @property
    def always(self) -> bool:
        """Whether there is no rule."""
        return not self.spans


def _span_on(day: datetime, opens: time, closes: time) -> tuple[datetime, datetime]:
    start = day.replace(hour=opens.hour, minute=opens.minute, second=0, microsecond=0)
    end = day.replace(hour=closes.hour, minute=closes.minute, second=0, microsecond=0)
    return start, end if end > start else end + timedelta(days=1)


def is_open(hours: Hours, now: float) -> bool:
    """Whether the team answers at that Unix time."""
    if hours.always:
        return True
    local = datetime.fromtimestamp(now, ZoneInfo(hours.zone))
    for day in (local - timedelta(days=1), local):  # a span may run past midnight
        for opens, closes in hours.spans.get(day.weekday(), ()):
            start, end = _span_on(day, opens, closes)
            if start <= local < end:
                return True
    return False


def next_opening(hours: Hours, now: float) -> datetime | None:
    """When the team is back, in its own time zone; None if it is there or never is."""
    if is_open(hours, now):
        return None
    local = datetime.fromtimestamp(now, ZoneInfo(hours.zone))
    for ahead in range(8):
        day = local + timedelta(days=ahead)
        starts = sorted(_span_on(day, *span)[0] for span in hours.spans.get(day.weekday(), ()))
        for start in starts:
            if start > local:
                return start
    return None


def parse_hours(raw: dict[str, object]) -> Hours:
    """From a policy's table: `{zone = "Europe/Berlin", mon = "09:00-12:30, 13:30-18:00", …}`.

    ValueError says what is wrong with which day.
    """
    zone = str(raw.get("zone", "UTC"))
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError) as error:
        raise ValueError(f"zone: {zone!r} is not a time zone; write one like Europe/Berlin") from error
    spans: dict[int, tuple[tuple[time, time], ...]] = {}
    for key, value in raw.items():
        if key == "zone":
            continue
        if key not in DAYS:
            raise ValueError(f"{key}: not a day; the days are {', '.join(DAYS)}")
        spans[DAYS.index(key)] = tuple(
            _parse_span(key, part) for part in str(value).split(",") if part.strip()
        )
    return Hours(zone, spans)


def _parse_span(day: str, text: str) -> tuple[time, time]:
    try:
        opens, closes = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ValueError(f"{day}: {text.strip()!r} is not a span; write one like 09:00-18:00") from error
    return opens, closes
