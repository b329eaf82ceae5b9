"""Who types, both ways: the owner of a case in its thread, and the shopper in their window. Told at once or not at all.

Discord says it every ten seconds and shows it for as long, so neither way is told more often than that.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from adapters.discord.outbound import DiscordChat
from adapters.discord.places import PLATFORM
from bot.commands import OperatorTypes
from bot.entries import Author
from bot.errors import BatonError
from bot.ports import Bus, Changes, Desk
from bot.posts import Place

SHOWN = 8.0
"""Seconds that Discord shows it, less a margin."""
REMEMBERED = 1_000


class WhoTypes:
    """`errand` runs what nobody waits for."""

    def __init__(self, chat: DiscordChat, bus: Bus, desk: Desk, errand: Callable[[Any], object]):
        self._chat = chat
        self._bus = bus
        self._desk = desk
        self._errand = errand
        self._told: OrderedDict[str, float] = OrderedDict()

    def heard(self, event: Mapping[str, Any]) -> None:
        """Somebody types in our guild."""
        thread, user = str(event.get("channel_id") or ""), str(event.get("user_id") or "")
        bot = ((event.get("member") or {}).get("user") or {}).get("bot")
        ours = str(event.get("guild_id")) == self._chat.guild_id
        if ours and thread and user and not bot and self._is_due(f"{thread}:{user}"):
            self._errand(self._quietly(self._operator(thread, user)))

    def changed(self, changes: Changes) -> None:
        """Shoppers type."""
        for number, author, _ in changes.typing:
            if author == Author.SHOPPER and self._is_due(f"#{number}"):
                self._errand(self._quietly(self._shopper(number)))

    async def _operator(self, thread: str, user: str) -> None:
        channel = await self._chat.directory.parent_of(thread)
        if channel:
            actor = await self._chat.directory.actor(user, here=channel)
            await self._bus.submit(OperatorTypes(Place(PLATFORM, channel, thread), actor))

    async def _shopper(self, number: int) -> None:
        place = await self._desk.thread_of(number, PLATFORM)
        if place is not None:
            await self._chat.typing(place.root)

    async def _quietly(self, telling: Awaitable[None]) -> None:
        """Nobody misses it."""
        with suppress(BatonError):
            await telling

    def _is_due(self, what: str) -> bool:
        now = time.monotonic()
        if now - self._told.get(what, -SHOWN) < SHOWN:
            return False
        self._told[what] = now
        self._told.move_to_end(what)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True
