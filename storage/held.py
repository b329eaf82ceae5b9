"""Held messages: what operators wrote and has not left yet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam

from bot.holds import Held
from storage.rows import Rows
from storage.tables import HeldRow, table

_T = table(HeldRow)


def _of(select: Select[Any]) -> Select[Any]:
    return select.where(_T.c.conversation == bindparam("of")).order_by(_T.c.order, _T.c.remote_id)


def _on(select: Select[Any]) -> Select[Any]:
    return select.where(_T.c.platform == bindparam("platform")).order_by(_T.c.due_at)


class HeldMessages:
    """See `bot.ports.HeldMessages`."""

    def __init__(self, connection: Connection):
        self.rows: Rows[Held] = Rows(connection, _T, Held, ("platform", "channel", "remote_id"))

    def get(self, platform: str, channel: str, remote_id: str) -> Held | None:
        return self.rows.get(platform, channel, remote_id)

    def of(self, number: int) -> Sequence[Held]:
        return self.rows.select(_of, of=number)

    def on(self, platform: str) -> Sequence[Held]:
        return self.rows.select(_on, platform=platform)

    def add(self, held: Held) -> None:
        self.rows.add(held)

    def remove(self, held: Held) -> None:
        self.rows.remove(held)
