"""Cases as people look for them: a page of a queue, a search, the day's numbers.

At 300,000 conversations each of these stays quick: boards read waiting and active cases only (by
ix_conversation_queue), the day's numbers what changed today, and every search but that by an address has a window.

The order is the queue's (DESIGN §2): priority, target left, age. One target counts for all teams, from when the wait
began, so that what has waited longest has the least of it left: within one priority, age is target left. A case whose
owner owes no answer has no target, and one that is snoozed none yet: those come behind.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)

from bot.boards import View
from bot.conversation import Conversation, Stage
from bot.entries import Author, Kind
from bot.metrics import CaseTimes
from storage.many import among, parameters
from storage.rows import Rows
from storage.tables import BodyRow, ConversationRow, EntryRow, ShopperRow, table

_T, _S, _E, _B = (table(row) for row in (ConversationRow, ShopperRow, EntryRow, BodyRow))
RANKS = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
priority_rank = case(RANKS, value=_T.c.priority, else_=2)

_OPEN = (str(Stage.WAITING), str(Stage.ACTIVE))
_ANSWER_DUE = _T.c.last_shopper_seq > _T.c.last_answer_seq
_SINCE = func.coalesce(_T.c.waiting_since, _T.c.owned_since, _T.c.created_at)
_ASLEEP = case((_T.c.snoozed_until > bindparam("now"), 1), else_=0)
_TAGS = cast(_T.c.tags, String)
MOST_TAGGED = 2_000
_AWAITING = {"": 0, "operator": 1, "shopper": 2}


@cache
def _on_board(view: View, dialect: Dialect) -> tuple[ColumnElement[bool], ...]:
    """Whose, and the filters; one that is not set lets everything through."""
    whose: tuple[ColumnElement[bool], ...]
    if view is View.MINE:
        whose = (_T.c.stage == str(Stage.ACTIVE), _T.c.owner_id == bindparam("owner"))
    elif view is View.UNCLAIMED:
        whose = (_T.c.stage == str(Stage.WAITING), among([_T.c.team], dialect))
    else:
        whose = (or_(*(_T.c.stage == stage for stage in _OPEN)), among([_T.c.team], dialect))
    turn: Any = bindparam("awaiting")
    return (
        *whose,
        _T.c.priority.like(bindparam("priority")),
        _TAGS.like(bindparam("tag"), escape="/"),
        or_(turn == 0, and_(turn == 1, _ANSWER_DUE), and_(turn == 2, ~_ANSWER_DUE)),
    )


@cache
def _board(view: View, dialect: Dialect) -> Callable[[Any], Any]:
    due_first = case((or_(_T.c.stage == str(Stage.WAITING), _ANSWER_DUE), 0), else_=1)
    order = (_ASLEEP, priority_rank, due_first, _SINCE, _T.c.number)
    page: Any = (bindparam("limit"), bindparam("offset"))
    return lambda select: (
        select.where(*_on_board(view, dialect)).order_by(*order).limit(page[0]).offset(page[1])
    )


@cache
def _board_size(view: View, dialect: Dialect) -> Select[Any]:
    return select(func.count()).select_from(_T).where(*_on_board(view, dialect))


@cache
def _tagged(dialect: Dialect) -> Select[Any]:
    open_ones = or_(*(_T.c.stage == stage for stage in _OPEN))
    return select(_T.c.tags).where(open_ones, among([_T.c.team], dialect), _TAGS != "[]").limit(MOST_TAGGED)


@cache
def _unread(dialect: Dialect) -> Any:
    """Between the last answer and the newest message of a shopper: by the primary key, and no further."""
    span = (_E.c.seq > _T.c.last_answer_seq, _E.c.seq <= _T.c.last_shopper_seq)
    said = (_E.c.kind == str(Kind.MESSAGE), _E.c.author == str(Author.SHOPPER))
    return (
        select(_E.c.conversation, func.count())
        .join_from(_T, _E, and_(_E.c.conversation == _T.c.number, *span))
        .where(among([_T.c.number], dialect), *said)
        .group_by(_E.c.conversation)
    )


@cache
def _loads(dialect: Dialect) -> Any:
    active = (_T.c.stage == str(Stage.ACTIVE), among([_T.c.team], dialect))
    return select(_T.c.owner_id, func.count()).where(*active).group_by(_T.c.owner_id)


@cache
def _waits(dialect: Dialect) -> Any:
    waiting = (_T.c.stage == str(Stage.WAITING), among([_T.c.team], dialect))
    return select(func.count(), func.min(_T.c.waiting_since)).where(*waiting)


_TIMES: Any = (
    select(*(_T.c[name] for name in CaseTimes.__dataclass_fields__))
    .where(_T.c.updated_at >= bindparam("since"))
    .order_by(_T.c.updated_at.desc())
    .limit(bindparam("limit"))
)
"""Of every team: with the teams in it SQLite reads all of a team's cases instead of today's."""


# --- find: every search has a window, so that none reads the whole database ---------------------------------------

_NEWEST = _T.c.updated_at.desc(), _T.c.number.desc()
SHOPPERS_AT: Any = (
    select(_S.c.id)
    .where(func.lower(_S.c.email) == func.lower(bindparam("address")))
    .order_by(_S.c.id.desc())
    .limit(bindparam("limit"))
)
"""By ix_shopper_email, so that it needs no window. The database makes both sides small, so that they always agree."""
MOST_WORDS = 6


def _like(word: str) -> str:
    escaped = word.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{escaped}%"


def _holds(column: Any, words: Sequence[str]) -> ColumnElement[bool]:
    """All words, in any order; whether in capitals does not matter (SQLite: A to Z only, others as they are typed)."""
    return and_(
        *(
            or_(
                func.lower(column).like(_like(word.lower()), escape="/"), column.like(_like(word), escape="/")
            )
            for word in words[:MOST_WORDS]
        )
    )


class Boards:
    """A part of `bot.ports.Conversations`."""

    _connection: Connection
    rows: Rows[Conversation]

    # --- boards ---------------------------------------------------------------------------------------------------

    def board(
        self,
        view: View,
        *,
        owner_id: int = 0,
        teams: Sequence[str] = (),
        tag: str = "",
        priority: str = "",
        awaiting: str = "",
        now: float = 0.0,
        limit: int = 10,
        offset: int = 0,
    ) -> Sequence[Conversation]:
        if view is not View.MINE and not teams:
            return []
        filters = self._filters(view, owner_id, teams, tag, priority, awaiting)
        build = _board(view, self._connection.dialect)
        return self.rows.select(build, **filters, now=now, limit=limit, offset=offset)

    def board_size(
        self,
        view: View,
        *,
        owner_id: int = 0,
        teams: Sequence[str] = (),
        tag: str = "",
        priority: str = "",
        awaiting: str = "",
    ) -> int:
        if view is not View.MINE and not teams:
            return 0
        self.rows.flush()
        filters = self._filters(view, owner_id, teams, tag, priority, awaiting)
        return int(
            self._connection.execute(_board_size(view, self._connection.dialect), filters).scalar_one()
        )

    def _filters(
        self, view: View, owner_id: int, teams: Sequence[str], tag: str, priority: str, awaiting: str
    ) -> dict[str, Any]:
        whose = {"owner": owner_id} if view is View.MINE else self._of_teams(teams)
        return {
            **whose,
            "tag": _like(json.dumps(tag)) if tag else "%",
            "priority": priority or "%",
            "awaiting": _AWAITING.get(awaiting, 0),
        }

    def _of_teams(self, teams: Sequence[str]) -> dict[str, Any]:
        return parameters([(team,) for team in teams], self._connection.dialect)

    def tags_in_use(self, teams: Sequence[str], limit: int = 100) -> Sequence[str]:
        if not teams:
            return []
        self.rows.flush()
        found = self._connection.execute(_tagged(self._connection.dialect), self._of_teams(teams)).scalars()
        counted = Counter(tag for tags in found for tag in tags)
        return [tag for tag, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:limit]]

    def unread(self, numbers: Collection[int]) -> Mapping[int, int]:
        if not numbers:
            return {}
        self.rows.flush()
        dialect = self._connection.dialect
        keys = parameters([(number,) for number in sorted(numbers)], dialect)
        return {int(number): int(count) for number, count in self._connection.execute(_unread(dialect), keys)}

    def loads(self, teams: Sequence[str]) -> Mapping[int, int]:
        if not teams:
            return {}
        self.rows.flush()
        counted = self._connection.execute(_loads(self._connection.dialect), self._of_teams(teams))
        return {int(owner): int(count) for owner, count in counted if owner is not None}

    def times(self, teams: Sequence[str], since: float, limit: int) -> Sequence[CaseTimes]:
        self.rows.flush()
        found = self._connection.execute(_TIMES, {"since": since, "limit": limit})
        return [one for one in (CaseTimes(*row) for row in found) if one.team in teams]

    def waits(self, teams: Sequence[str]) -> tuple[int, float | None]:
        if not teams:
            return 0, None
        self.rows.flush()
        statement = _waits(self._connection.dialect)
        count, since = self._connection.execute(statement, self._of_teams(teams)).one()
        return int(count), since

    # --- find -----------------------------------------------------------------------------------------------------

    def newest_number(self) -> int:
        self.rows.flush()
        return int(self._connection.execute(select(func.max(_T.c.number))).scalar() or 0)

    def named_like(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        self.rows.flush()
        newest = select(func.coalesce(func.max(_S.c.id), 0) - window).scalar_subquery()
        named = (_S.c.id > newest, _holds(_S.c.name, words))
        found = select(_S.c.id).where(*named).order_by(_S.c.id.desc()).limit(limit)
        return self._cases_of(self._connection.execute(found).scalars(), limit)

    def addressed(self, address: str, limit: int) -> Sequence[Conversation]:
        self.rows.flush()
        wanted = {"address": address, "limit": limit}
        return self._cases_of(self._connection.execute(SHOPPERS_AT, wanted).scalars(), limit)

    def _cases_of(self, shoppers: Iterable[int], limit: int) -> list[Conversation]:
        ids = [(int(one),) for one in shoppers]
        theirs = self.rows.among(("shopper_id",), ids) if ids else []
        return sorted(theirs, key=lambda one: (-one.updated_at, -one.number))[:limit]

    def about(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        self.rows.flush()
        issue = _T.c.packet["issue"].as_string()
        newest = select(_T.c.number, issue, _T.c.category, _T.c.tags).order_by(*_NEWEST).limit(window)
        wanted = [word.casefold() for word in words]
        found: list[int] = []
        for number, said, category, tags in self._connection.execute(newest):
            words_of_case = " ".join([said or "", category or "", *tags]).casefold()
            if all(word in words_of_case for word in wanted):
                found.append(int(number))
                if len(found) == limit:
                    break
        return self._in_order(found)

    def mentioning(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        self.rows.flush()
        newest = select(_T.c.number, _T.c.updated_at).order_by(*_NEWEST).limit(window).subquery()
        spoken = or_(_E.c.kind == str(Kind.MESSAGE), _E.c.kind == str(Kind.ASIDE))
        statement = (
            select(newest.c.number, newest.c.updated_at)
            .join_from(newest, _B, _B.c.conversation == newest.c.number)
            .join(_E, and_(_E.c.conversation == _B.c.conversation, _E.c.seq == _B.c.seq))
            .where(_holds(_B.c.text, words), spoken)
            .distinct()
            .order_by(newest.c.updated_at.desc(), newest.c.number.desc())
            .limit(limit)
        )
        return self._in_order([int(number) for number, _ in self._connection.execute(statement)])

    def _in_order(self, numbers: Sequence[int]) -> list[Conversation]:
        self.rows.prefetch((number,) for number in numbers)
        found = (self.rows.get(number) for number in numbers)
        return [one for one in found if one is not None]
