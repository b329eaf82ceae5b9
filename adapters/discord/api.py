"""One call to Discord's REST API: one attempt, and every failure as one of Baton's faults.

discord.py would try five times and sleep in between. A post by webhook would then be there twice, and a lease would
run out; repeating is the courier's job. So its attempts end with the first answer, by the hooks that aiohttp has for
watching requests. Nothing here logs or chains Discord's answers: they repeat customers' text.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp

from adapters.discord.limits import ALLOWANCE, Bucket, Pace, Refusals, patience
from adapters.discord.vendor import discord, point_at
from bot.deadline import in_time
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.settings import Discord

UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MEMBER, UNKNOWN_MESSAGE, UNKNOWN_ROLE = (
    10003,
    10004,
    10007,
    10008,
    10011,
)
UNKNOWN_USER, UNKNOWN_EMOJI, UNKNOWN_WEBHOOK = 10013, 10014, 10015
MISSING_ACCESS, NOT_AUTHOR, NO_DIRECT_MESSAGES, MISSING_PERMISSIONS = 50001, 50005, 50007, 50013
ARCHIVED, THREAD_THERE, LOCKED, REACTION_BLOCKED, TOO_MANY_REACTIONS = 50083, 160004, 160005, 90001, 30010

REASONS = {
    UNKNOWN_CHANNEL: "unknown_channel",
    UNKNOWN_GUILD: "unknown_guild",
    UNKNOWN_MESSAGE: "unknown_message",
    MISSING_ACCESS: "missing_access",
    MISSING_PERMISSIONS: "missing_permissions",
    ARCHIVED: "thread_archived",
    LOCKED: "thread_locked",
    160006: "too_many_threads",
}
PLACES = frozenset({ARCHIVED, LOCKED, 160002, 160006, 160007, 30033, 40001, 40002, 40062, 50024, 220003})
"""Refusals of a bad request (400) that say nothing about what was to be posted."""
NONCE = 25
LONGEST_PATIENCE = 2.0

_INTENTS = {
    "members": 1 << 14 | 1 << 15,
    "presences": 1 << 12 | 1 << 13,
    "message_content": 1 << 18 | 1 << 19,
}
"""The application's flags that say what is switched on in its portal, for small apps or verified ones."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are there, and which privileged intents are switched on."""

    user_id: str
    name: str
    application_id: str
    intents: frozenset[str]


@dataclass(slots=True)
class _Attempt:
    """The one call under way. `bucket`: whose turn it took; `paced`: and one of all calls together. `urgent`: somebody
    waits for the answer to a click, which Discord counts apart."""

    repeatable: bool
    urgent: bool = False
    paced: bool = False
    sent: bool = False
    bucket: Bucket | None = None


_attempt: ContextVar[_Attempt | None] = ContextVar("attempt", default=None)


class _Http(discord.http.HTTPClient):
    """discord.py's client with our buckets, one attempt a call, and an end of its own."""

    def __init__(self, pace: Pace) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._leaving)
        trace.on_request_end.append(self._answered)
        super().__init__(asyncio.get_running_loop(), http_trace=trace)
        self._pace = pace
        self._paused_until = 0.0

    def get_ratelimit(self, key: str) -> Bucket:
        """One of ours, and nothing while Discord wants no call at all."""
        left, attempt = self._paused_until - self.loop.time(), _attempt.get()
        if left > 0 and not (attempt is not None and attempt.urgent):
            raise PlaceFault(ALLOWANCE, left)
        bucket = self._buckets.get(key)
        if not isinstance(bucket, Bucket):
            self._buckets[key] = bucket = Bucket()
            self._try_clear_expired_ratelimits()
        if attempt is not None:
            attempt.bucket = bucket
        return bucket

    async def _leaving(self, _: Any, __: Any, ___: Any) -> None:
        """The last moment at which a call can be kept back, and the only one after which nobody knows."""
        attempt = _attempt.get()
        if attempt is None:
            return
        if attempt.sent:  # the connection broke and discord.py tries again
            _doubtful("connection_lost", attempt.repeatable)
        if not attempt.urgent:
            await self._pace.turn()
            attempt.paced = True
        in_time()
        attempt.sent = True

    async def _answered(self, _: Any, __: Any, told: aiohttp.TraceRequestEndParams) -> None:
        """End here what discord.py would repeat."""
        attempt, response = _attempt.get(), told.response
        if attempt is None or response.status < 429 or 429 < response.status < 500:
            return
        body = await discord.http.json_or_text(response)
        if response.status != 429:
            _doubtful(f"http_{response.status}", attempt.repeatable)
        seconds, everything = _told_to_wait(response, body)
        if everything:
            self._paused_until = self.loop.time() + (seconds or 1.0)
        elif attempt.bucket is not None and seconds:
            attempt.bucket.pause(seconds)
        raise PlaceFault("ratelimited", seconds)


