"""Slack's HTTP mode from Slack's side: each event, click and command is a signed POST to the app's request URL.

Events are JSON, interactions a form with a JSON `payload`, commands a plain form. Only an answer with 2xx counts as
taken; a retry says which it is and why.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

Json = dict[str, Any]
Forgery = Literal["signature", "timestamp"]
STALE = 301


@dataclass(eq=False)
class Requests:
    """Where to post and how to sign. `forgeries`: what is wrong with the next requests, one each. With `others`, the
    request URL is a load balancer's before several machines: a request goes to any of them, and to the next one only
    where nobody listens; one that broke off later may have been carried out, and is for Slack to send again."""

    url: str
    signing_secret: str
    others: tuple[str, ...] = ()
    rng: random.Random = field(default_factory=random.Random)
    forgeries: list[Forgery] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    async def send(
        self, kind: str, payload: Json, retry: tuple[int, str] | None, now: float, timeout: float
    ) -> tuple[int, str, Json | None]:
        """The status (0: none), why it counts as failed (or an empty string), and what the answer says."""
        body, content_type = encoded(kind, payload)
        headers = self._signed(body, now) | {"Content-Type": content_type, "User-Agent": "Slackbot 1.0"}
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        addresses = [self.url, *self.others]
        self.rng.shuffle(addresses)
        for address in addresses:
            try:
                async with self._open().post(
                    address,
                    data=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(timeout),
                    allow_redirects=False,
                ) as answer:
                    text = await answer.text()
            except TimeoutError:
                return 0, "http_timeout", None
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:
                return 0, "connection_failed", None
            if not 200 <= answer.status < 300:
                return answer.status, "http_error", None
            return answer.status, "", _said(answer.content_type, text)
        return 0, "connection_failed", None

    async def verify(self, now: float) -> bool:
        """What Slack asks when the request URL is saved: give the challenge back."""
        body = json.dumps({"token": "fake", "challenge": "3eZbrw1a", "type": "url_verification"}).encode()
        headers = self._signed(body, now) | {"Content-Type": "application/json"}
        async with self._open().post(self.url, data=body, headers=headers) as answer:
            text = await answer.text()
        said = _said(answer.content_type, text) or {}
        return answer.status == 200 and "3eZbrw1a" in (said.get("challenge"), said.get("text"))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    def _signed(self, body: bytes, now: float) -> dict[str, str]:
        forgery = self.forgeries.pop(0) if self.forgeries else None
        stamp = str(int(now) - (STALE if forgery == "timestamp" else 0))
        secret = "not the secret" if forgery == "signature" else self.signing_secret
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(secret, stamp, body)}


def signature(signing_secret: str, stamp: str, body: bytes) -> str:
    """As Slack's documentation has it: `v0=` and the HMAC-SHA256 of `v0:<timestamp>:<body>`."""
    basis = f"v0:{stamp}:".encode() + body
    return "v0=" + hmac.new(signing_secret.encode(), basis, hashlib.sha256).hexdigest()


def encoded(kind: str, payload: Json) -> tuple[bytes, str]:
    """The body and its type."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _said(content_type: str, text: str) -> Json | None:
    if not text:
        return None
    return dict(json.loads(text)) if content_type == "application/json" else {"text": text}
