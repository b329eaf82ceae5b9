"""What a story's Batons remember in, and how a test looks into it: a file of SQLite's, or a PostgreSQL that replicas
share."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.postgres import Server

Rows = list[tuple[Any, ...]]


class Database(Protocol):
    """Migrated and empty at first; `url` is SQLAlchemy's."""

    url: str

    def rows(self, statement: str) -> Rows: ...
    def drop(self) -> None: ...


class File:
    """A copy of a migrated file."""

    def __init__(self, template: Path, folder: Path):
        self._path = Path(shutil.copy(template, folder / "baton.db"))
        self.url = f"sqlite:///{self._path}"

    def rows(self, statement: str) -> Rows:
        """What it says now."""
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)) as db:
            return db.execute(statement).fetchall()

    def drop(self) -> None:
        """It goes with its folder."""


class Shared:
    """A database of its own on a real PostgreSQL."""

    def __init__(self, server: Server):
        self._server = server
        self._name = server.borrow()
        self.url = server.url(self._name)
        dsn = self.url.replace("+psycopg", "")
        self._connection = psycopg.connect(dsn, autocommit=True)

    def rows(self, statement: str) -> Rows:
        """What it says now."""
        return self._connection.execute(statement.encode()).fetchall()

    def drop(self) -> None:
        """Given back, whoever is still connected."""
        self._connection.close()
        self._server.give_back(self._name)
