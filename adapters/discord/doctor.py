"""Everything that can be wrong with a Discord set-up, tried one after the other, each with what to do about it.

It posts for real: a message in each team's channel, a thread, a reply in it, a reaction, and takes them back. What
comes in is tried by a connection of our own: Discord tells every connection, so a Baton that runs loses nothing.
Nothing here is Baton's work: no case, no database.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from adapters.discord import troubles
from adapters.discord.api import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, Identity
from adapters.discord.client import Event, Gateway, closed
from adapters.discord.manifest import INTENTS, WANTED
from adapters.discord.outbound import DiscordChat
from adapters.discord.permissions import may
from bot import texts
from bot.checkup import Finding, ok, problem, unknown
from bot.errors import DeliveryFault
from bot.people import Member, Role
from bot.settings import Discord, TeamPolicy, Timing

ABOUT = "discord"
MOST_NAMES = 10
REACTION = "👀"
THREAD = "Baton's doctor"

Json = dict[str, Any]


class Doctor:
    """`patience`: seconds to wait for the gateway, and for the events of our own messages."""

    def __init__(
        self, settings: Discord, timing: Timing, teams: Sequence[TeamPolicy], *, patience: float = 15.0
    ):
        self._settings = settings
        self._timing = timing
        self._teams = teams
        self._patience = patience
        self._chat = DiscordChat(settings, timing, teams)

    async def examine(self) -> list[Finding]:
        """All of it. A refused token or a server that we are not in ends it: all else would fail for that."""
        try:
            return [finding async for finding in self._examine()]
        finally:
            await self._chat.close()

    async def _examine(self) -> AsyncIterator[Finding]:
        try:
            identity = await self._chat.directory.identity(fresh=True)
        except DeliveryFault as fault:
            yield problem(ABOUT, troubles.no_access(fault.reason, self._settings))
            return
        yield ok(ABOUT, f"The bot token works; the bot is called {identity.name}.")
        for finding in _intents(identity):
            yield finding
        try:
            guild = await self._chat.directory.guild()
        except DeliveryFault as fault:
            yield problem(ABOUT, troubles.no_access(fault.reason, self._settings))
            return
        yield ok(ABOUT, f"Baton is in the server {guild.get('name') or self._settings.guild_id}.")
        async with self._listening(identity) as heard:
            yield _gateway(heard)
            for team in self._teams:
                for finding in await self._team(team, heard):
                    yield finding

    @asynccontextmanager
    async def _listening(self, identity: Identity) -> AsyncIterator["_Heard"]:
        """Our own connection for the time of the examination."""
        heard = _Heard()
        client = Gateway(self._settings, self._timing, identity.intents, heard.take)
        running = asyncio.create_task(client.start(self._settings.token), name="discord-doctor")
        try:
            heard.greeted = await heard.of(_Heard.GREETED, self._patience, running)
            yield heard
        finally:
            await closed(client)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    # A team

    async def _team(self, team: TeamPolicy, heard: "_Heard") -> list[Finding]:
        about = f"{ABOUT}:{team.name}"
        try:
            troubles_found = await self._chat.check_channel(team.channel)
        except DeliveryFault as fault:
            return [problem(about, troubles.no_access(fault.reason, self._settings))]
        if troubles_found:
            return [problem(about, one) for one in troubles_found]
        found = [ok(about, f"Baton sees {team.channel} and may do there what it must.")]
        found += await self._wanted(team, about)
        found += await self._round(team, about, heard)
        found += await self._people(team, about)
        return found

    async def _wanted(self, team: TeamPolicy, about: str) -> list[Finding]:
        allowed = await self._chat.directory.permissions(team.channel)
        return [
            unknown(about, f"Without the permission {name} Baton cannot {why}.")
            for permission, (name, why) in WANTED.items()
            if not may(allowed, permission)
        ]

    async def _round(self, team: TeamPolicy, about: str, heard: "_Heard") -> list[Finding]:
        """A message, its thread, a reply, a reaction, read back; all of it is gone afterwards, whatever fails."""
        trial = _Trial(self._chat)
        try:
            await trial.run(await self._chat.directory.channel_id(team.channel))
            told = heard.greeted and await heard.of(trial.reply, self._patience)
            await trial.take_back()
        except DeliveryFault as fault:
            with contextlib.suppress(DeliveryFault):  # what had failed before is what matters
                await trial.take_back()
            return [problem(about, _cannot(trial.step, fault.reason))]
        done = "Posting, threading, reacting, reading back and deleting work."
        left = (
            ""
            if trial.thread_is_gone
            else " The test's thread stays in the archive: deleting takes Manage Threads."
        )
        found = [ok(about, done + left)]
        if told:
            return [*found, ok(about, "The round trip works: Discord told us of our own message.")]
        if heard.greeted:
            return [*found, problem(about, _heard_nothing())]
        return [*found, unknown(about, "Not tried: whether events come in, since there is no gateway.")]

    async def _people(self, team: TeamPolicy, about: str) -> list[Finding]:
        found: list[Finding] = []
        if team.group and not await self._chat.group(team.group):
            found.append(
                problem(about, f"There is no role {team.group}; correct `group` of teams.{team.name}.")
            )
        try:
            members = await self._chat.members(team.channel, team)
            for entry, ids in (await self._chat.directory.unmatched(team)).items():
                found.append(problem(about, texts.terminal.doctor_names_nobody(team.name, entry, ids)))
        except DeliveryFault as fault:
            why = (
                troubles.no_member_list()
                if fault.reason == "members_intent"
                else _cannot("list people", fault.reason)
            )
            return [*found, problem(about, why)]
        leads, operators = _names(members, Role.LEAD), _names(members, Role.OPERATOR)
        if not leads and not operators:
            return [*found, problem(about, texts.terminal.doctor_nobody(team.name, team.channel))]
        found.append(ok(about, f"Leads: {leads or 'nobody'}. Operators: {operators or 'nobody'}."))
        if not leads:
            found.append(unknown(about, _no_leads(team.name)))
        return found


class _Trial:
    """What a case does, on a small scale. `step` is what is being tried."""

    def __init__(self, chat: DiscordChat):
        self._chat = chat
        self._made: list[tuple[str, str]] = []
        self._thread = ""
        self.step = ""
        self.reply = ""
        self.thread_is_gone = True

    async def run(self, channel: str) -> None:
        """Forward. `DeliveryFault` where it does not go on."""
        call = self._chat.api.call
        self.step = "post"
        root = await self._said(channel)
        self.step = "open a thread"
        await call(
            "POST", "/channels/{channel_id}/messages/{message_id}/threads", repeatable=True,
            json={"name": THREAD, "auto_archive_duration": 60}, channel_id=channel, message_id=root,
        )  # fmt: skip
        self._thread = root
        self.step = "write in a thread"
        self.reply = await self._said(root)
        self.step = "react"
        await call(
            "PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", repeatable=True,
            channel_id=root, message_id=self.reply, emoji=REACTION,
        )  # fmt: skip
        self.step = "read a thread back"
        await call(
            "GET", "/channels/{channel_id}/messages/{message_id}", repeatable=True,
            channel_id=root, message_id=self.reply,
        )  # fmt: skip
        self.step = "take a message back"

    async def _said(self, channel: str) -> str:
        answer = await self._chat.api.call(
            "POST", "/channels/{channel_id}/messages", channel_id=channel,
            json={"content": texts.terminal.doctor_was_here(), "allowed_mentions": {"parse": []}, "flags": 1 << 12},
        )  # fmt: skip
        self._made.append((channel, str(answer["id"])))
        return str(answer["id"])

    async def take_back(self) -> None:
        """The newest first. A thread outlives its message; deleting it takes a permission, archiving our own none."""
        call = self._chat.api.call
        gone = {UNKNOWN_MESSAGE, UNKNOWN_CHANNEL}
        while self._made:
            channel, message = self._made[-1]
            await call(
                "DELETE", "/channels/{channel_id}/messages/{message_id}", repeatable=True, unless=gone,
                channel_id=channel, message_id=message,
            )  # fmt: skip
            self._made.pop()
        if self._thread:
            thread, self._thread = self._thread, ""
            self.thread_is_gone = await self._end(thread)

    async def _end(self, thread: str) -> bool:
        call, path = self._chat.api.call, "/channels/{channel_id}"
        try:
            await call("DELETE", path, repeatable=True, unless={UNKNOWN_CHANNEL}, channel_id=thread)
        except DeliveryFault:
            with contextlib.suppress(DeliveryFault):
                await call("PATCH", path, repeatable=True, json={"archived": True}, channel_id=thread)
            return False
        return True


class _Heard:
    """What the gateway told us, by the messages' ids."""

    GREETED = "greeted"

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._more = asyncio.Event()
        self.greeted = False

    def take(self, name: str, event: Event) -> None:
        """An event as Discord sent it."""
        if name == "READY":
            self._seen.add(self.GREETED)
        elif name == "MESSAGE_CREATE":
            self._seen.add(str(event.get("id")))
        self._more.set()

    async def of(self, what: str, seconds: float, unless: "asyncio.Task[None] | None" = None) -> bool:
        """Whether that comes within so many seconds, or before that task ends."""
        try:
            async with asyncio.timeout(seconds):
                while what not in self._seen:
                    self._more.clear()
                    waiting = asyncio.create_task(self._more.wait())
                    await asyncio.wait(
                        {waiting, unless} if unless else {waiting}, return_when=asyncio.FIRST_COMPLETED
                    )
                    waiting.cancel()
                    if unless is not None and unless.done() and what not in self._seen:
                        return False
        except TimeoutError:
            return False
        return True


