"""Baton's words to Slack: the `TeamChat` port on the Web API.

What cannot be known after a post (a timeout, a lost connection, an internal error) is `Unsure`; every post therefore
carries its delivery's id in its metadata, and `find` looks for it there.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from adapters.slack.allowance import Allowance, Importance, one
from adapters.slack.api import SlackApi
from adapters.slack.directory import PLATFORM, Directory
from adapters.slack.files import SlackFiles
from adapters.slack.formatting import mentioned_in
from adapters.slack.inbound import heard, is_spoken, withdrawn_by
from adapters.slack.manifest import SCOPES
from adapters.slack.place_events import PlaceNews
from adapters.slack.rendering import Rendered, render_answer, render_card, render_post, split_post
from bot.conversation import Stage
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.people import Actor, Member
from bot.posts import Answer, Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Slack, TeamPolicy, Timing

EVENT_TYPE = "baton_delivery"
CLOCK_MARGIN = 300.0
"""Seconds by which our clock and Slack's may differ when looking for a post."""
REPLIES_AT_ONCE = 1000
"""The most that Slack gives. Who looks for a post must reach the end of its thread within a few calls: of several pages
each may have to wait for the allowance, and one that waits too long begins anew."""
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
TOO_OFTEN = frozenset({"allowance", "ratelimited"})
"""Reasons that say nothing about the place: it could not be asked now."""
_OF_TOKENS = frozenset({"token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed"})
DISPROVED = _OF_TOKENS | {"not_in_channel", "channel_not_found", "is_archived"}
"""What calls have met that cannot be so any more once Slack knows us, and shows us the channel with us in it."""
NEEDED = frozenset({"chat:write", "channels:read", "groups:read", "users:read", "reactions:write"})
"""Scopes without which calls fail; without the others less is heard, which the doctor says."""
_GONE = frozenset({"message_not_found"})
_MARKED = _GONE | {"already_reacted", "no_reaction"}


class SlackChat:
    """See `bot.ports.TeamChat`. Safe to use from many tasks; open connections lazily, `close` at the end."""

    platform = PLATFORM
    shows_log = False

    def __init__(
        self,
        settings: Slack,
        timing: Timing,
        allowance: Allowance | None = None,
        teams: Sequence[TeamPolicy] = (),
        replicas: Callable[[], int] = one,
    ):
        self._settings = settings
        self.api = SlackApi(settings, timing.call_timeout, allowance, replicas)
        self.directory = Directory(self.api, teams)
        self.files = SlackFiles(self.api, settings)
        self._watching_places: list[Callable[[str, str], None]] = []

    def split(self, post: Post) -> Sequence[Post]:
        """In as many parts as Slack's limits ask for."""
        return split_post(post)

    # Posting

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        """Post the card as the root of a new thread; the channel by name or id."""
        channel_id = await self._channel_id(channel)
        try:
            answer = await self._post(channel_id, render_card(card), delivery_id, importance=Importance.OPEN)
        except PlaceFault as fault:
            if fault.reason == "channel_not_found":
                self.directory.forget_channel(channel)  # deleted: the name may be another channel's by now
            raise
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
            stopped_by = [user for user in withdrawn_by(message) if user != identity.user_id]
            ids = [str(message["user"]), *mentioned_in(message), *stopped_by]
            actors = await self.directory.actors(ids, place.channel)
            words = heard(message, actors, identity.user_id)
            words.extra["actor"] = _actor_dict(actors[ids[0]])
            if stopped_by:
                words.extra["stopped_by"] = tuple(actors[user] for user in stopped_by if user in actors)
            found.append(words)
        return sorted(found, key=lambda words: words.order)

    async def thread_of(self, channel: str, message_id: str) -> str:
        """The root of the thread that a message stands in; empty if it stands in none, or is gone."""
        page = await self.api.read(
            "conversations.replies",
            importance=Importance.ANSWER,
            unless=frozenset({"thread_not_found"}),
            channel=channel,
            ts=message_id,
            limit=1,
        )
        messages: list[dict[str, Any]] = page.get("messages") or []
        found = next((one for one in messages if one.get("ts") == message_id), {})
        root = str(found.get("thread_ts") or "")
        return root if root != message_id else ""

    async def members(self, channel: str, team: TeamPolicy | None = None) -> Sequence[Member]:
        """The channel's people, or the team's."""
        return await self.directory.members(await self._channel_id(channel), team)

    async def group(self, name: str) -> str:
        """The id of a user group; empty if there is none by that name."""
        try:
            return await self.directory.group_id(name)
        except (PlaceFault, EntryFault):
            return ""

    # Beside threads

    async def announce(self, channel: str, post: Answer) -> None:
        """A message of its own in the channel."""
        await self._say(await self._channel_id(channel), render_answer(post))

    async def tell(self, account: str, text: str) -> None:
        """A direct message."""
        await self._say(account, render_answer(Answer(text)))

    async def _say(self, channel: str, rendered: Rendered) -> None:
        await self.api.call(
            "chat.postMessage", channel=channel, text=rendered.text, blocks=rendered.blocks,
            unfurl_links=False, unfurl_media=False,
        )  # fmt: skip

    # Checks

    async def check(self, channel: str) -> Sequence[str]:
        """What is missing, each with its cure."""
        try:
            identity = await self.directory.identity(fresh=True)
        except DeliveryFault as fault:
            return [no_access(fault.reason)]
        problems = missing_scopes(identity.scopes)
        if self._settings.app_token:
            problems += await self.check_socket()
        problems += await self.check_channel(channel)
        return problems

    async def trouble(self, channel: str, met: str = "") -> str | None:
        """By two calls: who we are there, and what the channel is. Then by what was met, unless just these calls say
        that it is over: a scope that was taken away, where Slack does not say which ones there are."""
        try:
            identity = await self.directory.identity(fresh=True)
        except DeliveryFault as fault:
            if fault.reason in TOO_OFTEN:
                raise
            return no_access(fault.reason)
        found = [*missing_scopes(identity.scopes, NEEDED), *await self._look_at(channel)]
        return found[0] if found else refused(met) if met and met not in DISPROVED else None

    def when_places_change(self, listener: Callable[[str, str], None]) -> None:
        """See `bot.ports.TellsOfPlaces`."""
        self._watching_places.append(listener)

    async def place_news(self, news: PlaceNews) -> None:
        """What an event said about a channel. Of channels that are no team's nothing is said."""
        ours = self.directory.name_of_ours(news.channel, news.name) if news.channel else ""
        if news.gone and ours:
            self.directory.forget_channel(ours)
        elif news.entered or (news.name and ours):
            await self.directory.look_for_channels()
            ours = ours or self.directory.name_of_ours(news.channel, news.name)
        if ours is None:
            return
        word = renamed(ours, news.name, news.channel) if is_other_name(ours, news) else ""
        for listener in self._watching_places:
            listener(ours if word else "", word)

    async def channel_lost(self, channel: str, now: str) -> bool:
        """Deleted or archived; one that cannot be seen at all only counts if the team has another channel now."""
        try:
            if channel == await self._channel_id(now):
                return False
            answer = await self.api.read("conversations.info", channel=channel)
        except PlaceFault as fault:
            return fault.reason == "channel_not_found" and await self._is_another(channel, now)
        return bool((answer.get("channel") or {}).get("is_archived"))

    async def _is_another(self, channel: str, now: str) -> bool:
        try:
            return channel != await self._channel_id(now)
        except DeliveryFault:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self.files.close()
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
            limit=REPLIES_AT_ONCE,
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

    async def check_socket(self) -> list[str]:
        """Whether Slack gives us an address to connect to."""
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

    async def check_channel(self, channel: str) -> list[str]:
        """Whether we can write there."""
        try:
            return await self._look_at(channel)
        except DeliveryFault as fault:
            return [no_channel(channel, fault.reason)]

    async def _look_at(self, channel: str) -> list[str]:
        try:
            channel_id = await self._channel_id(channel)
            answer = await self.api.read("conversations.info", channel=channel_id)
        except DeliveryFault as fault:
            if fault.reason in TOO_OFTEN:
                raise
            if fault.reason == "channel_not_found":
                self.directory.forget_channel(channel)
            return [no_channel(channel, fault.reason)]
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