class DiscordApi:
    """A session and what Discord allows it. `timeout` in seconds, for a whole call. No gateway is needed for it.
    `replicas`: how many processes share the allowance now."""

    def __init__(self, settings: Discord, timeout: float, replicas: Callable[[], int] = lambda: 1):
        self.settings = settings
        self._pace = Pace(replicas)
        self._timeout = timeout
        self._http: _Http | None = None
        self._identity: Identity | None = None
        self._opening = asyncio.Lock()
        self._refusals = Refusals()
        self.refused = False
        """Discord refuses our token."""

    async def identity(self, fresh: bool = False) -> Identity:
        """Asked once."""
        if self._identity is None or fresh:
            me = await self.call("GET", "/users/@me", repeatable=True)
            app = await self.call("GET", "/oauth2/applications/@me", repeatable=True)
            flags = int(app.get("flags") or 0)
            self._identity = Identity(
                user_id=str(me["id"]),
                name=str(me.get("username") or "Baton"),
                application_id=str(app["id"]),
                intents=frozenset(name for name, bits in _INTENTS.items() if flags & bits),
            )
        return self._identity

    async def call(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool = False,
        gone: Collection[int] = (),
        unless: Collection[int] = (),
        timeout: float | None = None,
        wait: float | None = None,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        form: Sequence[dict[str, Any]] | None = None,
        reason: str | None = None,
        **named: str,
    ) -> Any:
        """What Discord answers (parsed JSON; `{}` for nothing). `named` fills the path's braces.

        `repeatable`: doing it twice is doing it once, so a doubtful call is a `PlaceFault`, not `Unsure`. Codes in
        `unless` are answers too (`{"code": 10008}`), those in `gone` mean that the thread's root is. `wait`: seconds
        to wait for Discord's allowance at most.
        """
        allowed = self._timeout if timeout is None else timeout
        attempt = _Attempt(repeatable, urgent="interaction_token" in named)
        if not attempt.urgent:
            self._refusals.require_room(looks=method == "GET")
        token = _attempt.set(attempt)
        waits = patience.set(min(LONGEST_PATIENCE, allowed / 4) if wait is None else wait)
        extra: dict[str, Any] = {"json": json} if json is not None else {}
        if params is not None:
            extra["params"] = params
        if form is not None:
            extra["form"] = form
        try:
            async with asyncio.timeout(allowed):
                http = await self._ready()
                answer = await http.request(discord.http.Route(method, path, **named), **extra, reason=reason)
        except discord.HTTPException as error:
            self._refusals.note(error.status)
            if error.code in unless:
                return {"code": error.code}
            self._raise(error, gone)
        except DeliveryFault as fault:
            if fault.reason in ("ratelimited", "token_refused"):
                self._refusals.note(429)
            raise
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise PlaceFault("unreachable") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason_ = "timeout" if isinstance(error, TimeoutError) else "connection_lost"
            _doubtful(reason_, repeatable or not attempt.sent)
        finally:
            patience.reset(waits)
            self._over(token)
        self.refused = False
        return answer or {}

    async def require_history(self, channel: str, gone: Collection[int] = ()) -> None:
        """Where we may not read a history Discord shows an empty one, as if all had been deleted. Looking for a single
        message is refused there, whichever it is."""
        await self.call(
            "GET", "/channels/{channel_id}/messages/{message_id}", repeatable=True, gone=gone,
            unless={UNKNOWN_MESSAGE}, channel_id=channel, message_id=channel,
        )  # fmt: skip

    def _raise(self, error: discord.HTTPException, gone: Collection[int]) -> NoReturn:
        """Discord answered, and said no."""
        reason = REASONS.get(error.code) or (
            f"discord_{error.code}" if error.code else f"http_{error.status}"
        )
        if error.code in gone:
            raise RootGone(reason) from None
        if error.status == 401 and error.code != 50027:  # that one is a webhook's own token
            self.refused = True
            raise PlaceFault("token_refused") from None
        if error.status in (400, 413) and error.code not in PLACES and error.code not in REASONS:
            raise EntryFault(reason) from None
        raise PlaceFault(reason) from None

    async def _ready(self) -> _Http:
        """Signed in, so that there is a session to call with."""
        async with self._opening:
            if self._http is None:
                point_at(self.settings.api_url, self.settings.gateway_url)
                http = _Http(self._pace)
                token = _attempt.set(_Attempt(repeatable=True))
                try:
                    await http.static_login(self.settings.token)
                except BaseException as error:
                    await http.close()
                    if isinstance(error, discord.LoginFailure):
                        self.refused = True
                        raise PlaceFault("token_refused") from None
                    raise
                finally:
                    self._over(token)
                self._http = http
            return self._http

    def _over(self, token: Token[_Attempt | None]) -> None:
        """The call under way has ended, however."""
        attempt = _attempt.get()
        if attempt is not None and attempt.paced:
            self._pace.ended()
        _attempt.reset(token)

    async def close(self) -> None:
        """Close the connections; a later call opens others."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()


def nonce_of(delivery_id: str) -> str:
    """A delivery's id as Discord takes it: a repeat within minutes is answered with the first message."""
    if len(delivery_id) <= NONCE:
        return delivery_id
    return hashlib.sha256(delivery_id.encode()).hexdigest()[:NONCE]


def snowflake_at(at: float) -> str:
    """The smallest id of that time (Unix seconds)."""
    return str(max(0, int(at * 1000) - 1_420_070_400_000) << 22)


def time_of(snowflake: str) -> float:
    """When an id was given out, in Unix seconds."""
    return ((int(snowflake) >> 22) + 1_420_070_400_000) / 1000


def _told_to_wait(response: aiohttp.ClientResponse, body: Any) -> tuple[float | None, bool]:
    """Seconds, and whether that is for everything."""
    told = body.get("retry_after") if isinstance(body, dict) else response.headers.get("Retry-After")
    try:
        seconds = float(told) if told is not None else None
    except ValueError:
        seconds = None
    return seconds, isinstance(body, dict) and bool(body.get("global"))


def _doubtful(reason: str, repeatable: bool) -> NoReturn:
    raise (PlaceFault(reason) if repeatable else Unsure(reason)) from None
