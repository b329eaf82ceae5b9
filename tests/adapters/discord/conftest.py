"""A local Discord with a channel, its people, and the adapter's outbound half."""

import time
from collections.abc import AsyncIterator

import pytest

from adapters.discord.outbound import DiscordChat
from bot.entries import Author
from bot.posts import Action, Button, Card, Place, Post, PostKind, Turn
from bot.settings import Discord, TeamPolicy, Timing
from tests.fakes.discord import FakeDiscord

CARD = Card(
    number=1042,
    title="Refund for order #4521",
    status="Waiting for a person",
    stage="waiting",
    since=1_700_000_000.0,
    buttons=(Button(Action.CLAIM, "Claim", "1042", "primary"),),
)


def line(text: str) -> Post:
    """A post that stands under Baton's own name."""
    return Post(PostKind.ALERT, text=text)


def shopper(text: str) -> Post:
    """A shopper's turn, which a webhook says."""
    return Post(PostKind.TURNS, turns=(Turn(1, Author.SHOPPER, "Sarah K.", text, 0.0),))


class Room:
    """`chat` is one process's; `another()` a second one's, or the same after a crash."""

    def __init__(self, discord: FakeDiscord, **team: object):
        self.discord = discord
        self.settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        self.anna = discord.add_user("anna", nick="Anna Berg")
        self.lea = discord.add_user("lea", lead=True)
        self.gus = discord.add_user("gus")
        self.channel = discord.add_channel("support", [self.anna, self.lea], private=True)
        self.began = time.time()
        self.chats: list[DiscordChat] = []
        self.chat = self.another()

    def another(self, *teams: TeamPolicy, **timing: float) -> DiscordChat:
        from dataclasses import replace

        chat = DiscordChat(self.settings, replace(Timing(), call_timeout=2.0, **timing), teams)
        self.chats.append(chat)
        return chat

    async def thread(self, delivery: str = "open") -> Place:
        posted = await self.chat.open_thread("#support", CARD, delivery)
        return Place("discord", posted.channel, posted.remote_id)

    def cards(self) -> list[str]:
        return [one.id for one in self.discord.messages(self.channel)]

    def posts(self, place: Place) -> list[str]:
        return [one.content for one in self.discord.thread(self.channel, place.root)[1:]]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with FakeDiscord() as discord:
        made = Room(discord)
        yield made
        for chat in made.chats:
            await chat.close()
