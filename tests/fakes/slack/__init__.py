"""A Slack workspace over real sockets, for tests: the real slack_sdk and Bolt talk to it, from any process.

It holds its state in the test's process, so it survives a client that is killed. It refuses what Slack
refuses (docs of the Web API, Block Kit's limits), forgets what Slack forgets, and fails on demand. Nothing
here was checked against live Slack: where Slack's own documentation is silent it follows what people
report.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from aiohttp import web

from . import files as _files
from .delivery import Attempt, Delivery
from .faults import Fault, Faults, Rule
from .methods import call as call_method
from .methods import parsed
from .people import People
from .requests import Forgery, Requests
from .state import Call, Ephemeral, File, Response, View
from .world import Json, Message, SlackError

__all__ = [
    "Attempt",
    "Call",
    "Delivery",
    "Ephemeral",
    "FakeSlack",
    "Fault",
    "Faults",
    "File",
    "Message",
    "Response",
    "Rule",
    "SlackError",
    "View",
]

_ERROR_PAGE = "<html><title>Server Error</title></html>"


class FakeSlack(People):
    """`async with FakeSlack() as slack:`; the client gets its `api_url`, `bot_token` and `app_token`."""

    def __init__(self, *, clock: Callable[[], float] = time.time, seed: int = 0) -> None:
        super().__init__(clock, seed)
        self.enforce_limits = False
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._late: set[asyncio.Task[None]] = set()

    signing_secret = "fake-signing-secret"

    @property
    def api_url(self) -> str:
        return self.base_url + "api/"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; 0 takes a free port. After `stop()`, give `port` to come back there."""
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link/", self.gateway.accept)
        app.router.add_post("/actions/{team}/{key}", self._action)
        app.router.add_post("/upload/{file}", partial(_files.upload, self))
        app.router.add_get("/files/{file}/{name}", partial(_files.download, self))
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self.port}/"

    async def stop(self) -> None:
        """Cut every connection and stop listening. The workspace stays, undelivered events do not."""
        self._stopping.set()
        for task in list(self._late):
            task.cancel()
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # Trouble with events

    @property
    def ack_timeout(self) -> float:
        """Seconds until an envelope without ack counts as failed."""
        return self.gateway.ack_timeout

    @ack_timeout.setter
    def ack_timeout(self, seconds: float) -> None:
        self.gateway.ack_timeout = seconds

    @property
    def retry_delays(self) -> tuple[float, ...]:
        """Seconds before each further attempt of an event."""
        return self.gateway.retry_delays

    @retry_delays.setter
    def retry_delays(self, seconds: tuple[float, ...]) -> None:
        self.gateway.retry_delays = seconds

    @property
    def reply_noise(self) -> bool:
        """Whether a root says `message_changed` when it gains a reply."""
        return self.world.reply_noise

    @reply_noise.setter
    def reply_noise(self, on: bool) -> None:
        self.world.reply_noise = on

    @property
    def connections(self) -> int:
        return len(self.gateway.connections)

    async def connected(self, count: int = 1, timeout: float = 30) -> None:
        """Wait until this many connections are open."""
        await self.wait_for(lambda: self.connections >= count, timeout)

    def repeat_events(self, times: int = 1) -> None:
        """Deliver every event this many times more, although it was acked."""
        self.gateway.repeats = times

    def reorder(self, window: float) -> None:
        """Hold every delivery back for a random time below `window` s, so that they arrive out of order."""
        self.gateway.window = window

    def deliver_to(self, url: str | None, *others: str, signing_secret: str = "") -> None:
        """HTTP mode: post every event, click and command to that request URL, signed; or to any of several machines
        behind one. None: Socket Mode again."""
        secret = signing_secret or self.signing_secret
        self.gateway.requests = Requests(url, secret, others, self.gateway.rng) if url else None

    def forge(self, *what: Forgery) -> None:
        """The next requests have a wrong signature, or an old time stamp; one each."""
        assert self.gateway.requests is not None, "only requests are signed"
        self.gateway.requests.forgeries += what

    async def verify_url(self) -> bool:
        """Save the request URL: whether the app gives the challenge back."""
        assert self.gateway.requests is not None, "only HTTP mode has a request URL"
        return await self.gateway.requests.verify(self.clock())

    def drop_sockets(self) -> None:
        """Cut every WebSocket without a closing handshake."""
        self.gateway.drop()

    def refuse_connections(self, seconds: float) -> None:
        """Answer every WebSocket handshake with 503 for a while (it uses its ticket up). Open ones stay."""
        self.gateway.refused_until = self.clock() + seconds

    def silence(self, on: bool = True) -> None:
        """Keep the sockets open but send nothing, not even an answer to a ping."""
        self.gateway.silent = on

    async def disconnect(self, reason: str = "refresh_requested", *, grace: float = 0.5) -> None:
        """Ask every connection to go: `warning`, `refresh_requested` or `link_disabled`."""
        await self.gateway.disconnect(reason, grace=grace)

    # HTTP

    async def _api(self, request: web.Request) -> web.StreamResponse:
        args, token = await _read(request)
        call = Call(request.match_info["method"], args, self.clock())
        self.calls.append(call)
        latency, fault = self.faults.pick(call.method, args)
        if latency:
            await self._pause(latency)
        try:
            if fault is None:
                return self._answered(call, token)
            call.fault = True
            return await self._failed(call, token, fault, request)
        finally:
            self.changed()

    def _answered(self, call: Call, token: str | None) -> web.Response:
        wait = self.limits.wait(call.method, call.args, self.clock()) if self.enforce_limits else 0
        if wait:
            return _limited(call, math.ceil(wait))
        return self._committed(call, token)

    def _committed(self, call: Call, token: str | None) -> web.Response:
        try:
            call.response = {"ok": True} | call_method(self, call.method, call.args, token)
        except SlackError as refused:
            call.error = refused.code
            call.response = {"ok": False, "error": refused.code} | refused.extra
        call.status = 200
        return web.json_response(call.response)

    async def _failed(
        self, call: Call, token: str | None, fault: Fault, request: web.Request
    ) -> web.StreamResponse:
        if fault.commit == "yes":
            self._committed(call, token)
            self.changed()
        elif fault.commit == "late":
            task = asyncio.create_task(self._commit_later(call, token, fault.delay))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        call.status, call.error = fault.status, fault.code or fault.answer
        if fault.answer == "error":
            return web.json_response({"ok": False, "error": fault.code})
        if fault.answer == "http" and fault.status == 429:
            return _limited(call, fault.retry_after)
        if fault.answer == "http":
            return web.Response(status=fault.status, text=_ERROR_PAGE, content_type="text/html")
        call.status = 0
        if fault.answer == "hang":
            await self._stopping.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _commit_later(self, call: Call, token: str | None, delay: float) -> None:
        await asyncio.sleep(delay)
        seen = call.status, call.error
        self._committed(call, token)
        call.status, call.error = seen
        self.changed()

    async def _pause(self, seconds: float) -> None:
        """Sleep, unless the server stops first."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _action(self, request: web.Request) -> web.Response:
        """A response_url; faults for it go by the name "response_url"."""
        body = json.loads(await request.text())
        _, fault = self.faults.pick("response_url", body)
        if fault is not None:
            return web.Response(status=fault.status if fault.answer == "http" else 500)
        try:
            self.respond(request.match_info["key"], body)
        except SlackError as refused:
            return web.json_response({"ok": False, "error": refused.code}, status=404)
        return web.Response(text="ok")


async def _read(request: web.Request) -> tuple[Json, str | None]:
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args |= json.loads(await request.text() or "{}")
    else:
        args |= await request.post()
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ") if header else args.get("token")
    args.pop("token", None)
    return parsed(args), token


def _limited(call: Call, retry_after: float) -> web.Response:
    call.status, call.error = 429, "ratelimited"
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(retry_after)})
