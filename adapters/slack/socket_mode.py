"""Slack over Socket Mode: we connect out to Slack, and nothing of ours need be reachable from outside."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from adapters.slack.api import quiet_logger
from bot.errors import DeliveryFault
from bot.gaps import Gaps
from bot.settings import Timing

log = logging.getLogger("baton.slack")


class SocketMode:
    """One connection after the other: the SDK mends most breaks itself, and what it does not is replaced."""

    def __init__(self, app_token: str, timing: Timing, gaps: Gaps):
        self._app_token = app_token
        self._timing = timing
        self._gaps = gaps
        self._socket: _Socket | None = None

    @property
    def connected(self) -> bool:
        """Whether Slack has greeted the connection that is open now."""
        return self._socket is not None and self._socket.greeted

    async def run(
        self, sign_in: Callable[[], Awaitable[AsyncApp]], connected: Callable[[], asyncio.Task[bool]]
    ) -> None:
        """Until cancelled. `connected` is told of every connect and reconnect, and of signs of a gap."""
        watching = asyncio.create_task(self._gaps.watch(connected), name="slack-gaps")
        try:
            await self._stay_connected(sign_in, connected)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _stay_connected(
        self, sign_in: Callable[[], Awaitable[AsyncApp]], connected: Callable[[], object]
    ) -> None:
        while True:
            try:
                await self._hold_connection(await sign_in(), connected)
            except DeliveryFault as fault:
                log.warning("slack: cannot sign in; trying again", extra={"reason": fault.reason})
                await asyncio.sleep(self._pause)
            except Exception as error:  # the root of the task; must not end while we run  # noqa: BLE001
                log.error("slack: the connection failed; trying again", extra={"fault": type(error).__name__})
                await asyncio.sleep(self._pause)

    async def _hold_connection(self, app: AsyncApp, connected: Callable[[], object]) -> None:
        """Returns when there has been no greeted connection for `socket_watch` seconds."""

        def greeted() -> None:
            log.info("slack: connected")
            connected()

        handler = _Handler(app, self._app_token, self._ping, greeted)
        self._socket = handler.client
        connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            await self._watch(handler.client)
            log.warning("slack: no connection; starting afresh", extra={"seconds": self._timing.socket_watch})
        finally:
            self._socket = None
            connecting.cancel()
            await asyncio.gather(
                connecting, return_exceptions=True
            )  # or it may open what nobody closes any more
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


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""
