"""Baton's words to Slack: the `TeamChat` port on the Web API.

What cannot be known after a post (a timeout, a lost connection, an internal error) is `Unsure`; every post therefore
carries its delivery's id in its metadata, and `find` looks for it there.
"""

from collections.abc import Sequence
from typing import Any

from adapters.slack.allowance import Allowance, Importance
from adapters.slack.api import SlackApi
from adapters.slack.directory import PLATFORM, Directory
from adapters.slack.formatting import mentioned
from adapters.slack.inbound import heard, is_spoken
from adapters.slack.manifest import SCOPES
from adapters.slack.mrkdwn import inert
from adapters.slack.rendering import Rendered, render_card, render_post, split_post
from bot.conversation import Stage
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.people import Actor, Member
from bot.posts import Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Slack, Timing

EVENT_TYPE = "baton_delivery"
CLOCK_MARGIN = 300.0
"""Seconds by which our clock and Slack's may differ when looking for a post."""
LOOK_PATIENCE = 60.0
"""Seconds that reading a thread back may wait for Slack's allowance."""

REACTIONS = {
    Receipt.PENDING: "hourglass_flowing_sand",
    Receipt.DELIVERED: "white_check_mark",
    Receipt.SEEN: "eyes",
    Receipt.MAILED: "e-mail",
    Receipt.FAILED: "warning",
    Receipt.INSIDE: "lock",
}
_GONE = frozenset({"message_not_found"})
_MARKED = _GONE | {"already_reacted", "no_reaction"}


