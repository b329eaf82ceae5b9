"""Fills a database: a few conversations through Baton itself, and their rows copied under new keys.

So every row is one that Baton writes; only names, numbers and times differ from copy to copy.
"""

import asyncio
import sqlite3
import time
from pathlib import Path

from benchmarks.house import ADMIN_TOKEN, House, api_key, ask, escalation
from benchmarks.processes import BenchFailed
from benchmarks.wire import Wire
from storage.tables import METADATA

REST_SECONDS = 20.0
TEMPLATE = 10  # conversations; three of ten went through a person's hands
HANDED_OVER = 3

# Per column that must differ between copies: by how much a number grows, or that a text gets a suffix.
_GROW = {
    "conversation": {
        "number": "conversation",
        "shopper_id": "shopper",
        "updated_at": "age",
        "created_at": "age",
    },
    "shopper": {"id": "shopper"},
    "entry": {"conversation": "conversation"},
    "body": {"conversation": "conversation"},
    "lane": {"conversation": "conversation"},
    "delivery": {"conversation": "conversation", "binding_id": "binding"},
    "binding": {"id": "binding", "conversation": "conversation"},
    "link": {"conversation": "conversation", "binding_id": "binding"},
    "inbox": {},
}
_SUFFIX = {
    "conversation": ("external_id",),
    "shopper": ("external_id",),
    "delivery": ("id",),
    "binding": ("root",),
    "link": ("remote_id",),
    "inbox": ("key",),
}
_SECONDS_APART = -0.5  # between two copies: older and older


async def write_template(where: House) -> None:
    """Ten conversations, all of them over: seven that the assistant held alone, three that a person took."""
    wire = await Wire.connect(where.baton.port)
    key, path = api_key(0), "/console/api/conversations"
    for index in range(TEMPLATE):
        name = f"past-{index}"
        if index < HANDED_OVER:
            view = await ask(wire, "/v1/escalations", escalation(name), key, 202)
            case = f"{path}/{view['number']}"
            await ask(wire, f"{case}/claim", {"operator": "Olga Lind"}, ADMIN_TOKEN)
            answer = {"operator": "Olga Lind", "text": "Your refund is on its way.", "id": "o1"}
            await ask(wire, f"{case}/messages", answer, ADMIN_TOKEN)
            await ask(wire, f"{case}/resolve", {"operator": "Olga Lind"}, ADMIN_TOKEN)
            continue
        shopper = {"id": f"shopper-{name}"}
        for number, author in enumerate(("shopper", "assistant")):
            turn = {
                "id": f"m{number}",
                "author": author,
                "text": "Do you have it in green?",
                "shopper": shopper,
            }
            await ask(wire, f"/v1/conversations/{name}/messages", turn, key)
        await ask(wire, f"/v1/conversations/{name}/resolve", {}, key)
    wire.close()
    await _at_rest(where.folder / "baton.db")


async def _at_rest(database: Path) -> None:
    """Wait until nothing is owed any more: what is owed would be owed thirty thousand times over."""
    until = time.perf_counter() + REST_SECONDS
    while time.perf_counter() < until:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            (owed,) = connection.execute("SELECT count(*) FROM lane WHERE due_at IS NOT NULL").fetchone()
        finally:
            connection.close()
        if not owed:
            return
        await asyncio.sleep(0.2)
    raise BenchFailed("The cases that were to be copied never came to rest: a lane still owes something.")


def multiply(database: Path, conversations: int) -> None:
    """Copy the template's rows until there are so many conversations. Nobody else may have the file open."""
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")
        steps = {
            "conversation": _most(connection, "conversation", "number"),
            "shopper": _most(connection, "shopper", "id"),
            "binding": _most(connection, "binding", "id"),
            "age": _SECONDS_APART,
        }
        copies = conversations // TEMPLATE - 1
        for name in _GROW:
            connection.execute(_copying(name, steps, copies))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _most(connection: sqlite3.Connection, table: str, column: str) -> int:
    return int(connection.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0])


def _copying(table: str, steps: dict[str, float], copies: int) -> str:
    """One statement that copies all rows of a table `copies` times, copy by copy."""
    columns, values = [], []
    for column in METADATA.tables[table].columns:
        columns.append(f'"{column.name}"')
        value = f't."{column.name}"'
        if column.name in _GROW[table]:
            value += f" + n.k * {steps[_GROW[table][column.name]]}"
        elif column.name in _SUFFIX.get(table, ()):
            value += " || '-' || n.k"
        values.append(value)
    return (
        f"WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {copies}) "
        f'INSERT INTO "{table}" ({", ".join(columns)}) '
        f'SELECT {", ".join(values)} FROM n CROSS JOIN (SELECT * FROM "{table}") AS t'
    )
