"""Who is at the console: the admin token, a signed link, a page's session.

Links and sessions are JWTs (HS256, BATON_SECRET); the audience keeps them apart from each other and from the
widget's. No cookies, so no other site can make a browser act here.
"""

import hmac
import ipaddress
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from aiohttp import web

from adapters.console.outbound import PLATFORM
from bot.errors import Refused
from bot.people import Actor, Role
from bot.ports import Clock
from bot.settings import Settings

SESSION_AUDIENCE = "baton-console"
LINK_AUDIENCE = "baton-console-link"
SESSION_SECONDS = 12 * 3600.0
LINK_SECONDS = 12 * 3600.0
ALGORITHM = "HS256"


def refusal(status: int, code: str, message: str, field: str | None = None) -> Refused:
    """A refusal with a status of its own."""
    refused = Refused(message, code=code, field=field)
    refused.status = status
    return refused


def operator_actor(name: str, role: Role) -> Actor:
    """The actor behind a display name; two people with one name are one operator. 422 if it says nothing."""
    shown = " ".join(name.split())
    slug = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", shown).casefold()).strip("-")
    if not slug or not shown.isprintable():
        raise refusal(422, "invalid", "Write a name with letters or digits.", "operator")
    return Actor(PLATFORM, slug, shown, role)


@dataclass(frozen=True, slots=True)
class Access:
    """What a request may do. A session fixes `actor`; with the admin token the body names the lead."""

    actor: Actor | None
    expires_at: float | None = None

    def acting(self, operator: str | None) -> Actor:
        """Who acts. 422 if nobody says so."""
        if self.actor:
            return self.actor
        if operator is None:
            raise refusal(422, "invalid", "operator: say who acts, by name.", "operator")
        return operator_actor(operator, Role.LEAD)


class Doorkeeper:
    """Checks tokens, makes sessions and links. `open_on_loopback`: the demo, where a name is enough."""

    def __init__(self, settings: Settings, clock: Clock, open_on_loopback: bool) -> None:
        self._admin_token = settings.admin_token.encode()
        self._key = settings.secret or secrets.token_hex(32)
        self._own = urlsplit(settings.public_url)
        self._clock = clock
        self._open = open_on_loopback

    def access(self, request: web.Request) -> Access:
        """The admin token or a session; 401 otherwise."""
        token = _bearer(request)
        if self._is_admin(token):
            return Access(None)
        claims = self._claims(token, SESSION_AUDIENCE)
        if claims is None:
            raise refusal(401, "not_signed_in", "Sign in to the console first.")
        actor = Actor(PLATFORM, claims["sub"], claims["name"], Role(claims["role"]))
        return Access(actor, claims["exp"])

    def role(self, request: web.Request) -> Role | None:
        """As what a request may sign in: by admin token, by a signed link, or because this is the demo."""
        token = _bearer(request) or request.query.get("token", "")
        if self._is_admin(token):
            return Role.LEAD
        claims = self._claims(token, LINK_AUDIENCE)
        if claims:
            return Role(claims["role"])
        return Role.LEAD if self._open and is_loopback(request) else None

    def sign_in(self, request: web.Request, name: str) -> tuple[str, Actor, float]:
        """A session's token, whose it is, and until when (Unix seconds). 401 without a way in."""
        role = self.role(request)
        if role is None:
            raise refusal(
                401, "not_signed_in", "That link or token is not valid (any more). Ask a lead for a new link."
            )
        actor = operator_actor(name, role)
        expires_at = self._clock() + SESSION_SECONDS
        return (
            self._sign(SESSION_AUDIENCE, expires_at, sub=actor.id, name=actor.name, role=str(role)),
            actor,
            expires_at,
        )

    def link_token(self, role: Role = Role.OPERATOR, seconds: float = LINK_SECONDS) -> str:
        """What a signed link to the console carries as `?token=`."""
        return self._sign(LINK_AUDIENCE, self._clock() + seconds, sub="link", role=str(role))

    def check_origin(self, request: web.Request) -> None:
        """403 when another site's page asks."""
        origin = request.headers.get("Origin")
        if origin is None:
            return
        given = urlsplit(origin)
        own = {(request.scheme, request.host), (self._own.scheme, self._own.netloc)}
        if (given.scheme, given.netloc) not in own:
            raise refusal(403, "foreign_origin", "The console only answers its own page.")

    def _is_admin(self, token: str) -> bool:
        return bool(self._admin_token) and hmac.compare_digest(token.encode(), self._admin_token)

    def _sign(self, audience: str, expires_at: float, **claims: str) -> str:
        return jwt.encode({"aud": audience, "exp": int(expires_at), **claims}, self._key, ALGORITHM)

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        options: Any = {"verify_exp": False, "require": ["aud", "exp", "sub", "role"]}
        try:
            claims = jwt.decode(token, self._key, [ALGORITHM], audience=audience, options=options)
        except jwt.InvalidTokenError:
            return None
        return claims if claims["exp"] > self._clock() else None


def is_loopback(request: web.Request) -> bool:
    """Whether peer and Host are this machine. The Host too, or any site whose name resolves here gets in."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
        named = host == "localhost" or ipaddress.ip_address(host).is_loopback
        return named and ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
