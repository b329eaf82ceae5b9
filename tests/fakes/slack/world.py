"""The workspace itself: people, channels, messages.

Every change to a message also says the event Slack would send, so a post by the bot, by a person and by a
fault that commits late all look the same to the client.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .blocks import texts, with_ids

Json = dict[str, Any]

_EMOJI = """
+1 -1 thumbsup thumbsdown eyes white_check_mark heavy_check_mark ballot_box_with_check x no_entry
no_entry_sign octagonal_sign stop_sign raised_hand hand wave pray clap ok_hand muscle point_up tada fire
heart joy smile slightly_smiling_face thinking_face cry sob rage warning bangbang exclamation question
hourglass hourglass_flowing_sand stopwatch alarm_clock lock unlock pencil pencil2 memo speech_balloon
mailbox inbox_tray outbox_tray package gift rocket arrow_right arrow_left arrows_counterclockwise repeat
leftwards_arrow_with_hook zzz sleeping bell no_bell red_circle large_green_circle large_yellow_circle
large_blue_circle large_orange_circle white_circle black_circle bulb star star2 sparkles 100
checkered_flag triangular_flag_on_post rotating_light sos new robot_face see_no_evil
"""
EMOJI = frozenset(_EMOJI.split())


class SlackError(Exception):
    """A Web API call that Slack answers with `ok: false`."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.extra = code, extra


