"""Waiting for a condition instead of for a time."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    """The first true answer of `condition`, which may be awaited; `TimeoutError` after so many seconds."""
    async with asyncio.timeout(timeout):
        while True:
            found = condition()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
