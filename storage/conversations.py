"""Conversations: by number, by the store's name, and in the queue's order."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Select, and_, bindparam, func, or_, select

from bot.conversation import IN_PERSONS_HANDS, Conversation, Stage
from storage.boards import RANKS, Boards, priority_rank
from storage.many import among, parameters
from storage.memory import Memory
from storage.rows import Rows
from storage.tables import ConversationRow, table

_T = table(ConversationRow)


_CHANGED = select(_T.c.number, _T.c.head).where(_T.c.updated_at > bindparam("since"))


@cache
def _numbers_of(dialect: Dialect) -> Select[Any]:
    return select(_T.c.number, _T.c.store, _T.c.external_id).where(
        among([_T.c.store, _T.c.external_id], dialect)
    )


class Conversations(Boards):
    """See `bot.ports.Conversations`."""

    def __init__(self, connection: Connection, memory: Memory | None = None, *, locking: bool = False):
        self._connection = connection
        self._locking = locking
        self.rows: Rows[Conversation] = Rows(
            connection, _T, Conversation, ("number",), {"stage": Stage}, memory
        )
        self._names: dict[tuple[str, str], Conversation] = {}
        self._unknown: set[tuple[str, str]] = set()

    def prefetch(self, numbers: Iterable[int], names: Iterable[tuple[str, str]]) -> set[int]:
        """Load these, by number and by the store's name; locked in the order of their numbers, all of them by one
        statement, so that two replicas never wait for each other. The answer is the numbers of all."""
        wanted = [name for name in names if name not in self._names]
        called: dict[tuple[str, str], int] = {}
        if wanted:
            dialect = self._connection.dialect
            rows = self._connection.execute(_numbers_of(dialect), parameters(wanted, dialect))
            called = {(str(store), str(external_id)): int(number) for number, store, external_id in rows}
        every = {*numbers, *called.values()}
        self.rows.prefetch([(number,) for number in sorted(every)], lock=self._locking)
        for name, number in called.items():
            found = self.rows.get(number)
            if found is not None:
                self._names[name] = found
        self._unknown.update(name for name in wanted if name not in self._names)
        return every

    def get(self, number: int) -> Conversation | None:
        return self.rows.get(number)

    def some(self, numbers: Collection[int]) -> Sequence[Conversation]:
        self.rows.prefetch((number,) for number in numbers)
        return [found for number in numbers if (found := self.rows.get(number)) is not None]

    def named(self, store: str, external_id: str) -> Conversation | None:
        name = (store, external_id)
        known = self._names.get(name)
        if known is None:
            if name in self._unknown:
                return None
            found = self.rows.where(_T.c.store == store, _T.c.external_id == external_id)
            if not found:
                self._unknown.add(name)
                return None
            known = self._names[name] = found[0]
        return known

    def start(self, conversation: Conversation) -> Conversation:
        name = (conversation.store, conversation.external_id)
        self._names[name] = conversation
        self._unknown.discard(name)
        return self.rows.add_numbered(conversation, "number")

    def waiting_before(self, conversation: Conversation) -> int:
        self.rows.flush()
        rank = RANKS.get(conversation.priority, 2)
        since = conversation.waiting_since or 0.0
        ahead = or_(
            priority_rank < rank,
            and_(priority_rank == rank, _T.c.waiting_since < since),
            and_(priority_rank == rank, _T.c.waiting_since == since, _T.c.number < conversation.number),
        )
        statement = select(func.count()).where(
            _T.c.stage == str(Stage.WAITING), _T.c.team == conversation.team, ahead
        )
        return int(self._connection.execute(statement).scalar_one())

    def page(
        self,
        *,
        stage: str | None = None,
        team: str | None = None,
        owner_id: int | None = None,
        store: str | None = None,
        before: tuple[float, int] | None = None,
        limit: int = 50,
    ) -> Sequence[Conversation]:
        wanted = {"stage": stage, "team": team, "owner_id": owner_id, "store": store}
        criteria: list[ColumnElement[bool]] = [
            _T.c[name] == value for name, value in wanted.items() if value is not None
        ]
        if before is not None:
            at, number = before
            criteria.append(or_(_T.c.updated_at < at, and_(_T.c.updated_at == at, _T.c.number < number)))
        return self.rows.where(*criteria, order_by=(_T.c.updated_at.desc(), _T.c.number.desc()), limit=limit)

    def queue(self, team: str | None = None, limit: int = 100) -> Sequence[Conversation]:
        criteria: list[ColumnElement[bool]] = [_T.c.stage.in_([str(Stage.WAITING), str(Stage.ACTIVE)])]
        if team is not None:
            criteria.append(_T.c.team == team)
        order = (_T.c.stage.desc(), priority_rank, _T.c.waiting_since, _T.c.number)
        return self.rows.where(*criteria, order_by=order, limit=limit)

    def earlier(self, shopper_id: int, than: int, limit: int = 5) -> Sequence[Conversation]:
        criteria = (_T.c.shopper_id == shopper_id, _T.c.number != than, _T.c.handoff > 0)
        return self.rows.where(*criteria, order_by=(_T.c.updated_at.desc(),), limit=limit)

    def changed_since(self, since: float) -> dict[int, int]:
        self.rows.flush()
        found = self._connection.execute(_CHANGED, {"since": since})
        return {int(number): int(head) for number, head in found}

    def stages(self) -> dict[str, int]:
        self.rows.flush()
        in_hand = _T.c.stage.in_([str(stage) for stage in sorted(IN_PERSONS_HANDS)])
        counted = self._connection.execute(
            select(_T.c.stage, func.count()).where(in_hand).group_by(_T.c.stage)
        )
        return {str(stage): int(count) for stage, count in counted}

    def recent_waits(self, team: str, limit: int = 20) -> Sequence[float]:
        self.rows.flush()
        statement = (
            select(_T.c.claimed_at - _T.c.escalated_at)
            .where(_T.c.team == team, _T.c.claimed_at.is_not(None), _T.c.escalated_at.is_not(None))
            .order_by(_T.c.claimed_at.desc())
            .limit(limit)
        )
        return [float(wait) for wait in self._connection.execute(statement).scalars() if wait is not None]
