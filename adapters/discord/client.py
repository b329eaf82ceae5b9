"""The gateway: where Discord's events come from, until the connection is given up.

discord.py keeps it open, beats its heart and resumes; a client that was closed, or refused, is replaced by a fresh
one. Events are handed over as Discord sent them, in their order, before discord.py makes tasks of them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from adapters.discord.vendor import discord
from bot.settings import Discord, Timing

log = logging.getLogger("baton.discord")

HEARD = (
    "READY", "RESUMED", "GUILD_CREATE", "GUILD_DELETE", "PRESENCE_UPDATE",
    "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE",
    "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE",
    "THREAD_CREATE", "THREAD_UPDATE", "THREAD_DELETE", "THREAD_LIST_SYNC",
    "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "MESSAGE_REACTION_ADD", "TYPING_START",
)  # fmt: skip
"""The events that are handed over."""

Event = Mapping[str, Any]
Hear = Callable[[str, Event], None]


def intents_for(switched_on: frozenset[str]) -> discord.Intents:
    """What we listen to; of the privileged ones those that the app's portal allows, since asking for more ends the
    connection."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.guild_reactions = intents.guild_typing = True
    intents.message_content = "message_content" in switched_on
    intents.members = "members" in switched_on
    intents.presences = "presences" in switched_on
    return intents


class Gateway(discord.Client):
    """One signed-in client. `hear` gets every event of `HEARD`; `prepare` adds what people press, before it
    connects."""

    def __init__(
        self,
        settings: Discord,
        timing: Timing,
        switched_on: frozenset[str],
        hear: Hear,
        prepare: Callable[["Gateway"], None] = lambda _: None,
    ):
        super().__init__(
            intents=intents_for(switched_on),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=min(2.0, timing.call_timeout / 4),
            max_ratelimit_timeout=30.0,
        )
        self._settings = settings
        self._hear = hear
        self._prepare = prepare
        self.greeted = False
        """READY or RESUMED has come on the connection that is open now."""
        parsers = self._connection.parsers
        for name in HEARD:
            parsers[name] = self._told(name, parsers.get(name))

    @property
    def guild(self) -> discord.Guild | None:
        """Ours; None while Discord has not sent it, or where we are not in it."""
        return self.get_guild(int(self._settings.guild_id))

    async def setup_hook(self) -> None:
        """After the login, before the gateway."""
        self._prepare(self)

    async def on_disconnect(self) -> None:
        """discord.py connects again by itself; who waits too long for that makes a fresh client."""
        self.greeted = False

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Never the error's own text: it may hold what a customer wrote."""
        log.error("discord: a listener failed", extra={"event": event_method}, exc_info=False)

    def _told(self, name: str, parse: Callable[[Any], None] | None) -> Callable[[Any], None]:
        def take(data: Any) -> None:
            if name in ("READY", "RESUMED"):
                self.greeted = True
            if parse is not None:
                parse(data)
            self._hear(name, data or {})

        return take


async def closed(client: Gateway) -> None:
    """Close it, however long a dead connection takes to say so."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(2.0):
            await client.close()