@dataclass(eq=False)
class User:
    """A member of the workspace."""

    id: str
    name: str
    admin: bool = False
    guest: bool = False
    deleted: bool = False
    presence: str = "active"
    bot: bool = False
    display: str = ""  # what they chose to be called, unless that is their handle

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass(eq=False)
class Message:
    """A message; a deleted one stays here with `deleted` set, so that tests can see what it was."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    bot_id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    subtype: str | None = None
    username: str | None = None
    client_msg_id: str | None = None
    edited: Json | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(eq=False)
class Channel:
    """A conversation, with its messages in order of `ts` and the replies of each thread."""

    id: str
    name: str
    members: list[str]
    private: bool = False
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    last: int = 0

    @property
    def kind(self) -> str:
        return "im" if self.id.startswith("D") else "group" if self.private else "channel"


class World:
    """State and its rules. `emit` hands an event to the delivery side; `changed` wakes whoever waits."""

    def __init__(self, clock: Callable[[], float], rng: random.Random) -> None:
        self.clock, self.rng = clock, rng
        self.team_id, self.app_id = "T0BATON", "A0BATON"
        self.bot_user_id, self.bot_id = "U0BATON", "B0BATON"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.emoji: set[str] = set(EMOJI)
        self.reply_noise = False
        self.emit: Callable[[Json], Any] = lambda _event: None
        self.changed: Callable[[], None] = lambda: None
        self._count = itertools.count(1)
        self._last_event = 0
        self.users[self.bot_user_id] = User(self.bot_user_id, "baton", bot=True)

    def new_id(self, prefix: str = "") -> str:
        return f"{prefix}{next(self._count):08d}"

    def next_ts(self, channel: Channel) -> str:
        channel.last = max(channel.last + 1, int(self.clock() * 1_000_000))
        return _stamp(channel.last)

    def event_ts(self) -> str:
        self._last_event = max(self._last_event + 1, int(self.clock() * 1_000_000))
        return _stamp(self._last_event)

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def message(self, channel_id: str, ts: str) -> Message:
        """A message that is still there."""
        message = self.channel(channel_id).messages.get(ts)
        if message is None or message.deleted:
            raise SlackError("message_not_found")
        return message

    def replies(self, message: Message) -> list[Message]:
        found = self.channels[message.channel].threads.get(message.ts, [])
        return [reply for reply in found if not reply.deleted]

    def is_tombstone(self, message: Message) -> bool:
        return message.deleted and not message.is_reply and bool(self.replies(message))

    def visible(self, message: Message) -> bool:
        return not message.deleted or self.is_tombstone(message)

    # Changes

    def post(
        self, channel_id: str, user: str, text: str, *, thread_ts: str | None = None, **more: Any
    ) -> Message:
        """Keep a message and say so. A reply to a deleted or unknown root lands in the channel."""
        channel = self.channel(channel_id)
        root = channel.messages.get(thread_ts) if thread_ts else None
        if root is not None and root.is_reply:
            raise SlackError("cannot_reply_to_message")
        if root is None or root.deleted:
            thread_ts = None
        blocks = with_ids(deepcopy(more.pop("blocks", None) or []), self.new_id)
        message = Message(
            channel_id,
            self.next_ts(channel),
            user,
            text,
            thread_ts=thread_ts,
            blocks=blocks,
            **deepcopy(more),
        )
        channel.messages[message.ts] = message
        if root is not None and thread_ts:
            root.thread_ts = root.ts
            channel.threads.setdefault(root.ts, []).append(message)
        self._say_posted(channel, message)
        if root is not None and thread_ts and self.reply_noise:
            self.say_changed(root, self.json(root))
        return message

    def _say_posted(self, channel: Channel, message: Message) -> None:
        event = {**self.json(message), "channel": message.channel, "event_ts": message.ts}
        events = [event]
        if f"<@{self.bot_user_id}>" in message.text and message.bot_id is None and channel.kind != "im":
            keys = (
                "user",
                "text",
                "ts",
                "thread_ts",
                "client_msg_id",
                "team",
                "blocks",
                "files",
                "channel",
                "event_ts",
            )
            events.append({"type": "app_mention"} | {key: event[key] for key in keys if key in event})
            self.rng.shuffle(events)
        for each in events:
            self._say(channel, each)

    def edit(self, message: Message, editor: str, **changes: Any) -> None:
        """Change text, blocks, attachments or metadata. `edited.ts` has whole seconds only, as at Slack."""
        before = self.json(message)
        if changes.get("blocks"):
            changes["blocks"] = with_ids(deepcopy(changes["blocks"]), self.new_id)
        for name, value in changes.items():
            setattr(message, name, value)
        message.edited = {"user": editor, "ts": f"{int(self.clock())}.000000"}
        self.say_changed(message, before)

    def say_changed(self, message: Message, before: Json) -> Any:
        """`message_changed`; also sent with nothing changed, for link previews and reply counts."""
        return self._say_about(
            message, {"subtype": "message_changed", "message": self.json(message), "previous_message": before}
        )

    def delete(self, message: Message) -> Any:
        before = self.json(message)
        message.deleted = True
        if self.is_tombstone(message):
            return self.say_changed(message, before)
        return self._say_about(
            message, {"subtype": "message_deleted", "deleted_ts": message.ts, "previous_message": before}
        )

    def react(self, message: Message, user: str, name: str) -> Any:
        if name.split("::", maxsplit=1)[0] not in self.emoji:
            raise SlackError("invalid_name")
        users = message.reactions.setdefault(name, [])
        if user in users:
            raise SlackError("already_reacted")
        users.append(user)
        return self._say_reaction("reaction_added", message, user, name)

    def unreact(self, message: Message, user: str, name: str) -> Any:
        users = message.reactions.get(name, [])
        if user not in users:
            raise SlackError("no_reaction")
        users.remove(user)
        if not users:
            del message.reactions[name]
        return self._say_reaction("reaction_removed", message, user, name)

    def _say_reaction(self, kind: str, message: Message, user: str, name: str) -> Any:
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user}
        return self._say(self.channels[message.channel], {**event, "event_ts": self.event_ts()})

    def _say_about(self, message: Message, event: Json) -> Any:
        channel = self.channels[message.channel]
        ts = self.next_ts(channel)
        whole = {"type": "message", "hidden": True, "channel": channel.id, "ts": ts, "event_ts": ts, **event}
        return self._say(channel, whole)

    def _say(self, channel: Channel, event: Json) -> Any:
        self.changed()
        if self.bot_user_id not in channel.members:
            return None
        if event["type"] == "message":
            event["channel_type"] = channel.kind
        return self.emit(deepcopy(event))

    # What Slack shows

    def json(self, message: Message, *, metadata: bool = False) -> Json:
        """A message as Slack shows it; its metadata only when asked for."""
        if self.is_tombstone(message):
            shown = {
                "subtype": "tombstone",
                "text": "This message was deleted.",
                "user": "USLACKBOT",
                "hidden": True,
            }
            return {"type": "message", **shown, "ts": message.ts} | self._thread_json(message)
        optional = {
            "subtype": message.subtype,
            "client_msg_id": message.client_msg_id,
            "username": message.username,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "files": message.files,
            "edited": message.edited,
            "reactions": [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()],
            "metadata": message.metadata if metadata else None,
        }
        shown = {
            "type": "message",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self.team_id,
        }
        if message.bot_id:
            profile = {"id": message.bot_id, "name": "baton", "app_id": self.app_id, "team_id": self.team_id}
            shown |= {"bot_id": message.bot_id, "app_id": self.app_id, "bot_profile": profile}
        shown |= {key: value for key, value in optional.items() if value}
        return deepcopy(shown | self._thread_json(message))

    def _thread_json(self, message: Message) -> Json:
        if message.is_reply:
            parent = self.channels[message.channel].messages[message.thread_ts or ""]
            shown_user = "USLACKBOT" if parent.deleted else parent.user
            return {"thread_ts": message.thread_ts, "parent_user_id": shown_user}
        replies = self.replies(message)
        if not replies:
            return {}
        users = list(dict.fromkeys(reply.user for reply in replies))
        locked = message.ts in self.channels[message.channel].locked
        counts = {"reply_count": len(replies), "reply_users_count": len(users), "reply_users": users[:5]}
        return {"thread_ts": message.ts, "latest_reply": replies[-1].ts, "is_locked": locked, **counts}


def text_of(message: Message) -> str:
    """All human-readable text of a message: its text, then what its blocks, attachments and files add."""
    pieces = [message.text, *texts(message.blocks), *texts(message.attachments)]
    pieces += [str(file.get("name", "")) for file in message.files]
    return "\n".join(dict.fromkeys(piece for piece in pieces if piece))


def _stamp(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"
