"""The whole house on real sockets: Baton, a Slack, a store, its shoppers and its operators.

Every wait is for a condition.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from playwright.async_api import Browser

from bot.settings import Settings, TeamPolicy, Timing, load
from bot.wiring import Baton
from tests.fakes.slack import Delivery, FakeSlack, Message
from tests.journeys.screens import Desk, Screen, Window
from tests.journeys.shop import API_KEY, WEBHOOK_SECRET, Json, Shop

T = TypeVar("T")

QUICK = replace(Timing().scaled(0.1), call_timeout=2.0, lease=7.0, catch_up_wait=2.0, socket_watch=6.0)
"""What is waited for in any case is short; what only limits a wait is not, or a busy machine would fail us: with a
shorter `socket_watch` a moment's standstill replaces the connection, and a click under way is lost, as at Slack."""
ADMIN_TOKEN = "admin-token"
CONVERSATION = "c-1001"
SAID = "No thanks. I want my money back for order #4521."
ESCALATION: Json = {
    "conversation_id": CONVERSATION,
    "channel": "chat",
    "shopper": {
        "id": "s-77",
        "name": "Sarah K.",
        "email": "sarah@example.com",
        "tier": "vip",
        "orders_count": 3,
        "lifetime_value": 840.5,
        "currency": "USD",
    },
    "reason": {"trigger": "keyword", "rule": "refund", "detail": "I want my money back"},
    "category": "refund",
    "priority": "high",
    "summary": {
        "issue": "Refund for order #4521",
        "tried": ["Verified the order", "Offered store credit"],
        "sentiment": "frustrated",
        "suggested_reply": "I have approved your refund.",
    },
    "collected": {"order_id": "4521"},
    "transcript": [
        {"id": "m1", "author": "shopper", "text": "The lamp from order #4521 came in two pieces."},
        {"id": "m2", "author": "assistant", "text": "I'm sorry. I can offer you **store credit**."},
        {"id": "m3", "author": "shopper", "text": SAID},
    ],
}


class Thread:
    """A case's thread in Slack, as the people in it see and use it."""

    RICH = "Hi Sarah, it is *refunded*. See <https://shop.example/r|your receipt> :tada:"
    """A bold word, a link and an emoji, as that platform sends what people type."""

    def __init__(self, slack: FakeSlack, root: Message) -> None:
        self.slack, self.channel, self.root = slack, root.channel, root.ts

    @property
    def card(self) -> str:
        return self.slack.text_of(self.slack.message(self.channel, self.root))

    @property
    def posts(self) -> list[Message]:
        """What stands below the card, in order."""
        return self.slack.thread(self.channel, self.root)[1:]

    @property
    def ours(self) -> str:
        """Everything Baton wrote below the card, as it is shown."""
        return "\n".join(shown(post) for post in self.posts if post.bot_id)

    async def says(self, text: str, times: int = 1) -> None:
        """Wait until Baton's posts hold that text so many times."""
        await self.slack.wait_for(lambda: self.ours.count(text) == times)

    async def hears(self, name: str, text: str) -> None:
        """Wait until that person is shown to have said so."""
        await self.says(f"*{name}*  {text}")

    def buttons(self) -> list[str]:
        """The actions that can be pressed on the card."""
        return buttons(self.slack.message(self.channel, self.root))

    async def write(self, user: str, text: str) -> str:
        return await self.slack.post(user, self.channel, text, thread_ts=self.root)

    async def edit(self, ts: str, text: str) -> None:
        await self.slack.edit(self.channel, ts, text)

    async def delete(self, ts: str) -> None:
        await self.slack.delete(self.channel, ts)

    async def press(self, user: str, action: str, ts: str | None = None) -> Delivery:
        """Click a button of the card (or of the post `ts`), once it is there, and wait for the answer."""
        ts = ts or self.root
        message = self.slack.message(self.channel, ts)
        await self.slack.wait_for(lambda: action in buttons(message))
        delivery = await self.slack.click(user, self.channel, ts, f"baton:{action}")
        await self.slack.wait_for(lambda: delivery.done)
        assert delivery.acked, "the operator saw an error"
        return delivery

    async def claim(self, user: str) -> None:
        await self.press(user, "claim")
        await self.slack.wait_for(lambda: "resolve" in buttons(self.slack.message(self.channel, self.root)))

    def offers(self) -> list[Message]:
        return [post for post in self.posts if post.bot_id and buttons(post)]

    async def offer(self, action: str) -> Message:
        """The one offer of the thread, once it has that button."""
        await self.slack.wait_for(lambda: any(action in buttons(post) for post in self.offers()))
        (offer,) = self.offers()
        return offer

    async def has_reaction(self, ts: str, name: str) -> None:
        """Wait until that is the message's only reaction."""
        message = self.slack.message(self.channel, ts)
        await self.slack.wait_for(lambda: list(message.reactions) == [name])


def buttons(message: Message) -> list[str]:
    """The actions that can be pressed on a message."""
    elements = [one for block in message.blocks for one in block.get("elements", ())]
    return [one["action_id"].removeprefix("baton:") for one in elements if one.get("action_id")]


