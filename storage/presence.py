"""Shoppers' open tabs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam

from bot.people import Presence
from storage.rows import Rows
from storage.tables import PresenceRow, table

_T = table(PresenceRow)


def _tabs(select: Select[Any]) -> Select[Any]:
    return select.where(_T.c.conversation == bindparam("conversation"))


class Presences:
    """See `bot.ports.Presences`."""

    def __init__(self, connection: Connection):
        self.rows: Rows[Presence] = Rows(connection, _T, Presence, ("conversation", "tab"))

    def tabs(self, number: int) -> Sequence[Presence]:
        return self.rows.select(_tabs, conversation=number)

    def note(self, presence: Presence) -> None:
        known = self.rows.get(presence.conversation, presence.tab)
        if known is None:
            self.rows.add(presence)
            return
        known.at = presence.at
        known.delivered = max(known.delivered, presence.delivered)
        known.seen = max(known.seen, presence.seen)
        if presence.hidden != known.hidden:
            known.hidden, known.hidden_since = presence.hidden, presence.hidden_since

    def leave(self, number: int, tab: str) -> None:
        known = self.rows.get(number, tab)
        if known is not None:
            known.at = 0.0  # gone, but what it had seen stays true