def _actor_dict(actor: Actor) -> dict[str, Any]:
    known: dict[str, Any] = {
        "platform": actor.platform, "id": actor.id, "name": actor.name, "role": actor.role.value
    }  # fmt: skip
    if actor.standings is not None:
        known["standings"] = actor.standings
        known["called"] = actor.called
    return known


def missing_scopes(granted: frozenset[str] | None, wanted: Collection[str] | None = None) -> list[str]:
    """A sentence for each that was not granted; nothing where Slack does not say what was."""
    if granted is None:
        return []
    return [
        f"The scope {scope} is missing, so Baton cannot {what}; add it under OAuth & Permissions and reinstall the app."
        for scope, what in SCOPES
        if scope not in granted and (wanted is None or scope in wanted)
    ]


def no_access(reason: str) -> str:
    """The whole of Slack is out of reach, or our token is refused."""
    if reason in ("unreachable", "timeout", "connection_lost", "ratelimited") or reason.startswith("http_"):
        return f"Slack cannot be reached ({reason}); check the network and SLACK_API_URL, then try again."
    return f"Slack refuses SLACK_BOT_TOKEN ({reason}); copy the bot token (xoxb-…) from OAuth & Permissions and set it."


def refused(reason: str) -> str:
    """Calls fail although everything that can be asked is in order."""
    if reason == "missing_scope":
        return (
            "Slack refuses Baton's calls (missing_scope); add the scopes that `python -m bot manifest` names under "
            "OAuth & Permissions and reinstall the app."
        )
    return f"Slack refuses Baton's calls ({reason}); `python -m bot doctor` says more."


def no_channel(channel: str, reason: str) -> str:
    """That channel is out of reach."""
    if reason == "channel_not_found":
        return (
            f"Baton can see no channel {channel}; create it, or write /invite @Baton there if it is private. If it was "
            "renamed, write its new name, or better its id, into SLACK_CHANNEL or baton.toml."
        )
    return f"The channel {channel} cannot be looked up ({reason}); mend that and check again."


def is_other_name(written: str, news: PlaceNews) -> bool:
    """Whether a channel that the policy writes by its name is called something else now."""
    bare = written.strip().removeprefix("#")
    return bool(news.name) and bare not in (news.name, news.channel)


def renamed(written: str, name: str, channel: str) -> str:
    """It works on by its id until Baton is started again."""
    return (
        f"The channel {written} is called #{name} now. Baton goes on there, but will not find it after its next start: "
        f"write {channel} instead of {written} into SLACK_CHANNEL or baton.toml."
    )
