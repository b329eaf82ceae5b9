"""Slack both ways, by Socket Mode or over HTTP. Only this file and what it imports for that need Bolt; wiring imports
it when Slack is configured."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.allowance import one
from adapters.slack.http_mode import HttpMode
from adapters.slack.listeners import Listeners, build_app
from adapters.slack.outbound import SlackChat
from adapters.slack.socket_mode import SocketMode
from bot.gaps import Gaps
from bot.ports import Bus, Changes, Desk, TeamChat, Wakeup
from bot.settings import Slack, TeamPolicy, Timing

log = logging.getLogger("baton.slack")

T = TypeVar("T")
Hook = Callable[[], Awaitable[None]]


class Transport(Protocol):
    """How events come. `run` until cancelled; it calls `connected` whenever something may have been missed, and that
    task says whether catching up went well."""

    @property
    def connected(self) -> bool: ...
    async def run(
        self, sign_in: Callable[[], Awaitable[AsyncApp]], connected: Callable[[], asyncio.Task[bool]]
    ) -> None: ...


class SlackAdapter:
    """`chat` speaks, and between `start` and `stop` events reach the bus. An app-level token means Socket Mode, also
    where there is a signing secret; a signing secret alone means HTTP, and `mount` then adds the address. `replicas`:
    how many share the workspace's allowance now."""

    def __init__(
        self,
        settings: Slack,
        timing: Timing,
        teams: Sequence[TeamPolicy] = (),
        replicas: Callable[[], int] = one,
    ):
        self._timing = timing
        self._chat = SlackChat(settings, timing, teams=teams, replicas=replicas)
        self.chat: TeamChat = self._chat
        self._gaps = Gaps(timing)
        self._http = None if settings.app_token else HttpMode(settings.signing_secret, timing, self._gaps)
        self._transport: Transport = self._http or SocketMode(settings.app_token, timing, self._gaps)
        self._running: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._errands: set[asyncio.Task[Any]] = set()
        self._listeners: Listeners | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def connected(self) -> bool:
        """Socket Mode: Slack has greeted the connection that is open now. HTTP: we could sign in and take events."""
        return self._transport.connected

    def mount(self, app: web.Application) -> None:
        """Add `POST /slack/events` in HTTP mode; nothing in Socket Mode."""
        if self._http is not None:
            self._http.mount(app)

    async def start(self, bus: Bus, desk: Desk, wakeup: Wakeup, on_connected: Hook) -> None:
        """Connect and stay connected. Returns once connected, or after one call's timeout: Slack being down must not
        keep the shop's side from starting. `on_connected` runs after every connect, and after every sign that an event
        may have been missed."""

        async def sign_in() -> AsyncApp:
            identity = await self._chat.directory.identity()
            listeners = self._listeners
            if listeners is None or listeners.identity.user_id != identity.user_id:
                listeners = self._listeners = Listeners(self._chat, bus, desk, identity, self._errand)
            return build_app(listeners, self._chat, identity, self._gaps.missed)

        def connected() -> asyncio.Task[bool]:
            self._first.set()
            return self._errand(_run_hook(on_connected))

        self._first.clear()
        self._unsubscribe = wakeup.subscribe(self._on_changes)
        self._running = asyncio.create_task(self._transport.run(sign_in, connected), name="slack-events")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first.wait(), self._timing.call_timeout)

    async def stop(self) -> None:
        """Disconnect. Events under way are not acknowledged and come again."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        tasks = [*self._errands, *([self._running] if self._running else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running = self._listeners = None
        await self._chat.close()

    def _on_changes(self, changes: Changes) -> None:
        """Open Home tabs show the queue."""
        if self._listeners is not None:
            self._listeners.homes.changed(changes)

    def _errand(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Something that must not hold up an acknowledgement."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Never the error's own text, which the event loop would log: it may hold what a customer wrote."""
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("slack: an errand failed", extra={"fault": type(error).__name__})


async def _run_hook(on_connected: Hook) -> bool:
    try:
        await on_connected()
    except Exception as error:  # the root of the task  # noqa: BLE001
        log.error("slack: catching up failed", extra={"fault": type(error).__name__})
        return False
    return True
