"""Widget tokens: whose window it is, signed. A token carries store, shopper and exactly one conversation.

JWT, HS256 and nothing else. The key is derived from `BATON_SECRET`, so that no other signature made with the
secret can pass for a token. Guests' tokens say so: only they can be renewed without the store's backend.
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import jwt

from adapters.storefront.refusals import Unauthorized
from bot.commands import Window
from bot.ports import Clock

AUDIENCE = "baton-widget"
ALGORITHM = "HS256"
CLAIMS = ("store", "sub", "conversation_id", "iat", "exp", "aud")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid token says. `expires_at` in Unix seconds."""

    window: Window
    expires_at: float
    guest: bool


class Tokens:
    """Issues and reads widget tokens for the stores named."""

    def __init__(self, secret: str, stores: Collection[str], seconds: float, clock: Clock):
        if not secret:
            raise ValueError(
                "BATON_SECRET is empty: anybody could sign a widget token. Set a long random one."
            )
        self._key = hmac.digest(secret.encode(), b"baton widget token", hashlib.sha256)
        self._stores = frozenset(stores)
        self._seconds = seconds
        self._clock = clock

    def issue(
        self, store: str, shopper_id: str, conversation_id: str, *, guest: bool = False
    ) -> tuple[str, float]:
        """A new token and when it expires (Unix seconds)."""
        now = int(self._clock())
        expires = now + max(1, int(self._seconds))
        claims: dict[str, Any] = {
            "store": store,
            "sub": shopper_id,
            "conversation_id": conversation_id,
            "iat": now,
            "exp": expires,
            "aud": AUDIENCE,
        }
        if guest:
            claims["guest"] = True
        return jwt.encode(claims, self._key, algorithm=ALGORITHM), float(expires)

    def read(self, token: str, allow_expired_seconds: float = 0) -> Window:
        """Whose window it is. 401 `token_invalid` or `token_expired`."""
        return self.ticket(token, allow_expired_seconds).window

    def ticket(self, token: str, allow_expired_seconds: float = 0) -> Ticket:
        """Everything the token says. 401 `token_invalid` or `token_expired`."""
        claims = self._verified(token)
        store, sub, conv, expires = (claims[name] for name in ("store", "sub", "conversation_id", "exp"))
        if (
            not all(isinstance(name, str) and name for name in (store, sub, conv))
            or store not in self._stores
        ):
            raise _invalid()
        if not isinstance(expires, int | float) or isinstance(expires, bool):
            raise _invalid()
        if expires + allow_expired_seconds <= self._clock():
            raise Unauthorized("The widget token has expired; get a new one.", code="token_expired")
        return Ticket(Window(store, sub, conv), float(expires), claims.get("guest") is True)

    def _verified(self, token: str) -> dict[str, Any]:
        # Times are compared with our own clock above, which tests move and PyJWT's is not.
        options: Any = {
            "require": list(CLAIMS),
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "strict_aud": True,
        }
        try:
            return jwt.decode(token, self._key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise _invalid() from None


def _invalid() -> Unauthorized:
    return Unauthorized(
        "This is not a widget token of this server; get one from POST /v1/widget-tokens or /widget/v1/guest.",
        code="token_invalid",
    )