class SlackChat:
    """See `bot.ports.TeamChat`. Safe to use from many tasks; open connections lazily, `close` at the end."""

    platform = PLATFORM
    shows_log = False

    def __init__(self, settings: Slack, timing: Timing, allowance: Allowance | None = None):
        self._settings = settings
        self.api = SlackApi(settings, timing.call_timeout, allowance)
        self.directory = Directory(self.api)

    def split(self, post: Post) -> Sequence[Post]:
        """In as many parts as Slack's limits ask for."""
        return split_post(post)

    # Posting

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        """Post the card as the root of a new thread; the channel by name or id."""
        channel_id = await self._channel_id(channel)
        answer = await self._post(channel_id, render_card(card), delivery_id, importance=Importance.OPEN)
        return await self._posted(str(answer["ts"]), str(answer["channel"]))

    async def update_card(self, place: Place, card: Card) -> None:
        """Render the card's newest state into the root."""
        importance = Importance.WAITING_CARD if card.stage == Stage.WAITING else Importance.CARD
        if not await self._update(place.channel, place.root, render_card(card), importance):
            raise RootGone("message_not_found")

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        """Slack puts a reply to a deleted root into the channel, silently: that stray is taken back."""
        answer = await self._post(place.channel, render_post(post), delivery_id, place.root)
        ts = str(answer["ts"])
        if (answer.get("message") or {}).get("thread_ts") != place.root:
            await self._take_back(place.channel, ts)
            raise RootGone("root_deleted")
        return Posted(ts, str(answer.get("channel") or place.channel))

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        """Replace what one of our posts says."""
        await self._update(place.channel, remote_id, render_post(post), Importance.AMEND)

    async def retract(self, place: Place, remote_id: str) -> None:
        """Delete one of our posts."""
        await self._delete(place.channel, remote_id, Importance.AMEND)

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        """One reaction instead of another; the new one first, so that there is never none."""
        if receipt is not None:
            await self._react("reactions.add", place, remote_id, receipt)
        if before is not None and before is not receipt:
            await self._react("reactions.remove", place, remote_id, before)

    async def whisper(self, channel: str, user_id: str, text: str, root: str = "") -> None:
        """What only one person sees, in answer to their click or message."""
        await self.api.call(
            "chat.postEphemeral",
            importance=Importance.ANSWER,
            channel=channel,
            user=user_id,
            text=inert(text),
            thread_ts=root or None,
        )

    # Looking

    async def find(self, place: Place, delivery_id: str, since: float) -> Posted | None:
        """Among our posts from shortly before `since`. A stray of a deleted root is taken back on the way."""
        oldest = f"{max(since - CLOCK_MARGIN, 0):.6f}"
        if not place.root:
            channel_id = await self._channel_id(place.channel)
            ts = await self._find_in_channel(channel_id, delivery_id, oldest)
            return await self._posted(ts, channel_id) if ts else None
        try:
            ts = await self._find_in_thread(place, delivery_id, oldest)
        except RootGone:
            stray = await self._find_in_channel(place.channel, delivery_id, oldest)
            if stray:
                await self._take_back(place.channel, stray)
            raise
        return Posted(ts, place.channel) if ts else None

    async def history(self, place: Place, after: str) -> Sequence[Heard]:
        """People's messages of the thread. `extra["actor"]` says who each author is: name and role.

        No lane waits for this, so it may wait longer than other calls, behind all of them."""
        identity = await self.directory.identity()
        messages = [
            message
            async for page in self._replies(
                place, Importance.LOOK, LOOK_PATIENCE, oldest=after or None, inclusive=True
            )
            for message in page
            if message.get("ts") != place.root and str(message.get("ts")) >= after and is_spoken(message)
        ]
        found = []
        for message in messages:
            ids = [str(message["user"]), *mentioned(str(message.get("text") or ""))]
            actors = await self.directory.actors(ids)
            words = heard(message, actors, identity.user_id)
            words.extra["actor"] = _actor_dict(actors[ids[0]])
            found.append(words)
        return sorted(found, key=lambda words: words.order)

    async def members(self, channel: str) -> Sequence[Member]:
        """The channel's people."""
        return await self.directory.members(await self._channel_id(channel))

    async def check(self, channel: str) -> Sequence[str]:
        """What is missing, each with its cure."""
        try:
            identity = await self.directory.identity(fresh=True)
        except DeliveryFault as fault:
            return [_no_access(fault.reason)]
        problems = _missing_scopes(identity.scopes)
        if self._settings.app_token:
            problems += await self._check_socket()
        problems += await self._check_channel(channel)
        return problems

    async def close(self) -> None:
        """Close the connections."""
        await self.api.close()

    # Steps

    async def _post(
        self,
        channel: str,
        rendered: Rendered,
        delivery_id: str,
        root: str | None = None,
        importance: Importance = Importance.POST,
    ) -> dict[str, Any]:
        return await self.api.call(
            "chat.postMessage",
            importance=importance,
            channel=channel,
            thread_ts=root,
            text=rendered.text,
            blocks=rendered.blocks,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"delivery": delivery_id}},
            unfurl_links=False,
            unfurl_media=False,
        )

    async def _update(self, channel: str, ts: str, rendered: Rendered, importance: Importance) -> bool:
        answer = await self.api.call(
            "chat.update",
            repeatable=True,
            importance=importance,
            unless=_GONE,
            channel=channel,
            ts=ts,
            text=rendered.text,
            blocks=rendered.blocks,
        )
        return bool(answer.get("ok"))

    async def _delete(self, channel: str, ts: str, importance: Importance) -> None:
        await self.api.call(
            "chat.delete", repeatable=True, unless=_GONE, importance=importance, channel=channel, ts=ts
        )

    async def _take_back(self, channel: str, ts: str) -> None:
        """`Unsure` if it did not work: then `find` comes back to it."""
        try:
            await self._delete(channel, ts, Importance.POST)
        except (PlaceFault, EntryFault) as fault:
            raise Unsure(f"stray_{fault.reason}") from None

    async def _react(self, method: str, place: Place, remote_id: str, receipt: Receipt) -> None:
        await self.api.call(
            method,
            repeatable=True,
            unless=_MARKED,
            importance=Importance.RECEIPT,
            channel=place.channel,
            timestamp=remote_id,
            name=REACTIONS[receipt],
        )

    async def _find_in_thread(self, place: Place, delivery_id: str, oldest: str) -> str | None:
        async for page in self._replies(place, oldest=oldest, include_all_metadata=True):
            for message in page:
                if message.get("ts") == place.root and message.get("subtype") == "tombstone":
                    raise RootGone("root_deleted")
                if _carries(message, delivery_id):
                    return str(message["ts"])
        return None

    async def _find_in_channel(self, channel_id: str, delivery_id: str, oldest: str) -> str | None:
        pages = self.directory.pages(
            "conversations.history", channel=channel_id, oldest=oldest, include_all_metadata=True, limit=200
        )
        async for page in pages:
            for message in page.get("messages", ()):
                if _carries(message, delivery_id):
                    return str(message["ts"])
        return None

    async def _replies(
        self,
        place: Place,
        importance: Importance = Importance.POST,
        patience: float | None = None,
        **params: Any,
    ) -> Any:
        pages = self.directory.pages(
            "conversations.replies",
            importance=importance,
            patience=patience,
            channel=place.channel,
            ts=place.root,
            limit=200,
            **params,
        )
        async for page in pages:
            yield page.get("messages", ())

    async def _posted(self, ts: str, channel_id: str) -> Posted:
        url = (await self.directory.identity()).url.rstrip("/")
        link = f"{url}/archives/{channel_id}/p{ts.replace('.', '')}" if url else None
        return Posted(ts, channel_id, link)

    async def _channel_id(self, channel: str) -> str:
        return await self.directory.channel_id(channel)

    # Checks

    async def _check_socket(self) -> list[str]:
        token = self._settings.app_token
        try:
            await self.api.bare_client().apps_connections_open(app_token=token)
        except Exception as error:  # noqa: BLE001  any failure has the same cure; its text may hold the token
            code = getattr(getattr(error, "response", None), "data", {})
            reason = code.get("error", "") if isinstance(code, dict) else ""
            if reason == "ratelimited":
                return []
            return [
                f"Slack refuses SLACK_APP_TOKEN ({reason or 'no answer'}); make an app-level token (xapp-…) with "
                "connections:write under Basic Information and set it."
            ]
        return []

    async def _check_channel(self, channel: str) -> list[str]:
        try:
            channel_id = await self._channel_id(channel)
            answer = await self.api.read("conversations.info", channel=channel_id)
        except DeliveryFault as fault:
            return [_no_channel(channel, fault.reason)]
        info, problems = answer.get("channel") or {}, []
        name = f"#{info.get('name') or channel.removeprefix('#')}"
        if info.get("is_archived"):
            problems.append(f"The channel {name} is archived; unarchive it or name another one for the team.")
        if not info.get("is_member"):
            problems.append(f"Baton is not in {name}; write /invite @Baton there.")
        return problems


