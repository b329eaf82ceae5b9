"""When to read the threads back: no platform tells which events it gave up on.

Slack sends an event that was not taken three more times, over five minutes, and then never again; Discord sends it
once. So after each sign that one was missed (we could not store it, Slack says that it tries again, or that it held
events back) the threads are read back. Signs that come together count once, and there is a minute's rest between two
readings.
"""

import asyncio
from collections.abc import Awaitable, Callable

from bot.settings import Timing


class Gaps:
    """`missed` is told of signs; `watch` acts on them."""

    def __init__(self, timing: Timing):
        self._sign = asyncio.Event()
        self._quiet = min(timing.socket_watch / 6, timing.backoff_most)
        self._rest = timing.socket_watch * 2

    def missed(self) -> None:
        """An event was, or may have been."""
        self._sign.set()

    def expect_none(self) -> None:
        """All is about to be read anyway."""
        self._sign.clear()

    async def watch(self, catch_up: Callable[[], Awaitable[bool]]) -> None:
        """Until cancelled: catch up a while after a sign, and again when that did not go well."""
        while True:
            await self._sign.wait()
            await asyncio.sleep(self._quiet)
            self._sign.clear()
            if not await catch_up():
                self._sign.set()
            await asyncio.sleep(self._rest)
