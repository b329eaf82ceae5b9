"""Who is online, told by the one replica that holds the gateway to those that do not: any of them may open a case, and
mentions in it whoever is there.
"""

import asyncio
import time
from collections.abc import Callable

from adapters.discord.directory import Directory
from bot.commands import Keep
from bot.errors import BatonError
from bot.ports import Bus

NAME = "discord presence"
MOST = 1_000
"""People online of whom is told; of more than that nothing is known elsewhere."""
STALE = 3
"""Rounds after which what was told last is believed no more: whoever told it may be gone."""


class SharedPresence:
    """`run` until cancelled, a round each `seconds`. `listens`: whether the gateway is ours."""

    def __init__(
        self,
        directory: Directory,
        bus: Bus,
        listens: Callable[[], bool],
        seconds: float,
        clock: Callable[[], float] = time.time,
    ):
        self._directory, self._bus, self._listens = directory, bus, listens
        self._seconds, self._clock = seconds, clock
        self._kept = ""

    async def run(self) -> None:
        """While the database is away nothing is told, and soon nothing is believed."""
        while True:
            try:
                await (self._tell() if self._listens() else self._hear())
            except BatonError:
                self._believe("")
            await asyncio.sleep(self._seconds)

    async def _tell(self) -> None:
        online = self._directory.online()
        known = online is not None and len(online) <= MOST
        told = f"{self._clock():.0f}:{','.join(sorted(online or ()))}" if known else ""
        for _ in range(2):  # somebody else may have told before
            self._kept, before = str(await self._bus.submit(Keep(NAME, told, self._kept))), self._kept
            if self._kept in (told, before):
                return

    async def _hear(self) -> None:
        self._kept = str(await self._bus.submit(Keep(NAME)))
        self._believe(self._kept)

    def _believe(self, told: str) -> None:
        at, _, online = told.partition(":")
        fresh = at.isdecimal() and self._clock() - int(at) < self._seconds * STALE + 1
        self._directory.hear_of(frozenset(online.split(",")) if fresh else None)
