"""What a check of the set-up found: one line each, with what to do. `doctor` prints them."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Grade(StrEnum):
    """How it is. `UNKNOWN` could not be checked from here, which is no fault."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` names what was looked at ("slack", "slack:support"); `text` is a sentence, of a problem with its cure."""

    about: str
    grade: Grade
    text: str

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def ok(about: str, text: str) -> Finding:
    """It works."""
    return Finding(about, Grade.OK, text)


def problem(about: str, text: str) -> Finding:
    """It does not, and what to do."""
    return Finding(about, Grade.PROBLEM, text)


def unknown(about: str, text: str) -> Finding:
    """It could not be checked, and why."""
    return Finding(about, Grade.UNKNOWN, text)
