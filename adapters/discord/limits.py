"""Discord's own limits: a bucket per route and channel, told in the headers of every answer.

discord.py keeps count of them, and waits as long as it takes: the call that used a bucket's last turn answers only
when the bucket is full again. Here an answer comes at once, and who would wait too long is told when to come back,
so that a lane's lease does not run out in a queue.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar

from adapters.discord.vendor import discord
from bot.errors import PlaceFault

ALLOWANCE = "allowance"
"""The reason of a fault by which we keep inside Discord's limits: nothing is wrong there."""
UNTOLD = 50
"""Turns of a bucket of which Discord tells nothing."""
MOST_A_SECOND, SECOND = 48, 1.0
"""Calls of a bot in any second, whatever they are for: Discord takes 50."""

COUNTED, WITHIN = frozenset({401, 403, 429}), 600.0
MOST_REFUSED, MOST_REFUSED_CHANGES = 3_000, 2_000
"""Refused calls of ten minutes after which there are no more, or only such that look: at 10,000 Discord bans the
address, which replicas may share, and somebody must still be able to see whether it is mended."""

patience: ContextVar[float] = ContextVar("patience", default=0.0)
"""Seconds that the call under way may wait for its turn."""


class Bucket(discord.http.Ratelimit):
    """What is left of one limit. A first call goes alone: its answer says how many there are."""

    def __init__(self) -> None:
        super().__init__(None)
        self._changed = asyncio.Event()

    async def acquire(self) -> None:
        """Take a turn. `PlaceFault` "allowance" if there is none in time."""
        self._last_request = self._loop.time()
        latest = self._last_request + patience.get()
        while not self._take():
            until = latest if self.expires is None else self.expires
            now = self._loop.time()
            if now >= latest or until > latest:
                raise PlaceFault(ALLOWANCE, max(until - now, 0.1))
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    def _take(self) -> bool:
        if self.expires is not None and self._loop.time() >= self.expires:
            self.reset()  # type: ignore[no-untyped-call]
        if self.remaining <= 0:
            return False
        self.remaining -= 1
        self.outgoing += 1
        return True

    async def __aexit__(self, *_: object) -> None:
        self.outgoing -= 1
        if not self.dirty and self.expires is None:
            self.limit = UNTOLD
            self.remaining = self.limit - self.outgoing
        self._changed.set()

    def pause(self, seconds: float) -> None:
        """After a 429: nothing until then."""
        self.remaining, self.reset_after = 0, seconds
        self.expires = self._loop.time() + seconds


class Pace:
    """The limit on everything together, of which no header tells. `replicas`: how many processes share it now.

    A call's turn is free again a second after its answer, not after it left: on a busy line calls arrive closer
    together than they were sent."""

    def __init__(self, replicas: Callable[[], int] = lambda: 1):
        self._replicas = replicas
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Take one, which `ended` gives back; `PlaceFault` "allowance" if there is none in time."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._hand_out()
        try:
            async with asyncio.timeout(patience.get()):
                await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self._free()
            with contextlib.suppress(ValueError):  # it may have been passed over by now
                self._waiting.remove(mine)
            if isinstance(error, TimeoutError):
                raise PlaceFault(ALLOWANCE, SECOND) from None
            raise

    def ended(self) -> None:
        """The call that took a turn has been answered, or will not be."""
        asyncio.get_running_loop().call_later(SECOND, self._free)

    def _free(self) -> None:
        self._taken -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._taken < max(1, MOST_A_SECOND // self._replicas()):
            first = self._waiting.popleft()
            if not first.done():
                self._taken += 1
                first.set_result(None)


class Refusals:
    """The calls that Discord refused of late: a thousand cases in a channel that was closed to us all try again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._at: deque[float] = deque()

    def note(self, status: int) -> None:
        """How a call ended."""
        if status in COUNTED:
            self._at.append(self._clock())

    def require_room(self, *, looks: bool) -> None:
        """`PlaceFault` "allowance" where there were too many. `looks`: the call changes nothing."""
        began = self._clock() - WITHIN
        while self._at and self._at[0] <= began:
            self._at.popleft()
        most = MOST_REFUSED if looks else MOST_REFUSED_CHANGES
        if len(self._at) >= most:
            raise PlaceFault(ALLOWANCE, self._at[len(self._at) - most] - began)
