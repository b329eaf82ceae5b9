"""The queue as one person sees it: what is theirs, what nobody has, what their teams have.

`Look` says which part of it somebody looks at; `Board` is that part, before any platform renders it.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.posts import Row


class View(StrEnum):
    """Which cases."""

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class Look:
    """A view with its filters. `awaiting` is "operator", "shopper" or empty; empty filters nothing; `page` from 0."""

    view: View = View.UNCLAIMED
    tag: str = ""
    priority: str = ""
    awaiting: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """One page. `counts` are of the whole views without filters; `tags` are those in use, for the filter."""

    look: Look
    rows: tuple[Row, ...]
    counts: dict[View, int]
    tags: tuple[str, ...]
    pages: int
    away: str = ""