def _carries(message: dict[str, Any], delivery_id: str) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return bool(metadata.get("event_type") == EVENT_TYPE and payload.get("delivery") == delivery_id)


def _actor_dict(actor: Actor) -> dict[str, str]:
    return {"platform": actor.platform, "id": actor.id, "name": actor.name, "role": actor.role.value}


def _missing_scopes(granted: frozenset[str] | None) -> list[str]:
    if granted is None:
        return []
    return [
        f"The scope {scope} is missing, so Baton cannot {what}; add it under OAuth & Permissions and reinstall the app."
        for scope, what in SCOPES
        if scope not in granted
    ]


def _no_access(reason: str) -> str:
    if reason in ("unreachable", "timeout", "connection_lost", "ratelimited") or reason.startswith("http_"):
        return f"Slack cannot be reached ({reason}); check the network and SLACK_API_URL, then try again."
    return f"Slack refuses SLACK_BOT_TOKEN ({reason}); copy the bot token (xoxb-…) from OAuth & Permissions and set it."


def _no_channel(channel: str, reason: str) -> str:
    if reason == "channel_not_found":
        return (
            f"Baton can see no channel {channel}; create it, or write /invite @Baton there if it is private."
        )
    return f"The channel {channel} cannot be looked up ({reason}); mend that and check again."
