"""The guild itself: people, roles, channels, threads, messages, webhooks.

Every change to it also says the event Discord would send, so a message by the bot, by a person and by a fault that
commits late all look the same to the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from . import permissions
from .components import shown_texts, with_ids
from .errors import DiscordError, Json
from .shapes import Shapes
from .things import (
    DM_MESSAGES,
    DM_REACTIONS,
    EPOCH,
    GUILDS,
    HAS_THREAD,
    MESSAGES,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    REACTIONS,
    RENAMED,
    REPLY,
    STARTER,
    Channel,
    Emit,
    File,
    Member,
    Message,
    Role,
    User,
    Webhook,
)


class World(Shapes):
    """One guild and everything in it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._last_id = 0
        self.emit: Emit = lambda *_, **__: None
        self.changed: Callable[[], None] = lambda: None
        self.address = ""
        self.cdn_seconds = 24 * 3600.0
        self.noise = True
        self.application_id = self.new_id()
        self.guild_id, self.guild_name = self.new_id(), "Lumen & Oak"
        self.bot_id, self.bot_role = self.application_id, self.new_id()
        self.crew_role, self.owner_id = self.new_id(), self.new_id()
        self.users: dict[str, User] = {}
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.emojis: dict[str, str] = {}
        self.files: dict[str, File] = {}
        self.roles = {
            self.guild_id: Role(self.guild_id, "@everyone", 0),
            self.crew_role: Role(self.crew_role, "crew", permissions.bits(permissions.PEOPLE), position=1),
            self.bot_role: Role(
                self.bot_role, "Baton", permissions.bits(permissions.BOT), position=2, managed=True
            ),
        }
        self.users[self.owner_id] = User(self.owner_id, "Owner")
        self.users[self.bot_id] = User(self.bot_id, "Baton", bot=True)
        self.members[self.bot_id] = Member(self.bot_id, [self.bot_role], clock())

    def new_id(self) -> str:
        """A snowflake: the time, and more than any before it."""
        stamp = (int(self.clock() * 1000) - EPOCH) << 22
        self._last_id = max(stamp, self._last_id + 1)
        return str(self._last_id)

    # Looking up

    def channel(self, channel_id: Any) -> Channel:
        channel = self.channels.get(str(channel_id))
        if channel is None or channel.deleted:
            raise DiscordError(10003)
        return channel

    def parent(self, channel: Channel) -> Channel:
        return self.channels[channel.parent_id] if channel.is_thread and channel.parent_id else channel

    def find(self, message_id: str) -> Message:
        """A message wherever it stands, deleted or not."""
        for channel in self.channels.values():
            if message_id in channel.messages:
                return channel.messages[message_id]
        raise DiscordError(10008)

    def living(self, channel: Channel, message_id: Any) -> Message:
        message = channel.messages.get(str(message_id))
        if message is None or message.deleted:
            raise DiscordError(10008)
        return message

    def threads(self, channel_id: str | None = None) -> list[Channel]:
        found = [one for one in self.channels.values() if one.is_thread and not one.deleted]
        return [one for one in found if channel_id in (None, one.parent_id)]

    def sees(self, user: str, channel: Channel) -> bool:
        if channel.is_dm:
            return user in channel.members
        if channel.type == PRIVATE_THREAD and user not in channel.members:
            return permissions.may(self, user, channel, "manage_threads")
        return permissions.may(self, user, channel, "view_channel")

    # Messages

    def post(
        self,
        channel: Channel,
        author: str,
        content: str = "",
        *,
        allowed: Json | None = None,
        nonce: str | None = None,
        event: bool = True,
        **more: Any,
    ) -> Message:
        """Put a message there and tell everybody. Whoever writes in a thread joins it; it is then archived no more."""
        message = Message(self.new_id(), channel.id, author, content.strip(), at=self.clock(), **more)
        with_ids(message.components)
        for file in message.attachments:
            file.channel_id = channel.id
        self.mention(channel, message, allowed)
        if channel.is_thread:
            self._enter(channel, [author, *message.mentions])
            if channel.archived and message.type != STARTER:
                self.set_archived(channel, False)
        channel.messages[message.id] = message
        if event:
            self.say("MESSAGE_CREATE", message, nonce=nonce)
        self.changed()
        return message

    def _enter(self, thread: Channel, users: Iterable[str]) -> None:
        for user in users:
            if user in self.members and user not in thread.members:
                thread.members.append(user)

    def mention(self, channel: Channel, message: Message, allowed: Json | None) -> None:
        """Work out whom a new message mentions and pings, by its text, its author's rights and `allowed_mentions`."""
        text = _without_code("\n".join((message.content, *shown_texts(message.components))))
        kinds = ["users", "roles", "everyone"] if allowed is None else allowed.get("parse", ())
        named = {
            kind: kind in kinds or {str(one) for one in (allowed or {}).get(kind) or ()}
            for kind in ("users", "roles")
        }
        users = [one for one in re.findall(r"<@!?(\d+)>", text) if one in self.users]
        roles = [one for one in re.findall(r"<@&(\d+)>", text) if one in self.roles]
        loud = not channel.is_dm and (
            permissions.may(self, message.author, channel, "mention_everyone") or message.by_webhook
        )
        message.mentions = [
            one for one in dict.fromkeys(users) if named["users"] is True or one in named["users"]
        ]
        roles = [one for one in dict.fromkeys(roles) if named["roles"] is True or one in named["roles"]]
        message.mention_roles = [one for one in roles if loud or self.roles[one].mentionable]
        broad = re.findall(r"@(everyone|here)\b", text) if loud and "everyone" in kinds else []
        message.mention_everyone = bool(broad)
        replied = self._replied_to(channel, message)
        if replied and (allowed is None or allowed.get("replied_user")) and replied not in message.mentions:
            message.mentions.append(replied)
        reached = [*message.mentions]
        for member in self.members.values():
            by_role = set(member.roles) & set(message.mention_roles)
            here = "here" in broad and member.presence not in ("offline", "invisible")
            if by_role or here or "everyone" in broad:
                reached.append(member.user)
        message.pinged = [
            one
            for one in dict.fromkeys(reached)
            if one != message.author and one in self.members and self.sees(one, channel)
        ]

    def _replied_to(self, channel: Channel, message: Message) -> str | None:
        if message.type != REPLY or not message.reference:
            return None
        found = channel.messages.get(str(message.reference["message_id"]))
        return None if found is None or found.webhook_id or found.author == message.author else found.author

    def edit(
        self,
        message: Message,
        *,
        stamp: bool = True,
        pings: bool = False,
        allowed: Json | None = None,
        **changes: Any,
    ) -> None:
        """Change it; `stamp` says that it was edited. An edit mentions people but pings nobody."""
        message.versions.append(message.content)
        for key, value in changes.items():
            setattr(message, key, value.strip() if key == "content" else value)
        with_ids(message.components)
        for file in message.attachments:
            file.channel_id = message.channel_id
        if stamp:
            message.edited = self.clock()
        pinged = message.pinged
        if "content" in changes or "components" in changes:
            self.mention(self.channels[message.channel_id], message, allowed)
        if not pings:
            message.pinged = pinged
        self.say("MESSAGE_UPDATE", message)
        self.changed()

    def delete(self, message: Message) -> None:
        """Its thread stays, without its root."""
        message.deleted = True
        channel = self.channels[message.channel_id]
        if not message.ephemeral:
            data: Json = {"id": message.id, "channel_id": message.channel_id}
            self.emit("MESSAGE_DELETE", data | self._where(channel), _message_intent(channel), channel)
        self.changed()

    def react(self, message: Message, user: str, emoji: str) -> None:
        users = message.reactions.setdefault(emoji, [])
        if user in users:
            return
        users.append(user)
        self._say_reaction("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: Message, user: str, emoji: str) -> None:
        users = message.reactions.get(emoji, [])
        if user not in users:
            return
        users.remove(user)
        if not users:
            del message.reactions[emoji]
        self._say_reaction("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def _say_reaction(self, event: str, message: Message, user: str, emoji: str) -> None:
        channel = self.channels[message.channel_id]
        data: Json = {
            "user_id": user,
            "channel_id": channel.id,
            "message_id": message.id,
            "emoji": self.emoji_json(emoji),
            "burst": False,
            "type": 0,
        }
        if event.endswith("ADD"):
            data["message_author_id"] = message.author
            if user in self.members and not channel.is_dm:
                data["member"] = self.member_json(user)
        self.emit(event, data | self._where(channel), DM_REACTIONS if channel.is_dm else REACTIONS, channel)
        self.changed()

    def say(self, event: str, message: Message, nonce: str | None = None) -> None:
        """Tell the client about a message; one that only its reader sees is told to nobody."""
        if message.ephemeral:
            return
        channel = self.channels[message.channel_id]
        data = self.message_json(message) | self._where(channel)
        if not channel.is_dm:
            data["mentions"] = [
                one
                | ({"member": self.member_json(one["id"], bare=True)} if one["id"] in self.members else {})
                for one in data["mentions"]
            ]
            if not message.webhook_id and message.author in self.members:
                data["member"] = self.member_json(message.author, bare=True)
        if nonce is not None:
            data["nonce"] = nonce
        self.emit(event, data, _message_intent(channel), channel)

    def _where(self, channel: Channel) -> Json:
        return {} if channel.is_dm else {"guild_id": self.guild_id}

    # Channels and threads

    def add_thread(
        self, parent: Channel, thread_id: str, name: str, owner: str, auto: int, kind: int = PUBLIC_THREAD
    ) -> Channel:
        thread = Channel(thread_id, name, kind, parent.id, owner_id=owner, auto_archive=auto)
        thread.archived_at, thread.members = self.clock(), [owner]
        self.channels[thread.id] = thread
        self.say_channel("THREAD_CREATE", thread, newly_created=True)
        return thread

    def start_thread(self, root: Message, name: str, owner: str, auto: int = 4320) -> Channel:
        """The thread has its root's id; its first message points back to the root."""
        if root.id in self.channels and not self.channels[root.id].deleted:
            raise DiscordError(160004)
        root.flags |= HAS_THREAD
        thread = self.add_thread(self.channels[root.channel_id], root.id, name, owner, auto)
        if self.noise:
            pointer = {
                "type": 0,
                "message_id": root.id,
                "channel_id": root.channel_id,
                "guild_id": self.guild_id,
            }
            who = {key: getattr(root, key) for key in ("webhook_id", "username", "application_id")}
            self.post(thread, root.author, type=STARTER, reference=pointer, allowed={"parse": []}, **who)
        self.say("MESSAGE_UPDATE", root)
        self.changed()
        return thread

    def set_archived(self, thread: Channel, archived: bool) -> None:
        thread.archived, thread.archived_at = archived, self.clock()
        self.say_channel("THREAD_UPDATE", thread)

    def rename(self, channel: Channel, name: str, by: str) -> None:
        channel.name = name
        if channel.is_thread and self.noise:
            self.post(channel, by, name, type=RENAMED, allowed={"parse": []})

    def delete_channel(self, channel: Channel) -> None:
        """A channel takes its threads along; its messages stay readable for tests."""
        for thread in self.threads(channel.id):
            self.delete_channel(thread)
        self.say_channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)
        channel.deleted = True
        if channel.is_thread and channel.id in self.parent(channel).messages:
            self.parent(channel).messages[channel.id].flags &= ~HAS_THREAD
        self.changed()

    def say_channel(self, event: str, channel: Channel, **more: Any) -> None:
        data = self.channel_json(channel) | more
        if event == "THREAD_DELETE":
            data = {key: data[key] for key in ("id", "guild_id", "parent_id", "type")}
        self.emit(event, data, GUILDS, channel)
        self.changed()


def _message_intent(channel: Channel) -> int:
    return DM_MESSAGES if channel.is_dm else MESSAGES


def _without_code(text: str) -> str:
    """Nothing in code is a mention."""
    return re.sub(r"```.*?```|`[^`\n]*`", " ", text, flags=re.DOTALL)
