"""Engines of one process speak through one dialect per kind of database, so that a statement is compiled once in a run
of the suite and not once in each test: compiling is most of what a test of the storage would do."""

from typing import Any

from sqlalchemy import Engine

import storage.engine

_create = storage.engine.create_engine
_first: dict[str, Engine] = {}


def share_what_is_compiled() -> None:
    """From now on, for every engine that is made."""
    vars(storage.engine)["create_engine"] = _sharing


def _sharing(url: str, **options: Any) -> Engine:
    engine = _create(url, **options)
    first = _first.get(engine.dialect.name)
    # One that never connected does not know what it speaks to.
    if first is None or first.dialect.server_version_info is None:
        _first[engine.dialect.name] = engine
        return engine
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    return engine
