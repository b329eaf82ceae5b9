"""Shoppers under their own name: what they write is posted through a webhook of the channel, where that is permitted.

A webhook's post has no nonce, so Discord itself stops no repeat. Yet nothing is said twice by the same means as in
Slack: one call of a thread at a time, and a doubtful one is looked up, by order and content, after the settling time.
What remains is a post that Discord shows later than that; it would be there twice. Where the webhook cannot be used
for any reason, the caller says it under Baton's name, the shopper's before it.
"""

import asyncio
import re
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.discord import markup
from adapters.discord.api import (
    ARCHIVED,
    LOCKED,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    DiscordApi,
)
from adapters.discord.directory import Directory
from adapters.discord.permissions import may
from adapters.discord.rendering import render_post
from bot import texts
from bot.entries import Author
from bot.errors import EntryFault, PlaceFault
from bot.posts import Place, Post, Posted, PostKind, Turn
from bot.splitting import clip, units

NAME = "Baton"
LONGEST_NAME = 80
NO_PREVIEWS = 1 << 2
NOT_FOR_A_WHILE = 60.0
"""Seconds for which a channel without a webhook is not asked again."""
TOO_MANY, BAD_TOKEN = 30007, 50027
_LOST, _CLOSED = frozenset({UNKNOWN_WEBHOOK, BAD_TOKEN}), frozenset({ARCHIVED, LOCKED})
_TAKEN = re.compile("discord|clyde|wumpus|system message|baton", re.IGNORECASE)
"""Names that Discord refuses, or that somebody else bears."""


@dataclass(frozen=True, slots=True)
class _Webhook:
    id: str
    token: str


_NONE_THERE = frozenset({MISSING_PERMISSIONS, MISSING_ACCESS, UNKNOWN_CHANNEL, TOO_MANY})


