"""Replicas wake each other: a coalesced NOTIFY after the commit, and a poll behind it (DESIGN §5).

The NOTIFY has a connection of its own: inside the transaction it would serialise commits (MEASURED.md: 0.31×). A
lost notification costs a second, not a message: the poll finds conversations that changed lately.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import make_url

from bot import ports
from bot.errors import Busy
from bot.ports import Clock, Reads
from storage.unit_of_work import Changes
from storage.writer import Writer

logger = logging.getLogger("baton.bell")

CHANNEL = "baton"
MOST_BYTES = 7_000  # PostgreSQL takes 8,000
RETRY_SECONDS = 1.0
POLL_SECONDS = 1.5
OVERLAP_SECONDS = 60.0
"""A change bears the time at which its transaction began, by its own replica's clock, and is seen once that has
committed: after others that began later. So each look goes back by more than a transaction lives (it waits 5 s for a
lock, idles 10 s, and may meet a slow disk) and clocks differ."""


class Bell:
    """Between `start` and `stop`: rings for what this process committed, announces what others did."""

    def __init__(self, url: str, reads: Reads, clock: Clock, writer: Writer):
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._reads = reads
        self._clock = clock
        self._writer = writer
        self._announcing = False
        self._self = secrets.token_hex(6)
        self._numbers: set[int] = set()
        self._typing: list[tuple[int, str, str | None]] = []
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._seen: dict[int, int] = {}
        self._looked_at = clock()

    def start(self) -> None:
        """Begin ringing, listening and polling."""
        self._writer.subscribe(self._committed)
        for work in (self._ring, self._listen, self._poll):
            self._tasks.append(asyncio.create_task(self._forever(work), name=f"bell-{work.__name__}"))

    async def stop(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _committed(self, changes: ports.Changes) -> None:
        """Several commits become one notification while one is under way."""
        if self._announcing:
            return  # what others told is not told again
        self._numbers |= changes.touched
        self._typing += changes.typing
        self._ready.set()

    def _announce(self, changes: Changes) -> None:
        self._announcing = True
        try:
            self._writer.announce(changes)
        finally:
            self._announcing = False

    async def _forever(self, work: Callable[[], Any]) -> None:
        while True:
            try:
                await work()
            except Busy:
                pass  # the database is away, which the writer says
            except (psycopg.Error, OSError) as error:
                logger.warning(
                    "the database's notifications are away", extra={"reason": type(error).__name__}
                )
            except Exception:  # the task's root: a lost connection must not end it
                logger.exception("the bell broke")
            await asyncio.sleep(RETRY_SECONDS)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5)
        async with connection:
            yield connection

    async def _ring(self) -> None:
        async with self._connection() as connection:
            while True:
                await self._ready.wait()
                self._ready.clear()
                numbers, typing = sorted(self._numbers), self._typing
                self._numbers, self._typing = set(), []
                for payload in payloads(self._self, numbers, typing):
                    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    async def _listen(self) -> None:
        async with self._connection() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            async for notification in connection.notifies():
                sender, numbers, typing = json.loads(notification.payload)
                if sender != self._self:
                    self._announce(Changes(touched=set(numbers), typing=[tuple(one) for one in typing]))

    async def _poll(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """What was appended since the last look that went well, whoever did; the waiting compare it with what they
        have. A log's head says whether it is news: two changes may bear one time, and a later one an earlier."""
        began, since = self._clock(), self._looked_at - OVERLAP_SECONDS
        found = await self._reads(partial(_changed_since, since))
        fresh = {number for number, head in found.items() if self._seen.get(number) != head}
        self._seen, self._looked_at = found, began
        if fresh:
            self._announce(Changes(touched=fresh))


def _changed_since(since: float, uow: ports.UnitOfWork) -> dict[int, int]:
    return uow.conversations.changed_since(since)


def payloads(sender: str, numbers: list[int], typing: list[tuple[int, str, str | None]]) -> list[str]:
    """One notification, or several where one would be too long."""
    whole = json.dumps([sender, numbers, typing], separators=(",", ":"))
    if len(whole.encode()) <= MOST_BYTES:
        return [whole]
    half, some = len(numbers) // 2, len(typing) // 2
    return payloads(sender, numbers[:half], typing[:some]) + payloads(sender, numbers[half:], typing[some:])
