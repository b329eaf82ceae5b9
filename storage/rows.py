"""Loaded rows of one table as the core's dataclasses; what changed is written in bulk when the batch ends.

An identity map: the same row is the same object for every handler of a batch. A value is found to have changed by
comparison, so handlers replace dicts and never write into them. Statements are prepared once per table: building
them anew took half of a handler's time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from storage.many import among, parameters
from storage.memory import OF_ROWS, Kept, Memory, kept_of
from storage.prepared import Prepared

T = TypeVar("T")
Key = tuple[Any, ...]


class _Shape:
    """What can be prepared once for a table and the dataclass of its rows."""

    def __init__(self, table: Table, cls: Callable[..., Any], key: tuple[str, ...], dialect: Dialect):
        self.names: tuple[str, ...] = tuple(cls.__dataclass_fields__)  # type: ignore[attr-defined]
        self.values: Callable[[Any], Key] = attrgetter(*self.names)
        getter = attrgetter(*key)
        self.key_of: Callable[[Any], Key] = getter if len(key) > 1 else lambda thing: (getter(thing),)
        self.key_indexes = [self.names.index(name) for name in key]
        keys = [table.c[name] for name in key]
        matches = [column == bindparam(f"key_{column.name}") for column in keys]
        self.select = select(*(table.c[name] for name in self.names))
        self.by_key = self.select.where(*matches)
        self.by_keys = self.select.where(among(keys, dialect))
        self.locking = self.by_keys.order_by(*keys).with_for_update()
        self.json = frozenset(name for name in self.names if isinstance(table.c[name].type, JSON))
        self.insert = Prepared(insert(table), table, {name: name for name in self.names}, dialect)
        self.allotting = {
            name: insert(table)
            .values({other: bindparam(other) for other in self.names if other != name})
            .returning(table.c[name])
            .execution_options(**{OF_ROWS: True})
            for name in key[:1]
        }
        self._table, self._dialect = table, dialect
        self._matches = update(table).where(*matches)
        self._changes: dict[tuple[str, ...], Prepared] = {}
        self._keys = {f"key_{name}": name for name in key}
        self.delete = Prepared(delete(table).where(*matches), table, self._keys, dialect)

    def update_of(self, names: tuple[str, ...]) -> Prepared:
        """The statement that changes just these columns; what another replica changed meanwhile stays."""
        if names not in self._changes:
            statement = self._matches.values({name: bindparam(name) for name in names})
            sources = {**{name: name for name in names}, **self._keys}
            self._changes[names] = Prepared(statement, self._table, sources, self._dialect)
        return self._changes[names]


@cache
def _shape(table: Table, cls: Callable[..., Any], key: tuple[str, ...], dialect: Dialect) -> _Shape:
    return _Shape(table, cls, key, dialect)


@cache
def _narrowed(table: Table, columns: tuple[str, ...], shape: _Shape, dialect: Dialect) -> Any:
    return shape.select.where(among([table.c[name] for name in columns], dialect))


@cache
def _built(build: Callable[[Any], Any], shape: _Shape) -> Any:
    return build(shape.select)


class Rows(Generic[T]):
    """The rows of one table within one unit of work."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        cls: Callable[..., T],
        key: Sequence[str],
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
        memory: Memory | None = None,
    ):
        self._connection = connection
        self._table = table
        self._cls = cls
        self._key_names = tuple(key)
        self._shape = _shape(table, cls, self._key_names, connection.dialect)
        self._convert = [(self._shape.names.index(name), made) for name, made in (convert or {}).items()]
        self._kept: Kept | None = kept_of(memory, table)
        self._unsure: set[Key] = set()  # their JSON may come back in another shape than it was written
        self._objects: dict[Key, T] = {}
        self._stored: dict[Key, Key] = {}
        self._fresh: dict[Key, T] = {}
        self._doomed: dict[Key, T] = {}
        self._absent: set[Key] = set()
        self.written: list[T] = []
        self.writes = 0  # rows added or removed; changed values are found at the end

    def key_of(self, thing: T) -> Key:
        """The primary key of a row."""
        return self._shape.key_of(thing)

    def get(self, *key: Any) -> T | None:
        """By primary key. What is not there is asked for once."""
        known = self._objects.get(key)
        if known is not None:
            return known
        if key in self._absent or key in self._doomed:
            return None
        if self._kept is not None and key in self._kept:
            return self._recall(key, self._kept[key])
        found = self._read(self._shape.by_key, self._key_parameters(key))
        if not found:
            self._absent.add(key)
            return None
        return found[0]

    def _recall(self, key: Key, values: Key | None) -> T | None:
        if values is None:
            self._absent.add(key)
            return None
        thing = self._objects[key] = self._cls(*values)
        self._stored[key] = values
        return thing

    def prefetch(self, keys: Iterable[Key], *, lock: bool = False) -> None:
        """Load many at once, so that `get` finds them, or knows that they are not there. `lock`: in the order of
        their keys, until the transaction ends (SQLite has one writer anyway)."""
        kept = self._kept or ()
        wanted = [
            key
            for key in dict.fromkeys(keys)
            if key not in self._objects and key not in self._absent and key not in kept
        ]
        if not wanted:
            return
        self._read(
            self._shape.locking if lock else self._shape.by_keys, parameters(wanted, self._connection.dialect)
        )
        self._absent.update(key for key in wanted if key not in self._objects)

    def among(self, columns: tuple[str, ...], keys: Sequence[Key]) -> list[T]:
        """Those whose `columns` (not the primary key) are one of `keys`."""
        self.flush()
        dialect = self._connection.dialect
        return self._read(_narrowed(self._table, columns, self._shape, dialect), parameters(keys, dialect))

    def select(self, build: Callable[[Any], Any], **parameters: Any) -> list[T]:
        """By a statement that is prepared once: `build` (a function of a module, the same each time) adds criteria
        with `bindparam`s to the plain select. What this batch has written is counted."""
        self.flush()
        return self._read(_built(build, self._shape), parameters)

    def where(
        self, *criteria: ColumnElement[bool], order_by: Sequence[Any] = (), limit: int | None = None
    ) -> list[T]:
        """By any criteria; what is asked for often is better `select`ed."""
        self.flush()
        return self._read(self._shape.select.where(*criteria).order_by(*order_by).limit(limit), {})

    @property
    def loaded(self) -> Iterable[T]:
        """Everything this unit of work has in hand."""
        return self._objects.values()

    def _read(self, statement: Any, parameters: Mapping[str, Any]) -> list[T]:
        return [self._adopt(tuple(row)) for row in self._connection.execute(statement, parameters)]

    def _adopt(self, row: Key) -> T:
        key = tuple(row[index] for index in self._shape.key_indexes)
        known = self._objects.get(key)
        if known is not None:
            return known
        if self._convert:
            values = list(row)
            for index, made in self._convert:
                values[index] = made(values[index])
            row = tuple(values)
        thing = self._cls(*row)
        self._objects[key] = thing
        self._stored[key] = row
        return thing

    def add(self, thing: T) -> T:
        """A new row, inserted when the batch ends."""
        key = self.key_of(thing)
        self._objects[key] = thing
        self._fresh[key] = thing
        self._absent.discard(key)
        self.writes += 1
        return thing

    def add_numbered(self, thing: T, column: str) -> T:
        """A new row whose key the database allots, inserted now."""
        values = self._as_row(thing)
        del values[column]
        setattr(thing, column, self._connection.execute(self._shape.allotting[column], values).scalar_one())
        key = self.key_of(thing)
        self._objects[key] = thing
        self._stored[key] = self._shape.values(thing)
        self._absent.discard(key)
        if self._shape.json:
            self._unsure.add(key)
        self.writes += 1
        self.written.append(thing)
        return thing

    def remove(self, thing: T) -> None:
        """Gone when the batch ends."""
        key = self.key_of(thing)
        self._objects.pop(key, None)
        self._stored.pop(key, None)
        self.writes += 1
        if self._fresh.pop(key, None) is None:
            self._doomed[key] = thing
        else:
            self._absent.add(key)

    def flush(self) -> None:
        """Write what is new, changed or removed: one statement each, in the order of the keys, so that two
        replicas lock the same rows in the same order."""
        if self._doomed:
            self._shape.delete.execute(self._connection, [self._doomed[key] for key in sorted(self._doomed)])
            self._absent |= self._doomed.keys() - self._objects.keys()
            self._doomed = {}
        if self._fresh:
            self._shape.insert.execute(self._connection, self._fresh.values())
            self._stored.update((key, self._shape.values(thing)) for key, thing in self._fresh.items())
            self.written.extend(self._fresh.values())
            if self._shape.json:
                self._unsure |= self._fresh.keys()
            self._fresh = {}
        self._update()

    def _update(self) -> None:
        changed: dict[tuple[str, ...], list[Key]] = {}
        names, values_of = self._shape.names, self._shape.values
        for key, before in self._stored.items():
            thing = self._objects[key]
            values = values_of(thing)
            if values != before:
                differing = tuple(
                    name for name, old, new in zip(names, before, values, strict=True) if old != new
                )
                changed.setdefault(differing, []).append(key)
                self.written.append(thing)
                self._stored[key] = values
        for differing, keys in changed.items():
            if not self._shape.json.isdisjoint(differing):
                self._unsure.update(keys)
            things = [self._objects[key] for key in sorted(keys)]
            self._shape.update_of(differing).execute(self._connection, things)

    def remember(self) -> None:
        """After the commit: what is known of these rows, for the next batch."""
        kept = self._kept
        if kept is None:
            return
        known: dict[Key, Key | None] = {**dict.fromkeys(self._absent), **self._stored}
        for key, values in known.items():
            kept.pop(key, None)  # to the end of those that are forgotten first
            if key not in self._unsure:
                kept[key] = values

    def _as_row(self, thing: T) -> dict[str, Any]:
        return dict(zip(self._shape.names, self._shape.values(thing), strict=True))

    def _key_parameters(self, key: Key) -> dict[str, Any]:
        return {f"key_{name}": value for name, value in zip(self._key_names, key, strict=True)}
