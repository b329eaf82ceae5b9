"""A route as one row: method, path, who may call it, what it takes and answers, and what runs.

The same rows are mounted and documented, so that routes and docs cannot disagree.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from adapters.storefront.fields import read_body, read_id, read_query
from bot.commands import Window
from bot.settings import StorePolicy


class Auth(StrEnum):
    """Who may call a route."""

    STORE = "store"  # a store's backend, by its API key
    WINDOW = "window"  # a shopper's window, by its widget token
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood. `body` and `query` are the route's models; `store` or `window` by its `auth`."""

    request: web.Request
    store: StorePolicy | None
    window: Window | None
    path: dict[str, str]
    body: Any
    query: Any


Act = Callable[[Asked], Awaitable[Any]]
Caller = Callable[[web.Request], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One row. `act` answers what becomes the JSON body (None: 204), or a finished response."""

    method: str
    path: str
    summary: str
    auth: Auth
    act: Act
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()


def endpoint(row: Route, store_of: Caller, window_of: Caller) -> web.RouteDef:
    """The row as aiohttp mounts it: who asks, then path, query and body, then `act`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request=request,
            store=store_of(request) if row.auth is Auth.STORE else None,
            window=window_of(request) if row.auth is Auth.WINDOW else None,
            path={name: read_id(value, name) for name, value in request.match_info.items()},
            query=read_query(row.query, dict(request.query)) if row.query else None,
            body=read_body(row.body, await request.read()) if row.body else None,
        )
        answer = await row.act(asked)
        if isinstance(answer, web.StreamResponse):
            return answer
        if answer is None:
            return web.Response(status=204)
        return web.json_response(answer, status=row.status, headers={"Cache-Control": "no-store"})

    if row.method == "GET":
        return web.get(row.path, handle, allow_head=False)
    return web.route(row.method, row.path, handle)
