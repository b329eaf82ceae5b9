"""The live connection: Bolt over Socket Mode, which acknowledges an event only after its commit.

Bolt by default answers first and works later, and an event whose listener fails is lost. With
`process_before_response` a listener that raises is not acknowledged, and Slack sends the event again (PLATFORMS.md).
The one file that needs Bolt; wiring imports it when Slack is configured.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from adapters.slack.api import quiet_logger
from adapters.slack.directory import Identity
from adapters.slack.inbound import Click, arrival, author_of, click, people_in
from adapters.slack.outbound import SlackChat
from adapters.slack.rendering import ACTION_PREFIX
from bot.errors import Busy, DeliveryFault, Refused
from bot.ports import Bus, TeamChat
from bot.settings import Slack, Timing

log = logging.getLogger("baton.slack")

Hook = Callable[[], Awaitable[None]]


class SlackAdapter:
    """Slack both ways: `chat` speaks, and between `start` and `stop` events reach the bus."""

    def __init__(self, settings: Slack, timing: Timing):
        self._settings = settings
        self._timing = timing
        self._chat = SlackChat(settings, timing)
        self.chat: TeamChat = self._chat
        self._socket: _Socket | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._first = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether Slack has greeted the connection that is open now."""
        return self._socket is not None and self._socket.greeted

    async def start(self, bus: Bus, on_connected: Hook) -> None:
        """Connect and stay connected. Returns once connected, or after one call's timeout: Slack being down must not
        keep the shop's side from starting. `on_connected` runs after every connect and reconnect."""
        self._first.clear()
        self._supervisor = asyncio.create_task(self._supervise(bus, on_connected), name="slack-socket")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first.wait(), self._timing.call_timeout)

    async def stop(self) -> None:
        """Disconnect. Events under way are not acknowledged and come again."""
        tasks = [*self._errands, *([self._supervisor] if self._supervisor else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._supervisor = None
        await self._chat.close()

    # The connection

    async def _supervise(self, bus: Bus, on_connected: Hook) -> None:
        """One connection after the other: the SDK mends most breaks itself, and what it does not is replaced."""
        while True:
            try:
                identity = await self._chat.directory.identity()
                app = build_app(Listeners(self._chat, bus, identity, self._errand), self._chat, identity)
                await self._hold_connection(app, on_connected)
            except DeliveryFault as fault:
                log.warning("slack: cannot sign in; trying again", extra={"reason": fault.reason})
                await asyncio.sleep(self._pause)
            except Exception as error:  # the root of the task; must not end while we run  # noqa: BLE001
                log.error("slack: the connection failed; trying again", extra={"fault": type(error).__name__})
                await asyncio.sleep(self._pause)

    async def _hold_connection(self, app: AsyncApp, on_connected: Hook) -> None:
        """Returns when there has been no greeted connection for `socket_watch` seconds."""

        def greeted() -> None:
            log.info("slack: connected")
            self._first.set()
            self._errand(_run_hook(on_connected))

        handler = _Handler(app, self._settings.app_token, self._ping, greeted)
        self._socket = handler.client
        connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            await self._watch(handler.client)
            log.warning("slack: no connection; starting afresh", extra={"seconds": self._timing.socket_watch})
        finally:
            self._socket = None
            connecting.cancel()
            await _close(handler, self._timing.call_timeout)

    async def _watch(self, socket: "_Socket") -> None:
        """A failed handshake makes the SDK retry its single-use address for ever (PLATFORMS.md): give it a new one at
        half time, and give up on that client at full time."""
        down_since = time.monotonic()
        while (down := time.monotonic() - down_since) < self._timing.socket_watch:
            if socket.greeted:
                down_since = time.monotonic()
            elif down >= self._timing.socket_watch / 2:
                socket.wss_uri = None
            await asyncio.sleep(self._timing.socket_watch / 20)

    @property
    def _ping(self) -> float:
        return min(5.0, self._timing.socket_watch / 6)

    @property
    def _pause(self) -> float:
        return min(self._timing.socket_watch / 6, self._timing.backoff_most)

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that must not hold up an acknowledgement."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


class Listeners:
    """What Bolt calls. Each returns when the bus has committed; what it raises is not acknowledged."""

    def __init__(
        self,
        chat: SlackChat,
        bus: Bus,
        identity: Identity,
        errand: Callable[[Coroutine[Any, Any, None]], None],
    ):
        self._chat = chat
        self._bus = bus
        self._identity = identity
        self._errand = errand

    async def message(self, event: dict[str, Any]) -> None:
        """A `message` event of any subtype."""
        actors = await self._chat.directory.actors(people_in(event))
        found = arrival(event, actors, self._identity.user_id)
        if found is None:
            return
        try:
            answer = _whisper_of(await self._bus.arrive(found.lane, found.order, found.command))
        except Refused as refused:
            answer = refused.message
        author = author_of(event)
        if answer and author:
            self._whisper(found.command.place.channel, author, answer, found.command.place.root)

    async def button(self, body: dict[str, Any]) -> None:
        """A click on one of our buttons."""
        pressed = click(body)
        if pressed is None:
            return
        actor = await self._chat.directory.actor(pressed.user_id, pressed.user_name)
        try:
            command = pressed.command(actor)
        except ValueError:
            log.warning("slack: an unknown button was pressed")
            return
        try:
            answer = _whisper_of(await self._bus.submit(command))
        except Refused as refused:
            answer = refused.message
        if answer:
            self._answer(pressed, answer)

    def _answer(self, pressed: Click, text: str) -> None:
        self._whisper(pressed.channel, pressed.user_id, text, pressed.root)

    def _whisper(self, channel: str, user_id: str, text: str, root: str) -> None:
        self._errand(self._say_quietly(channel, user_id, text, root))

    async def _say_quietly(self, channel: str, user_id: str, text: str, root: str) -> None:
        try:
            await self._chat.whisper(channel, user_id, text, root)
        except DeliveryFault as fault:
            log.warning("slack: a whisper could not be shown", extra={"reason": fault.reason})


def build_app(listeners: Listeners, chat: SlackChat, identity: Identity) -> AsyncApp:
    """Bolt with our own authorisation (no call per event) and our own loop guard: Bolt's hides an admin deleting our
    card. Its application name must not be a logger of ours, since Bolt sets that logger's level."""

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=identity.enterprise_id,
            team_id=identity.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.user_id,
        )

    app = AsyncApp(
        name="slack_bolt.baton",
        logger=quiet_logger(),
        client=chat.api.bare_client(),
        authorize=authorize,
        signing_secret="",
        process_before_response=True,
        ignoring_self_events_enabled=False,
    )

    async def message(event: dict[str, Any]) -> None:
        await listeners.message(event)

    async def button(ack: Any, body: dict[str, Any]) -> None:
        await listeners.button(body)
        await ack()

    async def ignored(ack: Any) -> None:
        await ack()

    async def failed(error: Exception) -> None:
        log.warning("slack: an event was not taken and comes again", extra={"fault": _named(error)})

    app.event("message")(message)
    app.event(re.compile(r".*"))(ignored)
    app.action(re.compile(rf"^{ACTION_PREFIX}"))(button)
    app.action(re.compile(r".*"))(ignored)
    app.error(failed)
    return app


class _Socket(SocketModeClient):
    """The SDK's client, and whether Slack has said hello on the connection that is open now."""

    def __init__(self, *args: Any, greeted: Callable[[], None], **options: Any):
        super().__init__(*args, **options)
        self._tell = greeted
        self._greeted_session: object | None = None
        self.message_listeners.append(self._on_message)

    @property
    def greeted(self) -> bool:
        session = self.current_session
        return session is not None and session is self._greeted_session and not session.closed

    async def issue_new_wss_url(self) -> str:
        try:
            return str(await super().issue_new_wss_url())
        except SlackApiError as error:
            log.error("slack: no connection address; check SLACK_APP_TOKEN", extra={"reason": _code(error)})
            raise

    async def _on_message(self, _client: Any, message: dict[str, Any], _raw: str | None = None) -> None:
        if message.get("type") == "hello":
            self._greeted_session = self.current_session
            self._tell()


class _Handler(AsyncSocketModeHandler):
    """Bolt's handler with our client: its own constructor has no place for one."""

    client: _Socket

    def __init__(self, app: AsyncApp, app_token: str, ping: float, greeted: Callable[[], None]):
        self.app = app
        self.app_token = app_token
        self.client = _Socket(
            app_token=app_token,
            logger=quiet_logger(),
            web_client=app.client,
            ping_interval=ping,
            greeted=greeted,
        )
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]


async def _close(handler: _Handler, timeout: float) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(handler.close_async(), timeout)  # type: ignore[no-untyped-call]


async def _run_hook(on_connected: Hook) -> None:
    try:
        await on_connected()
    except Exception as error:  # the root of the task  # noqa: BLE001
        log.error("slack: catching up failed", extra={"fault": type(error).__name__})


def _whisper_of(result: Any) -> str | None:
    found = result.get("whisper") if isinstance(result, dict) else getattr(result, "whisper", None)
    return str(found) if found else None


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _named(error: Exception) -> str:
    """Never the error's own text: it may hold what a customer wrote."""
    if isinstance(error, DeliveryFault):
        return error.reason
    return "busy" if isinstance(error, Busy | BoltError) else type(error).__name__
