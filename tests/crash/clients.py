"""The store's backend and the shopper's browser, as patient as real ones: the same request until it is answered."""

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

PATIENCE = aiohttp.ClientTimeout(total=3.0)
PAUSE = 0.03


class Client:
    """HTTP with retries: connection errors and 5xx are tried again with the same body, as HTTP clients do. Of several
    addresses it takes the next one each time, or (`stay`) when the present one gave no answer."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        addresses: Sequence[str],
        broken: Callable[[], str],
        *,
        stay: bool = False,
    ):
        self.session = session
        self._broken = broken
        self._addresses = addresses
        self._stay = stay
        self._turn = 0
        self.repeats = 0

    def address(self) -> str:
        """Where to ask now."""
        if not self._stay:
            self._turn += 1
        return self._present

    def failed(self, address: str) -> None:
        """There is no answer from there."""
        if self._stay and address == self._present:
            self._turn += 1

    @property
    def _present(self) -> str:
        return self._addresses[self._turn % len(self._addresses)]

    async def ask(
        self,
        method: str,
        path: str,
        token: str,
        body: Any = None,
        wanted: Collection[int] = (200, 201, 202, 204),
    ) -> Any:
        """The answer's JSON. Any other answer below 500 is an AssertionError."""
        while True:
            address = self.address()
            answered = await self._once(method, address + path, token, body)
            if answered is not None and answered[0] < 500:
                status, content = answered
                assert status in wanted, f"{method} {path} answered {status}: {content}"
                return content
            self.repeats += 1
            self.failed(address)
            assert not self._broken(), self._broken()
            await asyncio.sleep(PAUSE)

    async def _once(self, method: str, url: str, token: str, body: Any) -> tuple[int, Any] | None:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self.session.request(
                method, url, json=body, headers=headers, timeout=PATIENCE
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None


@dataclass
class Widget:
    """A page with the chat open. It notes every entry it is given and dedupes nothing."""

    client: Client
    token: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    last: int = 0
    connects: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Read the stream; come back with Last-Event-ID whenever it ends."""
        while True:
            address = self.client.address()
            try:
                await self._read(address)
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            self.client.failed(address)
            await asyncio.sleep(PAUSE)

    async def _read(self, address: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": str(self.last)}
        patience = aiohttp.ClientTimeout(total=None, sock_connect=1.0, sock_read=3.0)
        url = f"{address}/widget/v1/stream"
        async with self.client.session.get(url, headers=headers, timeout=patience) as answer:
            assert answer.status == 200 or answer.status >= 500, answer.status
            if answer.status != 200:
                return
            self.connects += 1
            event: dict[str, str] = {}
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                    continue
                if event.get("event") == "entry":
                    self._take(json.loads(event["data"]), int(event["id"]))
                event = {}

    def _take(self, entry: dict[str, Any], seq: int) -> None:
        if seq <= self.last:
            self.problems.append(f"stream: {seq} came after {self.last}")
        self.last = max(self.last, seq)
        self.entries.append(entry)
        self.news.set()

    def texts(self, author: str) -> list[str]:
        """What that side said, as shown in the page."""
        return [one["text"] for one in self.entries if one["kind"] == "message" and one["author"] == author]

    async def confirm(self) -> None:
        """Tell what has come and was seen: at once when something comes, and now and then."""
        while True:
            self.news.clear()
            report = {"delivered": self.last, "seen": self.last, "hidden": False, "tab": "t"}
            await self.client.ask("POST", "/widget/v1/seen", self.token, report, wanted=(200, 204, 429))
            try:
                await asyncio.wait_for(self.news.wait(), 0.5)
            except TimeoutError:
                continue

    async def write(self, message_id: str, text: str) -> None:
        """Send one message; the same id until it is taken."""
        await self.client.ask("POST", "/widget/v1/messages", self.token, {"id": message_id, "text": text})


class Hook:
    """The store's webhook receiver: knows a repeat by its id, and checks that it is byte-identical."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.problems: list[str] = []
        self.repeats = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Its address."""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body, its_id = await request.read(), request.headers["webhook-id"]
        await asyncio.sleep(0.012)  # as a platform: there is a middle of the call
        if its_id in self.bodies:
            self.repeats += 1
            if self.bodies[its_id] != body:
                self.problems.append(f"webhook: {its_id} came again with another body")
        self.bodies.setdefault(its_id, body)
        return web.Response()

    def seqs(self) -> list[int]:
        """The entries it was told, in the order of their first arrival."""
        return [int(json.loads(body)["data"]["entry"]["seq"]) for body in self.bodies.values()]
