"""Who and where: people, roles, presence and channels, kept so that an event seldom needs a call.

Slack names people by id only. Asking for each event would be slow and soon rate-limited; a person is asked for once
an hour, their presence once a minute.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.api import SlackApi
from bot.errors import EntryFault, PlaceFault
from bot.people import Actor, Member, Role

PLATFORM = "slack"
PERSON_SECONDS, PRESENCE_SECONDS, CHANNELS_SECONDS = 3600.0, 60.0, 60.0
PRESENCE_CALLS = 40
"""`users.getPresence` allows about 50 a minute: a large channel's presence is refreshed in turns."""

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{7,}")
_NOBODY = frozenset({"user_not_found", "user_not_visible", "missing_scope"})


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
    person: bool
    asked_at: float
    present: bool | None = None
    present_at: float = -PRESENCE_SECONDS


class Directory:
    """What has been asked before, and asks for the rest. Faults are those of `SlackApi`."""

    def __init__(self, api: SlackApi):
        self._api = api
        self._identity: Identity | None = None
        self._known: dict[str, _Known] = {}
        self._member_ids: dict[str, list[str]] = {}
        self._channels: dict[str, str] = {}
        self._listed_at = -CHANNELS_SECONDS

    async def identity(self, fresh: bool = False) -> Identity:
        """From `auth.test`, asked once."""
        if self._identity is None or fresh:
            response = await self._api.respond("auth.test", repeatable=True)
            data = response.data if isinstance(response.data, dict) else {}
            scopes = next((v for k, v in response.headers.items() if k.lower() == "x-oauth-scopes"), None)
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

    async def actor(self, user_id: str, name: str = "") -> Actor:
        """Who that is. What Slack does not know (or lets us not see) is an operator by the name given: members of
        the channel are operators. A passing fault is raised, since a guess might let a guest act."""
        known = await self._find(user_id)
        return known.actor if known else Actor(PLATFORM, user_id, name or "Operator")

    async def member(self, channel_id: str, user_id: str, name: str = "") -> Actor:
        """Who pressed a button there. Anybody in the workspace can press in a public channel; who is not a member of
        it is nobody's operator. While Slack does not tell who the members are, a click counts."""
        actor = await self.actor(user_id, name)
        if user_id in self._member_ids.get(channel_id, ()):
            return actor
        try:
            ids = await self._ids_in(channel_id)
        except (PlaceFault, EntryFault):
            return actor
        return actor if user_id in ids else replace(actor, role=Role.NONE)

    async def actors(self, user_ids: Iterable[str]) -> dict[str, Actor]:
        """Several of them."""
        return {user_id: await self.actor(user_id) for user_id in dict.fromkeys(user_ids)}

    async def members(self, channel_id: str) -> list[Member]:
        """The channel's people, without bots and those who left. A thread that is to be opened waits for this, so
        it does not itself wait for Slack's allowance where something is known already."""
        ids = await self._ids_in(channel_id)
        people = [
            known for user_id in ids if (known := await self._find(user_id, patience=0)) and known.person
        ]
        await self._refresh_presence(people)
        return [Member(known.actor, known.present) for known in people]

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
        return ids

    async def _find(self, user_id: str, patience: float | None = None) -> _Known | None:
        known = self._known.get(user_id)
        if known and time.monotonic() - known.asked_at < PERSON_SECONDS:
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
            return known
        identity = await self.identity()
        fresh = _known(answer["user"], identity.team_id)
        if known:
            fresh.present, fresh.present_at = known.present, known.present_at
        self._known[user_id] = fresh
        return fresh

    async def _refresh_presence(self, people: Collection[_Known]) -> None:
        now = time.monotonic()
        due = [known for known in people if now - known.present_at >= PRESENCE_SECONDS]
        due = [known for known in due if known.actor.role is not Role.NONE]
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
            await self._list_channels()
        if name not in self._channels:
            raise PlaceFault("channel_not_found")
        return self._channels[name]

    def forget_channels(self) -> None:
        """Names may point elsewhere now: list again when next asked."""
        self._channels.clear()
        self._listed_at = -CHANNELS_SECONDS

    async def _list_channels(self) -> None:
        kinds = "public_channel,private_channel"
        found = {
            str(channel["name"]): str(channel["id"])
            async for page in self.pages("conversations.list", types=kinds, limit=999)
            for channel in page.get("channels", ())
        }
        self._channels, self._listed_at = found, time.monotonic()

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
    actor = Actor(PLATFORM, str(user["id"]), name, _role(user, team_id))
    person = not (user.get("is_bot") or user.get("deleted") or user.get("id") == "USLACKBOT")
    return _Known(actor, person, time.monotonic())


def _role(user: dict[str, Any], team_id: str) -> Role:
    """Guests, bots, those who left and strangers of a shared channel may read and nothing more."""
    away = ("is_bot", "deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
    if any(user.get(flag) for flag in away) or _from_elsewhere(user, team_id):
        return Role.NONE
    lead = any(user.get(flag) for flag in ("is_admin", "is_owner", "is_primary_owner"))
    return Role.LEAD if lead else Role.OPERATOR


def _from_elsewhere(user: dict[str, Any], team_id: str) -> bool:
    home = user.get("team_id")
    teams = (user.get("enterprise_user") or {}).get("teams") or ()
    return bool(home and team_id and home != team_id and team_id not in teams)
