"""A running server with the storefront on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from adapters.storefront import StorefrontAdapter
from adapters.web_server import WebServer
from bot.settings import Settings

from .stub import KEY, StubCore, settings


class Shop:
    """A stub core, the adapter on it, and a client."""

    def __init__(self, of: Settings):
        self.core = StubCore(of)
        self.adapter = StorefrontAdapter(of, self.core, self.core.read, self.core, self.core.clock)
        self.server = WebServer(of, CollectorRegistry())
        self.adapter.mount(self.server.app)
        self.session = aiohttp.ClientSession(auto_decompress=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def token(self, conversation: str = "c-1", shopper: str = "s-1", store: str = "main", **more: Any) -> str:
        return self.adapter.tokens.issue(store, shopper, conversation, **more)[0]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
        """Status, JSON (None if there is none) and headers."""
        headers = {"Authorization": f"Bearer {KEY}", **more.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **more) as response:
            body = await response.json() if response.content_type == "application/json" else None
            return response.status, body, response.headers

    async def widget(self, path: str, body: Any = None, **more: Any) -> tuple[int, Any, Any]:
        """A window's POST."""
        token = more.pop("token", None) or self.token()
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return await self.call("POST", f"/widget/v1/{path}", json=body, headers=headers, **more)

    def open_stream(self, after: int | None = None, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        return self.session.get(f"{self.url}/widget/v1/stream", headers=headers)


OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def open_shop() -> AsyncIterator[OpenShop]:
    shops: list[Shop] = []

    async def build(**changes: Any) -> Shop:
        made = Shop(settings(**changes))
        shops.append(made)
        await made.server.start()
        return made

    yield build
    for made in shops:
        await made.session.close()
        await made.server.stop()


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    return await open_shop()
