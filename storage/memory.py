"""What the writer need not read again: rows as its last batches read or left them.

Only on SQLite, where one process writes, and only while that is proven at the start of each batch: `PRAGMA
data_version` says whether another connection has committed since, and `total_changes` whether anybody else used ours.
If so, everything is forgotten. PostgreSQL's rows belong to all replicas: there is no memory.

Beside a conversation's own row nothing is kept that people wrote: no text, no inbox, no delivery. What another process
erases is forgotten with the next batch, and the periodic jobs' lease makes one every tick. A row with JSON that is new
or was changed is read once more, as the database gives it back. Those used least lately are forgotten first.

`exec_driver_sql` is not noticed here: only `storage.prepared` and `storage.engine` may use it (a test looks).
"""

from typing import Any

from sqlalchemy import Connection, Engine, Table, TextClause, event

from storage.tables import BindingRow, ConversationRow, DueRow, LaneRow, OperatorRow, table

Key = tuple[Any, ...]
Kept = dict[Key, Key | None]
"""A table's rows by their keys, as their columns' values; None: it is known that there is none."""

MOST = {
    table(row).name: most
    for row, most in (
        (ConversationRow, 1_000),
        (LaneRow, 8_000),
        (DueRow, 12_000),
        (BindingRow, 2_000),
        (OperatorRow, 1_000),
    )
}
MOST_NAMES = 2_000
OF_ROWS = "of_rows"
"""The execution option of statements by which `Rows` writes; after any other the table is forgotten."""


class Memory:
    """One per writer. `tables` by name; `names` are keys by what else they are looked for; `whole` are conversations
    all of whose lanes and due rows were looked up."""

    def __init__(self, engine: Engine) -> None:
        self.tables: dict[str, Kept] = {name: {} for name in MOST}
        self.names: dict[Key, Key] = {}
        self.whole: dict[int, None] = {}
        self._distrusted: set[str] = set()
        self._connection: Any = None  # SQLite's own
        self._version = 0  # as it was when the transaction began; what others commit after it changes it
        self._state: tuple[int, int] | None = None
        event.listen(engine, "before_execute", self._watch)

    def begin(self, connection: Connection) -> None:
        """A transaction has begun: is all that is kept still true?"""
        raw: Any = connection.connection.dbapi_connection
        version = int(raw.execute("PRAGMA data_version").fetchone()[0])
        if raw is not self._connection or (version, raw.total_changes) != self._state:
            self.forget()
        self._connection, self._version = raw, version
        self._distrusted = set()

    def committed(self) -> None:
        """The transaction has been committed, and what was learned in it handed over (`Rows.remember`)."""
        for name in self._distrusted:
            self.tables[name].clear()
            self.whole.clear()
        for name, kept in self.tables.items():
            _shorten(kept, MOST[name])
        _shorten(self.names, MOST_NAMES)
        _shorten(self.whole, MOST[table(ConversationRow).name])
        self._state = self._version, self._connection.total_changes

    def forget(self) -> None:
        """Everything."""
        for kept in self.tables.values():
            kept.clear()
        self.names.clear()
        self.whole.clear()
        self._state = None

    def _watch(self, _connection: Any, statement: Any, *_rest: Any) -> None:
        """Somebody writes past `Rows`."""
        if isinstance(statement, TextClause):
            self._distrusted |= self.tables.keys()
        elif statement.is_dml and not statement.get_execution_options().get(OF_ROWS):
            self._distrusted |= self.tables.keys() & {statement.table.name}


def _shorten(kept: dict[Any, Any], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


def memory_of(engine: Engine) -> Memory | None:
    """For a writer on this engine; None where others write, too."""
    return Memory(engine) if engine.dialect.name == "sqlite" else None


def kept_of(memory: Memory | None, its: Table) -> Kept | None:
    """What is kept of a table's rows; None: nothing, ever."""
    return memory.tables.get(its.name) if memory is not None else None
