"""Pieces that sentences are made of: times, lengths of time, names."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo


def ago(seconds: float) -> str:
    """A rough, readable age."""
    if seconds < 5:
        return "just now"
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago"


def nobody() -> str:
    """Who closed it when nobody did."""
    return "Baton (nobody answered)"


def anonymous() -> str:
    """A shopper whom the store has not named."""
    return "Anonymous shopper"


def plainly(words: str) -> str:
    """Somebody's words inside a sentence of ours, which is Markdown: on one line, and nothing in them is markup."""
    return re.sub(r"([\\`*_~\[\]()#>!-])", r"\\\1", " ".join(words.split()))


def quoted(words: str) -> str:
    short = " ".join(words.split())
    return f"“{plainly(short[:40])}{'…' if len(short) > 40 else ''}”"


def lasted(seconds: float) -> str:
    """A rough duration: "40 s", "4 min", "3 h", "2 days"."""
    if seconds < 90:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def duration(seconds: float) -> str:
    """A rough, readable length of time."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def on_the_clock(at: float, zone: str) -> str:
    """A time that is still right when it is read days later."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M} ({local:%Z})"


def did_you_mean(meant: str | None) -> str:
    return f" Did you mean {meant}?" if meant else ""
