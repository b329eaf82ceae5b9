"""A store: its backend (which calls Baton's API and takes webhooks) and the pages its shoppers open."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

from aiohttp import ClientSession, web

Json = dict[str, Any]

API_KEY = "k-main"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"the store's own webhook key").decode()

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>Lamps</h1><script src="{baton}/widget.js" data-store="main" {token} async></script></html>"""


class Shop:
    """On a port of its own, so that its pages are another origin than Baton's."""

    def __init__(self) -> None:
        self.url = self.baton = ""
        self.webhooks: list[Json] = []
        self.webhook_bytes = b""
        self._heard = asyncio.Event()
        self.http: ClientSession
        self._runner: web.AppRunner

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/guest", self._guest_page)
        app.router.add_get("/with-token", self._page_with_token)
        app.router.add_get("/{conversation}/{shopper}", self._page)
        app.router.add_get("/{conversation}/{shopper}/token", self._token)
        app.router.add_post("/webhook", self._webhook)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.http = ClientSession()

    async def stop(self) -> None:
        await self.http.close()
        await self._runner.cleanup()

    # The backend

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Any route of Baton's, as the store's backend unless the headers say otherwise: (status, answer)."""
        given = {"Authorization": f"Bearer {API_KEY}", **headers}
        async with self.http.request(method, self.baton + path, json=body, headers=given) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith(("{", "[")) else text

    async def token(self, conversation: str, shopper: str = "s-77") -> str:
        body = {"shopper": {"id": shopper}, "conversation_id": conversation}
        status, answer = await self.call("POST", "/v1/widget-tokens", body)
        assert status in (200, 201), answer
        return str(answer["token"])

    async def turn(self, conversation: str, author: str, message_id: str, text: str) -> tuple[int, Any]:
        """The backend logs a turn."""
        body = {"id": message_id, "author": author, "text": text, "shopper": {"id": "s-77"}}
        return await self.call("POST", f"/v1/conversations/{conversation}/messages", body)

    async def conversation(self, conversation: str) -> Json:
        status, answer = await self.call("GET", f"/v1/conversations/{conversation}?limit=500")
        assert status == 200, answer
        return dict(answer)

    async def _webhook(self, request: web.Request) -> web.Response:
        """As the Standard Webhooks specification verifies: 401 for anything that was not signed with our key."""
        body = await request.read()
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if not hmac.compare_digest(expected, request.headers["webhook-signature"]):
            return web.Response(status=401)
        self.webhook_bytes += body
        self.webhooks.append(json.loads(body))
        self._heard.set()
        self._heard = asyncio.Event()
        return web.Response()

    async def heard(self, text: str) -> None:
        """Wait until a webhook told that text."""
        async with asyncio.timeout(8):
            while text.encode() not in self.webhook_bytes:
                await self._heard.wait()

    # The pages

    async def _page(self, request: web.Request) -> web.Response:
        return self._html(f'data-token-url="{request.path}/token"')

    async def _page_with_token(self, request: web.Request) -> web.Response:
        return self._html(f'data-token="{request.query["token"]}"')

    async def _guest_page(self, _: web.Request) -> web.Response:
        return self._html("")

    def _html(self, token: str) -> web.Response:
        return web.Response(text=PAGE.format(baton=self.baton, token=token), content_type="text/html")

    async def _token(self, request: web.Request) -> web.Response:
        names = request.match_info
        return web.json_response({"token": await self.token(names["conversation"], names["shopper"])})
