"""Slack over HTTP: Slack calls `POST /slack/events` on our own server, for events, clicks and commands alike.

A request is worked on only if Slack signed it within the last five minutes; it is answered with 200 only after its
commit. Anything else (500, 503) makes Slack send an event again: at once, after a minute, after five. The threads are
read back once at the start, and again after each sign of a gap.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from adapters.web_server import error_body
from bot.errors import DeliveryFault
from bot.gaps import Gaps
from bot.settings import Timing

log = logging.getLogger("baton.slack")

PATH = "/slack/events"
LONGEST_BODY = 1024 * 1024
STALE_SECONDS = 300.0


class HttpMode:
    """`mount` adds the address; it takes events while `run` runs. `clock` in seconds since 1970."""

    def __init__(
        self, signing_secret: str, timing: Timing, gaps: Gaps, clock: Callable[[], float] = time.time
    ):
        self._secret = signing_secret.encode()
        self._timing = timing
        self._gaps = gaps
        self._clock = clock
        self._app: AsyncApp | None = None
        self._warned_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether events are taken: we could sign in."""
        return self._app is not None

    def mount(self, app: web.Application) -> None:
        """Before the server starts."""
        app.router.add_post(PATH, self._receive)

    async def run(
        self, sign_in: Callable[[], Awaitable[AsyncApp]], connected: Callable[[], asyncio.Task[bool]]
    ) -> None:
        """Until cancelled. `connected` is called once at the start and after signs of a gap."""
        try:
            self._app = await self._signed_in(sign_in)
            log.info("slack: taking events at %s", PATH)
            self._gaps.expect_none()
            if not await connected():
                self._gaps.missed()
            await self._gaps.watch(connected)
        finally:
            self._app = None

    async def _signed_in(self, sign_in: Callable[[], Awaitable[AsyncApp]]) -> AsyncApp:
        while True:
            try:
                return await sign_in()
            except DeliveryFault as fault:
                log.warning("slack: cannot sign in; trying again", extra={"reason": fault.reason})
                await asyncio.sleep(self._quiet)

    async def _receive(self, request: web.Request) -> web.Response:
        request = request.clone(client_max_size=LONGEST_BODY)
        body = await request.read()
        if not is_genuine(self._secret, request.headers, body, self._clock()):
            self._warn()
            return _refusal(
                401, "unauthorized", "Slack's signature is missing, wrong or older than 5 minutes."
            )
        kind = _own_kind(body)
        if kind.get("type") == "url_verification":
            return web.json_response({"challenge": str(kind.get("challenge", ""))})
        if kind.get("type") == "app_rate_limited" or "X-Slack-Retry-Num" in request.headers:
            self._gaps.missed()
        return web.Response() if kind else await self._dispatch(request)

    async def _dispatch(self, request: web.Request) -> web.Response:
        status = 500
        try:
            if self._app is None:
                status = 503
                return _refusal(503, "not_connected", "Baton is not signed in at Slack; send it again.")
            answer = await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))
            status = answer.status
            return answer
        finally:
            if status >= 500:
                self._gaps.missed()

    def _warn(self) -> None:
        """Once a minute at most: anybody can send such requests."""
        if self._clock() - self._warned_at >= 60:
            self._warned_at = self._clock()
            log.warning("slack: refused what is not signed with SLACK_SIGNING_SECRET; is it the right one?")

    @property
    def _quiet(self) -> float:
        return min(self._timing.socket_watch / 6, self._timing.backoff_most)


def is_genuine(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether Slack signed this body, at most five minutes ago (docs.slack.dev/authentication/verifying-requests)."""
    stamp, given = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 20 and secret):
        return False
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    fresh = abs(now - int(stamp)) <= STALE_SECONDS
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape")) and fresh


def _own_kind(body: bytes) -> dict[str, Any]:
    """What Slack says about the connection itself, which is no event; else empty. Only such a body is parsed here."""
    if b'"url_verification"' not in body and b'"app_rate_limited"' not in body:
        return {}
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    ours = isinstance(said, dict) and said.get("type") in ("url_verification", "app_rate_limited")
    return said if ours else {}


def _refusal(status: int, code: str, message: str) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else {}
    return web.json_response(error_body(code, message), status=status, headers=headers)
