"""Loaded rows of one table as the core's dataclasses; what changed is written in bulk when the batch ends.

An identity map: the same row is the same object for every handler of a batch. A value is found to have changed by
comparison, so handlers replace dicts and never write into them.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, update

T = TypeVar("T")
Key = tuple[Any, ...]


class Rows(Generic[T]):
    """The rows of one table within one unit of work."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        cls: Callable[..., T],
        key: Sequence[str],
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
    ):
        self._connection = connection
        self._table = table
        self._cls = cls
        self._names = tuple(cls.__dataclass_fields__)  # type: ignore[attr-defined]
        self._values: Callable[[T], Key] = attrgetter(*self._names)
        self._key_names = tuple(key)
        self._columns = [table.c[name] for name in self._names]
        self._convert = [(self._names.index(name), made) for name, made in (convert or {}).items()]
        self._objects: dict[Key, T] = {}
        self._stored: dict[Key, Key] = {}
        self._fresh: dict[Key, T] = {}
        self._doomed: set[Key] = set()
        self.written: list[T] = []
        self.writes = 0  # rows added or removed; changed values are found at the end

    def key_of(self, thing: T) -> Key:
        """The primary key of a row."""
        return tuple(getattr(thing, name) for name in self._key_names)

    def get(self, *key: Any) -> T | None:
        """By primary key."""
        if key in self._objects:
            return self._objects[key]
        if key in self._doomed:
            return None
        found = self._select(
            *(self._table.c[name] == value for name, value in zip(self._key_names, key, strict=True))
        )
        return found[0] if found else None

    def where(
        self, *criteria: ColumnElement[bool], order_by: Sequence[Any] = (), limit: int | None = None
    ) -> list[T]:
        """By any criteria. What this batch has written is counted."""
        self.flush()
        return self._select(*criteria, order_by=order_by, limit=limit)

    def _select(
        self, *criteria: ColumnElement[bool], order_by: Sequence[Any] = (), limit: int | None = None
    ) -> list[T]:
        statement = select(*self._columns).where(*criteria).order_by(*order_by).limit(limit)
        return [self._adopt(tuple(row)) for row in self._connection.execute(statement)]

    def _adopt(self, row: Key) -> T:
        if self._convert:
            values = list(row)
            for index, made in self._convert:
                values[index] = made(values[index])
            row = tuple(values)
        thing = self._cls(*row)
        key = self.key_of(thing)
        if key in self._objects:
            return self._objects[key]
        self._objects[key] = thing
        self._stored[key] = row
        return thing

    def add(self, thing: T) -> T:
        """A new row, inserted when the batch ends."""
        key = self.key_of(thing)
        self._objects[key] = thing
        self._fresh[key] = thing
        self.writes += 1
        return thing

    def add_numbered(self, thing: T, column: str) -> T:
        """A new row whose key the database allots, inserted now."""
        values = {
            name: value
            for name, value in zip(self._names, self._values(thing), strict=True)
            if name != column
        }
        statement = insert(self._table).values(**values).returning(self._table.c[column])
        setattr(thing, column, self._connection.execute(statement).scalar_one())
        key = self.key_of(thing)
        self._objects[key] = thing
        self._stored[key] = self._values(thing)
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
            self._doomed.add(key)

    def flush(self) -> None:
        """Write what is new, changed or removed: one statement each."""
        if self._doomed:
            self._delete(self._doomed)
            self._doomed = set()
        if self._fresh:
            rows = [
                dict(zip(self._names, self._values(thing), strict=True)) for thing in self._fresh.values()
            ]
            self._connection.execute(insert(self._table), rows)
            self._stored.update((key, self._values(thing)) for key, thing in self._fresh.items())
            self.written.extend(self._fresh.values())
            self._fresh = {}
        self._update()

    def _update(self) -> None:
        changed = []
        for key, before in self._stored.items():
            values = self._values(self._objects[key])
            if values != before:
                row = dict(zip(self._names, values, strict=True))
                changed.append({f"key_{name}": row.pop(name) for name in self._key_names} | row)
                self._stored[key] = values
                self.written.append(self._objects[key])
        if changed:
            matches = [self._table.c[name] == bindparam(f"key_{name}") for name in self._key_names]
            statement = update(self._table).where(*matches)
            rest = [name for name in self._names if name not in self._key_names]
            self._connection.execute(statement.values({name: bindparam(name) for name in rest}), changed)

    def _delete(self, keys: set[Key]) -> None:
        matches = [self._table.c[name] == bindparam(f"key_{name}") for name in self._key_names]
        rows = [
            {f"key_{name}": value for name, value in zip(self._key_names, key, strict=True)}
            for key in sorted(keys)
        ]
        self._connection.execute(delete(self._table).where(*matches), rows)
