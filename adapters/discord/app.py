"""Discord both ways: calls by REST from every replica, events by the gateway, which one of them holds. Wiring imports
this when Discord is configured, and discord.py with it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from aiohttp import web

from adapters.discord.client import Event, Gateway
from adapters.discord.line import Line
from adapters.discord.listeners import Listeners
from adapters.discord.outbound import DiscordChat
from adapters.discord.presence import SharedPresence
from adapters.discord.surfaces import Surfaces
from adapters.discord.who_types import WhoTypes
from bot.gaps import Gaps
from bot.ports import Bus, Changes, Desk, TeamChat, Wakeup
from bot.settings import Discord, TeamPolicy, Timing

log = logging.getLogger("baton.discord")

T = TypeVar("T")
Hook = Callable[[], Awaitable[None]]


class DiscordAdapter:
    """`chat` speaks, and between `start` and `stop` events reach the bus, on the replica that holds the gateway.
    `alone`: there cannot be another one; `replicas`: how many there are now."""

    def __init__(
        self,
        settings: Discord,
        timing: Timing,
        teams: Sequence[TeamPolicy] = (),
        *,
        alone: bool = False,
        replicas: Callable[[], int] = lambda: 1,
    ):
        self._settings = settings
        self._timing = timing
        self._teams = teams
        self._chat = DiscordChat(settings, timing, teams, replicas)
        self.chat: TeamChat = self._chat
        self._gaps = Gaps(timing)
        self._line: Line | None = None
        self._listeners: Listeners | None = None
        self._surfaces: Surfaces | None = None
        self._typing: WhoTypes | None = None
        self._on_connected: Hook | None = None
        self._alone = alone
        self._running: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[Any]] = set()
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def connected(self) -> bool:
        """Discord has greeted us, or another replica listens and Discord takes our calls."""
        return self._line is not None and self._line.connected

    def mount(self, app: web.Application) -> None:
        """Nothing: Discord calls nobody."""

    async def start(self, bus: Bus, desk: Desk, wakeup: Wakeup, on_connected: Hook) -> None:
        """Connect and stay connected. Returns once connected, or after one call's timeout: Discord being down must not
        keep the shop's side from starting. `on_connected` runs after every greeting that may come after a gap, and
        after every event that could not be stored."""
        self._on_connected = on_connected
        self._listeners = Listeners(self._chat, bus, desk, self._errand, self._gaps.missed)
        self._surfaces = Surfaces(self._chat, bus, desk, self._errand, self._teams)
        self._typing = WhoTypes(self._chat, bus, desk, self._errand)
        self._line = Line(
            self._settings, self._timing, self._chat.api, self._hear, self._surfaces.register, self._gone,
            alone=self._alone,
        )  # fmt: skip
        self._unsubscribe = wakeup.subscribe(self._on_changes)
        self._running = [
            asyncio.create_task(self._line.run(bus), name="discord-line"),
            asyncio.create_task(self._gaps.watch(self._catch_up), name="discord-gaps"),
        ]
        if not self._alone:
            shared = SharedPresence(
                self._chat.directory, bus, self._listens, self._timing.members_refresh / 2
            )
            self._running.append(asyncio.create_task(shared.run(), name="discord-presence"))
        waiting = asyncio.create_task(self._line.first.wait())
        await asyncio.wait({waiting, *self._running}, timeout=self._timing.call_timeout,
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        waiting.cancel()

    async def stop(self) -> None:
        """Disconnect. What was under way is found again at the next start."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        tasks = [*self._running, *self._errands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._surfaces is not None:
            with contextlib.suppress(Exception):
                await self._surfaces.close()
        self._running, self._line, self._listeners, self._surfaces = [], None, None, None
        await self._chat.close()

    def _hear(self, name: str, event: Event) -> None:
        """The gateway's events, in their order."""
        client = self._line.client if self._line is not None else None
        if name == "READY" and client is not None:
            self._chat.directory.hears_presence(client.intents.presences)
            self._gaps.expect_none()
            self._errand(self._catch_up())  # its gates close before the next event is taken
            self._errand(self._greeted(client))
        if name == "TYPING_START" and self._typing is not None:
            self._typing.heard(event)
        if self._listeners is not None:
            self._listeners.hear(name, event)
        if self._surfaces is not None and name in ("MESSAGE_DELETE", "MESSAGE_DELETE_BULK"):
            for message_id in event.get("ids") or [event["id"]]:
                self._surfaces.message_deleted(str(message_id))

    async def _greeted(self, client: Gateway) -> None:
        if self._surfaces is not None:
            await self._surfaces.ready(client)

    async def _catch_up(self) -> bool:
        """Read the open threads back; whether that went well."""
        assert self._on_connected is not None, "only after the start"
        try:
            await self._on_connected()
        except Exception as error:  # the root of the task  # noqa: BLE001
            log.error("discord: catching up failed", extra={"fault": type(error).__name__})
            return False
        return True

    def _listens(self) -> bool:
        return self._line is not None and self._line.client is not None

    def _gone(self) -> None:
        """The connection was given up: who is online is not known any more."""
        self._chat.directory.hears_presence(False)

    def _on_changes(self, changes: Changes) -> None:
        if self._typing is not None and self._line is not None and self._line.client is not None:
            self._typing.changed(changes)  # every replica is told; the one that listens shows it
        if self._surfaces is not None:
            self._surfaces.changed(changes)

    def _errand(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Something that must not hold up the next event."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Never the error's own text, which the event loop would log: it may hold what a customer wrote."""
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("discord: an errand failed", extra={"fault": type(error).__name__})
