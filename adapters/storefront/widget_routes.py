"""The shopper's side: the script, the guest's token, and what a window posts. The stream is in `stream.py`.

A browser's request is believed by its token and checked by its Origin; there are no cookies anywhere.
"""

import gzip
import hashlib
import ipaddress
from functools import cached_property
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from adapters.storefront import models
from adapters.storefront.api import bearer, token_answer
from adapters.storefront.limits import Limit
from adapters.storefront.origins import Origins
from adapters.storefront.refusals import Unauthorized
from adapters.storefront.routes import Asked, Auth, Route
from adapters.storefront.stream import StreamHub, last_event_id
from adapters.storefront.tokens import Ticket, Tokens
from bot import commands, views
from bot.commands import ShopperFacts, Window
from bot.errors import NotFound
from bot.ports import Bus, Clock, Reads, UnitOfWork
from bot.settings import Settings

GOODBYE_GRACE = 24 * 3600.0  # a tab that slept past its token's end may still say that it closes
PREFLIGHT = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, OPTIONS",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type, last-event-id",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}


class Script:
    """`/widget.js`, read once, with a strong ETag for each of its two encodings."""

    def __init__(self, path: Path):
        self._plain = path.read_bytes() if path.exists() else b""
        tag = hashlib.sha256(self._plain).hexdigest()[:32]
        self._tags = {"": f'"{tag}"', "gzip": f'"{tag}-gzip"'}

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self._plain, 9, mtime=0)

    def answer(self, request: web.Request) -> web.Response:
        """The script, or 304."""
        if not self._plain:
            raise NotFound("The widget's script is not installed.")
        packed = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
        tag = self._tags["gzip" if packed else ""]
        headers = {
            "ETag": tag,
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        known = [
            one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")
        ]
        if tag in known or "*" in known:
            return web.Response(status=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=self._packed if packed else self._plain,
            content_type="text/javascript",
            charset="utf-8",
            headers=headers,
        )


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


class WidgetRoutes:
    """The handlers behind `/widget.js` and `/widget/v1`."""

    def __init__(
        self, settings: Settings, bus: Bus, reads: Reads, clock: Clock, *, tokens: Tokens, origins: Origins,
        hub: StreamHub,
    ):  # fmt: skip
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._tokens = tokens
        self._origins = origins
        self._hub = hub
        self._script = Script(Path(__file__).with_name("widget.js"))
        self._writes = Limit("messages", 30, 1.0, clock)
        self._reports = Limit("reports", 60, 4.0, clock)
        self._keystrokes = Limit("keystrokes", 3, 1.0, clock)
        self._guests = Limit("new chats from this address", 60, 1.0, clock)

    def table(self) -> list[Route]:
        """Every route with what it takes and answers."""
        window, none = Auth.WINDOW, Auth.NONE
        v1 = "/widget/v1"
        return [
            Route("GET", "/widget.js", "The chat widget.", none, self.script),
            Route("POST", f"{v1}/guest", "A token for a shopper nobody has named, by the store's public key, from "
                  "one of its origins.", none, self.guest, body=models.GuestRequest, answer=models.Token,
                  errors=(401, 403, 404, 429)),
            Route("GET", f"{v1}/stream", "The conversation as server-sent events: entry (with the entry's seq as "
                  "its id), state, typing. Last-Event-ID continues behind that entry.", window, self.stream,
                  errors=(403, 429)),
            Route("POST", f"{v1}/messages", "The shopper writes.", window, self.message, body=models.WidgetMessage,
                  answer=models.Written, errors=(403, 429)),
            Route("POST", f"{v1}/escalate", "The shopper asks for a person.", window, self.escalate,
                  body=models.WidgetAsk, errors=(403, 409, 429)),
            Route("POST", f"{v1}/handback", "The shopper continues with the assistant.", window, self.hand_back,
                  errors=(403, 409, 429)),
            Route("POST", f"{v1}/typing", "The shopper types.", window, self.typing, errors=(403,)),
            Route("POST", f"{v1}/seen", "What a tab has received and shown; also that it lives.", window, self.seen,
                  body=models.SeenReport, errors=(403, 429)),
            Route("POST", f"{v1}/goodbye", "A tab is closed (a beacon: text/plain JSON with the token in it).", none,
                  self.goodbye, body=models.Beacon, errors=(401, 403)),
        ]  # fmt: skip

    # --- who asks ---------------------------------------------------------------------------------------------

    def window_of(self, request: web.Request) -> Window:
        """Whose window a request comes from; 401 or 403 unless its token and its Origin are good."""
        return self._ticket_of(request).window

    def _ticket_of(self, request: web.Request) -> Ticket:
        token = bearer(request)
        if not token:
            raise Unauthorized(
                "No widget token; send Authorization: Bearer <widget token>.", code="token_invalid"
            )
        ticket = self._tokens.ticket(token)
        self._check_origin(request, ticket.window.store)
        return ticket

    def _check_origin(self, request: web.Request, store: str, *, required: bool = False) -> None:
        self._origins.check(self._settings.stores[store], request.headers.get(hdrs.ORIGIN), required=required)

    async def allow_origin(self, request: web.Request, response: web.StreamResponse) -> None:
        """On every answer of `/widget/v1`, errors too: let the page read it if it is a store's."""
        if not request.path.startswith("/widget/v1/"):
            return
        response.headers[hdrs.VARY] = "Origin"
        origin = request.headers.get(hdrs.ORIGIN)
        if origin and self._origins.allows_any(origin):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
            if request.method == hdrs.METH_OPTIONS:
                response.headers.update(PREFLIGHT)

    async def preflight(self, request: web.Request) -> web.Response:
        """The answer is in the headers that `allow_origin` adds."""
        return web.Response(status=204)

    # --- what is asked ----------------------------------------------------------------------------------------

    async def script(self, asked: Asked) -> web.StreamResponse:
        """The widget."""
        return self._script.answer(asked.request)

    async def guest(self, asked: Asked) -> Any:
        """A new shopper and conversation, or with an old guest token the same ones again."""
        store = self._settings.store_with_key(asked.body.store)
        if store is None:
            raise NotFound(
                "No store has this public key; check data-store in the page's script tag.",
                code="unknown_store",
                field="store",
            )
        self._check_origin(asked.request, store.name, required=True)
        self._guests.take(address_of(asked.request))
        if asked.body.token:
            window = await self._renewable(store.name, asked.body.token)
        else:
            carried = await self._bus.submit(commands.IssueToken(store.name, ShopperFacts()))
            window = Window(store.name, carried["shopper_id"], carried["conversation_id"])
        return token_answer(self._tokens, store.name, window.shopper_id, window.conversation_id, guest=True)

    async def _renewable(self, store: str, token: str) -> Window:
        """The window of an old token. Only a guest's of this store, and only while the conversation is still theirs."""
        ticket = self._tokens.ticket(token, self._settings.guest_renewal_seconds)
        window = ticket.window

        def is_theirs(uow: UnitOfWork) -> bool:
            conversation = uow.conversations.named(window.store, window.conversation_id)
            return conversation is None or views.is_theirs(uow, conversation, window.shopper_id)

        if not ticket.guest or window.store != store or not await self._reads(is_theirs):
            raise Unauthorized(
                "This token cannot be renewed here; ask again without it.",
                code="token_invalid",
                field="token",
            )
        return window

    async def stream(self, asked: Asked) -> web.StreamResponse:
        """Open until the token expires, the page goes, or this server stops."""
        ticket = self._tokens.ticket(bearer(asked.request))
        return await self._hub.serve(asked.request, ticket, last_event_id(asked.request))

    async def message(self, asked: Asked) -> Any:
        """What the shopper typed."""
        window = _window(asked)
        self._writes.take((window.store, window.shopper_id))
        return await self._bus.submit(asked.body.command(window))

    async def escalate(self, asked: Asked) -> Any:
        """The "Talk to a person" button."""
        window = _window(asked)
        self._writes.take((window.store, window.shopper_id))
        return await self._bus.submit(asked.body.command(window))

    async def hand_back(self, asked: Asked) -> Any:
        """The "Continue with the assistant" button."""
        window = _window(asked)
        self._writes.take((window.store, window.shopper_id))
        return await self._bus.submit(commands.ShopperHandsBack(window))

    async def typing(self, asked: Asked) -> Any:
        """More than one a second says nothing new and is dropped without a word."""
        window = _window(asked)
        if self._keystrokes.spare((window.store, window.shopper_id)) == 0:
            await self._bus.submit(commands.Typing(window))

    async def seen(self, asked: Asked) -> Any:
        """How far the tab is."""
        window = _window(asked)
        self._reports.take((window.store, window.shopper_id))
        await self._bus.submit(asked.body.command(window))

    async def goodbye(self, asked: Asked) -> Any:
        """The tab is gone."""
        window = self._tokens.read(asked.body.token, GOODBYE_GRACE)
        self._check_origin(asked.request, window.store)
        self._reports.take((window.store, window.shopper_id))
        await self._bus.submit(commands.Goodbye(window, asked.body.tab))


def _window(asked: Asked) -> Window:
    if asked.window is None:  # the route's row would have to forget its auth
        raise Unauthorized(
            "No widget token; send Authorization: Bearer <widget token>.", code="token_invalid"
        )
    return asked.window


def address_of(request: web.Request) -> str:
    """Whom to count a request for: behind a reverse proxy (a private or loopback peer) the address it names last,
    by IPv6 network, since one machine has a whole /64."""
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        if forwarded and ipaddress.ip_address(peer).is_private:
            peer = forwarded
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer[:100]
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