# --- sentences ------------------------------------------------------------------------------------------------


def _intents(identity: Identity) -> list[Finding]:
    found = []
    if "message_content" not in identity.intents:
        found.append(problem(ABOUT, troubles.no_message_content()))
    if "members" not in identity.intents:
        found.append(problem(ABOUT, troubles.no_member_list()))
    if "presences" not in identity.intents:
        name, why = INTENTS["presences"]
        found.append(unknown(ABOUT, f"The {name} is off, so Baton does not {why}."))
    return found or [ok(ABOUT, "All three intents are on.")]


def _gateway(heard: _Heard) -> Finding:
    if heard.greeted:
        return ok(ABOUT, "The gateway: Discord greets our connection.")
    return problem(
        ABOUT,
        "Discord's gateway does not greet us, so nothing would be heard; check that outgoing WebSocket connections to "
        "gateway.discord.gg are allowed, and DISCORD_GATEWAY_URL.",
    )


def _cannot(step: str, reason: str) -> str:
    cures = {
        "missing_permissions": "compare what Baton's role may do there with `python -m bot manifest discord`",
        "missing_access": "allow Baton's role to view the channel",
        "ratelimited": "wait a minute and check again",
        "too_many_threads": "archive old threads; a server has room for 1,000 active ones",
    }
    return f"Baton cannot {step} there ({reason}); {cures.get(reason, 'mend that and check again')}."


def _heard_nothing() -> str:
    return (
        "Discord did not tell us of our own message, so replies would not arrive; allow Baton's role to view the "
        "channel and its threads, and check the intents above."
    )


def _no_leads(team: str) -> str:
    return (
        f"Nobody leads the team; name somebody in teams.{team}.leads, or give a role that may Manage Threads in the "
        "channel."
    )


def _names(members: Sequence[Member], role: Role) -> str:
    names = sorted(one.actor.name for one in members if one.actor.role is role)
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
