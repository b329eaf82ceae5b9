"""Baton's words to Discord: the `TeamChat` port on its REST API.

Discord keeps no id of ours with a message. For some minutes it answers a repeat of the same nonce with the first
message; after that a post is recognised by what it says, among our messages that belong to no other delivery. A
thread made from a message has that message's id, so whether it was made need not be looked for.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from adapters.discord import troubles
from adapters.discord.api import (
    ARCHIVED,
    NOT_AUTHOR,
    REACTION_BLOCKED,
    THREAD_THERE,
    TOO_MANY_REACTIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_EMOJI,
    UNKNOWN_MESSAGE,
    DiscordApi,
    nonce_of,
    snowflake_at,
)
from adapters.discord.directory import Directory
from adapters.discord.files import DiscordFiles
from adapters.discord.formatting import mentioned_in
from adapters.discord.inbound import WITHDRAWS, heard, is_blank, is_spoken
from adapters.discord.permissions import NEEDED, may
from adapters.discord.places import PLATFORM
from adapters.discord.rendering import (
    Rendered,
    is_same,
    number_of,
    render_answer,
    render_card,
    render_post,
    split_post,
    thread_name,
)
from adapters.discord.webhooks import Voices
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.people import Actor, Member
from bot.posts import Answer, Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Discord, TeamPolicy, Timing

log = logging.getLogger("baton.discord")

CLOCK_MARGIN = 300.0
"""Seconds by which our clock and Discord's may differ when looking for a post."""
LOOK_PATIENCE = 30.0
"""Seconds that reading a thread back may wait for Discord's allowance."""
PAGE = 100
HIDES_AFTER = 1440
"""Minutes after which Discord hides a thread that nobody writes in; a server has room for 1,000 that are not hidden."""
REMEMBERED = 500
TEXT_CHANNELS = frozenset({0, 5})

REACTIONS = {
    Receipt.PENDING: "⏳",
    Receipt.DELIVERED: "✅",
    Receipt.SEEN: "👀",
    Receipt.MAILED: "📧",
    Receipt.FAILED: "⚠️",
    Receipt.INSIDE: "🔒",
}
_MARKED = frozenset({UNKNOWN_MESSAGE, UNKNOWN_EMOJI, REACTION_BLOCKED, TOO_MANY_REACTIONS})


