"""The inbox: what has happened already, by a key that names it, and what was answered."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from storage.rows import Rows
from storage.tables import InboxRow, table


@dataclass(slots=True)
class _Received:
    key: str
    at: float
    answer: dict[str, Any]


class Inbox:
    """See `bot.ports.Inbox`."""

    def __init__(self, connection: Connection, now: float):
        self._now = now
        self.rows: Rows[_Received] = Rows(connection, table(InboxRow), _Received, ("key",))

    def answer(self, key: str) -> dict[str, Any] | None:
        known = self.rows.get(key)
        return known.answer if known else None

    def amend(self, key: str, answer: dict[str, Any]) -> None:
        known = self.rows.get(key)
        assert known is not None, "only what is remembered can be amended"
        known.answer = answer

    def remember(self, key: str, answer: dict[str, Any]) -> None:
        self.rows.add(_Received(key, self._now, answer))