def shown(message: Message) -> str:
    """A message's blocks as they are shown: `text` is for notifications only and may be cut."""
    out = []
    for block in message.blocks:
        parts = [block["text"]] if "text" in block else block.get("elements", ())
        out += [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "\n".join(out)


class World:
    """One store, one team, and Baton: one process, or several replicas on one database."""

    def __init__(
        self, database: str, browser: Browser | None, transport: str = "socket", **policy: Any
    ) -> None:
        self._database, self._browser, self._policy = database, browser, policy
        self._by_socket = transport == "socket"
        self.with_slack = policy.pop("slack", True)
        self.timing: Timing = policy.pop("timing", QUICK)
        self.slack = FakeSlack()
        self.slack.retry_delays = (0.0, 0.1, 0.3)
        # Three times Slack's: it limits a wait, and must not fail us on a busy machine.
        self.slack.ack_timeout = 9.0
        self.shop = Shop()
        self._files = TemporaryDirectory(ignore_cleanup_errors=True)
        self.baton: Baton
        self.replicas: list[Baton] = []
        self._screens: list[Screen] = []
        self._contexts: list[Any] = []
        self._taps: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.slack.start()
        self.channel = self.slack.add_channel("support")
        self.dana, self.bob = self.hire("Dana Miller"), self.hire("Bob Ray")
        self.lena = self.hire("Lena Lead", admin=True)
        await self.shop.start()
        await self.start_baton(0)

    async def start_baton(self, port: int) -> None:
        self.baton = Baton(self._settings(port))
        await self.baton.start()
        self.shop.baton = self.url
        if self.with_slack:
            await self.connected()

    async def connected(self) -> None:
        """Wait until Slack's events reach Baton."""
        if self._by_socket:
            await self.slack.connected()
            return
        if self.slack.gateway.requests is None:
            self.slack.deliver_to(f"{self.url}/slack/events")
        await self.slack.wait_for(lambda: all(one.connected for one in self.baton._platforms))

    async def add_replica(self) -> str:
        """One more Baton on the same database, with a Slack connection of its own; its address."""
        replica = Baton(self._settings(0))
        await replica.start()
        self.replicas.append(replica)
        await self.slack.connected(1 + len(self.replicas))
        return f"http://127.0.0.1:{replica.web.port}"

    async def restart(self) -> None:
        """A deployment: the same port, the same database."""
        port = self.baton.web.port
        await self.baton.stop()
        await self.start_baton(port)

    def _settings(self, port: int) -> Settings:
        environment = {
            "BATON_DATABASE_URL": self._database,
            "BATON_SECRET": "s" * 32,
            "BATON_API_KEY": API_KEY,
            "BATON_ADMIN_TOKEN": ADMIN_TOKEN,
            "BATON_PORT": str(port),
            "WEBHOOK_URL": f"{self.shop.url}/webhook",
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            "BATON_FILES_URL": f"file://{self._files.name}",
        }
        if self.with_slack:
            environment |= {
                "SLACK_BOT_TOKEN": self.slack.bot_token,
                "SLACK_APP_TOKEN": self.slack.app_token if self._by_socket else "",
                "SLACK_SIGNING_SECRET": self.slack.signing_secret,
                "SLACK_LIMITS": "off",
                "SLACK_API_URL": self.slack.api_url,
                "SLACK_CHANNEL": "#support",
            }
        settings = load(environment)
        store = replace(settings.stores["main"], origins=(self.shop.url,), brand="Lumen & Oak")
        team: TeamPolicy = replace(settings.teams["support"], **self._policy)
        return replace(
            settings, timing=self.timing, stores={"main": store}, teams={"support": team}, queue_seconds=30.0
        )

    async def stop(self) -> None:
        for tap in self._taps:
            tap.cancel()
        await asyncio.gather(*self._taps, return_exceptions=True)
        for context in self._contexts:
            await context.close()
        if not self._by_socket:
            await self.slack.gateway.close()  # no event may come while Baton's server stops
        for baton in (self.baton, *self.replicas):
            await baton.stop()
        await self.shop.stop()
        await self.slack.stop()
        self._files.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.baton.web.port}"

    @property
    def chat(self) -> Any:
        """The fake platform that the team is on, whichever it is."""
        return self.slack

    # The store's backend

    async def escalate(self, **changes: Any) -> Json:
        status, answer = await self.shop.call("POST", "/v1/escalations", ESCALATION | changes)
        assert status == 202, answer
        return dict(answer)

    async def case(self, index: int = 0) -> Json:
        """The newest case as the team sees it: with every entry."""
        _, listed = await self.as_lead("GET", "conversations")
        _, case = await self.as_lead("GET", f"conversations/{listed['conversations'][index]['number']}")
        return dict(case)

    async def as_lead(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What the console asks."""
        token = f"Bearer {ADMIN_TOKEN}"
        return await self.shop.call(method, f"/console/api/{path}", body, Authorization=token)

    # Slack

    def hire(self, name: str, **traits: Any) -> str:
        """One more member of the channel."""
        user = self.slack.add_user(name, **traits)
        self.slack.world.channels[self.channel].members.append(user)
        return user

    def threads(self) -> list[Thread]:
        """Every thread Baton opened and nobody deleted, oldest first."""
        found = [one for one in self.slack.messages(self.channel) if one.bot_id and not one.is_reply]
        return [Thread(self.slack, root) for root in found]

    async def thread(self, index: int = 0) -> Thread:
        """The thread of the first (second …) case, once its transcript stands."""
        await self.slack.wait_for(lambda: len(self.threads()) > index and self.threads()[index].posts)
        return self.threads()[index]

    async def open_thread(self, **changes: Any) -> Thread:
        """The store has escalated and its thread stands."""
        await self.escalate(**changes)
        return await self.thread()

    async def claimed_thread(self, **changes: Any) -> Thread:
        """… and Dana has claimed it."""
        thread = await self.open_thread(**changes)
        await thread.claim(self.dana)
        return thread

    # Shoppers and operators with a browser

    async def context(self, **options: Any) -> Any:
        """A browser of somebody's own: what it keeps is shared with nobody else's."""
        assert self._browser is not None, "the test must use the fixture `chromium`"
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        return context

    async def window(self, path: str = f"{CONVERSATION}/s-77", context: Any = None, **options: Any) -> Window:
        """A shopper on the store's page with the chat open."""
        context = context or await self.context(**options)
        window = Window(await context.new_page())
        self._screens.append(window)
        return await window.visit(f"{self.shop.url}/{path}")

    async def desk(self, name: str = "Maya Lopez", **options: Any) -> Desk:
        """An operator in the console."""
        desk = Desk(await (await self.context(**options)).new_page())
        self._screens.append(desk)
        return await desk.enter(self.url, name, ADMIN_TOKEN)

    def wrong(self) -> list[str]:
        """Script errors and dialogs on any page."""
        return [one for screen in self._screens for one in screen.wrong]

    # Shoppers without one

    async def as_shopper(self, path: str, body: Json, conversation: str = CONVERSATION) -> tuple[int, Any]:
        """What a shopper's window posts."""
        token = await self.shop.token(conversation)
        return await self.shop.call(
            "POST", f"/widget/v1/{path}", body, Authorization=f"Bearer {token}", Origin=self.shop.url
        )

    async def shopper_writes(self, text: str, message_id: str | None = None) -> int:
        """Answers its seq."""
        status, answer = await self.as_shopper("messages", {"id": message_id or f"w-{text}", "text": text})
        assert status == 200, answer
        return int(answer["seq"])

    async def post_to(self, url: str, token: str, message: Json) -> Json:
        """A shopper's message to that replica; its answer."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.shop.http.post(
            f"{url}/widget/v1/messages", json=message, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    async def claim_at(self, url: str, operator: str) -> int:
        """A lead's claim in the console behind that address; the status."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with self.shop.http.post(url, json={"operator": operator}, headers=headers) as response:
            return response.status

    async def stream(self, after: int = 0, conversation: str = CONVERSATION, at: str = "") -> "Tap":
        """Follow the widget's stream (of the replica `at`) from an entry on, as raw bytes and as events."""
        tap = Tap(self, await self.shop.token(conversation), after, at or self.url)
        self._taps.append(tap.task)
        return tap

    async def replay(self, conversation: str = CONVERSATION) -> "Tap":
        """What a window that knows nothing is given now, up to a message written for the purpose."""
        tap = await self.stream(0, conversation)
        end = f"end of replay {len(self._taps)}"
        seq = await self.shopper_writes(end)
        await tap.until(lambda: tap.position >= seq)
        return tap

    async def relayed(self) -> list[str]:
        """The operators' texts as the store's backend is given them."""
        entries = (await self.shop.conversation(CONVERSATION))["entries"]
        return [one["text"] for one in entries if one["kind"] == "message" and one["author"] == "operator"]


class Tap:
    """One open stream of the widget."""

    def __init__(self, world: World, token: str, after: int, url: str) -> None:
        self.raw = b""
        self.entries: list[Json] = []
        self.position = after
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._read(world, token, url))

    async def _read(self, world: World, token: str, url: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": str(self.position)}
        async with world.shop.http.get(f"{url}/widget/v1/stream", headers=headers) as response:
            async for line in response.content:
                self.raw += line
                if line.startswith(b"id: "):
                    self.position = int(line[4:])
                if line.startswith(b"data: ") and b'"seq"' in line:
                    self.entries.append(json.loads(line[6:]))
                self._changed.set()

    @property
    def last(self) -> Json:
        """The newest entry; empty before the first."""
        return self.entries[-1] if self.entries else {}

    async def until(self, condition: Callable[[], T], timeout: float = 30) -> T:
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                self._changed.clear()
                await self._changed.wait()
        return value

    async def shows(self, text: str) -> Json:
        """The entry with exactly that text, once it is there."""
        return await self.until(lambda: next((one for one in self.entries if one.get("text") == text), None))

    def said(self, author: str = "operator") -> list[str]:
        return [one["text"] for one in self.entries if one["kind"] == "message" and one["author"] == author]
