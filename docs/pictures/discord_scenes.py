"""What the pictures of Discord show: cases played through a real Baton, discord.py and the tests' Discord server.

Nothing is drawn here, and no message is written by hand: the scenes keep what Baton sent.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from bot.settings import Settings, Targets, Timing, load
from bot.wiring import Baton
from docs.pictures.scenes import (
    ASIDE,
    CANCEL,
    CHAIRS,
    DECLINED,
    DIMMER,
    FIRST,
    FRIDAY,
    INVOICE,
    KEY,
    LAMP,
    MINUTE,
    OFFERED,
    SENTENCE,
    TWICE,
)
from tests.fakes.discord import FakeDiscord, Message, pointed_at
from tests.journeys.discord_world import pressable

CASE = "c-1"


class Clock:
    """Real time, some minutes ago; `minutes` moves it."""

    def __init__(self) -> None:
        self.minutes = 0.0

    def __call__(self) -> float:
        return time.time() - self.minutes * MINUTE


@dataclass
class House:
    """A store's backend, a Discord server and Baton between them."""

    baton: Baton
    discord: FakeDiscord
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
        await self.discord.settled()
        await asyncio.sleep(0.6)
        self.clock.minutes = minutes

    async def escalate(self, body: dict[str, Any]) -> Message:
        """The case's card, once its transcript stands below it."""
        known = {one.id for one in self.cards()}
        await self.post("escalations", body)
        (card,) = await self.discord.wait_for(lambda: [one for one in self.cards() if one.id not in known])
        await self.discord.wait_for(lambda: self.replies(card))
        return card

    def cards(self) -> list[Message]:
        ours = [one for one in self.discord.messages(self.channel) if one.author == self.discord.bot_id]
        return [one for one in ours if one.content.startswith(("**#", "🔴"))]

    def board(self) -> Message:
        """The channel's board."""
        return next(
            one for one in self.discord.messages(self.channel)
            if one.author == self.discord.bot_id and not one.content
        )  # fmt: skip

    def replies(self, card: Message) -> list[Message]:
        return self.discord.thread(self.channel, card.id)[1:]

    async def press(self, user: str, message: Message, action: str) -> None:
        kind, name = await self.discord.wait_for(lambda: pressable(message, action))
        if kind == "button":
            pressed = await self.discord.click(user, message.channel_id, message.id, name)
        else:
            pressed = await self.discord.choose(user, message.channel_id, message.id, kind, [name])
        await pressed.outcome()

    async def claim(self, user: str, card: Message) -> None:
        await self.press(user, card, "claim")
        await self.says(card, "claimed this")

    async def says(self, card: Message, words: str) -> None:
        """The thread shows that."""
        await self.discord.wait_for(
            lambda: any(words in self.discord.text_of(one) for one in self.replies(card))
        )

    async def write(self, user: str, card: Message, text: str) -> str:
        return await self.discord.post(user, self.channel, text, thread=card.id)


@asynccontextmanager
async def house(names: Iterable[str], leads: Iterable[str]) -> AsyncIterator[House]:
    """All of it, running."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord(clock=clock) as discord, aiohttp.ClientSession(raise_for_status=True) as http:
            people = {discord.add_user(name): name for name in names}
            people |= {discord.add_user(name, lead=True): name for name in leads}
            channel = discord.add_channel("support")
            with pointed_at(discord, hurried=True):
                baton = Baton(_settings(discord, folder, channel), clock=clock)
                await baton.start()
                await discord.connected()
                http.headers["Authorization"] = f"Bearer {KEY}"
                yield House(baton, discord, http, clock, channel, people)
                await baton.stop()


def _settings(discord: FakeDiscord, folder: str, channel: str) -> Settings:
    settings = load({
        "BATON_DATABASE_URL": f"sqlite:///{folder}/baton.db", "BATON_SECRET": KEY, "BATON_API_KEY": KEY,
        "BATON_PORT": "0", "DISCORD_TOKEN": discord.token, "DISCORD_GUILD_ID": discord.guild_id,
        "DISCORD_API_URL": discord.api_url, "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DISCORD_CHANNEL_ID": channel,
    })  # fmt: skip
    return replace(
        settings,
        stores={"main": replace(settings.stores["main"], brand="Lumen & Oak")},
        timing=replace(Timing().scaled(0.05), presence_gone=45.0, lease=5.0, call_timeout=2.0),
        targets=Targets(0),
        queue_seconds=30.0,
    )


@dataclass
class Morning:
    """What Dana has before her: a waiting card, then its thread, and the channel's board."""

    waiting: Message
    card: Message
    thread: list[Message]
    board: Message
    people: dict[str, str]
    bot: str
    now: float
    asked: float


