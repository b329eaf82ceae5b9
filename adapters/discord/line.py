"""The gateway, held by one replica at a time, and connected for as long as it is held.

A lease says who holds it. It only saves work: were two to listen, the second would find every event stored. A token
or an intent that Discord refuses is looked at again once a minute, since every attempt counts against the bot.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable

from adapters.discord import troubles
from adapters.discord.api import DiscordApi
from adapters.discord.client import Event, Gateway, closed
from adapters.discord.vendor import discord
from bot.commands import HoldLease
from bot.errors import BatonError, Busy, DeliveryFault
from bot.ports import Bus
from bot.settings import Discord, Timing

log = logging.getLogger("baton.discord")

LEASE = "discord gateway"
MOST_REST = 4
"""Two minutes between two attempts, as Discord allows a bot 1,000 sessions a day."""
REFUSED = 4004, 4010, 4011, 4012, 4013, 4014
"""Reasons for which Discord closes a connection that are not mended by another one."""


class Line:
    """`run` until cancelled. `hear` gets the events, `prepare` every fresh client, `gone` word that a connection was
    given up for good. `alone`: nobody can share the database, so there is nobody to ask."""

    def __init__(
        self,
        settings: Discord,
        timing: Timing,
        api: DiscordApi,
        hear: Callable[[str, Event], None],
        prepare: Callable[[Gateway], None],
        gone: Callable[[], None],
        *,
        alone: bool = False,
    ):
        self._settings = settings
        self._timing = timing
        self._api = api
        self._hear = hear
        self._prepare = prepare
        self._gone = gone
        self._holder = secrets.token_hex(6)
        self._alone = alone
        self._lease = max(5 * timing.due_tick, 1.0)
        self._listening: asyncio.Task[None] | None = None
        self._held_until = 0.0
        self._said = ""
        self._elsewhere = False
        self.client: Gateway | None = None
        self.first = asyncio.Event()
        """Set once it is known how things stand: greeted, refused, or another replica listens."""

    @property
    def connected(self) -> bool:
        """Discord has greeted the connection that is open now; or another replica listens, and Discord takes our
        calls."""
        if self._elsewhere:
            return not self._api.refused
        return self.client is not None and self.client.greeted

    async def run(self, bus: Bus) -> None:
        """Hold the lease or wait for it, and listen while it is ours."""
        if self._alone:
            await self._listen()
        try:
            while True:
                if await self._holds(bus):
                    self._begin()
                else:
                    await self._end()
                await asyncio.sleep(self._lease / 4)
        finally:
            await self._end()
            with contextlib.suppress(Busy):  # it ends by itself; the others need not wait for that
                await bus.submit(HoldLease(LEASE, self._holder, 0.0))

    async def _holds(self, bus: Bus) -> bool:
        """While the database is away, or refuses, what was held is held until its end."""
        try:
            held = bool(await bus.submit(HoldLease(LEASE, self._holder, self._lease)))
        except BatonError:
            return time.monotonic() < self._held_until
        self._held_until = time.monotonic() + self._lease if held else 0.0
        self._elsewhere = not held
        if not held:
            self.first.set()
        return held

    def _begin(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(), name="discord-gateway")

    async def _end(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        """One connection after the other. A refusal rests for a minute, anything else backs off."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                refusal = await self._stay_connected()
            except Exception as error:  # the root of the task  # noqa: BLE001
                log.error("discord: the gateway broke", extra={"fault": type(error).__name__})
                refusal = ""
            if refusal:
                self._say(refusal)
                self.first.set()
                await asyncio.sleep(self._timing.members_refresh)
                continue
            failures = 1 if time.monotonic() - began > self._timing.socket_watch * 2 else failures + 1
            first, most = self._timing.backoff_first, self._timing.socket_watch * MOST_REST
            await asyncio.sleep(min(first * 2.0 ** min(failures - 1, 10), most))

    async def _stay_connected(self) -> str:
        """Until the connection is given up; the answer is why Discord will not have it, as a sentence with its cure."""
        try:
            identity = await self._api.identity(fresh=True)
        except DeliveryFault as fault:
            sentence = troubles.no_access(fault.reason, self._settings)
            if self._api.refused:
                return sentence
            self._say(sentence)
            return ""
        if "message_content" not in identity.intents:
            return troubles.no_message_content()
        client = Gateway(self._settings, self._timing, identity.intents, self._heard, self._prepare)
        self.client = client
        running = asyncio.create_task(client.start(self._settings.token), name="discord-client")
        try:
            await self._watch(client, running)
        finally:
            running.cancel()
            await closed(client)
            ended = await asyncio.gather(running, return_exceptions=True)
            self.client = None
            self._gone()
        return _refusal(ended[0], self._settings)

    async def _watch(self, client: Gateway, running: "asyncio.Task[None]") -> None:
        """Until it ends, or was without a greeting for too long: discord.py waits longer and longer."""
        patience = self._timing.socket_watch
        missing_since = time.monotonic()
        while time.monotonic() - missing_since < patience:
            await asyncio.wait({running}, timeout=patience / 20)
            if running.done():
                return
            if client.greeted:
                missing_since = time.monotonic()
        log.warning("discord: no greeting for too long; connecting anew")

    def _heard(self, name: str, event: Event) -> None:
        if name == "READY":
            self._said = ""
            self.first.set()
        self._hear(name, event)

    def _say(self, sentence: str) -> None:
        """Once, not with every attempt."""
        if sentence != self._said:
            log.error("discord: %s", sentence)
            self._said = sentence


def _refusal(ended: object, settings: Discord) -> str:
    if isinstance(ended, discord.LoginFailure):
        return troubles.no_access("token_refused", settings)
    if isinstance(ended, discord.PrivilegedIntentsRequired):
        return troubles.no_message_content()
    if isinstance(ended, discord.ConnectionClosed) and ended.code in REFUSED:
        return troubles.no_access(
            "token_refused" if ended.code == 4004 else f"gateway_{ended.code}", settings
        )
    return ""
