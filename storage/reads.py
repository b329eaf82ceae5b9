"""Reads that need no lock, on connections of their own, beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot import ports
from bot.errors import Unavailable
from bot.ports import Clock
from bot.settings import Settings
from storage.faults import fault_of
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
        """Once more where the connection may have been lost long ago."""
        try:
            return self._once(read)
        except Unavailable as fault:
            if not fault.passing:
                raise
        return self._once(read)

    def _once(self, read: Callable[[ports.UnitOfWork], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return read(UnitOfWork(connection, self._settings, self._clock()))
        except SQLAlchemyError as error:
            fault = fault_of(error)
            if fault is None:
                raise
            # Its own words may quote a customer.
            raise Unavailable(fault.cure, passing=fault.passing) from None

    def close(self) -> None:
        """Wait for reads under way."""
        self._pool.shutdown(wait=True)
