"""How events come in: at once for commands, in the source's own order for what happens in a thread.

Platforms hand events over concurrently and out of order (PLATFORMS.md: 950 inversions in 2,000). Those that wait
together for the same thread are handled in the platform's order; the writer then commits them as one batch.
After a gap, a live event waits for its thread's catch-up, but not for long.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import count
from typing import Any

from bot.errors import Busy

Submit = Callable[[Any], Awaitable[Any]]
_Waiting = tuple[str, int, Any, "asyncio.Future[Any]", float]
"""Its order, its ticket, the command, who asked, and until when it waits for room."""
BUSY_PAUSE = 0.1
"""Seconds before the writer is asked again, on the event loop's clock."""


class Arrivals:
    """See `bot.ports.Bus`."""

    def __init__(self, submit: Submit, most_wait: float):
        self._submit = submit
        self._most_wait = most_wait
        self._waiting: dict[str, list[_Waiting]] = {}
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._through: dict[str, asyncio.Event] = {}
        self._ticket = count()

    async def submit(self, command: Any) -> Any:
        """See `bot.ports.Bus.submit`."""
        return await self._submit(command)

    def arrive(
        self, lane: str, order: str, command: Any, *, live: bool = True, patience: float = 0.0
    ) -> Awaitable[Any]:
        """See `bot.ports.Bus.arrive`; `live` False: it comes from the catch-up, which opens the gate itself."""
        if not live:
            return self._submit(command)  # before all that waits at the gate; the caller keeps the order
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        one = order, next(self._ticket), command, future, loop.time() + patience if patience else 0.0
        heapq.heappush(self._waiting.setdefault(lane, []), one)
        if lane not in self._busy:
            self._busy.add(lane)
            loop.call_soon(self._begin, lane)  # with all of its events that come in this very moment
        return future

    def _begin(self, lane: str) -> None:
        """Hand over what waits for this thread, behind its gate."""
        if self._gate_of(lane) is None:
            self._hand_over(lane)
            return
        task = asyncio.create_task(self._begin_later(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin_later(self, lane: str) -> None:
        await self._pass_gate(lane)
        self._hand_over(lane)

    def _hand_over(self, lane: str) -> None:
        """All that waits together, in its order; what comes meanwhile waits until that is done, and what the writer
        had no room for goes before it. No task for each: an operator's message passes here."""
        waiting = self._waiting.pop(lane)
        left, again = len(waiting), list[_Waiting]()
        through = self._through[lane] = asyncio.Event()

        def ended(one: _Waiting, stored: "asyncio.Future[Any]") -> None:
            nonlocal left
            left -= 1
            if _waits_on(one, stored):
                again.append(one)
            else:
                _pass_on(stored, one[3])
            if left:
                return
            del self._through[lane]
            through.set()
            if again:
                self._waiting[lane] = [*again, *self._waiting.get(lane, ())]
                heapq.heapify(self._waiting[lane])
                asyncio.get_running_loop().call_later(BUSY_PAUSE, self._begin, lane)
            elif lane in self._waiting:
                self._begin(lane)
            else:
                self._busy.discard(lane)

        taken = [heapq.heappop(waiting) for _ in range(left)]
        for number, one in enumerate(taken, 1):
            stored = self._submitted(one[2])
            stored.add_done_callback(partial(ended, one))
            if stored.done() and _waits_on(one, stored):  # what is behind it is not even asked for
                again += taken[number:]
                left -= len(taken[number:])
                return

    def _submitted(self, command: Any) -> "asyncio.Future[Any]":
        """The command's end, also where it is not even taken."""
        try:
            return asyncio.ensure_future(self._submit(command))
        except Exception as error:  # noqa: BLE001 — handed to the one who asked
            refused: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    # --- the gates of a catch-up ------------------------------------------------------------------------------

    def close_gates(self, lanes: Iterable[str]) -> None:
        """Live events of these threads wait from now on; a platform's name stands for all of its threads."""
        for lane in lanes:
            self._gates.setdefault(lane, asyncio.Event())

    async def passed(self, lane: str) -> None:
        """Behind a gate that has just been closed: wait until what had gone through before is handled."""
        while (through := self._through.get(lane)) is not None:
            await through.wait()

    def open_gate(self, lane: str) -> None:
        """The thread's history has been read (or, of a platform: its open threads are known)."""
        gate = self._gates.pop(lane, None)
        if gate is not None:
            gate.set()

    def _gate_of(self, lane: str) -> asyncio.Event | None:
        """The closed gate it stands at: the platform's, then its own."""
        if not self._gates:
            return None
        return self._gates.get(lane.partition(":")[0]) or self._gates.get(lane)

    async def _pass_gate(self, lane: str) -> None:
        try:
            async with asyncio.timeout(self._most_wait):
                while (gate := self._gate_of(lane)) is not None:
                    await gate.wait()
        except TimeoutError:
            return  # the event is stored under its own key whichever comes first


def _waits_on(one: _Waiting, stored: "asyncio.Future[Any]") -> bool:
    """Whether there was no room for it, and it has patience left."""
    busy = not stored.cancelled() and isinstance(stored.exception(), Busy)
    return busy and not one[3].done() and asyncio.get_running_loop().time() < one[4]


def _pass_on(stored: "asyncio.Future[Any]", asked: "asyncio.Future[Any]") -> None:
    """How one ended, to the one who asked; they may have gone away."""
    if stored.cancelled():
        asked.cancel()
        return
    error = stored.exception()
    if asked.done():
        return
    if error is not None:
        asked.set_exception(error)
    else:
        asked.set_result(stored.result())


def thread_lane(platform: str, channel: str, root: str) -> str:
    """The name under which a thread's events queue."""
    return f"{platform}:{channel}:{root}"
