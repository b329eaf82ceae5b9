"""Slack, the real adapter with the real Bolt, and an operator in a case's thread; by Socket Mode or over HTTP."""

import asyncio
import dataclasses
from typing import Any, Literal

from prometheus_client import CollectorRegistry

from adapters.slack.app import SlackAdapter
from adapters.web_server import WebServer
from bot.commands import HoldLease
from bot.posts import Action, Button, Card, Place
from bot.settings import Slack, Timing, load
from tests.adapters.slack.answering import FakeDesk, FakeWakeup
from tests.fakes.slack import FakeSlack

CARD = Card(7, "Refund", "Waiting", "waiting", None, buttons=(Button(Action.CLAIM, "Claim", "7"),))
Transport = Literal["socket", "http"]


class FakeBus:
    """Takes commands; `failures` are raised first, one per call."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, str, Any]] = []
        self.submitted: list[Any] = []
        self.failures: list[Exception] = []
        self.leases: dict[str, str] = {}
        self.answer: Any = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        await self._fail_or_wait()
        self.arrived.append((lane, order, command))
        return self.answer

    async def submit(self, command: Any) -> Any:
        if isinstance(command, HoldLease):
            return self._hold(command)
        await self._fail_or_wait()
        self.submitted.append(command)
        return self.answer

    def _hold(self, lease: HoldLease) -> bool:
        holder = self.leases.setdefault(lease.name, lease.holder)
        if lease.take:
            holder = self.leases[lease.name] = lease.holder
        return holder == lease.holder

    async def _fail_or_wait(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        await self.gate.wait()

    def commands(self, kind: type) -> list[Any]:
        return [command for _, _, command in self.arrived if isinstance(command, kind)]


class Desk:
    """Slack, the adapter connected to it, and a case's thread with an operator in the channel."""

    def __init__(self, slack: FakeSlack, transport: Transport, timing: Timing | None = None) -> None:
        self.slack = slack
        self.transport = transport
        self.bus = FakeBus()
        self.answers = FakeDesk()
        self.answers.bus = self.bus
        self.wakeup = FakeWakeup()
        self.anna = slack.add_user("anna berg")
        self.room = slack.add_channel("support", [self.anna])
        self.connects = 0
        self.hook_fails = 0
        settings = Slack(
            slack.bot_token,
            slack.app_token if transport == "socket" else "",
            slack.api_url,
            signing_secret=slack.signing_secret,
        )
        self.adapter = SlackAdapter(settings, timing or Timing(socket_watch=1.5, call_timeout=3.0))
        self.place = Place("slack", self.room)
        self.web = WebServer(dataclasses.replace(load({}), port=0), CollectorRegistry())
        self.adapter.mount(self.web.app)

    async def on_connected(self) -> None:
        self.connects += 1
        if self.hook_fails:
            self.hook_fails -= 1
            raise RuntimeError("history: my card is 4111")

    async def listen(self) -> None:
        """Start the adapter, and in HTTP mode our server."""
        if self.transport == "http":
            await self.web.start()
            self.slack.deliver_to(self.url)
        await self.adapter.start(self.bus, self.answers, self.wakeup, self.on_connected)

    async def start(self) -> None:
        await self.listen()
        posted = await self.adapter.chat.open_thread("support", CARD, "d-0")
        self.place = Place("slack", posted.channel, posted.remote_id)

    async def stop(self) -> None:
        await self.adapter.stop()
        await self.web.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}/slack/events"

    async def say(self, text: str) -> str:
        return await self.slack.post(self.anna, self.room, text, self.place.root)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(8):
            while not condition():  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.01)
