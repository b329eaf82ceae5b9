"""Due rows: things that must happen at a time. The scheduler only ticks; whoever removes a row acts on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.handlers.files_back import FILES
from bot.handlers.handoff import CARD, IDLE, NUDGE, SNOOZE, STALE
from bot.handlers.notice import ABSENT, LATE, NOBODY
from bot.handlers.team import GONE, LOST
from bot.holds import HOLD
from storage.memory import Memory
from storage.rows import Rows
from storage.tables import DueRow, table

_T = table(DueRow)
KINDS = (STALE, IDLE, CARD, HOLD, SNOOZE, NUDGE, LATE, NOBODY, ABSENT, GONE, LOST, FILES)


@dataclass(slots=True)
class _Due:
    kind: str
    conversation: int
    due_at: float


class DueRows:
    """See `bot.ports.DueRows`."""

    def __init__(self, connection: Connection, memory: Memory | None = None):
        self._connection = connection
        self.rows: Rows[_Due] = Rows(connection, _T, _Due, ("kind", "conversation"), memory=memory)

    def prefetch(self, numbers: Iterable[int]) -> None:
        """Load the rows of these conversations, of every kind that handlers use."""
        self.rows.prefetch((kind, number) for number in numbers for kind in KINDS)

    def put(self, kind: str, number: int, due_at: float) -> None:
        known = self.rows.get(kind, number)
        if known is None:
            self.rows.add(_Due(kind, number, due_at))
        else:
            known.due_at = due_at

    def at(self, kind: str, number: int) -> float | None:
        known = self.rows.get(kind, number)
        return known.due_at if known is not None else None

    def drop(self, kind: str, number: int) -> None:
        known = self.rows.get(kind, number)
        if known is not None:
            self.rows.remove(known)

    def take(self, kind: str, number: int, due_at: float) -> bool:
        known = self.rows.get(kind, number)
        if known is None or known.due_at != due_at:
            return False
        self.rows.remove(known)
        return True

    def ripe(self, now: float, limit: int) -> Sequence[tuple[str, int, float]]:
        statement = (
            select(_T.c.kind, _T.c.conversation, _T.c.due_at)
            .where(_T.c.due_at <= now)
            .order_by(_T.c.due_at)
            .limit(limit)
        )
        return [
            (str(kind), int(number), float(at)) for kind, number, at in self._connection.execute(statement)
        ]