async def morning() -> Morning:
    """Six cases: some waiting, some somebody's; and Sarah's lamp in Dana's hands."""
    async with house(["Dana Miller", "Eli Ward", "Maya Lopez"], ["Lena Ortiz"]) as at:
        dana, eli, *_ = at.people
        await _earlier(at, dana, eli)
        await at.ago(9)
        await _complain(at)
        card = await at.escalate(LAMP)
        waiting, asked = replace(card), at.clock()
        await at.ago(8)
        await at.claim(dana, card)
        await at.ago(7)
        said = await at.write(dana, card, SENTENCE)
        await _seen(at)
        await at.discord.wait_for(lambda: "👀" in at.discord.message(card.id, said).reactions)
        await at.ago(5)
        await _says(at, "m3", FRIDAY)
        await at.says(card, "by Friday")
        await at.ago(4)
        await at.escalate(CANCEL)
        await at.ago(3)
        await at.write(eli, card, ASIDE)
        await at.says(card, "stayed inside")
        await at.ago(0)
        await at.discord.wait_for(lambda: "3 waiting" in at.discord.text_of(at.board()), timeout=60)
        return Morning(
            waiting=waiting, card=replace(card), thread=at.replies(card), board=at.board(), people=at.people,
            bot=at.discord.bot_id, now=at.clock(), asked=asked,
        )  # fmt: skip


async def _says(at: House, message: str, text: str) -> None:
    """Sarah writes that; the store's backend passes it on."""
    body = {"id": message, "author": "shopper", "text": text, "shopper": LAMP["shopper"]}
    await at.post(f"conversations/{CASE}/messages", body)


async def _complain(at: House) -> None:
    """What came before a person was asked for."""
    await _says(at, "m1", FIRST)
    await at.post(f"conversations/{CASE}/messages", {"id": "a1", "author": "assistant", "text": OFFERED})
    await _says(at, "m2", DECLINED)


async def _seen(at: House) -> None:
    """Sarah's window is open in front of her, and has shown all there is."""
    asked = {"shopper": {"id": "s-77", "name": "Sarah K."}, "conversation_id": CASE}
    token = (await at.post("widget-tokens", asked))["token"]
    body = {"delivered": 10_000, "seen": 10_000, "hidden": False, "tab": "t1"}
    headers = {"Authorization": f"Bearer {token}"}
    async with at.http.post(f"{at.url}/widget/v1/seen", json=body, headers=headers) as answer:
        assert answer.status < 300, json.dumps(body)


async def _earlier(at: House, dana: str, eli: str) -> None:
    await at.ago(180)
    invoice = await at.escalate(INVOICE)
    await at.claim(eli, invoice)
    await at.write(eli, invoice, "Of course! What is its full address?")
    await at.ago(55)
    chairs = await at.escalate(CHAIRS)
    await at.claim(dana, chairs)
    await at.write(dana, chairs, "I've asked the carrier, and tell you tomorrow morning.")
    await at.ago(31)
    await at.escalate(TWICE)
    await at.ago(18)
    await at.escalate(DIMMER)
