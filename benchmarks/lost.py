"""What is known of a message that its shopper never saw: where it is stored, who took it, what the stream did then."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from sqlalchemy import Connection, create_engine, text

AROUND = 3  # entries before and behind it
NEAR_SECONDS = 10.0
_ENTRIES = text(
    "SELECT e.seq, e.kind, e.audience, e.author, e.external_id, e.at, e.stored_at, e.late, e.target, b.deleted,"
    " b.edited, b.text, b.original FROM entry e JOIN body b ON b.conversation = e.conversation AND b.seq = e.seq"
    " WHERE e.conversation = :number AND e.seq BETWEEN :first AND :last ORDER BY e.seq"
)
_STANDS = text(
    "SELECT e.seq FROM entry e JOIN body b ON b.conversation = e.conversation AND b.seq = e.seq"
    " WHERE e.conversation = :number AND (b.text LIKE :mark OR b.original LIKE :mark OR e.external_id = :ts)"
)
_OTHERS = text("SELECT e.seq FROM entry e WHERE e.conversation = :number AND e.target = :seq")
_INBOX = text("SELECT key, at, answer FROM inbox WHERE key LIKE :ts")
_CASE = text("SELECT number, stage, owner_id, head, updated_at FROM conversation WHERE number = :number")


@dataclass
class Notes:
    """What happened when, by `time.perf_counter`: ports of replicas for names."""

    kills: list[tuple[float, int]] = field(default_factory=list)
    tries: dict[int, list[tuple[float, int, str]]] = field(default_factory=dict)
    openings: dict[int, list[tuple[float, int, int]]] = field(default_factory=dict)

    def tried(self, number: int, port: int, how: str) -> None:
        """An event was sent to that replica, and ended so."""
        self.tries.setdefault(number, []).append((time.perf_counter(), port, how))

    def opened(self, index: int, port: int, after: int) -> None:
        """A shopper's stream was asked for behind that entry."""
        self.openings.setdefault(index, []).append((time.perf_counter(), port, after))


@dataclass(frozen=True)
class Missed:
    """A message, and whom it was for."""

    number: int
    case: int
    index: int
    ts: str
    root: str
    token: str


async def report(
    url: str,
    notes: Notes,
    missed: Sequence[Missed],
    last: Mapping[int, int],
    ports: Sequence[tuple[int, str]],
) -> list[str]:
    """Sentences on each; `last` is what each shopper's stream had shown last, `ports` the replicas that live."""
    engine = create_engine(url)
    lines: list[str] = []
    try:
        for one in missed:
            with engine.connect() as connection:
                found = _stored(connection, one)
            lines += [*found, *_events(notes, one, last.get(one.index, 0))]
            for _, address in ports:
                lines.append(f"  asked anew at {address}: {await _asked_anew(address, one)}")
    finally:
        engine.dispose()
    return lines


def _stored(connection: Connection, one: Missed) -> list[str]:
    lines = [
        f"MISSED: (n{one.number}), ts {one.ts}, thread {one.root}, case #{one.case}, shopper {one.index}"
    ]
    lines += [f"  case: {dict(row)}" for row in connection.execute(_CASE, {"number": one.case}).mappings()]
    key = {"number": one.case, "mark": f"%(n{one.number})%", "ts": one.ts}
    seqs = [int(seq) for seq in connection.execute(_STANDS, key).scalars()]
    lines.append(f"  in the log as {seqs or 'nothing'}")
    for seq in seqs:
        others = [
            int(other) for other in connection.execute(_OTHERS, {"number": one.case, "seq": seq}).scalars()
        ]
        lines.append(f"  entries about {seq}: {others}")
        for first, final in [(seq - AROUND, seq + AROUND), *((other, other) for other in others)]:
            rows = connection.execute(_ENTRIES, {"number": one.case, "first": first, "last": final})
            lines += [f"    {_short(dict(row))}" for row in rows.mappings()]
    inbox = connection.execute(_INBOX, {"ts": f"%{one.ts}%"})
    return lines + [f"  inbox: {dict(row)}" for row in inbox.mappings()]


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value[-24:] if name in ("text", "original") and value else value for name, value in row.items()
    }


def _events(notes: Notes, one: Missed, last: int) -> list[str]:
    tries = notes.tries.get(one.number, [])
    if not tries:
        return ["  it was never sent"]
    began, ended = tries[0][0], tries[-1][0]

    def near(at: float) -> bool:
        return began - NEAR_SECONDS < at < ended + NEAR_SECONDS

    said = [(at, f"sent to {port}: {how}") for at, port, how in tries]
    said += [(at, f"{port} was killed") for at, port in notes.kills if near(at)]
    opened = notes.openings.get(one.index, [])
    said += [
        (at, f"its stream was opened at {port} behind {after}") for at, port, after in opened if near(at)
    ]
    before = [here for here in opened if here[0] <= began][-1:]
    said += [(at, f"its stream had been opened at {port} behind {after}") for at, port, after in before]
    lines = [f"  {at - began:+.3f} s: {what}" for at, what in sorted(said)]
    return [*lines, f"  the stream's last entry in the end: {last}"]


async def _asked_anew(address: str, one: Missed) -> str:
    """Whether a stream from the beginning shows it."""
    found, highest = False, 0
    headers = {"Authorization": f"Bearer {one.token}", "Last-Event-ID": "0"}
    try:
        async with (
            asyncio.timeout(5),
            aiohttp.ClientSession() as session,
            session.get(f"{address}/widget/v1/stream", headers=headers) as answer,
        ):
            async for line in answer.content:
                found = found or f"(n{one.number})".encode() in line
                if line.startswith(b"id: "):
                    highest = int(line[4:])
    except (TimeoutError, aiohttp.ClientError) as error:
        if not isinstance(error, TimeoutError):
            return type(error).__name__
    return f"{'there' if found else 'NOT there'} (up to {highest})"
