"""How Discord writes down what is in the guild: its JSON objects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from .errors import Json
from .things import REPLY, STARTER, Channel, File, Member, Message, Role, User, Webhook, snowflake_time


class Shapes:
    """The guild as JSON."""

    clock: Callable[[], float]
    address: str
    cdn_seconds: float
    application_id: str
    guild_id: str
    guild_name: str
    bot_id: str
    owner_id: str
    users: dict[str, User]
    members: dict[str, Member]
    roles: dict[str, Role]
    channels: dict[str, Channel]
    emojis: dict[str, str]

    def sees(self, user: str, channel: Channel) -> bool:
        raise NotImplementedError

    def user_json(self, user: str) -> Json:
        one = self.users[user]
        data: Json = {
            "id": one.id,
            "username": one.name.lower().replace(" ", "."),
            "global_name": None if one.bot else one.name,
            "discriminator": "4242" if one.bot else "0",
            "avatar": None,
            "public_flags": 0,
        }
        return data | ({"bot": True, "username": one.name} if one.bot else {})

    def author_json(self, message: Message) -> Json:
        if not message.by_webhook:
            return self.user_json(message.author)
        return {
            "id": message.webhook_id,
            "username": message.username,
            "avatar": None,
            "discriminator": "0000",
            "public_flags": 0,
            "global_name": None,
            "bot": True,
        }

    def member_json(self, user: str, *, bare: bool = False) -> Json:
        member = self.members[user]
        data: Json = {
            "roles": list(member.roles),
            "joined_at": _when(member.joined_at),
            "nick": member.nick,
            "avatar": None,
            "premium_since": None,
            "pending": False,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return data if bare else data | {"user": self.user_json(user)}

    def presence_json(self, user: str) -> Json:
        status = self.members[user].presence
        status = "offline" if status == "invisible" else status
        return {
            "user": {"id": user},
            "guild_id": self.guild_id,
            "status": status,
            "activities": [],
            "client_status": {} if status == "offline" else {"desktop": status},
        }

    def role_json(self, role: Role) -> Json:
        tags = {"tags": {"bot_id": self.bot_id}} if role.managed else {}
        return {
            "id": role.id,
            "name": role.name,
            "permissions": str(role.permissions),
            "position": role.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": role.managed,
            "mentionable": role.mentionable,
            "flags": 0,
        } | tags

    def channel_json(self, channel: Channel) -> Json:
        living = [one for one in channel.messages.values() if not one.ephemeral]
        last = living[-1].id if living else None
        data: Json = {"id": channel.id, "type": channel.type, "last_message_id": last, "flags": 0}
        if channel.is_dm:
            return data | {
                "recipients": [self.user_json(one) for one in channel.members if one != self.bot_id]
            }
        data |= {
            "guild_id": self.guild_id,
            "name": channel.name,
            "parent_id": channel.parent_id,
            "rate_limit_per_user": channel.rate_limit,
        }
        if channel.is_thread:
            return data | self._thread_json(channel)
        overwrites = [
            {"id": key, "type": one.kind, "allow": str(one.allow), "deny": str(one.deny)}
            for key, one in channel.overwrites.items()
        ]
        return data | {
            "topic": channel.topic,
            "position": channel.position,
            "nsfw": False,
            "permission_overwrites": overwrites,
        }

    def _thread_json(self, thread: Channel) -> Json:
        posts = [one for one in thread.messages.values() if one.type != STARTER and not one.ephemeral]
        metadata = {
            "archived": thread.archived,
            "archive_timestamp": _when(thread.archived_at),
            "auto_archive_duration": thread.auto_archive,
            "locked": thread.locked,
            "create_timestamp": _when(snowflake_time(thread.id)),
        }
        data: Json = {
            "owner_id": thread.owner_id,
            "message_count": len([one for one in posts if not one.deleted]),
            "total_message_sent": len(posts),
            "member_count": min(50, len(thread.members)),
            "thread_metadata": metadata,
        }
        if self.bot_id in thread.members:
            data["member"] = {
                "id": thread.id,
                "user_id": self.bot_id,
                "join_timestamp": metadata["create_timestamp"],
                "flags": 0,
            }
        return data

    def emoji_json(self, emoji: str) -> Json:
        """A unicode emoji, or one of the guild's as `name:id`."""
        name, _, number = emoji.partition(":")
        return {"id": number or None, "name": name}

    def file_json(self, file: File) -> Json:
        """An attachment with an address that is signed anew."""
        expires = int(self.clock() + self.cdn_seconds)
        path = f"attachments/{file.channel_id}/{file.id}/{file.name}"
        query = f"?ex={expires:x}&is={int(self.clock()):x}&hm={signature(path, expires)}&"
        data: Json = {
            "id": file.id,
            "filename": file.name,
            "size": len(file.content),
            "url": f"{self.address}{path}{query}",
            "proxy_url": f"{self.address}proxy/{path}{query}",
            "content_type": file.mimetype,
        }
        data |= {"description": file.description} if file.description else {}
        return data | ({"ephemeral": True} if file.ephemeral else {})

    def message_json(self, message: Message, *, referenced: bool = True) -> Json:
        """A message as it is stored: without its nonce."""
        data: Json = {
            "id": message.id,
            "channel_id": message.channel_id,
            "type": message.type,
            "author": self.author_json(message),
            "content": message.content,
            "timestamp": _when(message.at),
            "edited_timestamp": _when(message.edited) if message.edited else None,
            "tts": False,
            "mention_everyone": message.mention_everyone,
            "mentions": [self.user_json(one) for one in message.mentions],
            "mention_roles": list(message.mention_roles),
            "attachments": [self.file_json(one) for one in message.attachments],
            "embeds": [{"type": "rich", **one} for one in message.embeds],
            "components": message.components,
            "pinned": message.pinned,
            "flags": message.flags,
        }
        if message.reactions:
            data["reactions"] = [self._reaction_json(key, users) for key, users in message.reactions.items()]
        for key in ("webhook_id", "application_id"):
            if getattr(message, key):
                data[key] = getattr(message, key)
        if message.interaction:
            data["interaction_metadata"] = message.interaction
        if message.reference:
            data["message_reference"] = {"type": 0, **message.reference}
            if referenced and message.type in (REPLY, STARTER):
                data["referenced_message"] = self._referenced(message)
        thread = self.channels.get(message.id)
        if thread is not None and not thread.deleted:
            data["thread"] = self.channel_json(thread)
        if self.channels[message.channel_id].is_thread:
            data["position"] = sum(one < message.id for one in self.channels[message.channel_id].messages)
        return data

    def _reaction_json(self, emoji: str, users: list[str]) -> Json:
        details = {"burst": 0, "normal": len(users)}
        return {
            "emoji": self.emoji_json(emoji),
            "count": len(users),
            "count_details": details,
            "burst_colors": [],
            "me": self.bot_id in users,
            "me_burst": False,
        }

    def _referenced(self, message: Message) -> Json | None:
        reference = message.reference or {}
        where = self.channels.get(str(reference.get("channel_id")))
        found = where.messages.get(str(reference["message_id"])) if where else None
        return None if found is None or found.deleted else self.message_json(found, referenced=False)

    def webhook_json(self, webhook: Webhook) -> Json:
        data: Json = {
            "id": webhook.id,
            "type": 1,
            "guild_id": self.guild_id,
            "channel_id": webhook.channel_id,
            "name": webhook.name,
            "avatar": webhook.avatar,
            "application_id": webhook.application_id,
            "user": self.user_json(webhook.creator),
            "url": f"{self.address}api/v10/webhooks/{webhook.id}/{webhook.token}",
        }
        # another application's webhook is listed without its token
        return data | (
            {"token": webhook.token} if webhook.application_id in (None, self.application_id) else {}
        )

    def guild_json(self, *, members: bool = True, presences: bool = True) -> Json:
        """GUILD_CREATE's view of the guild: what the bot sees of it."""
        seen = [one for one in self.channels.values() if not one.deleted and not one.is_dm]
        seen = [one for one in seen if self.sees(self.bot_id, one)]
        listed = self.members if members else {self.bot_id: self.members[self.bot_id]}
        online = [one for one in self.members.values() if one.presence not in ("offline", "invisible")]
        return self.bare_guild_json() | {
            "joined_at": _when(self.members[self.bot_id].joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "voice_states": [],
            "members": [self.member_json(one) for one in listed],
            "channels": [self.channel_json(one) for one in seen if not one.is_thread],
            "threads": [self.channel_json(one) for one in seen if one.is_thread and not one.archived],
            "presences": [self.presence_json(one.user) for one in online] if presences else [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def bare_guild_json(self) -> Json:
        empty = (
            "icon",
            "splash",
            "discovery_splash",
            "banner",
            "description",
            "afk_channel_id",
            "system_channel_id",
        )
        empty += (
            "rules_channel_id",
            "public_updates_channel_id",
            "safety_alerts_channel_id",
            "vanity_url_code",
        )
        return dict.fromkeys(empty) | {
            "id": self.guild_id,
            "name": self.guild_name,
            "owner_id": self.owner_id,
            "afk_timeout": 300,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [self.role_json(one) for one in self.roles.values()],
            "emojis": [self._custom_json(key, name) for key, name in self.emojis.items()],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_flags": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "nsfw_level": 0,
            "stickers": [],
            "premium_progress_bar_enabled": False,
            "max_members": 500_000,
        }

    def _custom_json(self, key: str, name: str) -> Json:
        return {
            "id": key,
            "name": name,
            "roles": [],
            "require_colons": True,
            "managed": False,
            "animated": False,
            "available": True,
        }


def signature(path: str, expires: int) -> str:
    """What makes an attachment's address valid until it expires."""
    return hashlib.sha256(f"fake-cdn {path} {expires}".encode()).hexdigest()


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
