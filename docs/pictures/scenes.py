"""What the pictures show: cases played through a real Baton, the tests' Slack server and the widget in Chromium.

Nothing is drawn here, and no block is written by hand: the scenes keep what Baton sent.
"""

import asyncio
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page

from bot import replies
from bot.settings import Settings, Targets, Timing, load
from bot.wiring import Baton
from tests.fakes.slack import FakeSlack, Fault, Message

ROOT = Path(__file__).parents[2]
KEY = "k" * 32
MINUTE = 60.0
SENTENCE = "I'm so sorry, Sarah. A new lamp leaves today, and you needn't send the old one back."
NOTE = "// Halo base cracked in transit again, third one this week"
FIRST = "Hi, the lamp from order #4521 came in two pieces."
OFFERED = "I'm sorry to hear that! I can offer you store credit for it."
DECLINED = "Credit doesn't help me, I need a lamp."
SARAH = {
    "id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip", "orders_count": 3,
    "lifetime_value": 840.5, "currency": "USD",
}  # fmt: skip
LAMP = {
    "conversation_id": "c-1",
    "shopper": SARAH,
    "reason": {"trigger": "api", "detail": "store credit declined"},
    "priority": "high",
    "summary": {
        "issue": "Halo lamp arrived broken",
        "tried": ["Verified the order", "Offered store credit"],
        "sentiment": "frustrated",
        "suggested_reply": "I'm sorry about the lamp, Sarah. Would you like a new one, or your money?",
    },
    "collected": {"order_id": "4521"},
    "orders": [{"id": "4521", "status": "delivered", "total": 129.0}],
    "transcript": [],
}


class Clock:
    """Real time, some minutes ago; `minutes` moves it."""

    def __init__(self) -> None:
        self.minutes = 0.0

    def __call__(self) -> float:
        return time.time() - self.minutes * MINUTE


@dataclass
class House:
    """A store's backend, a Slack workspace and Baton between them."""

    baton: Baton
    slack: FakeSlack
    http: aiohttp.ClientSession
    clock: Clock
    channel: str
    people: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.baton.web.port}"

    async def post(self, path: str, body: Any) -> Any:
        async with self.http.post(f"{self.url}/v1/{path}", json=body) as answer:
            return await answer.json()

    async def ago(self, minutes: float) -> None:
        """So long before the picture, once everything so far has been done."""
        await self.slack.settled()
        await asyncio.sleep(0.6)
        self.clock.minutes = minutes

    async def escalate(self, body: dict[str, Any]) -> Message:
        """The case's card, once its transcript stands below it."""
        known = {one.ts for one in self.roots()}
        await self.post("escalations", body)
        (root,) = await self.slack.wait_for(lambda: [one for one in self.roots() if one.ts not in known])
        await self.slack.wait_for(lambda: self.replies(root))
        return root

    def roots(self) -> list[Message]:
        return [one for one in self.slack.messages(self.channel) if one.bot_id and not one.is_reply]

    def replies(self, root: Message) -> list[Message]:
        return [one for one in self.slack.thread(self.channel, root.ts)[1:] if not one.deleted]

    async def claim(self, user: str, root: Message) -> None:
        await self.slack.click(user, self.channel, root.ts, "baton:claim")
        await self.says(root, "claimed this")

    async def says(self, root: Message, words: str) -> None:
        """The thread shows that."""
        await self.slack.wait_for(
            lambda: any(words in self.slack.text_of(one) for one in self.replies(root) if one.bot_id)
        )

    async def write(self, user: str, root: Message, text: str) -> str:
        return await self.slack.post(user, self.channel, text, thread_ts=root.ts)

    async def menu(self, user: str, root: Message, action: str) -> Any:
        """The window behind an entry of the card's menu."""
        number = next(
            one["value"] for one in _elements(root) if one["action_id"] in ("baton:claim", "baton:resolve")
        )
        await self.slack.click(user, self.channel, root.ts, "baton:menu", f"{action}|{number}")
        return await self.slack.wait_for(lambda: self._form(user))

    def _form(self, user: str) -> Any:
        view = self.slack.window(user)
        ready = view is not None and ("submit" in view.content or "baton:next" in str(view.content))
        return view if ready else None


def _elements(message: Message) -> list[dict[str, Any]]:
    return [one for block in message.blocks for one in block.get("elements", ()) if "action_id" in one]


