"""Engines, made when asked for: one for the writer, one for reads that need no lock.

SQLite runs in WAL mode; the writer begins with BEGIN IMMEDIATE, since a transaction that reads first and writes
later is refused under load (PLATFORMS.md: 5 of 6 writers). `synchronous=FULL`, so that a commit outlives power loss.
On PostgreSQL, waiting for a lock and idling in a transaction have limits, since replicas share the rows.
Parameters never reach an error's text: they are what customers wrote, and errors are logged.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from bot.settings import SettingsError

BUSY_SECONDS = 5.0
LOCK_MS, IDLE_MS = 5_000, 10_000  # a replica that stands still gives its locks back
IMPATIENT_MS = 50
CONNECT_SECONDS = 3


def writing_engine(url: str) -> Engine:
    """For the one writer of this process, and for migrations."""
    return _engine(url, begin="BEGIN IMMEDIATE")


def reading_engine(url: str) -> Engine:
    """For reads beside the writer. On SQLite they see the last commit and block nobody."""
    return _engine(url, begin="BEGIN")


def _engine(url: str, begin: str) -> Engine:
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "BATON_DATABASE_URL: cannot be read; write postgresql+psycopg://user:password@host:5432/database, with "
            "%40 for an @ in the password."
        ) from error
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c lock_timeout={LOCK_MS} -c idle_in_transaction_session_timeout={IDLE_MS}",
            },
        )
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=0,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def be_impatient(connection: Connection) -> None:
    """In this transaction, give up soon on rows that another replica holds. SQLite has no such rows."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {IMPATIENT_MS}")
