"""Who and where: people, groups, presence and channels, kept so that an event seldom needs a call.

Slack names people by id only. Asking for each event would be slow and soon rate-limited; a person is asked for every
five minutes, who is in a channel or group and who is present every minute. What they are in each team is for
`bot.roster` to say.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.api import SlackApi
from bot import roster
from bot.errors import EntryFault, PlaceFault
from bot.people import Actor, Member, Role, Standing
from bot.roster import Account
from bot.settings import TeamPolicy

log = logging.getLogger("baton.slack")

PLATFORM = "slack"
PERSON_SECONDS, PRESENCE_SECONDS, CHANNELS_SECONDS, MEMBERS_SECONDS = 300.0, 60.0, 60.0, 60.0
STANDING_SECONDS, STANDINGS_KEPT = 1.0, 1000
"""So long what somebody is in each team is kept for the next event of a burst. A role that was taken away counts that
much longer than the list it comes from is kept; it is gone at once when that list, or the person, was asked anew."""
IDENTITY_SECONDS = 0.2
PERSON_PACE = 3.0
"""Where there are many people each is asked for less often: not more than 20 a minute."""
PRESENCE_CALLS = 40
"""`users.getPresence` allows about 50 a minute: a large channel's presence is refreshed in turns."""

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{7,}")
_USER_ID = re.compile(r"[UW][A-Z0-9]{7,}")
_GROUP_ID = re.compile(r"S[A-Z0-9]{7,}")
_HIDDEN = frozenset({"user_not_found", "user_not_visible"})
"""Slack hides strangers of a shared channel: whom it will not describe is nobody's operator."""
_NOBODY = _HIDDEN | {"missing_scope"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are there. `scopes` is None where Slack does not say."""

    user_id: str
    bot_id: str
    team_id: str
    enterprise_id: str | None
    url: str
    scopes: frozenset[str] | None


@dataclass(slots=True)
class _Known:
    actor: Actor
    account: Account
    person: bool
    asked_at: float
    present: bool | None = None
    present_at: float = -PRESENCE_SECONDS
    called: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Lately:
    """What somebody was found to be in each team, a moment ago."""

    known: _Known
    actor: Actor
    until: float


class Directory:
    """What has been asked before, and asks for the rest. Faults are those of `SlackApi`. `teams` are those whose chat
    is Slack; with none, roles are by Slack's own flags."""

    def __init__(self, api: SlackApi, teams: Sequence[TeamPolicy] = ()):
        self._api = api
        self._teams = teams
        self._members_at: dict[str, float] = {}
        self._groups: dict[str, frozenset[str]] = {}
        self._groups_at: dict[str, float] = {}
        self._group_ids: dict[str, str] = {}
        self._identity: Identity | None = None
        self._identified_at = -IDENTITY_SECONDS
        self._known: dict[str, _Known] = {}
        self._lately: dict[tuple[str, str], _Lately] = {}
        self._member_ids: dict[str, list[str]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._channels: dict[str, str] = {}
        self._listed_at = -CHANNELS_SECONDS
        self._listing: asyncio.Task[None] | None = None

    async def identity(self, fresh: bool = False) -> Identity:
        """From `auth.test`, asked once; if it shall be `fresh`, once for all teams that are looked at together."""
        old = time.monotonic() - self._identified_at > IDENTITY_SECONDS
        if self._identity is None or (fresh and old):
            response = await self._api.respond("auth.test", repeatable=True)
            data = response.data if isinstance(response.data, dict) else {}
            scopes = next((v for k, v in response.headers.items() if k.lower() == "x-oauth-scopes"), None)
            self._identified_at = time.monotonic()
            self._identity = Identity(
                user_id=str(data.get("user_id", "")),
                bot_id=str(data.get("bot_id", "")),
                team_id=str(data.get("team_id", "")),
                enterprise_id=data.get("enterprise_id"),
                url=str(data.get("url", "")),
                scopes=None if scopes is None else frozenset(scope.strip() for scope in scopes.split(",")),
            )
        return self._identity

    # People

    async def actor(self, user_id: str, name: str = "", here: str = "") -> Actor:
        """Who that is, and what in which team. `here` is a channel they are known to be in, since they wrote there.
        Whom Slack does not let us see is a stranger; without the scope to ask, everybody is a full member by the
        name given. A passing fault is raised, since a guess might let a guest act."""
        known = await self._find(user_id)
        actor = known.actor if known else Actor(PLATFORM, user_id, name or "Operator")
        if not self._teams:
            return actor
        lately = self._lately.get((user_id, here))
        if lately and lately.known is known and time.monotonic() < lately.until:
            return lately.actor
        account, asked_at = known.account if known else Account(user_id), time.monotonic()
        # Of very many teams at once, or a click would wait for one list of members after the other.
        standings = await asyncio.gather(*(self._standing(team, account, here) for team in self._teams))
        actor = roster.with_standings(actor, standings)
        if known is not None:
            self._remember(user_id, here, _Lately(known, actor, asked_at + STANDING_SECONDS))
        return actor

    def _remember(self, user_id: str, here: str, lately: "_Lately") -> None:
        """For the next event of a burst; nobody waits longer for a new role than for a new list of members."""
        if len(self._lately) >= STANDINGS_KEPT:
            self._lately.clear()
        self._lately[user_id, here] = lately

    async def _standing(self, team: TeamPolicy, account: Account, here: str) -> Standing:
        if not account.full:
            return roster.standing(team, account, in_channel=False, in_group=False)
        in_channel = await self._is_in_channel(team.channel, account.id, here)
        group = await self._people_of(team.group) if team.group else frozenset()
        in_group = in_channel if group is None else account.id in group
        return roster.standing(team, account, in_channel=in_channel, in_group=in_group)

    async def _is_in_channel(self, channel: str, user_id: str, here: str) -> bool:
        """By a list that is a minute old at most. Where Slack does not tell, by the last one it told."""
        try:
            channel_id = await self.channel_id(channel)
            if channel_id == here or user_id in self._member_ids.get(channel_id, ()):
                return True
            async with self._asking.setdefault(
                channel_id, asyncio.Lock()
            ):  # who comes meanwhile hears the answer
                asked_at = self._members_at.get(channel_id, -MEMBERS_SECONDS)
                fresh = time.monotonic() - asked_at < MEMBERS_SECONDS
                ids = self._member_ids.get(channel_id, []) if fresh else await self._ids_in(channel_id)
            return user_id in ids
        except (PlaceFault, EntryFault):
            return False

    async def _people_of(self, group: str) -> frozenset[str] | None:
        """A user group's people; None while Slack has never told, and then the channel's people count."""
        async with self._asking.setdefault(f"@{group}", asyncio.Lock()):  # not the channel's people meanwhile
            if time.monotonic() - self._groups_at.get(group, -MEMBERS_SECONDS) < MEMBERS_SECONDS:
                return self._groups.get(group)
            try:
                answer = await self._api.read("usergroups.users.list", usergroup=await self.group_id(group))
            except (PlaceFault, EntryFault) as fault:
                log.warning("slack: a user group cannot be read", extra={"reason": fault.reason})
                self._groups_at[group] = time.monotonic()
                return self._groups.get(group)
            self._groups_at[group] = time.monotonic()
            self._groups[group] = frozenset(str(one) for one in answer.get("users", ()))
            self._lately.clear()
            return self._groups[group]

    async def group_id(self, group: str) -> str:
        """The id of "@care", "care" or of an id itself. `PlaceFault` "no_such_group" if there is none."""
        handle = group.strip().removeprefix("@")
        if _GROUP_ID.fullmatch(handle):
            return handle
        if handle.lower() not in self._group_ids:
            answer = await self._api.read("usergroups.list")
            self._group_ids = {
                str(one.get("handle", "")).lower(): str(one["id"]) for one in answer.get("usergroups", ())
            }
        if handle.lower() not in self._group_ids:
            raise PlaceFault("no_such_group")
        return self._group_ids[handle.lower()]

    async def member(self, channel_id: str, user_id: str, name: str = "") -> Actor:
        """Who pressed a button there. Anybody in the workspace can press in a public channel; who is not a member of
        it is nobody's operator. While Slack does not tell who the members are, a click counts."""
        there = await self._is_there(channel_id, user_id)
        actor = await self.actor(user_id, name, channel_id if there else "")
        return actor if there or self._teams else replace(actor, role=Role.NONE)

    async def _is_there(self, channel_id: str, user_id: str) -> bool:
        if user_id in self._member_ids.get(channel_id, ()):
            return True
        try:
            return user_id in await self._ids_in(channel_id)
        except (PlaceFault, EntryFault):
            return True

    async def actors(self, user_ids: Iterable[str], here: str = "") -> dict[str, Actor]:
        """Several of them; the first wrote in the channel `here`."""
        ids = list(dict.fromkeys(user_ids))
        return {one: await self.actor(one, here=here if one == ids[0] else "") for one in ids}

    async def members(self, channel_id: str, team: TeamPolicy | None = None) -> list[Member]:
        """The channel's people, without bots and those who left; with a team, its own as the policy has them. A
        thread that is to be opened waits for this, so it does not itself wait for Slack's allowance where something
        is known already."""
        ids = await self._ids_in(channel_id)
        everybody = [*ids, *(await self._named_elsewhere(team) if team else ())]
        people = [
            known
            for user_id in dict.fromkeys(everybody)
            if (known := await self._find(user_id, patience=0)) and known.person
        ]
        if ids and not people:
            raise PlaceFault(
                "members_unknown"
            )  # nobody at all may be looked up: that does not mean nobody is there
        found = [(known, await self._as_member(known, team, channel_id, ids)) for known in people]
        await self._refresh_presence([known for known, actor in found if actor.role is not Role.NONE])
        return [Member(actor, known.present) for known, actor in found]

    async def unmatched(self, team: TeamPolicy) -> dict[str, list[str]]:
        """The entries of the policy's lists that mean nobody who may act in the team: entry → the ids of those there
        who are merely called so."""
        entries = dict.fromkeys((*team.operators, *team.leads, *team.names))
        ids = [
            *(await self._ids_in(await self.channel_id(team.channel))),
            *(await self._named_elsewhere(team)),
        ]
        ids += [one for one in team.names if _USER_ID.fullmatch(one)]
        people = [
            known for one in dict.fromkeys(ids) if (known := await self._find(one)) and known.account.full
        ]
        found: dict[str, list[str]] = {}
        for entry in entries:
            if not any(roster.is_named(known.account, (entry,)) for known in people):
                shown = entry.removeprefix("@").strip().lower()
                found[entry] = [known.account.id for known in people if shown in known.called]
        return found

    async def _named_elsewhere(self, team: TeamPolicy) -> list[str]:
        """Those of a team who need not be in its channel: its group, and accounts named by their ids."""
        group = await self._people_of(team.group) if team.group else frozenset()
        named = [one for one in (*team.operators, *team.leads) if _USER_ID.fullmatch(one)]
        return [*sorted(group or ()), *named]

    async def _as_member(
        self, known: _Known, team: TeamPolicy | None, channel_id: str, ids: Collection[str]
    ) -> Actor:
        if team is None:
            return known.actor
        here = channel_id if known.account.id in ids else ""
        standings = [
            await self._standing(one, known.account, here) for one in self._teams if one.name != team.name
        ]
        group = await self._people_of(team.group) if team.group else frozenset()
        in_group = bool(here) if group is None else known.account.id in group
        own = roster.standing(team, known.account, in_channel=bool(here), in_group=in_group)
        return roster.with_standings(known.actor, [own, *standings]).in_team(team.name)

    async def _ids_in(self, channel_id: str) -> list[str]:
        before = self._member_ids.get(channel_id)
        patience = None if before is None else 0.0
        pages = self.pages("conversations.members", patience=patience, channel=channel_id, limit=200)
        try:
            ids = [user_id async for page in pages for user_id in page.get("members", ())]
        except PlaceFault as fault:
            if before is None or fault.reason != "allowance":
                raise
            return before
        self._member_ids[channel_id] = ids
        self._lately.clear()
        self._members_at[channel_id] = time.monotonic()
        return ids

    async def _find(self, user_id: str, patience: float | None = None) -> _Known | None:
        known = self._known.get(user_id)
        fresh_for = max(PERSON_SECONDS, len(self._known) * PERSON_PACE)
        if known and time.monotonic() - known.asked_at < fresh_for:
            return known
        try:
            answer = await self._api.call(
                "users.info", repeatable=True, verb="GET", unless=_NOBODY, patience=patience, user=user_id
            )
        except (PlaceFault, EntryFault):
            if known:
                return known
            raise
        if not answer.get("ok"):
            hidden = answer.get("error") in _HIDDEN
            return known or (_stranger(user_id) if hidden else None)
        identity = await self.identity()
        fresh = _known(answer["user"], identity.team_id)
        if known:
            fresh.present, fresh.present_at = known.present, known.present_at
        self._known[user_id] = fresh
        return fresh

    async def _refresh_presence(self, people: Collection[_Known]) -> None:
        now = time.monotonic()
        due = [known for known in people if now - known.present_at >= PRESENCE_SECONDS]
        due.sort(key=lambda known: known.present_at)
        few = asyncio.Semaphore(5)

        async def refresh(known: _Known) -> None:
            async with few:
                known.present = await self._presence(known.actor.id)
                known.present_at = time.monotonic()

        await asyncio.gather(*(refresh(known) for known in due[:PRESENCE_CALLS]))

    async def _presence(self, user_id: str) -> bool | None:
        """None when Slack does not tell now; that is no reason to forget who the members are."""
        try:
            answer = await self._api.read("users.getPresence", patience=0, user=user_id)
        except (PlaceFault, EntryFault):
            return None
        return bool(answer.get("presence") == "active")

    # Channels

    async def channel_id(self, channel: str) -> str:
        """The id of "#support", "support" or of an id itself. `PlaceFault` "channel_not_found" if there is none."""
        name = channel.strip().removeprefix("#")
        if _CHANNEL_ID.fullmatch(name):
            return name
        if name not in self._channels and time.monotonic() - self._listed_at >= CHANNELS_SECONDS:
            await self._listed()
        if name not in self._channels:
            raise PlaceFault("channel_not_found")
        return self._channels[name]

    def name_of_ours(self, channel_id: str, name: str = "") -> str | None:
        """As what a team's channel is written in the policy, if it is that one or was found, or is to be found, by that
        name; else None."""
        for team in self._teams:
            wanted = team.channel.strip().removeprefix("#")
            if channel_id == wanted or self._channels.get(wanted) == channel_id or (name and name == wanted):
                return team.channel
        return None

    async def look_for_channels(self) -> None:
        """List them now: one may have got a name that a team's had. What cannot be listed is looked for later."""
        try:
            await self._list_channels()
        except (PlaceFault, EntryFault) as fault:
            log.warning("slack: channels cannot be listed", extra={"reason": fault.reason})

    def forget_channel(self, channel: str) -> None:
        """That name points nowhere any more: it is looked for again, a minute after the last listing at the soonest."""
        self._channels.pop(channel.strip().removeprefix("#"), None)

    async def _listed(self) -> None:
        """They are listed once for all who ask meanwhile; a fault is told to each."""
        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(self._list_channels())
            self._listing.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        await asyncio.shield(self._listing)

    async def _list_channels(self) -> None:
        kinds = "public_channel,private_channel"
        found = {
            str(channel["name"]): str(channel["id"])
            async for page in self.pages("conversations.list", types=kinds, limit=999)
            for channel in page.get("channels", ())
        }
        # One that was renamed is still found by the name it had; one that is deleted is forgotten when it is used.
        self._channels, self._listed_at = self._channels | found, time.monotonic()

    async def pages(self, method: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Every page of a listing."""
        cursor: str | None = None
        while True:
            page = await self._api.read(method, cursor=cursor, **params)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def _known(user: dict[str, Any], team_id: str) -> _Known:
    profile = user.get("profile") or {}
    name = next(
        (
            str(value).strip()
            for value in (
                profile.get("real_name"),
                user.get("real_name"),
                profile.get("display_name"),
                user.get("name"),
            )
            if value and str(value).strip()
        ),
        "Operator",
    )
    account = _account(user, team_id)
    role = Role.NONE if not account.full else Role.LEAD if account.admin else Role.OPERATOR
    actor = Actor(PLATFORM, account.id, name, role)
    person = not (user.get("is_bot") or user.get("deleted") or user.get("id") == "USLACKBOT")
    return _Known(actor, account, person, time.monotonic(), called=_called(user))


def _stranger(user_id: str) -> _Known:
    actor = Actor(PLATFORM, user_id, "someone", Role.NONE)
    return _Known(actor, Account(user_id, full=False), person=False, asked_at=time.monotonic())


def _account(user: dict[str, Any], team_id: str) -> Account:
    """Guests, bots, those who left and strangers of a shared channel may read and nothing more."""
    away = ("is_bot", "deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
    full = not (any(user.get(flag) for flag in away) or _from_elsewhere(user, team_id))
    admin = any(user.get(flag) for flag in ("is_admin", "is_owner", "is_primary_owner"))
    handle = str(user.get("name") or "").strip().lower()  # anybody may choose a colleague's display name
    return Account(str(user["id"]), frozenset({handle} if handle else ()), full, admin)


def _called(user: dict[str, Any]) -> frozenset[str]:
    """What a person is seen as, in lower case: what somebody may take for their handle."""
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"))
    return frozenset(str(one).strip().lower() for one in names if one and str(one).strip())


def _from_elsewhere(user: dict[str, Any], team_id: str) -> bool:
    home = user.get("team_id")
    teams = (user.get("enterprise_user") or {}).get("teams") or ()
    return bool(home and team_id and home != team_id and team_id not in teams)
