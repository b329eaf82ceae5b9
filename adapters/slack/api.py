"""One call to Slack's Web API: no retries of its own, and every failure as one of Baton's faults.

The SDK's retry handler repeats a dropped post and can post twice (PLATFORMS.md); repeating is the courier's job.
Nothing here logs or chains Slack's answers: they repeat tokens and customers' text.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.allowance import PATIENCE, Allowance, Importance, one
from bot.deadline import in_time
from bot.errors import EntryFault, PlaceFault, RootGone, Unsure
from bot.settings import Slack

UNCERTAIN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
ROOT_GONE = frozenset({"thread_not_found", "invalid_thread_ts"})
_REFUSED = """
    msg_too_long no_text invalid_blocks invalid_blocks_format msg_blocks_too_long invalid_arguments invalid_arg_name
    invalid_array_arg invalid_charset invalid_form_data invalid_post_type invalid_json json_not_object
    invalid_attachments too_many_attachments attachment_payload_limit_exceeded cannot_parse_attachment
    invalid_metadata_format invalid_metadata_schema metadata_too_large markdown_text_conflict
    cant_update_message cant_delete_message edit_window_closed update_failed block_mismatch cannot_reply_to_message
    invalid_name too_many_reactions too_many_emoji not_reactable
"""
REFUSED = frozenset(_REFUSED.split())
"""What Slack will refuse again, however often it is asked. Everything else is the place's fault and may pass."""


def quiet_logger() -> logging.Logger:
    """For the SDK and Bolt, whose own lines carry payloads, tickets and headers; the adapter logs in its own words."""
    logger = logging.getLogger("baton.slack.vendor")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


class SlackApi:
    """A session, its client and what Slack allows it. `timeout` in seconds, for the whole call.

    Each call says how important it is to people and waits for its turn, for `patience` seconds at most (default: a
    quarter of the timeout). "allowance" is the reason of the `PlaceFault` of a call that was not made for that.
    """

    def __init__(
        self,
        settings: Slack,
        timeout: float,
        allowance: Allowance | None = None,
        replicas: Callable[[], int] = one,
    ):
        self._settings = settings
        self._timeout = timeout
        self._allowance = allowance or Allowance(
            min(PATIENCE, timeout / 4), on=settings.limits, replicas=replicas
        )
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self._closed = False

    async def read(self, method: str, **params: Any) -> dict[str, Any]:
        """A call that changes nothing: whatever goes wrong, it is as if it had not been made."""
        return await self.call(method, repeatable=True, verb="GET", **params)

    async def call(
        self,
        method: str,
        *,
        repeatable: bool = False,
        verb: str = "POST",
        unless: Collection[str] = (),
        importance: Importance = Importance.POST,
        patience: float | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """The answer's body. Codes in `unless` are answers too, not faults (`{"ok": False, "error": …}`).

        `repeatable`: doing it twice is doing it once, so a doubtful call is simply a `PlaceFault`, not `Unsure`.
        """
        response = await self.respond(
            method,
            repeatable=repeatable,
            verb=verb,
            unless=unless,
            importance=importance,
            patience=patience,
            **params,
        )
        return dict(response.data) if isinstance(response.data, dict) else {}

    async def respond(
        self,
        method: str,
        *,
        repeatable: bool = False,
        verb: str = "POST",
        unless: Collection[str] = (),
        importance: Importance = Importance.POST,
        patience: float | None = None,
        **params: Any,
    ) -> AsyncSlackResponse:
        """The same with headers."""
        channel = str(params.get("channel") or "")
        await self._allowance.turn(method, channel, importance, _caller(method, params), patience)
        given = {name: value for name, value in params.items() if value is not None}
        body: dict[str, Any] = {"params": given} if verb == "GET" else {"json": given}
        in_time()
        try:
            return await self._ready().api_call(method, http_verb=verb, **body)
        except SlackApiError as error:
            if isinstance(error.response, AsyncSlackResponse) and _code(error.response) in unless:
                return error.response
            if _is_rate_limited(error):
                seconds = _retry_after(getattr(error.response, "headers", {}))
                self._allowance.pause(method, channel, seconds)
                raise PlaceFault("ratelimited", seconds) from None
            _raise(error, repeatable)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise PlaceFault("unreachable") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            _doubtful("timeout" if isinstance(error, asyncio.TimeoutError) else "connection_lost", repeatable)

    async def answer(self, url: str, body: Mapping[str, Any]) -> None:
        """Post to the `response_url` of a click or a command, which needs no token. `PlaceFault` if it is not taken:
        five answers in half an hour are."""
        self._ready()
        assert self._session is not None
        try:
            async with self._session.post(url, json=dict(body)) as response:
                if response.status != 200:
                    raise PlaceFault(f"http_{response.status}")
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise PlaceFault("unreachable") from None

    def bare_client(self) -> AsyncWebClient:
        """A client without a token on the same session, for Bolt and Socket Mode."""
        return self._new_client(None)

    async def close(self) -> None:
        """For good: what still comes is told so, or it would leave a session open that nobody closes."""
        self._closed = True
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    def _ready(self) -> AsyncWebClient:
        if self._client is None or self._session is None or self._session.closed:
            self._client = self._new_client(self._settings.bot_token)
        return self._client

    def _new_client(self, token: str | None) -> AsyncWebClient:
        if self._closed:
            raise PlaceFault("stopping")
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout / 2)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return AsyncWebClient(
            token=token,
            base_url=self._settings.api_url,
            session=self._session,
            retry_handlers=[],
            logger=quiet_logger(),
        )


def _raise(error: SlackApiError, repeatable: bool) -> NoReturn:
    """Slack (or something before it) answered, and not with ok."""
    response = error.response
    status, code = _status(response), _code(response)
    if status >= 500 or code in UNCERTAIN or (status == 200 and not code):
        _doubtful(code or f"http_{status}", repeatable)
    if code in ROOT_GONE:
        raise RootGone(code) from None
    if code in REFUSED:
        raise EntryFault(code) from None
    raise PlaceFault(code or f"http_{status}") from None


def _is_rate_limited(error: SlackApiError) -> bool:
    return _status(error.response) == 429 or _code(error.response) in ("ratelimited", "rate_limited")


def _status(response: Any) -> int:
    return int(getattr(response, "status_code", None) or getattr(response, "status", 0) or 0)


def _caller(method: str, params: Mapping[str, Any]) -> str:
    """The same for every try of one call, so that it keeps its place: a post is known by its delivery."""
    delivery = ((params.get("metadata") or {}).get("event_payload") or {}).get("delivery")
    names = ("channel", "ts", "timestamp", "name", "user", "user_id", "view_id", "trigger_id", "cursor")
    return " ".join((method, *(str(params.get(one) or "") for one in names), str(delivery or "")))


def _doubtful(reason: str, repeatable: bool) -> NoReturn:
    raise (PlaceFault(reason) if repeatable else Unsure(reason)) from None


def _code(response: Any) -> str:
    data = getattr(response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    raw = headers.get("Retry-After", "")
    return float(raw) if raw.isdigit() else None
