"""The log: entries that never change, and their bodies, which edits replace and erasure blanks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, bindparam, insert, or_, select, update

from bot.conversation import Conversation
from bot.entries import Audience, Author, Draft, Entry, Kind, Reader, acting_on, audience_of
from storage.many import among, parameters
from storage.prepared import Prepared
from storage.tables import BodyRow, EntryRow, table

_E, _B = table(EntryRow), table(BodyRow)
_BODY = ("text", "data", "deleted", "edited", "edited_order")
_CHANGING = ("text", "data", "deleted", "edited", "edited_order")
_ENTRY = tuple(name for name in Entry.__dataclass_fields__ if name not in _BODY)
_COLUMNS = [(_B if name in _BODY else _E).c[name] for name in Entry.__dataclass_fields__]
_SELECT = select(*_COLUMNS).join_from(
    _E, _B, (_B.c.conversation == _E.c.conversation) & (_B.c.seq == _E.c.seq)
)
_OWN = _SELECT.where(_E.c.conversation == bindparam("conversation"))
_ONE = _OWN.where(_E.c.seq == bindparam("seq"))
_BETWEEN = _OWN.where(_E.c.seq > bindparam("after"), _E.c.seq <= bindparam("through"))
_AFTER = _BETWEEN.order_by(_E.c.seq).limit(bindparam("limit"))
_FOR_SHOPPER = (
    _BETWEEN.where(_E.c.audience == str(Audience.SHOPPER)).order_by(_E.c.seq).limit(bindparam("limit"))
)
_LAST = _OWN.order_by(_E.c.seq.desc()).limit(bindparam("limit"))
_SPOKEN = or_(_E.c.kind == str(Kind.MESSAGE), _E.c.kind == str(Kind.ASIDE))
_KNOWN = _OWN.where(_E.c.external_id == bindparam("external_id"), _SPOKEN).order_by(_E.c.seq).limit(1)
_KNOWN_THERE = _KNOWN.where(_E.c.source == bindparam("source"))
_NO_END = 2**31 - 1
Position = tuple[int, int]


@cache
def _among(dialect: Dialect) -> Select[Any]:
    return _OWN.where(among([_E.c.seq], dialect)).order_by(_E.c.seq)


@cache
def _at(dialect: Dialect) -> Select[Any]:
    wanted = among([_E.c.conversation, _E.c.seq], dialect)
    return _SELECT.where(wanted).order_by(_E.c.conversation, _E.c.seq)


class Log:
    """See `bot.ports.Log`. `wake` marks the lane of a reader behind, because of that entry."""

    def __init__(self, connection: Connection, now: float, wake: Callable[[Entry, Reader], None]):
        self._connection = connection
        self._now = now
        self._wake = wake
        self._fresh: dict[Position, Entry] = {}
        self._originals: dict[Position, str] = {}
        self._rewritten: dict[Position, Entry] = {}
        self.appended: dict[Position, Entry] = {}

    def append(self, conversation: Conversation, draft: Draft, told: Collection[Reader] = ()) -> Entry:
        number = conversation.number
        target = self.entry(number, draft.target) if draft.target is not None else None
        entry = Entry(
            conversation=number,
            seq=conversation.head + 1,
            kind=draft.kind,
            audience=audience_of(draft, target),
            author=draft.author,
            operator_id=draft.operator_id,
            name=draft.name,
            source=draft.source,
            external_id=draft.external_id,
            target=draft.target,
            at=draft.at if draft.at is not None else self._now,
            stored_at=self._now,
            late=draft.late,
            handoff=conversation.handoff,
            text=draft.text,
            data=draft.data,
            edited_order=draft.edited_order,
        )
        conversation.note(entry)
        self._fresh[number, entry.seq] = entry
        self.appended[number, entry.seq] = entry
        for reader in acting_on(draft) - set(told):
            self._wake(entry, reader)
        return entry

    def entry(self, number: int, seq: int) -> Entry | None:
        known = self._fresh.get((number, seq)) or self._rewritten.get((number, seq))
        if known is not None:
            return known
        found = self._read(_ONE, conversation=number, seq=seq)
        return found[0] if found else None

    def at(self, positions: Collection[Position]) -> Sequence[Entry]:
        if not positions:
            return []
        dialect = self._connection.dialect
        return self._read(_at(dialect), **parameters(sorted(positions), dialect))

    def entries(self, number: int, seqs: Collection[int]) -> Mapping[int, Entry]:
        if not seqs:
            return {}
        dialect = self._connection.dialect
        keys = parameters([(seq,) for seq in sorted(seqs)], dialect)
        return {entry.seq: entry for entry in self._read(_among(dialect), conversation=number, **keys)}

    def after(
        self, number: int, seq: int, limit: int = 1000, through: int | None = None, shopper_only: bool = False
    ) -> Sequence[Entry]:
        statement = _FOR_SHOPPER if shopper_only else _AFTER
        last = _NO_END if through is None else through
        return self._read(statement, conversation=number, after=seq, through=last, limit=limit)

    def last(self, number: int, limit: int) -> Sequence[Entry]:
        return self._read(_LAST, conversation=number, limit=limit)[::-1]

    def by_external_id(self, number: int, external_id: str, source: str | None = None) -> Entry | None:
        if source is None:
            found = self._read(_KNOWN, conversation=number, external_id=external_id)
        else:
            found = self._read(_KNOWN_THERE, conversation=number, external_id=external_id, source=source)
        return found[0] if found else None

    def known_ids(self, number: int, external_ids: Sequence[str]) -> set[str]:
        self.flush()
        known: set[str] = set()
        for start in range(0, len(external_ids), 500):
            some = external_ids[start : start + 500]
            statement = select(_E.c.external_id).where(
                _E.c.conversation == number, _E.c.external_id.in_(some)
            )
            known.update(str(one) for one in self._connection.execute(statement).scalars())
        return known

    def rewrite(self, entry: Entry, text: str, order: str, data: dict[str, Any] | None = None) -> None:
        body = entry.data if data is None else data
        self._change(entry, replace(entry, text=text, data=body, edited=True, edited_order=order))

    def annotate(self, entry: Entry, data: dict[str, Any]) -> None:
        self._change(entry, replace(entry, data=data))

    def blank(self, entry: Entry) -> None:
        self._change(entry, replace(entry, text="", deleted=True))

    def _change(self, before: Entry, after: Entry) -> None:
        position = (after.conversation, after.seq)
        if not before.edited and not before.deleted:
            self._originals.setdefault(position, before.text)
        if position in self._fresh:
            self._fresh[position] = after
        else:
            self._rewritten[position] = after
        if position in self.appended:
            self.appended[position] = after

    def _read(self, statement: Any, **given: Any) -> list[Entry]:
        self.flush()
        return [_entry(tuple(row)) for row in self._connection.execute(statement, given)]

    def flush(self) -> None:
        """Write new entries with their bodies, and changed bodies."""
        if self._fresh:
            entries, bodies = _inserts(self._connection.dialect)
            entries.execute(self._connection, self._fresh.values())
            bodies.execute(self._connection, [self._body(entry) for entry in self._fresh.values()])
            self._fresh = {}
        if self._rewritten:
            statement = update(_B).where(
                _B.c.conversation == bindparam("of"), _B.c.seq == bindparam("number")
            )
            rows = [
                _values(entry, _CHANGING) | {"of": position[0], "number": position[1]}
                for position, entry in self._rewritten.items()
            ]
            self._connection.execute(
                statement.values({name: bindparam(name) for name in _CHANGING}),
                rows,
            )
            self._keep_originals(self._rewritten)
            self._rewritten = {}

    def _body(self, entry: Entry) -> "_Body":
        original = self._originals.get((entry.conversation, entry.seq)) if self._originals else None
        return _Body(
            entry.conversation,
            entry.seq,
            entry.text,
            entry.data,
            original,
            entry.deleted,
            entry.edited,
            entry.edited_order,
        )

    def _keep_originals(self, rewritten: dict[Position, Entry]) -> None:
        first = [
            {"of": position[0], "number": position[1], "said": self._originals[position]}
            for position in rewritten
            if position in self._originals
        ]
        if first:
            statement = update(_B).where(
                _B.c.conversation == bindparam("of"), _B.c.seq == bindparam("number"), _B.c.original.is_(None)
            )
            self._connection.execute(statement.values(original=bindparam("said")), first)


@dataclass(frozen=True, slots=True)
class _Body:
    """The row beside an entry's own."""

    conversation: int
    seq: int
    text: str
    data: dict[str, Any]
    original: str | None
    deleted: bool
    edited: bool
    edited_order: str


@cache
def _inserts(dialect: Dialect) -> tuple[Prepared, Prepared]:
    """Of entries, and of their bodies."""
    return (
        Prepared(insert(_E), _E, {name: name for name in _ENTRY}, dialect),
        Prepared(insert(_B), _B, {name: name for name in _Body.__dataclass_fields__}, dialect),
    )


def _values(entry: Entry, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in names}


def _entry(row: tuple[Any, ...]) -> Entry:
    values = dict(zip(Entry.__dataclass_fields__, row, strict=True))
    values["kind"] = Kind(values["kind"])
    values["audience"] = Audience(values["audience"])
    values["author"] = Author(values["author"])
    return Entry(**values)
