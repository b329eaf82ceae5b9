"""How events come in: at once for commands, in the source's own order for what happens in a thread.

Platforms hand events over concurrently and out of order (PLATFORMS.md: 950 inversions in 2,000). Those that wait
together for the same thread are handled in the platform's order; the writer then commits them as one batch.
After a gap, a live event waits for its thread's catch-up, but not for long.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import Any

Submit = Callable[[Any], Awaitable[Any]]


class Arrivals:
    """See `bot.ports.Bus`."""

    def __init__(self, submit: Submit, most_wait: float):
        self._submit = submit
        self._most_wait = most_wait
        self._waiting: dict[str, list[tuple[str, int, Any, asyncio.Future[Any]]]] = {}
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._ticket = count()

    async def submit(self, command: Any) -> Any:
        """See `bot.ports.Bus.submit`."""
        return await self._submit(command)

    async def arrive(self, lane: str, order: str, command: Any, *, live: bool = True) -> Any:
        """See `bot.ports.Bus.arrive`; `live` False: it comes from the catch-up, which opens the gate itself."""
        if not live:
            return await self._submit(
                command
            )  # before all that waits at the gate; the caller keeps the order
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting.setdefault(lane, []), (order, next(self._ticket), command, future))
        if lane not in self._busy:
            self._busy.add(lane)
            task = asyncio.create_task(self._drain(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain(self, lane: str) -> None:
        while lane in self._waiting:
            await self._pass_gate(lane)
            waiting = self._waiting.pop(lane)
            together = [heapq.heappop(waiting) for _ in range(len(waiting))]
            await asyncio.gather(*(self._settle(lane, command, future) for _, _, command, future in together))
        self._busy.discard(lane)

    async def _settle(self, lane: str, command: Any, future: "asyncio.Future[Any]") -> None:
        try:
            await self._pass_gate(lane)  # it may have been closed since
            answer = await self._submit(command)
        except Exception as error:  # noqa: BLE001 — handed to the one who asked
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(answer)

    # --- the gates of a catch-up ------------------------------------------------------------------------------

    def close_gates(self, lanes: Iterable[str]) -> None:
        """Live events of these threads wait from now on; a platform's name stands for all of its threads."""
        for lane in lanes:
            self._gates.setdefault(lane, asyncio.Event())

    def open_gate(self, lane: str) -> None:
        """The thread's history has been read (or, of a platform: its open threads are known)."""
        gate = self._gates.pop(lane, None)
        if gate is not None:
            gate.set()

    async def _pass_gate(self, lane: str) -> None:
        platform = lane.partition(":")[0]
        try:
            async with asyncio.timeout(self._most_wait):
                for name in (platform, lane):
                    if (gate := self._gates.get(name)) is not None:
                        await gate.wait()
        except TimeoutError:
            return  # the event is stored under its own key whichever comes first


def thread_lane(platform: str, channel: str, root: str) -> str:
    """The name under which a thread's events queue."""
    return f"{platform}:{channel}:{root}"