class DiscordChat:
    """See `bot.ports.TeamChat`. Safe to use from many tasks; opens connections lazily, `close` at the end."""

    platform = PLATFORM
    shows_log = False

    def __init__(
        self,
        settings: Discord,
        timing: Timing,
        teams: Sequence[TeamPolicy] = (),
        replicas: Callable[[], int] = lambda: 1,
    ):
        self._settings = settings
        self.guild_id = settings.guild_id
        self.api = DiscordApi(settings, timing.call_timeout, replicas)
        self.directory = Directory(self.api, settings, teams)
        self.files = DiscordFiles(self.api, self.directory)
        self.voices = Voices(self.api, self.directory)
        self._made: OrderedDict[str, Card | Post] = OrderedDict()
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watching_places: list[Callable[[str, str], None]] = []

    def split(self, post: Post) -> Sequence[Post]:
        """In as many parts as Discord's limits ask for."""
        return split_post(post)

    # Posting

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        """Post the card into the channel and begin a thread from it. Once the card stands, whatever fails is mended by
        looking for it."""
        there = await self.directory.channel_id(channel)
        self._remember(delivery_id, card)
        try:
            message = await self._create(there, render_card(card), delivery_id)
        except PlaceFault as fault:
            if fault.reason == "unknown_channel":
                self.directory.forget_places()  # deleted: the name may be another channel's by now
            raise
        root = str(message["id"])
        try:
            await self._begin_thread(there, root, card)
        except DeliveryFault as fault:
            raise Unsure(fault.reason) from None
        return self._posted(root, there, root)

    async def update_card(self, place: Place, card: Card) -> None:
        """Render the card's newest state into the root."""
        if not await self.change(place.channel, place.root, render_card(card)):
            raise RootGone("unknown_message")

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        """One post, under the shopper's own name where that is possible. Of a thread that was deleted the card is taken
        away, too: nothing it offers can be done any more."""
        self._remember(delivery_id, post)
        try:
            spoken = await self.voices.post(place, post)
            if spoken is not None:
                return spoken
            message = await self._create(
                place.root, render_post(post), delivery_id, gone=frozenset({UNKNOWN_CHANNEL})
            )
        except RootGone:
            await self.take_card_back(place)
            raise
        return Posted(str(message["id"]), place.channel)

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        """Replace what one of our posts says."""
        try:
            await self.change(place.root, remote_id, render_post(post))
        except _NotOurs:
            await self.voices.amend(place, remote_id, post)

    async def retract(self, place: Place, remote_id: str) -> None:
        """Delete one of our posts."""
        if await self.voices.retract(place, remote_id):
            return
        await self._delete(place.root, remote_id)

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        """One reaction instead of another; the new one first, so that there is never none."""
        if receipt is not None:
            await self._react("PUT", place, remote_id, receipt)
        if before is not None and before is not receipt:
            await self._react("DELETE", place, remote_id, before)

    # Looking

    async def find(self, place: Place, delivery_id: str, since: float) -> Posted | None:
        """By what this process sent for that delivery; another one's are recognised by `recognise`."""
        said = self._made.get(delivery_id)
        if said is None:
            return None
        return await self.recognise(place, said, since, frozenset())

    async def recognise(
        self, place: Place, said: Card | Post, since: float, known: Collection[str]
    ) -> Posted | None:
        """The first of our messages from shortly before `since` that says this and belongs to no other delivery
        (`known`). A card is complete with its thread, which is begun if it was not."""
        channel = place.root or await self.directory.channel_id(place.channel)
        identity = await self.directory.identity()
        self.voices.application_id, me = identity.application_id, identity.user_id
        found = [
            message
            for message in await self._messages(
                channel, snowflake_at(since - CLOCK_MARGIN), in_thread=bool(place.root)
            )
            if str(message["id"]) not in known and self._says(message, said, me)
        ]
        if not found:
            return None
        remote_id = str(found[0]["id"])
        if isinstance(said, Post):
            return Posted(remote_id, place.channel)
        await self._begin_thread(channel, remote_id, said)
        return self._posted(remote_id, channel, remote_id)

    def _says(self, message: Mapping[str, Any], said: Card | Post, me: str) -> bool:
        ours = str(message["author"]["id"]) == me and not message.get("webhook_id")
        if isinstance(said, Card):
            return ours and number_of(str(message.get("content") or "")) == said.number
        if ours:
            return is_same(message, render_post(said))
        words = self.voices.content_of(said)
        return (
            words is not None
            and self.voices.is_ours(message)
            and str(message.get("content") or "").strip() == words.strip()
        )

    async def history(self, place: Place, after: str) -> Sequence[Heard]:
        """People's messages of the thread. `extra["actor"]` says who each author is: name and role."""
        first = str(int(after) - 1) if after else "0"
        us = await self.directory.ourselves()
        found = []
        for message in await self._messages(place.root, first, wait=LOOK_PATIENCE):
            if not is_spoken(message):
                continue
            await self.require_words(message)
            author = str(message["author"]["id"])
            self.directory.describe(message["author"], message.get("member"))
            stopped_by = await self._stopped_by(place, message)
            ids = [author, *mentioned_in(message), *stopped_by]
            actors = await self.directory.actors(ids, place.channel)
            words = heard(message, actors, us)
            words.extra["actor"] = _actor_dict(actors[author])
            if stopped_by:
                words.extra["stopped_by"] = tuple(actors[one] for one in stopped_by)
            found.append(words)
        return sorted(found, key=lambda words: words.order)

    async def require_words(self, message: Mapping[str, Any]) -> None:
        """`PlaceFault` where Discord hides what people write from us: such a message would count as an empty one."""
        if not is_blank(message):
            return
        if "message_content" not in (await self.directory.identity(fresh=True)).intents:
            raise PlaceFault("message_content")

    async def _stopped_by(self, place: Place, message: Mapping[str, Any]) -> list[str]:
        """Who has put 🛑 on it; without bots."""
        if not any(
            (one.get("emoji") or {}).get("name") == WITHDRAWS for one in message.get("reactions") or ()
        ):
            return []
        users = await self.api.call(
            "GET", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", repeatable=True,
            wait=LOOK_PATIENCE, params={"limit": PAGE}, unless={UNKNOWN_MESSAGE, UNKNOWN_EMOJI},
            channel_id=place.root, message_id=str(message["id"]), emoji=WITHDRAWS,
        )  # fmt: skip
        return [str(one["id"]) for one in users if not one.get("bot")] if isinstance(users, list) else []

    async def members(self, channel: str, team: TeamPolicy | None = None) -> Sequence[Member]:
        """The channel's people, or the team's."""
        return await self.directory.members(channel, team)

    async def group(self, name: str) -> str:
        """The mention of a role; empty if there is none by that name."""
        try:
            return f"&{await self.directory.role_id(name)}"
        except (PlaceFault, EntryFault):
            return ""

    # Beside threads

    async def announce(self, channel: str, post: Answer) -> None:
        """A message of its own in the channel. Whoever was not told that it stands asks again within a minute, and is
        answered with the first one."""
        there, rendered = await self.directory.channel_id(channel), render_answer(post)
        await self.say(there, rendered, nonce=nonce_of(f"{there}:{rendered.payload()}"))

    async def tell(self, account: str, text: str) -> None:
        """A direct message."""
        found = await self.api.call(
            "POST", "/users/@me/channels", json={"recipient_id": account}, repeatable=True
        )
        await self.say(
            str(found["id"]), render_answer(Answer(text)), nonce=nonce_of(f"{account}:{text}:told")
        )

    async def say(
        self, channel: str, rendered: Rendered, reply_to: str = "", nonce: str = ""
    ) -> dict[str, Any]:
        """A message that no delivery stands behind, in a channel or thread; what Discord made of it."""
        body = rendered.payload() | ({"nonce": nonce, "enforce_nonce": True} if nonce else {})
        if reply_to:
            body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
        answer: dict[str, Any] = await self.api.call(
            "POST", "/channels/{channel_id}/messages", channel_id=channel, json=body
        )
        return answer

    async def change(self, channel: str, message_id: str, rendered: Rendered) -> bool:
        """Make one of our messages say something else; False if it is gone. An archived thread is opened for that."""
        async with self.alone(message_id):
            return await self._change(channel, message_id, rendered)

    def alone(self, message_id: str) -> asyncio.Lock:
        """For who reads a message and writes it again: it is not changed meanwhile."""
        return self._changing.setdefault(message_id, asyncio.Lock())

    async def _change(self, channel: str, message_id: str, rendered: Rendered) -> bool:
        for _ in range(2):
            answer = await self.api.call(
                "PATCH", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message_id,
                json=rendered.payload(edit=True), repeatable=True,
                unless={UNKNOWN_MESSAGE, NOT_AUTHOR, ARCHIVED}, gone={UNKNOWN_CHANNEL},
            )  # fmt: skip
            if answer.get("code") == NOT_AUTHOR:
                raise _NotOurs("not_author")
            if answer.get("code") != ARCHIVED:
                return "id" in answer
            await self._wake(channel)
        raise PlaceFault("thread_archived")

    async def typing(self, thread: str) -> None:
        """Show for some seconds that somebody writes there."""
        await self.api.call("POST", "/channels/{channel_id}/typing", channel_id=thread, repeatable=True)

    async def take_card_back(self, place: Place) -> None:
        """The card of a thread that is no more. If that fails it stays, and does no harm."""
        try:
            await self._delete(place.channel, place.root)
        except DeliveryFault as fault:
            log.warning("discord: a card could not be taken back", extra={"reason": fault.reason})

    # Checks

    async def check(self, channel: str) -> Sequence[str]:
        """What is missing, each with its cure."""
        try:
            identity = await self.directory.identity(fresh=True)
        except DeliveryFault as fault:
            return [troubles.no_access(fault.reason, self._settings)]
        problems = [troubles.no_message_content()] if "message_content" not in identity.intents else []
        problems += [troubles.no_member_list()] if "members" not in identity.intents else []
        return [*problems, *await self.check_channel(channel)]

    async def check_channel(self, channel: str) -> list[str]:
        """Whether we are in the guild, see the channel and may do there what we must."""
        self.directory.forget_places()
        self.directory.forget_person((await self.directory.identity()).user_id)
        try:
            await self.directory.guild()
            allowed = await self.directory.permissions(channel)
            there = await self.directory.channel(channel)
            name = f"#{there.get('name') or channel.removeprefix('#')}"
        except DeliveryFault as fault:
            if fault.reason in troubles.TOO_OFTEN:
                raise
            if fault.reason == "unknown_channel":
                return [troubles.no_channel(channel)]
            return [troubles.no_access(fault.reason, self._settings)]
        if not may(allowed, "view_channel"):
            return [troubles.no_channel(channel)]
        if there.get("type", 0) not in TEXT_CHANNELS:
            return [troubles.no_text_channel(name)]
        return [
            troubles.missing_permission(shown, what_for, name)
            for one, (shown, what_for) in NEEDED.items()
            if not may(allowed, one)
        ]

    async def trouble(self, channel: str, met: str = "") -> str | None:
        """By who we are, the guild and what we may do in the channel. Then by what was met."""
        try:
            identity = await self.directory.identity(fresh=True)
            found = await self.check_channel(channel)
        except DeliveryFault as fault:
            if fault.reason in troubles.TOO_OFTEN:
                raise
            return troubles.no_access(fault.reason, self._settings)
        if not found and "message_content" not in identity.intents:
            found = [troubles.no_message_content()]
        return found[0] if found else troubles.refused(met) if met else None

    def when_places_change(self, listener: Callable[[str, str], None]) -> None:
        """See `bot.ports.TellsOfPlaces`."""
        self._watching_places.append(listener)

    def places_changed(self) -> None:
        """An event said so: a channel, a role or our own membership."""
        for listener in self._watching_places:
            listener("", "")

    async def channel_lost(self, channel: str, now: str) -> bool:
        """Deleted, or out of our sight while the team has another one."""
        try:
            if channel == await self.directory.channel_id(now):
                return False
            await self.directory.channel(channel)
        except PlaceFault as fault:
            return fault.reason == "unknown_channel" and await self._is_another(channel, now)
        return False

    async def _is_another(self, channel: str, now: str) -> bool:
        try:
            return channel != await self.directory.channel_id(now)
        except DeliveryFault:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self.files.close()
        await self.api.close()

    # Steps

    async def _create(
        self, channel: str, rendered: Rendered, delivery_id: str, gone: Collection[int] = ()
    ) -> dict[str, Any]:
        body = rendered.payload() | {"nonce": nonce_of(delivery_id), "enforce_nonce": True}
        answer: dict[str, Any] = await self.api.call(
            "POST", "/channels/{channel_id}/messages", channel_id=channel, json=body, gone=gone
        )
        return answer

    async def _begin_thread(self, channel: str, root: str, card: Card) -> None:
        """Again is once: it has its message's id."""
        body = {"name": thread_name(card), "auto_archive_duration": HIDES_AFTER}
        await self.api.call(
            "POST", "/channels/{channel_id}/messages/{message_id}/threads", channel_id=channel, message_id=root,
            json=body, repeatable=True, unless={THREAD_THERE},
        )  # fmt: skip
        self.directory.keep_thread(root, channel)

    async def _delete(self, channel: str, message_id: str) -> None:
        await self.api.call(
            "DELETE", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message_id,
            repeatable=True, unless={UNKNOWN_MESSAGE, UNKNOWN_CHANNEL},
        )  # fmt: skip

    async def _react(self, method: str, place: Place, remote_id: str, receipt: Receipt) -> None:
        for _ in range(2):
            answer = await self.api.call(
                method, "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
                channel_id=place.root, message_id=remote_id, emoji=REACTIONS[receipt],
                repeatable=True, unless=_MARKED | {ARCHIVED}, gone={UNKNOWN_CHANNEL},
            )  # fmt: skip
            if answer.get("code") != ARCHIVED:
                return
            await self._wake(place.root)
        raise PlaceFault("thread_archived")

    async def _wake(self, thread: str) -> None:
        """Take a thread out of the archive. Locked ones only open to who may manage threads."""
        try:
            await self.api.call(
                "PATCH",
                "/channels/{channel_id}",
                channel_id=thread,
                json={"archived": False},
                repeatable=True,
            )
        except PlaceFault as fault:
            if fault.reason == "missing_permissions":
                raise PlaceFault("thread_locked") from None
            raise

    async def _messages(
        self, channel: str, after: str, wait: float | None = None, *, in_thread: bool = True
    ) -> list[dict[str, Any]]:
        """All messages of a channel or thread behind that id, oldest first. `RootGone` if the thread is no more."""
        gone = {UNKNOWN_CHANNEL} if in_thread else set()
        found: list[dict[str, Any]] = []
        believed = False
        while True:
            page = await self.api.call(
                "GET", "/channels/{channel_id}/messages", channel_id=channel, repeatable=True, wait=wait,
                params={"after": after, "limit": PAGE}, gone=gone,
            )  # fmt: skip
            found += sorted(page or (), key=lambda one: int(one["id"]))
            if not found and not believed:
                await self.api.require_history(channel, gone)
                believed = True  # what is read from now on: it may have been granted a moment ago
                continue
            if len(page or ()) < PAGE:
                return found
            after = str(found[-1]["id"])

    def _posted(self, remote_id: str, channel: str, thread: str) -> Posted:
        return Posted(remote_id, channel, f"https://discord.com/channels/{self._settings.guild_id}/{thread}")

    def _remember(self, delivery_id: str, said: Card | Post) -> None:
        self._made[delivery_id] = said
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)


class _NotOurs(EntryFault):
    """The message is not our bot's: one of its webhooks wrote it."""


def _actor_dict(actor: Actor) -> dict[str, Any]:
    known: dict[str, Any] = {
        "platform": actor.platform, "id": actor.id, "name": actor.name, "role": actor.role.value
    }  # fmt: skip
    if actor.standings is not None:
        known["standings"] = actor.standings
        known["called"] = actor.called
    return known