@asynccontextmanager
async def house(
    teams: Sequence[str], names: Iterable[str], leads: Iterable[str] = ()
) -> AsyncIterator[House]:
    """All of it, running; everybody is in every team's channel."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        async with FakeSlack(clock=clock) as slack, aiohttp.ClientSession(raise_for_status=True) as http:
            people = {slack.add_user(name): name for name in names}
            people |= {slack.add_user(name, admin=True): name for name in leads}
            channels = [slack.add_channel(team, members=[*people]) for team in teams]
            baton = Baton(_settings(slack, folder, teams), clock=clock)
            await baton.start()
            await slack.connected()
            http.headers["Authorization"] = f"Bearer {KEY}"
            yield House(baton, slack, http, clock, channels[0], people)
            await baton.stop()


def _settings(slack: FakeSlack, folder: str, teams: Sequence[str]) -> Settings:
    settings = load({
        "BATON_DATABASE_URL": f"sqlite:///{folder}/baton.db", "BATON_SECRET": KEY, "BATON_API_KEY": KEY,
        "BATON_PORT": "0", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_LIMITS": "off", "SLACK_API_URL": slack.api_url, "SLACK_CHANNEL": "#support",
    })  # fmt: skip
    support = settings.teams["support"]
    saved = tomllib.loads((ROOT / "replies.example.toml").read_text())
    return replace(
        settings,
        stores={"main": replace(settings.stores["main"], brand="Lumen & Oak")},
        teams={name: replace(support, name=name, channel=f"#{name}") for name in teams},
        timing=replace(Timing().scaled(0.05), presence_gone=45.0, lease=5.0, call_timeout=2.0),
        targets=Targets(0),
        replies=replies.read(saved, teams),
    )


async def open_widget(browser: Browser, at: House) -> Page:
    """Sarah's phone with the chat open."""
    asked = {"shopper": {"id": "s-77", "name": "Sarah K."}, "conversation_id": "c-1"}
    token = (await at.post("widget-tokens", asked))["token"]
    page = await browser.new_page(viewport={"width": 350, "height": 850}, device_scale_factor=2)
    shop = f'<script src="/widget.js" data-store="main" data-token="{token}"></script>'
    await page.route("**/shop", lambda route: route.fulfill(body=shop, content_type="text/html"))
    await page.goto(f"{at.url}/shop")
    await page.get_by_test_id("launcher").click()
    return page


async def say(page: Page, text: str) -> None:
    """Sarah writes that."""
    await page.get_by_test_id("composer").fill(text)
    await page.keyboard.press("Enter")
    await page.get_by_test_id("message").filter(has_text=text[:20]).wait_for()


async def _complain(page: Page, at: House) -> None:
    """What came before a person was asked for."""
    await say(page, FIRST)
    said = {"id": "a1", "author": "assistant", "text": OFFERED}
    await at.post("conversations/c-1/messages", said)
    await page.get_by_test_id("message").filter(has_text=OFFERED[:20]).wait_for()
    await say(page, DECLINED)


# --- one sentence ---------------------------------------------------------------------------------------------


@dataclass
class Handoff:
    """What was on the screens: the waiting card alone, then the thread with its people, and the phone."""

    waiting: Message
    card: Message
    replies: list[Message]
    people: dict[str, str]
    now: float
    phone: bytes
    bubble: dict[str, float]


async def handoff(browser: Browser) -> Handoff:
    """A shopper's broken lamp, from her first words to Dana's answer."""
    async with house(["support"], ["Dana Miller", "Eli Ward"]) as at:
        dana, slack = next(iter(at.people)), at.slack
        page = await open_widget(browser, at)
        await _complain(page, at)
        root = await at.escalate(LAMP)
        waiting = replace(root)
        await at.claim(dana, root)
        await page.get_by_test_id("notice").filter(has_text="Dana is here").wait_for()
        said = await at.write(dana, root, SENTENCE)
        bubble = page.get_by_test_id("message").filter(has_text="A new lamp leaves today")
        await bubble.wait_for()
        await at.write(dana, root, NOTE)
        await say(page, "Oh wow, thank you Dana!")
        await at.says(root, "thank you Dana")
        await slack.wait_for(lambda: "eyes" in slack.message(at.channel, said).reactions)
        await asyncio.sleep(1.5)
        box = await bubble.locator(".bubble").bounding_box()
        scene = Handoff(
            waiting=waiting,
            card=slack.message(at.channel, root.ts),
            replies=at.replies(root),
            people=at.people,
            now=at.clock(),
            phone=await page.screenshot(),
            bubble=dict(box or {}),
        )
        await page.close()
        return scene


# --- a morning ------------------------------------------------------------------------------------------------


@dataclass
class Morning:
    """What Dana has on her phone."""

    waiting: Message
    thread: list[Message]
    home: dict[str, Any]
    assign: dict[str, Any]
    reply: dict[str, Any]
    people: dict[str, str]
    now: float