class Voices:
    """One webhook for each channel, made once and found again."""

    def __init__(self, api: DiscordApi, directory: Directory):
        self._api = api
        self._directory = directory
        self._webhooks: dict[str, _Webhook] = {}
        self._without: dict[str, float] = {}
        self._ids: set[str] = set()
        self.application_id = ""
        self._looking = asyncio.Lock()

    async def post(self, place: Place, post: Post) -> Posted | None:
        """Say it in the shopper's name; None: say it under our own."""
        content, name = content_of(post), name_of(post)
        if content is None or name is None:
            return None
        for _ in range(2):
            webhook = await self._webhook(place.channel)
            if webhook is None:
                return None
            body = {
                "content": content,
                "username": name,
                "allowed_mentions": {"parse": []},
                "flags": NO_PREVIEWS,
            }
            try:
                answer = await self._api.call(
                    "POST", "/webhooks/{webhook_id}/{webhook_token}", json=body, unless=_LOST | _CLOSED,
                    gone={UNKNOWN_CHANNEL}, params={"wait": "true", "thread_id": place.root},
                    webhook_id=webhook.id, webhook_token=webhook.token,
                )  # fmt: skip
            except EntryFault:
                return (
                    None  # the name may be what is refused; if it is the words, whoever asked will meet that
                )
            if "id" in answer:
                return Posted(str(answer["id"]), place.channel)
            if answer.get("code") in _CLOSED:
                return None  # a webhook has no permissions; we may have the one that opens it
            self._webhooks.pop(place.channel, None)
        return None

    async def amend(self, place: Place, remote_id: str, post: Post) -> bool:
        """Change what such a post says; False: it is none of those."""
        by = await self._said_by(place, remote_id)
        if not by:
            return False
        content = content_of(post) or render_post(post).content
        body = {"content": content, "allowed_mentions": {"parse": []}}
        return await self._change("PATCH", place, remote_id, body, by)

    async def retract(self, place: Place, remote_id: str) -> bool:
        """Delete such a post; False: it is none of those."""
        by = await self._said_by(place, remote_id)
        return bool(by) and await self._change("DELETE", place, remote_id, None, by)

    def content_of(self, post: Post) -> str | None:
        """What such a post says, for whoever looks for it; None if it is not one shopper's turn."""
        return content_of(post) if name_of(post) else None

    def is_ours(self, message: Mapping[str, Any]) -> bool:
        """Whether one of our webhooks said that: whoever asks has told us which application we are."""
        webhook, application = message.get("webhook_id"), str(message.get("application_id") or "")
        if not webhook:
            return False
        return str(webhook) in self._ids or (bool(application) and self.application_id == application)

    async def _said_by(self, place: Place, remote_id: str) -> str:
        """The webhook of ours that said it; empty if none did. Only Discord knows: a restart forgets it."""
        if not self.application_id:
            self.application_id = (await self._api.identity()).application_id
        message = await self._api.call(
            "GET", "/channels/{channel_id}/messages/{message_id}", repeatable=True,
            unless={UNKNOWN_MESSAGE, UNKNOWN_CHANNEL}, channel_id=place.root, message_id=remote_id,
        )  # fmt: skip
        return str(message["webhook_id"]) if self.is_ours(message) else ""

    async def _change(
        self, verb: str, place: Place, remote_id: str, body: dict[str, Any] | None, by: str
    ) -> bool:
        """By the webhook that said it: two replicas may have made one each, and to the other one it does not exist. If
        that is gone, nobody can change it, and deleting it takes a permission."""
        webhook = await self._webhook(place.channel)
        if webhook is not None and webhook.id != by:
            webhook = next((one for one in await self._all(place.channel) or () if one.id == by), None)
        if webhook is None:
            return await self._without_webhook(verb, place, remote_id)
        for attempt in range(2):
            answer = await self._api.call(
                verb, "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", repeatable=True, json=body,
                unless={*_LOST, ARCHIVED, UNKNOWN_MESSAGE, UNKNOWN_CHANNEL}, params={"thread_id": place.root},
                webhook_id=webhook.id, webhook_token=webhook.token, message_id=remote_id,
            )  # fmt: skip
            code = answer.get("code") if "id" not in answer else None
            if code == ARCHIVED and not attempt:
                await self._api.call(
                    "PATCH", "/channels/{channel_id}", repeatable=True, json={"archived": False},
                    channel_id=place.root,
                )  # fmt: skip
                continue
            if code in _LOST:
                if self._webhooks.get(place.channel) == webhook:
                    del self._webhooks[place.channel]
                return await self._without_webhook(verb, place, remote_id)
            return True
        raise PlaceFault("thread_archived")

    async def _without_webhook(self, verb: str, place: Place, remote_id: str) -> bool:
        if verb == "DELETE":
            answer = await self._api.call(
                "DELETE", "/channels/{channel_id}/messages/{message_id}", repeatable=True,
                unless={MISSING_PERMISSIONS, UNKNOWN_MESSAGE, UNKNOWN_CHANNEL},
                channel_id=place.root, message_id=remote_id,
            )  # fmt: skip
            if answer.get("code") != MISSING_PERMISSIONS:
                return True
        raise EntryFault("webhook_gone")

    # --- the channel's webhook --------------------------------------------------------------------------------

    async def _webhook(self, channel: str) -> _Webhook | None:
        """Ours, found or made; None where there cannot be one."""
        async with self._looking:
            if channel in self._webhooks:
                return self._webhooks[channel]
            if time.monotonic() < self._without.get(channel, 0.0):
                return None
            found = await self._found(channel) if await self._may(channel) else None
            if found is None:
                self._without[channel] = time.monotonic() + NOT_FOR_A_WHILE
                return None
            self._webhooks[channel] = found
            self._ids.add(found.id)
            return found

    async def _may(self, channel: str) -> bool:
        return may(await self._directory.permissions(channel), "manage_webhooks")

    async def _found(self, channel: str) -> _Webhook | None:
        """The oldest that is this application's, so that two replicas agree on it; else a new one."""
        self.application_id = self.application_id or (await self._api.identity()).application_id
        ours = await self._all(channel)
        if ours is None:
            return None
        if not ours:
            made = await self._api.call(
                "POST", "/channels/{channel_id}/webhooks", repeatable=True, unless=_NONE_THERE, json={"name": NAME},
                channel_id=channel,
            )  # fmt: skip
            ours = (_Webhook(str(made["id"]), str(made["token"])),) if "token" in made else ()
        return min(ours, key=lambda one: int(one.id), default=None)

    async def _all(self, channel: str) -> tuple[_Webhook, ...] | None:
        """This application's; None where we may not know."""
        there = await self._api.call(
            "GET", "/channels/{channel_id}/webhooks", repeatable=True, unless=_NONE_THERE, channel_id=channel
        )
        if isinstance(there, dict) and "code" in there:
            return None
        ours = (
            one
            for one in there or ()
            if str(one.get("application_id")) == self.application_id and one.get("token")
        )
        return tuple(_Webhook(str(one["id"]), str(one["token"])) for one in ours)


def content_of(post: Post) -> str | None:
    """What a webhook's post of this would say; None if it is not one shopper's turn, or does not fit."""
    turn = _turn(post)
    if turn is None:
        return None
    said = markup.inert(turn.text).strip("\n")
    if turn.note:
        said += f"  *({markup.escape(clip(turn.note, 60))})*"
    said = said.strip()
    return said if said and markup.fits(said) else None


def name_of(post: Post) -> str | None:
    """The name it would stand under. It always says that this is a shopper, so that nobody can pass for a colleague."""
    turn = _turn(post)
    if turn is None:
        return None
    shown = "".join(" " if unicodedata.category(one).startswith(("C", "Z")) else one for one in turn.speaker)
    name = " ".join(unicodedata.normalize("NFKC", shown).split())
    if not name or _TAKEN.search(name):
        return None
    mark = f" ({texts.card.SPEAKERS[Author.SHOPPER]})"
    return clip(name, LONGEST_NAME - units(mark)) + mark


def _turn(post: Post) -> Turn | None:
    if post.kind is not PostKind.TURNS or len(post.turns) != 1 or post.mentions or post.buttons:
        return None
    return post.turns[0] if post.turns[0].author is Author.SHOPPER else None
