"""Looking for many keys with one prepared statement.

An `IN` list of changing length is rendered anew each time, which costs more than the query. The keys travel as one
value instead: a JSON array on SQLite, arrays on PostgreSQL.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, bindparam, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

Key = tuple[Any, ...]


def among(columns: Sequence[Column[Any]], dialect: Dialect) -> ColumnElement[bool]:
    """True for rows whose columns are one of the keys given by `parameters`."""
    if dialect.name == "sqlite":
        keys = func.json_each(bindparam("keys")).table_valued("value")
        # Without the cast SQLite does not compare by the index where a column holds numbers, and scans its prefix.
        parts: list[Any] = [
            cast(func.json_extract(keys.c.value, f"$[{index}]"), column.type)
            for index, column in enumerate(columns)
        ]
    else:
        arrays = [bindparam(f"keys_{i}", type_=ARRAY(column.type)) for i, column in enumerate(columns)]
        names = [f"part_{index}" for index in range(len(columns))]
        unnested = func.unnest(*arrays).table_valued(*names).render_derived()
        parts = [unnested.c[name] for name in names]
    if len(columns) == 1:
        return columns[0].in_(select(parts[0]))
    return tuple_(*columns).in_(select(*parts))


def parameters(keys: Sequence[Key], dialect: Dialect) -> dict[str, Any]:
    """What to execute such a statement with."""
    if dialect.name == "sqlite":
        return {"keys": json.dumps(keys)}
    return {f"keys_{index}": list(values) for index, values in enumerate(zip(*keys, strict=True))}
