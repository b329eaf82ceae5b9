"""What can ail a database, really brought about: begun by `begin`, ended by `cure`.

`cure_says` is in what whoever looks after Baton is told.
"""

import contextlib
import sqlite3

import psycopg
from sqlalchemy import Connection, Engine, event, make_url


class FullDisk:
    """SQLite may not use one page more, and says what it says on a full disk. What fits into the pages it has still
    goes through, as on a real one."""

    cure_says = "free some space"
    _no_limit = 1 << 30

    def __init__(self, engine: Engine) -> None:
        self._limit: int | None = None
        event.listen(engine, "begin", self._apply)

    def _apply(self, connection: Connection) -> None:
        if self._limit is not None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={self._limit}")

    def begin(self) -> None:
        self._limit = 1  # SQLite makes that the pages there are

    def cure(self) -> None:
        self._limit = self._no_limit


class LockedFile:
    """Somebody else writes into the SQLite file and does not come to an end."""

    cure_says = "locked"

    def __init__(self, engine: Engine) -> None:
        assert engine.url.database is not None
        self._other = sqlite3.connect(engine.url.database, isolation_level=None, check_same_thread=False)

    def begin(self) -> None:
        self._other.execute("BEGIN IMMEDIATE")

    def cure(self) -> None:
        self._other.execute("ROLLBACK")
        self._other.close()


class _Administered:
    """Something an administrator does to the PostgreSQL database; those connected are thrown out."""

    def __init__(self, engine: Engine) -> None:
        url = make_url(str(engine.url)).set(drivername="postgresql")
        self._name = url.database
        self._where = url.set(database="postgres").render_as_string(hide_password=False)

    def _do(self, *statements: str) -> None:
        with contextlib.closing(psycopg.connect(self._where, autocommit=True)) as connection:
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._name,)
            )


class Away(_Administered):
    """The database lets nobody in."""

    cure_says = "does not answer"

    def begin(self) -> None:
        self._do(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false')

    def cure(self) -> None:
        self._do(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true')


class ReadOnly(_Administered):
    """The database may only be read, as after a failover to a standby."""

    cure_says = "can only be read"

    def begin(self) -> None:
        self._do(f'ALTER DATABASE "{self._name}" SET default_transaction_read_only = on')

    def cure(self) -> None:
        self._do(f'ALTER DATABASE "{self._name}" RESET default_transaction_read_only')


class Restarted(_Administered):
    """Every connection is lost at once; new ones are welcome."""

    cure_says = ""

    def begin(self) -> None:
        self._do()

    def cure(self) -> None:
        """It is over already."""


class HeldRows:
    """Another process stands still while it holds a conversation's row (PostgreSQL)."""

    def __init__(self, engine: Engine, number: int) -> None:
        where = make_url(str(engine.url)).set(drivername="postgresql")
        self._other = psycopg.connect(where.render_as_string(hide_password=False))
        self._other.execute("SELECT 1 FROM conversation WHERE number = %s FOR UPDATE", (number,))

    def cure(self) -> None:
        self._other.rollback()
        self._other.close()
