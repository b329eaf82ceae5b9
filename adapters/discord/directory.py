"""Who and where: people, roles, presence, channels and threads, kept so that an event seldom needs a call.

Discord's events name their author with roles, and what roles may do comes with the guild; so a person's role is
computed here. All of it can be asked by REST, since only one replica holds the gateway; presence alone comes by the
gateway, and the others are told (`adapters.discord.presence`). What people are in each team is for `bot.roster` to say.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.discord.api import (
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MEMBER,
    UNKNOWN_USER,
    DiscordApi,
    Identity,
)
from adapters.discord.permissions import EVERYTHING, everywhere, inside, may
from adapters.discord.places import PLATFORM, Ourselves
from bot import roster
from bot.errors import PlaceFault
from bot.people import Actor, Member, Role, Standing
from bot.roster import Account
from bot.settings import Discord, TeamPolicy

log = logging.getLogger("baton.discord")

PLACES_SECONDS, MEMBERS_SECONDS, PERSON_SECONDS = 60.0, 60.0, 300.0
THREADS = frozenset({10, 11, 12})
"""The types of channel that are threads."""
ONLINE = frozenset({"online", "dnd"})
PAGE = 1000
KEPT_THREADS = 20_000

Json = Mapping[str, Any]


@dataclass(slots=True)
class Known:
    """Somebody as Discord last described them. `member`: of our guild, and through its membership screening."""

    id: str
    name: str
    handle: str = ""
    roles: tuple[str, ...] = ()
    bot: bool = False
    member: bool = True
    asked_at: float = -PERSON_SECONDS


@dataclass(slots=True)
class _Guild:
    """The guild with its roles, and its channels by their ids."""

    guild: Json
    channels: dict[str, Json]
    asked_at: float = field(default_factory=time.monotonic)


class Directory:
    """What has been asked before, and asks for the rest. Faults are those of `DiscordApi`. `teams` are those whose chat
    is Discord; with none, roles are by Discord's own permissions."""

    def __init__(self, api: DiscordApi, settings: Discord, teams: Sequence[TeamPolicy] = ()):
        self._api = api
        self._guild_id = settings.guild_id
        self._teams = teams
        self._places: _Guild | None = None
        self._looking = asyncio.Lock()
        self._known: dict[str, Known] = {}
        self._listed: list[str] = []
        self._listed_at = -MEMBERS_SECONDS
        self._parents: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._own_id = ""
        self._hears = False
        self._statuses: dict[str, str] | None = None
        self._told: frozenset[str] | None = None
        self._standings: dict[tuple[str, str], Standing] = {}

    async def identity(self, fresh: bool = False) -> Identity:
        """Who we are, and what the app's portal has switched on."""
        return await self._api.identity(fresh)

    # What the gateway tells

    def learn(self, name: str, data: Json) -> None:
        """Take from an event what would have to be asked otherwise, and forget what it makes untrue."""
        if data.get("guild_id", data.get("id")) != self._guild_id and name != "READY":
            return
        if name == "GUILD_CREATE":
            self._take_guild(data)
        elif name.startswith(("GUILD_ROLE_", "CHANNEL_")):
            self.forget_places()
        elif name in ("THREAD_CREATE", "THREAD_UPDATE"):
            self._keep_parent(str(data["id"]), str(data.get("parent_id") or ""))
        elif name == "THREAD_LIST_SYNC":
            for thread in data.get("threads", ()):
                self._keep_parent(str(thread["id"]), str(thread.get("parent_id") or ""))
        elif name == "PRESENCE_UPDATE" and self._statuses is not None:
            self._statuses[str(data["user"]["id"])] = str(data.get("status") or "offline")
        elif name == "GUILD_MEMBER_UPDATE":
            self.describe(data["user"], data)
        elif name.startswith("MESSAGE_") and data.get("member"):  # at once: what is told later counts more
            member = data["member"]
            self.describe(data.get("author") or member["user"], member)
        elif name == "GUILD_MEMBER_REMOVE":
            self._known.pop(str(data["user"]["id"]), None)
            self._forget_standing(str(data["user"]["id"]))
            self._listed_at = -MEMBERS_SECONDS

    def opens_again(self, name: str, data: Json) -> bool:
        """Whether, after that event, we may see threads of ours that we did not see before."""
        if name == "GUILD_CREATE":
            return str(data.get("id")) == self._guild_id
        if str(data.get("guild_id")) != self._guild_id:
            return False
        if name in ("CHANNEL_CREATE", "CHANNEL_UPDATE"):
            return str(data["id"]) in self._parents.values()
        if name == "GUILD_ROLE_UPDATE":
            held = self._known[self._own_id].roles if self._own_id in self._known else ()
            return str((data.get("role") or {}).get("id")) in (*held, self._guild_id)
        return False

    def _take_guild(self, data: Json) -> None:
        self._standings.clear()
        self._places = _Guild(data, {str(one["id"]): one for one in data.get("channels", ())})
        for thread in data.get("threads", ()):
            self._keep_parent(str(thread["id"]), str(thread.get("parent_id") or ""))
        if self._hears:
            found = data.get("presences", ())
            self._statuses = {str(one["user"]["id"]): str(one.get("status") or "offline") for one in found}

    def hears_presence(self, on: bool) -> None:
        """Whether the gateway is ours and tells who is online; what it told before is forgotten."""
        self._hears, self._statuses, self._told = on, None, None

    def online(self) -> frozenset[str] | None:
        """Who is, by our own gateway; None where that is not known."""
        if self._statuses is None:
            return None
        return frozenset(one for one, status in self._statuses.items() if status in ONLINE)

    def hear_of(self, online: frozenset[str] | None) -> None:
        """Who is, by another replica's; None where that is not known."""
        self._told = online

    def describe(self, user: Json, member: Json | None) -> Known:
        """Keep what a payload says about somebody; `member` None: it says nothing about the guild."""
        before = self._known.get(str(user["id"]))
        known = _known(user, member) if member is not None or before is None else before
        if member is not None or before is None:
            if before is None or (before.roles, before.member) != (known.roles, known.member):
                self._forget_standing(known.id)
            known.asked_at = time.monotonic() if member is not None else -PERSON_SECONDS
            self._known[known.id] = known
        return known

    # People

    async def actor_of(self, user: Any, here: str = "") -> Actor:
        """Who that is: discord.py's `Member` or `User`, or their JSON (a member's, or a user's)."""
        if isinstance(user, Mapping):
            account = user.get("user") or user
            self.describe(account, user if "roles" in user else None)
            return await self.actor(str(account["id"]), here=here)
        roles = getattr(user, "roles", None)
        shown = {"id": str(user.id), "username": user.name, "global_name": user.global_name, "bot": user.bot}
        held = {"roles": [str(one.id) for one in roles], "nick": user.nick} if roles is not None else None
        self.describe(shown, held)
        return await self.actor(str(user.id), here=here)

    async def actor(self, user_id: str, name: str = "", here: str = "") -> Actor:
        """Who that is, and what in which team. Whom Discord does not know in the guild is nobody's operator; a passing
        fault is raised, since a guess might let a stranger act. `here` is where they were seen, for those who ask."""
        known = await self._find(user_id)
        actor = Actor(PLATFORM, user_id, known.name or name or "someone")
        if not self._teams:
            return replace(actor, role=await self._plain_role(known))
        return roster.with_standings(actor, [await self._standing(team, known) for team in self._teams])

    async def actors(self, user_ids: Iterable[str], here: str = "") -> dict[str, Actor]:
        """Several of them."""
        return {one: await self.actor(one, here=here) for one in dict.fromkeys(user_ids)}

    def name_of(self, user_id: str) -> str:
        """The first name, if it is known."""
        known = self._known.get(user_id)
        return known.name.split()[0] if known and known.name.split() else "someone"

    async def members(self, channel: str, team: TeamPolicy | None = None) -> list[Member]:
        """Who can see the channel, without bots; with a team, its own people as the policy has them."""
        everybody = await self._everybody()
        there = await self.channel(channel)
        found = []
        for known in everybody:
            if known.bot:
                continue
            actor = await self._as_member(known, team, there)
            if actor is not None:
                found.append(Member(actor, self._is_present(known.id)))
        return found

    async def unmatched(self, team: TeamPolicy) -> dict[str, list[str]]:
        """The entries of the policy's lists that mean nobody of the guild: entry → the ids of those who are merely
        called so."""
        people = [one for one in await self._everybody() if one.member and not one.bot]
        accounts = [Account(one.id, frozenset({one.handle} if one.handle else ())) for one in people]
        found: dict[str, list[str]] = {}
        for entry in dict.fromkeys((*team.operators, *team.leads, *team.names)):
            if not any(roster.is_named(account, (entry,)) for account in accounts):
                shown = entry.removeprefix("@").strip().lower()
                found[entry] = [one.id for one in people if one.name.lower() == shown]
        return found

    async def _as_member(self, known: Known, team: TeamPolicy | None, there: Json) -> Actor | None:
        actor = Actor(PLATFORM, known.id, known.name)
        if team is None:
            value = inside((await self._guild()).guild, there, known.id, known.roles)
            role = _role_by(value, known)
            return replace(actor, role=role) if role is not Role.NONE else None
        own = await self._standing(team, known)
        if own.role is Role.NONE:
            return None
        others = [await self._standing(one, known) for one in self._teams if one.name != team.name]
        return roster.with_standings(actor, [own, *others]).in_team(team.name)

    def _is_present(self, user_id: str) -> bool | None:
        """None where neither our gateway nor another replica's tells."""
        if self._statuses is None:
            return None if self._told is None else user_id in self._told
        return self._statuses.get(user_id, "offline") in ONLINE

    async def _plain_role(self, known: Known) -> Role:
        value = everywhere((await self._guild()).guild, known.id, known.roles)
        return _role_by(value, known)

    async def _standing(self, team: TeamPolicy, known: Known) -> Standing:
        """Kept until their roles, or the guild's, may have changed: a guild may have thousands of members."""
        await self._guild()
        found = self._standings.get((team.name, known.id))
        if found is None:
            found = self._standings[team.name, known.id] = await self._new_standing(team, known)
        return found

    def _forget_standing(self, user_id: str) -> None:
        for team in self._teams:
            self._standings.pop((team.name, user_id), None)

    async def _new_standing(self, team: TeamPolicy, known: Known) -> Standing:
        try:
            value = inside(
                (await self._guild()).guild, await self.channel(team.channel), known.id, known.roles
            )
        except PlaceFault as fault:
            if fault.reason != "unknown_channel":
                raise
            value = 0  # that team's place is gone, which its leads are told
        account = Account(
            known.id,
            frozenset({known.handle} if known.handle else ()),
            full=known.member and not known.bot,
            admin=may(value, "manage_threads"),
        )
        in_group = bool(team.group) and await self._holds(known, team.group)
        return roster.standing(team, account, in_channel=_takes_part(value), in_group=in_group)

    async def _holds(self, known: Known, group: str) -> bool:
        try:
            return await self.role_id(group) in known.roles
        except PlaceFault as fault:
            if fault.reason != "no_such_role":
                raise
            return False

    async def _find(self, user_id: str) -> Known:
        known = self._known.get(user_id)
        if known and time.monotonic() - known.asked_at < PERSON_SECONDS:
            return known
        try:
            answer = await self._api.call(
                "GET", "/guilds/{guild_id}/members/{user_id}", guild_id=self._guild_id, user_id=user_id,
                repeatable=True, unless={UNKNOWN_MEMBER, UNKNOWN_USER},
            )  # fmt: skip
        except PlaceFault:
            if known and known.asked_at > 0:
                return known
            raise
        if "user" in answer:
            return self.describe(answer["user"], answer)
        found = replace(known) if known else Known(user_id, "someone")
        found.roles, found.member, found.asked_at = (), False, time.monotonic()
        self._known[user_id] = found
        self._forget_standing(user_id)
        return found

    async def _everybody(self) -> list[Known]:
        """The guild's members. `PlaceFault` "members_intent" where the portal does not allow that."""
        if time.monotonic() - self._listed_at >= MEMBERS_SECONDS:
            self._listed = [one async for one in self._pages()]
            self._listed_at = time.monotonic()
        return [self._known[one] for one in self._listed if one in self._known]

    async def _pages(self) -> Any:
        after = "0"
        while True:
            page = await self._api.call(
                "GET", "/guilds/{guild_id}/members", guild_id=self._guild_id, repeatable=True,
                params={"limit": PAGE, "after": after}, unless={MISSING_ACCESS},
            )  # fmt: skip
            if isinstance(page, dict):
                intents = (await self.identity(fresh=True)).intents
                raise PlaceFault("missing_access" if "members" in intents else "members_intent")
            for one in page:
                yield self.describe(one["user"], one).id
            if len(page) < PAGE:
                return
            after = str(page[-1]["user"]["id"])

    # Roles

    async def role_id(self, group: str) -> str:
        """The id of "@care", "care" or of an id itself. `PlaceFault` "no_such_role" if there is none."""
        wanted = group.strip().removeprefix("<@&").removeprefix("@").removesuffix(">").lower()
        for role in (await self._guild()).guild.get("roles", ()):
            if str(role["id"]) == wanted or str(role.get("name", "")).removeprefix("@").lower() == wanted:
                return str(role["id"])
        raise PlaceFault("no_such_role")

    async def ourselves(self) -> Ourselves:
        """What people's texts are read with."""
        identity = await self.identity()
        guild = await self.guild()
        own = (
            str(role["id"])
            for role in guild.get("roles", ())
            if (role.get("tags") or {}).get("bot_id") == identity.user_id
        )
        return Ourselves(identity.user_id, next(own, ""), self._place_name)

    def _place_name(self, token: str) -> str:
        """A role's (`&id`) or a channel's (`#id`) name, as far as it is known."""
        kind, one = token[:1], token[1:]
        if self._places is None:
            return ""
        if kind == "#":
            return str(self._places.channels.get(one, {}).get("name") or "")
        roles = self._places.guild.get("roles", ())
        return next((str(role.get("name") or "") for role in roles if str(role["id"]) == one), "")

    # Channels and threads

    async def guild(self) -> Json:
        """The guild's name, owner and roles."""
        return (await self._guild()).guild

    async def channel(self, channel: str) -> Json:
        """A text channel of the guild by "#support", "support" or its id. `PlaceFault` "unknown_channel" if there is
        none that we see. One that had that name, and was renamed while we ran, is still the one that is meant."""
        wanted = channel.strip().removeprefix("#").removeprefix("<#").removesuffix(">")
        places = await self._guild()
        if wanted in places.channels:
            return places.channels[wanted]
        for one in places.channels.values():
            if one.get("name") == wanted and one.get("type") in (0, 5):
                self._named[wanted] = str(one["id"])
                return one
        renamed = places.channels.get(self._named.get(wanted, ""))
        if renamed is not None:
            return renamed
        raise PlaceFault("unknown_channel")

    async def channel_id(self, channel: str) -> str:
        """Its id."""
        return str((await self.channel(channel))["id"])

    async def permissions(self, channel: str) -> int:
        """What we may do there."""
        self._own_id = (await self.identity()).user_id
        ours = await self._find(self._own_id)
        return inside((await self._guild()).guild, await self.channel(channel), ours.id, ours.roles)

    def forget_places(self) -> None:
        """Something about the guild changed: it is asked for again when it is needed, and what we may do with it."""
        if self._places is not None:
            self._places.asked_at = -PLACES_SECONDS

    def forget_person(self, user_id: str) -> None:
        """Ask again who that is."""
        if user_id in self._known:
            self._known[user_id].asked_at = -PERSON_SECONDS

    async def parent_of(self, channel_id: str) -> str:
        """The text channel that a thread hangs in; empty if it is no thread of our guild."""
        if channel_id not in self._parents:
            places = self._places
            if places is not None and channel_id in places.channels:
                return ""
            found = await self._api.call(
                "GET", "/channels/{channel_id}", channel_id=channel_id, repeatable=True,
                unless={UNKNOWN_CHANNEL, MISSING_ACCESS},
            )  # fmt: skip
            if "id" not in found:
                return ""  # we may see it again, and nobody would say that it is a thread
            ours = found.get("type") in THREADS and str(found.get("guild_id")) == self._guild_id
            self._keep_parent(channel_id, str(found.get("parent_id") or "") if ours else "")
        return self._parents[channel_id]

    def keep_thread(self, thread_id: str, channel_id: str) -> None:
        """A thread that we opened."""
        self._keep_parent(thread_id, channel_id)

    def _keep_parent(self, thread_id: str, channel_id: str) -> None:
        if len(self._parents) >= KEPT_THREADS:
            del self._parents[next(iter(self._parents))]
        self._parents[thread_id] = channel_id

    async def _guild(self) -> _Guild:
        async with self._looking:
            places = self._places
            if places is not None and time.monotonic() - places.asked_at < PLACES_SECONDS:
                return places
            try:
                self._places = places = await self._look()
                self._standings.clear()
            except PlaceFault:
                if places is None or places.asked_at < 0:
                    raise
            return places

    async def _look(self) -> _Guild:
        guild = await self._api.call("GET", "/guilds/{guild_id}", guild_id=self._guild_id, repeatable=True)
        channels = await self._api.call(
            "GET", "/guilds/{guild_id}/channels", guild_id=self._guild_id, repeatable=True
        )
        return _Guild(guild, {str(one["id"]): one for one in channels or ()})


def _known(user: Json, member: Json | None) -> Known:
    names = ((member or {}).get("nick"), user.get("global_name"), user.get("username"))
    name = next((str(one).strip() for one in names if one and str(one).strip()), "Operator")
    return Known(
        id=str(user["id"]),
        name=name,
        handle=str(user.get("username") or "").strip().lower(),
        roles=tuple(str(one) for one in (member or {}).get("roles", ())),
        bot=bool(user.get("bot") or user.get("system")),
        member=member is not None and not member.get("pending"),
    )


def _takes_part(value: int) -> bool:
    """Whoever may only read a channel answers for nobody in it."""
    return may(value, "view_channel") and may(value, "send_messages_in_threads")


def _role_by(value: int, known: Known) -> Role:
    """By Discord's own permissions, where no policy says otherwise."""
    if known.bot or not known.member or not _takes_part(value):
        return Role.NONE
    return Role.LEAD if value == EVERYTHING or may(value, "manage_threads") else Role.OPERATOR
