"""The console's live updates: which cases changed, told to each open page at most four times a second.

What a page has not been told yet is a set of numbers, so a slow page costs no more than a fast one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from bot.ports import Changes

GAP = 0.25  # seconds between two writes to a page
LOOK = 1.0  # seconds in which a page that left is noticed
PING = b": ping\n\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class Feed:
    """What one page has to be told next."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.closed = False
        self._numbers: set[int] = set()
        self._typing: dict[tuple[int, str], str | None] = {}

    def take(self, changes: Changes) -> None:
        """A commit's changes. The subscriber of `Wakeup`."""
        numbers = {*changes.appended, *changes.touched}
        if not numbers and not changes.typing:
            return
        self._numbers |= numbers
        self._typing |= {(number, author): name for number, author, name in changes.typing}
        self.woken.set()

    def close(self) -> None:
        """Ends the stream soon."""
        self.closed = True
        self.woken.set()

    def drain(self) -> bytes:
        """The frames for everything since the last call."""
        self.woken.clear()
        numbers, self._numbers = sorted(self._numbers), set()
        typing, self._typing = self._typing, {}
        frames = [_frame("changed", {"numbers": numbers})] if numbers else []
        frames += [
            _frame("typing", {"number": number, "author": author, "name": name})
            for (number, author), name in typing.items()
        ]
        return b"".join(frames)


async def serve(
    request: web.Request, feed: Feed, ping: float, allowed: Callable[[], bool]
) -> web.StreamResponse:
    """Write the feed until the page leaves, the server closes or `allowed` says no (the session ended)."""
    response = web.StreamResponse(headers=HEADERS)
    try:
        await response.prepare(request)
        await response.write(b": live\n\n")
        async for frames in _frames(feed, ping):
            if not allowed() or feed.closed or _left(request):
                break
            if frames:
                await response.write(frames)
    except ConnectionResetError:
        pass
    return response


async def _frames(feed: Feed, ping: float) -> AsyncIterator[bytes]:
    """What to write next, at most every `GAP`; nothing once a `LOOK`, so that somebody can look around."""
    clock = asyncio.get_running_loop().time
    quiet_since = clock()
    while True:
        try:
            async with asyncio.timeout(min(ping, LOOK)):
                await feed.woken.wait()
        except TimeoutError:
            due = clock() - quiet_since >= ping
            quiet_since = clock() if due else quiet_since
            yield PING if due else b""
            continue
        yield feed.drain()
        quiet_since = clock()
        await asyncio.sleep(GAP)


def _left(request: web.Request) -> bool:
    """aiohttp does not end a handler whose client is gone, and nobody writes for up to a ping."""
    return request.transport is None or request.transport.is_closing()


def _frame(event: str, data: dict[str, object]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
