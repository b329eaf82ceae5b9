"""Writing rows by statements that were rendered once.

SQLAlchemy looks a statement up and prepares each row's values anew at every execution, which costs more than the
database does. Here the statement's text, the order of its values and what a column's type makes of them are found
once per table; both databases go the same way.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table


class Prepared:
    """An insert, update or delete of objects whose attributes are called like the table's columns. `sources` says
    which of them each bound name is for."""

    def __init__(self, statement: Any, table: Table, sources: Mapping[str, str], dialect: Dialect):
        compiled = statement.compile(dialect=dialect, column_keys=list(sources))
        self._text = str(compiled)
        self._names = tuple(compiled.positiontup or sources)
        self._is_positional = compiled.positiontup is not None
        columns = [sources[name] for name in self._names]
        get: Callable[[Any], Any] = attrgetter(*columns)
        self._values: Callable[[Any], tuple[Any, ...]] = (
            get if len(columns) > 1 else lambda thing: (get(thing),)
        )
        made = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]
        self._made = [(index, make) for index, make in enumerate(made) if make is not None]

    def execute(self, connection: Connection, things: Iterable[Any]) -> None:
        """For each of these objects, in their order."""
        connection.exec_driver_sql(self._text, [self._row(thing) for thing in things])

    def _row(self, thing: Any) -> Any:
        values = self._values(thing)
        if self._made:
            bound = list(values)
            for index, make in self._made:
                bound[index] = make(bound[index])
            values = tuple(bound)
        return values if self._is_positional else dict(zip(self._names, values, strict=True))