def _case(name: str, issue: str, said: str, priority: str = "normal", tier: str = "") -> dict[str, Any]:
    key = name.split(maxsplit=1)[0].lower()
    return {
        "conversation_id": key,
        "shopper": {"id": key, "name": name, **({"tier": tier} if tier else {})},
        "reason": {"trigger": "explicit_request"},
        "priority": priority,
        "summary": {"issue": issue},
        "transcript": [{"author": "shopper", "text": said}],
    }


INVOICE = _case("James Porter", "Invoice with the company's address", "Can I get an invoice for my company?")
CHAIRS = _case("Noor Haddad", "When do the two armchairs arrive?", "My armchairs are late", tier="gold")
TWICE = _case("Marco Bianchi", "Charged twice for order #4533", "I was charged twice!", "urgent")
DIMMER = _case("Ines Duarte", "Which dimmer fits the Arc lamp?", "Does the Arc lamp work with a dimmer?")
CANCEL = _case("Tom Reed", "Wants to cancel order #4540, which is packed already", "Please cancel #4540")
FRIDAY = "Oh wow, thank you Dana! Will it be here by Friday? My sister comes to stay."
ASIDE = "Courier's cut-off is 15:00, so Friday works if you book it now"
LETTER = "And here is what the box looked like when it came"


async def morning(browser: Browser) -> Morning:
    """Six cases: some waiting, some somebody's, one asleep; and Sarah's lamp in Dana's hands."""
    async with house(["support", "billing"], ["Dana Miller", "Eli Ward", "Maya Lopez"], ["Lena Ortiz"]) as at:
        dana, eli, maya, _ = at.people
        slack = at.slack
        await _earlier(at, dana, eli)
        await slack.command(maya, at.channel, "/handoff", "away 2h")
        await at.ago(9)
        page = await open_widget(browser, at)
        await _complain(page, at)
        root = await at.escalate(LAMP)
        waiting = replace(root)
        await at.ago(8)
        await at.claim(dana, root)
        await at.ago(7)
        said = await at.write(dana, root, SENTENCE)
        await slack.wait_for(lambda: "eyes" in slack.message(at.channel, said).reactions)
        await at.ago(5)
        await say(page, FRIDAY)
        await at.says(root, "by Friday")
        await at.ago(4)
        await at.escalate(CANCEL)
        await at.ago(3)
        await at.write(eli, root, ASIDE)
        await at.says(root, "stayed inside")
        await at.ago(1)
        refused = Fault.error("msg_too_long")
        slack.faults.add("chat.postMessage", refused, when=lambda args: LETTER in str(args))
        await say(page, LETTER)
        await at.says(root, "was refused")
        await at.ago(0)
        scene = Morning(
            waiting=waiting,
            thread=at.replies(root),
            home=await _home(at, dana),
            assign=await _assign(at, dana, at.roots()[2]),
            reply=await _reply(at, dana, root),
            people=at.people,
            now=at.clock(),
        )
        await page.close()
        return scene


async def _earlier(at: House, dana: str, eli: str) -> None:
    await at.ago(180)
    invoice = await at.escalate(INVOICE)
    await at.claim(eli, invoice)
    await at.write(eli, invoice, "Of course! What is its full address?")
    await at.ago(55)
    chairs = await at.escalate(CHAIRS)
    await at.claim(dana, chairs)
    await at.write(dana, chairs, "I've asked the carrier, and tell you tomorrow morning.")
    await at.write(dana, chairs, f"<@{at.slack.bot_user_id}> snooze tomorrow 9:00")
    await at.says(chairs, "snoozed this")
    await at.ago(31)
    twice = await at.escalate(TWICE)
    await at.write(dana, twice, f"<@{at.slack.bot_user_id}> tag refund")
    await at.ago(18)
    await at.escalate(DIMMER)


async def _home(at: House, user: str) -> dict[str, Any]:
    """Everything of the team's."""
    await at.slack.open_home(user)
    view = await at.slack.wait_for(lambda: at.slack.homes.get(user))
    await at.slack.click_in_view(user, view.id, "baton:look:view:teams")
    await at.slack.wait_for(lambda: '"view": "teams"' in at.slack.homes[user].content["private_metadata"])
    return dict(at.slack.homes[user].content)


async def _assign(at: House, user: str, root: Message) -> dict[str, Any]:
    """Who could have it."""
    view = await at.menu(user, root, "assign")
    await at.slack.close(view.id)
    return dict(view.content)


async def _reply(at: House, user: str, root: Message) -> dict[str, Any]:
    """The second step of a saved reply."""
    view = await at.menu(user, root, "saved_reply")
    await at.slack.click_in_view(user, view.id, "baton:next", "Refund sent")
    await at.slack.wait_for(lambda: "field:text" in str(view.content))
    return dict(view.content)
