"""Reads that need no lock, on connections of their own, beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine

from bot import ports
from bot.ports import Clock
from bot.settings import Settings
from storage.unit_of_work import UnitOfWork

T = TypeVar("T")


class Reads:
    """See `bot.ports.Reads`."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock, threads: int = 4):
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="baton-read")

    async def __call__(self, read: Callable[[ports.UnitOfWork], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, read)

    def _read(self, read: Callable[[ports.UnitOfWork], T]) -> T:
        with self._engine.connect() as connection:
            return read(UnitOfWork(connection, self._settings, self._clock()))

    def close(self) -> None:
        """Wait for reads under way."""
        self._pool.shutdown(wait=True)
