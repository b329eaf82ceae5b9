"""The one aiohttp application that every adapter mounts on: errors as JSON, sizes, health, metrics, start and stop."""

import asyncio
import hmac
import ipaddress
import json
import logging
import math
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from bot.errors import Busy, Refused, Unavailable
from bot.settings import Settings

log = logging.getLogger("baton.web")

Check = Callable[[], Awaitable[str | None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KIB = 1024
STREAMED = 2**40  # these count for themselves, by the policy for files
SIZES = (
    ("/widget/v1/attachments", STREAMED),
    ("/v1/files", STREAMED),
    ("/widget/", 16 * KIB),
    ("/v1/", 256 * KIB),
)  # longest body by path; elsewhere `SIZE`
SIZE = 256 * KIB
CHECK_TIMEOUT = 5.0
STOP_TIMEOUT = 10.0
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
CURES = {
    404: "There is nothing at this address; see /docs for what there is.",
    405: "This address does not take that method; see /docs for what it takes.",
    413: "The body is too large; send at most {limit} KiB.",
}


def error_body(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """The one shape of every error."""
    return {"error": {"code": code, "message": message, "field": field}}


def _answer(
    status: int, code: str, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.json_response(
        error_body(code, message, field),
        status=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def size_limit(path: str) -> int:
    """The longest body a path takes, in bytes."""
    return next((size for prefix, size in SIZES if path.startswith(prefix)), SIZE)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong below becomes `{"error": {…}}` with the right status. Bodies are never logged."""
    try:
        return await handler(request)
    except Refused as refused:
        return _refusal(refused)
    except Busy as busy:
        code = "unavailable" if isinstance(busy, Unavailable) else "busy"
        return _answer(503, code, str(busy), headers=_retry_after(busy.retry_after))
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "text/html":
            raise
        return _http_error(request, error)
    except ConnectionError:
        raise  # nobody is there to be told
    except Exception as error:  # noqa: BLE001 - the root of a request
        if isinstance(error, ValueError) and await _is_their_json(request, error):
            return _answer(400, "invalid_json", "The body is not valid JSON (UTF-8); send a JSON object.")
        return _fault(request, error)


def _refusal(refused: Refused) -> web.Response:
    headers: dict[str, str] = {}
    if refused.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="baton"'
    if (wait := refused.facts.get("retry_after")) is not None:
        headers |= _retry_after(wait)
    return _answer(refused.status, refused.code, refused.message, refused.field, headers)


def _retry_after(seconds: float) -> dict[str, str]:
    return {hdrs.RETRY_AFTER: str(max(1, math.ceil(seconds)))}


def _http_error(request: web.Request, error: web.HTTPException) -> web.Response:
    headers: dict[str, str] = {
        name: error.headers[name] for name in (hdrs.ALLOW, hdrs.RETRY_AFTER) if name in error.headers
    }
    message = CURES.get(error.status, error.reason).format(limit=size_limit(request.path) // KIB)
    return _answer(error.status, CODES.get(error.status, f"http_{error.status}"), message, headers=headers)


async def _is_their_json(request: web.Request, error: ValueError) -> bool:
    """Whether it is the request's own body that could not be read as JSON, and not something of ours."""
    if not request.body_exists:
        return isinstance(error, json.JSONDecodeError) and error.doc == ""
    body = await request.read()
    if isinstance(error, json.JSONDecodeError):
        return error.doc.encode("utf-8", "replace") == body
    return isinstance(error, UnicodeDecodeError) and error.object == body


def _fault(request: web.Request, error: Exception) -> web.Response:
    """The log gets the id, the error's type and where it was raised; its message may quote a customer."""
    error_id = uuid.uuid4().hex[:12]
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("error %s: %s at %s\n%s", error_id, type(error).__name__, _route_of(request), where)
    return _answer(500, "internal_error", f"Something broke here; its id in our log is {error_id}.")


@web.middleware
async def sizes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every route its own largest body."""
    limit = size_limit(request.path)
    if request.body_exists and limit != SIZE:
        if (request.content_length or 0) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=request.content_length or 0)
        request = request.clone(client_max_size=limit)
    return await handler(request)


def _route_of(request: web.Request) -> str:
    """The route's pattern: a path may carry a customer's id."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource is not None else 'unknown'}"


def traffic(registry: CollectorRegistry) -> Any:
    """A middleware outside of all others: counts requests by route and status."""
    requests = Counter("baton_http_requests", "Requests answered.", ["route", "status"], registry=registry)
    seconds = Histogram(
        "baton_http_seconds", "Seconds until a request other than a stream was answered.", ["route"],
        registry=registry,
    )  # fmt: skip

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await handler(request)
        route = _route_of(request)
        requests.labels(route, str(response.status)).inc()
        if response.content_type != "text/event-stream":
            seconds.labels(route).observe(time.perf_counter() - began)
        return response

    return count


class WebServer:
    """`app` is what adapters mount on, before `start`. `checks` say what keeps this process from being ready."""

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, checks: Mapping[str, Check] | None = None
    ):
        self._settings = settings
        self._registry = registry
        self._checks: dict[str, Check] = dict(checks or {})
        self._runner: web.AppRunner | None = None
        self.port = settings.port
        self.app = web.Application(middlewares=[traffic(registry), errors, sizes], client_max_size=SIZE)
        self.app.add_routes(
            [web.get("/healthz", _alive), web.get("/readyz", self._ready), web.get("/metrics", self._metrics)]
        )

    def add_check(self, name: str, check: Check) -> None:
        """Answers None when all is well, else a sentence with the problem."""
        self._checks[name] = check

    async def start(self) -> None:
        """Listen on the settings' host and port; `port` is the real one afterwards (for port 0)."""
        self._runner = web.AppRunner(
            self.app, access_log=None, shutdown_timeout=STOP_TIMEOUT, handle_signals=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Take no more, end the streams (adapters do, on `app.on_shutdown`), let the rest finish."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _ready(self, request: web.Request) -> web.Response:
        found = await asyncio.gather(*(_checked(name, check) for name, check in self._checks.items()))
        problems = {name: problem for name, problem in zip(self._checks, found, strict=True) if problem}
        return web.json_response(
            {"ready": not problems, "problems": problems}, status=503 if problems else 200
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        if not (self._is_local(request) or self._is_admin(request)):
            return _answer(
                401, "unauthorized", "Send Authorization: Bearer <BATON_ADMIN_TOKEN>.",
                headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="baton"'},
            )  # fmt: skip
        return web.Response(
            body=generate_latest(self._registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST}
        )

    def _is_local(self, request: web.Request) -> bool:
        """From this machine, to a server that only this machine reaches, and not passed on by a proxy."""
        passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
        return _is_loopback(self._settings.host) and _is_loopback(request.remote or "") and not passed_on

    def _is_admin(self, request: web.Request) -> bool:
        expected = self._settings.admin_token
        given = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ").strip()
        return bool(expected) and hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), expected.encode()
        )


async def _alive(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _checked(name: str, check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT)
    except TimeoutError:
        return f"{name} did not answer within {CHECK_TIMEOUT:.0f} s."
    except Exception as error:  # noqa: BLE001 - a check that breaks is a problem, not a crash
        log.warning("the check %s failed (%s)", name, type(error).__name__)
        return f"{name} could not be checked ({type(error).__name__})."


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
