"""What a button asks before it does anything, before any platform renders it as a modal: fields, choices, a title.

Built by `bot.desk.Desk.form`, filled in by a person, and given back to `Desk.submit` as plain strings by field name.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.posts import Action


class FieldKind(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"  # several lines
    ONE = "one"  # one of `options`
    MANY = "many"  # any of `options`; given back joined by commas


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `hint` is what helps to choose ("3 open, away until 14:00")."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. `value` is what it holds at first."""

    name: str
    label: str
    kind: FieldKind = FieldKind.LINE
    options: tuple[Option, ...] = ()
    value: str = ""
    hint: str = ""
    optional: bool = False
    longest: int = 3000


@dataclass(frozen=True, slots=True)
class Form:
    """A modal: what is being done to which case, and what is asked."""

    action: Action
    number: int
    title: str
    submit: str
    fields: tuple[FormField, ...]
    text: str = ""
