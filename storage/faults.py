"""What a database's error means: a fault of the database itself, with its cure, or of what was written.

A fault of the database is nobody's command's fault: everybody is asked to try again, and nothing is given up. Its
own words are never passed on, since PostgreSQL quotes key values in them; the codes are those of
https://www.sqlite.org/rescode.html and of PostgreSQL's appendix A.
"""

import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

FULL = "the disk of the database is full: free some space"
LOCKED = "another program keeps the database locked: find and end it (a backup, an open sqlite3 shell?)"
AWAY = "the database does not answer: is it running, and BATON_DATABASE_URL right?"
READ_ONLY = "the database can only be read: is it a standby, or the file write-protected?"
BROKEN = "the database's file cannot be written or is damaged: check its disk"
EXHAUSTED = "the database has no connection or memory left: raise its limits"

_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_CORRUPT: BROKEN,
    sqlite3.SQLITE_NOTADB: BROKEN,
    sqlite3.SQLITE_CANTOPEN: BROKEN,
}
_PRIMARY = 0xFF  # SQLite's extended codes keep the primary one in the lowest byte


@dataclass(frozen=True, slots=True)
class Fault:
    """`cure`: a sentence for whoever looks after Baton. `passing`: another attempt, on a fresh connection, may well
    go through at once. `of_rows`: only those that touch certain rows are concerned."""

    cure: str
    passing: bool = False
    of_rows: bool = False


def fault_of(error: BaseException) -> Fault | None:
    """None where what was written is at fault, or our own code."""
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY
        return Fault(_SQLITE[code]) if code in _SQLITE else None
    return _postgresql(error, getattr(error.orig, "sqlstate", None))


def _postgresql(error: DBAPIError, state: str | None) -> Fault | None:
    if state is None:
        lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return Fault(AWAY, passing=True) if lost else None
    match state[:2], state:
        case _, "53100":
            return Fault(FULL)
        case _, "25006":
            return Fault(READ_ONLY, passing=True)  # a connection to what was the primary before
        case _, "55P03":
            return Fault("another replica holds these rows", of_rows=True)
        case "40", _:  # a deadlock: the other one went on
            return Fault("replicas waited for each other", passing=True, of_rows=True)
        case "53", _:
            return Fault(EXHAUSTED)
        case (("08" | "57"), _):
            return Fault(AWAY, passing=True)  # lost, or shut down
        case _, "25P03":
            return Fault(AWAY, passing=True)  # we stood still in a transaction, and it gave our locks back
        case (("58" | "XX"), _):
            return Fault(BROKEN)
    return None
