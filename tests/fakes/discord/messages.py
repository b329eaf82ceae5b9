"""Calls about messages: write, read, edit, delete, react, pin, type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import permissions
from .errors import DiscordError, Json, Problems, refuse
from .forms import changes, new_message
from .routes import active, at, need, route, seen
from .things import (
    MESSAGES,
    NORMAL_TYPES,
    PINNED,
    REACTIONS,
    REPLY,
    Channel,
    Message,
    snowflake_time,
)

if TYPE_CHECKING:
    from .state import State


def may_write(discord: State, channel: Channel) -> None:
    """Archived threads wake up when somebody writes; locked ones only for those who manage threads."""
    need(discord, channel, "send_messages_in_threads" if channel.is_thread else "send_messages")
    if channel.locked and not permissions.may(discord.world, discord.bot_id, channel, "manage_threads"):
        raise DiscordError(50083 if channel.archived else 160005)


@route("create_message", "POST", "/channels/{channel_id}/messages")
def create_message(discord: State, args: Json) -> Json:
    channel = seen(discord, args)
    may_write(discord, channel)
    nonce = None if args.get("nonce") is None else str(args["nonce"])
    parts = new_message(discord, args)
    parts["flags"] &= ~(1 << 6)
    need(discord, channel, *(["embed_links"] if parts["embeds"] else []))
    need(discord, channel, *(["attach_files"] if parts["attachments"] else []))
    if nonce and args.get("enforce_nonce"):
        known = discord.nonces.get((channel.id, nonce))
        if known and discord.clock() - known[0] < discord.nonce_seconds:
            return shown(discord, known[1]) | {"nonce": args["nonce"]}
    parts |= _reply(discord, channel, args.get("message_reference"))
    message = discord.world.post(
        channel, discord.bot_id, allowed=args.get("allowed_mentions"), nonce=args.get("nonce"), **parts
    )
    if nonce and args.get("enforce_nonce"):
        discord.nonces[channel.id, nonce] = (discord.clock(), message)
    return shown(discord, message) | ({"nonce": args["nonce"]} if nonce else {})


def _reply(discord: State, channel: Channel, reference: Json | None) -> Json:
    if not reference:
        return {}
    need_history = permissions.may(discord.world, discord.bot_id, channel, "read_message_history")
    if not channel.is_dm and not need_history:
        raise DiscordError(160002)
    target = channel.messages.get(str(reference.get("message_id")))
    if target is None or target.deleted:
        if reference.get("fail_if_not_exists", True):
            refuse("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return {}
    if target.type not in NORMAL_TYPES:
        refuse(
            "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
        )
    return {
        "type": REPLY,
        "reference": {"message_id": target.id, "channel_id": channel.id, "guild_id": discord.guild_id},
    }


def shown(discord: State, message: Message) -> Json:
    """As the API gives it: without the message content intent, others' texts are empty."""
    data = discord.world.message_json(message)
    if "message_content" in discord.privileged_intents:
        return data
    channel = discord.world.channels[message.channel_id]
    hidden = not channel.is_dm and discord.gateway.hidden(data | {"guild_id": discord.guild_id})
    return data | ({"content": "", "embeds": [], "attachments": [], "components": []} if hidden else {})


@route("get_messages", "GET", "/channels/{channel_id}/messages")
def get_messages(discord: State, args: Json) -> list[Json]:
    """Newest first. `after` gives those right behind that id, not the newest of all."""
    channel = seen(discord, args)
    limit = int(args.get("limit") or 50)
    if not 1 <= limit <= 100:
        refuse("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    if not channel.is_dm and not permissions.may(
        discord.world, discord.bot_id, channel, "read_message_history"
    ):
        return []
    living = sorted(
        (one for one in channel.messages.values() if not one.deleted), key=lambda one: int(one.id)
    )
    if args.get("around"):
        middle = int(args["around"])
        before = [one for one in living if int(one.id) < middle][-(limit // 2) :]
        found = before + [one for one in living if int(one.id) >= middle][: limit - len(before)]
    elif args.get("after"):
        found = [one for one in living if int(one.id) > int(args["after"])][:limit]
    else:
        until = int(args.get("before") or 1 << 63)
        found = [one for one in living if int(one.id) < until][-limit:]
    return [shown(discord, one) for one in reversed(found)]


@route("get_message", "GET", "/channels/{channel_id}/messages/{message_id}")
def get_message(discord: State, args: Json) -> Json:
    channel = seen(discord, args, "read_message_history")
    return shown(discord, discord.world.living(channel, args["message_id"]))


@route("edit_message", "PATCH", "/channels/{channel_id}/messages/{message_id}")
def edit_message(discord: State, args: Json) -> Json:
    channel, message = at(discord, args)
    if message.author != discord.bot_id or message.by_webhook:
        raise DiscordError(50005)
    if message.type not in NORMAL_TYPES:
        raise DiscordError(50021)
    active(channel)
    discord.world.edit(message, allowed=args.get("allowed_mentions"), **changes(discord, args, message))
    return shown(discord, message)


@route("delete_message", "DELETE", "/channels/{channel_id}/messages/{message_id}")
def delete_message(discord: State, args: Json) -> None:
    """One may delete even in an archived thread, unless it is locked too."""
    channel, message = at(discord, args)
    if (
        channel.archived
        and channel.locked
        and not permissions.may(discord.world, discord.bot_id, channel, "manage_threads")
    ):
        raise DiscordError(50083)
    if message.author != discord.bot_id or message.by_webhook:
        need(discord, channel, "manage_messages")
    discord.world.delete(message)


@route("bulk_delete", "POST", "/channels/{channel_id}/messages/bulk-delete")
def bulk_delete(discord: State, args: Json) -> None:
    channel = seen(discord, args, "manage_messages")
    ids = [str(one) for one in args.get("messages") or ()]
    if not 2 <= len(ids) <= 100:
        raise DiscordError(50016)
    if any(snowflake_time(one) < discord.clock() - 14 * 86_400 for one in ids):
        raise DiscordError(50034)
    delete_many(discord, channel, ids)


def delete_many(discord: State, channel: Channel, ids: list[str]) -> None:
    """One event for all of them."""
    found = [one for one in ids if one in channel.messages and not channel.messages[one].deleted]
    for one in found:
        channel.messages[one].deleted = True
    data = {"ids": found, "channel_id": channel.id, "guild_id": discord.guild_id}
    discord.world.emit("MESSAGE_DELETE_BULK", data, MESSAGES, channel)
    discord.changed()


# Reactions


def _emoji(discord: State, raw: str) -> str:
    """A unicode emoji, or `name:id` of one of the guild's own."""
    emoji = unquote(raw)
    name, _, number = emoji.partition(":")
    if number:
        if number not in discord.world.emojis:
            raise DiscordError(10014)
        return f"{discord.world.emojis[number]}:{number}"
    if not name or len(name) > 16 or re.fullmatch(r"[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f]+|[0-9#*]", name):
        raise DiscordError(10014)
    return name


_REACTIONS = "/channels/{channel_id}/messages/{message_id}/reactions"


@route("create_reaction", "PUT", _REACTIONS + "/{emoji}/@me")
def create_reaction(discord: State, args: Json) -> None:
    channel, message = at(discord, args)
    need(discord, channel, "read_message_history")
    emoji = _emoji(discord, args["emoji"])
    active(channel)
    if emoji not in message.reactions:
        need(discord, channel, "add_reactions")
        if len(message.reactions) >= 20:
            raise DiscordError(30010)
    discord.world.react(message, discord.bot_id, emoji)


@route("delete_own_reaction", "DELETE", _REACTIONS + "/{emoji}/@me")
def delete_own_reaction(discord: State, args: Json) -> None:
    channel, message = at(discord, args)
    active(channel)
    discord.world.unreact(message, discord.bot_id, _emoji(discord, args["emoji"]))


@route("delete_user_reaction", "DELETE", _REACTIONS + "/{emoji}/{user_id}")
def delete_user_reaction(discord: State, args: Json) -> None:
    channel, message = at(discord, args)
    need(discord, channel, "manage_messages")
    active(channel)
    discord.world.unreact(message, args["user_id"], _emoji(discord, args["emoji"]))


@route("get_reactions", "GET", _REACTIONS + "/{emoji}")
def get_reactions(discord: State, args: Json) -> list[Json]:
    _, message = at(discord, args)
    users = message.reactions.get(_emoji(discord, args["emoji"]), [])
    return [discord.world.user_json(one) for one in users]


@route("delete_emoji_reactions", "DELETE", _REACTIONS + "/{emoji}")
def delete_emoji_reactions(discord: State, args: Json) -> None:
    channel, message = at(discord, args)
    need(discord, channel, "manage_messages")
    emoji = _emoji(discord, args["emoji"])
    message.reactions.pop(emoji, None)
    data = {"channel_id": channel.id, "message_id": message.id, "guild_id": discord.guild_id}
    data |= {"emoji": discord.world.emoji_json(emoji)}
    discord.world.emit("MESSAGE_REACTION_REMOVE_EMOJI", data, REACTIONS, channel)
    discord.changed()


@route("delete_all_reactions", "DELETE", _REACTIONS)
def delete_all_reactions(discord: State, args: Json) -> None:
    channel, message = at(discord, args)
    need(discord, channel, "manage_messages")
    message.reactions.clear()
    data = {"channel_id": channel.id, "message_id": message.id, "guild_id": discord.guild_id}
    discord.world.emit("MESSAGE_REACTION_REMOVE_ALL", data, REACTIONS, channel)
    discord.changed()


# Pins and typing


def _pin(discord: State, args: Json, pinned: bool) -> None:
    channel, message = at(discord, args)
    granted = any(
        permissions.may(discord.world, discord.bot_id, channel, one)
        for one in ("pin_messages", "manage_messages")
    )
    if not granted:
        raise DiscordError(50013)
    message.pinned = pinned
    discord.world.say("MESSAGE_UPDATE", message)
    if pinned:
        reference = {"message_id": message.id, "channel_id": channel.id, "guild_id": discord.guild_id}
        discord.world.post(channel, discord.bot_id, type=PINNED, reference=reference, allowed={"parse": []})


for _path in (
    "/channels/{channel_id}/messages/pins/{message_id}",
    "/channels/{channel_id}/pins/{message_id}",
):
    route("pin", "PUT", _path)(lambda discord, args: _pin(discord, args, True))
    route("unpin", "DELETE", _path)(lambda discord, args: _pin(discord, args, False))


@route("typing", "POST", "/channels/{channel_id}/typing")
def typing(discord: State, args: Json) -> None:
    channel = seen(discord, args)
    may_write(discord, channel)
    discord.typings.append((channel.id, discord.bot_id))
    discord.changed()


@route("start_thread", "POST", "/channels/{channel_id}/messages/{message_id}/threads")
def start_thread(discord: State, args: Json) -> Json:
    channel, message = at(discord, args)
    if channel.is_thread or channel.is_dm:
        raise DiscordError(50024)
    need(discord, channel, "create_public_threads", "read_message_history")
    name, auto = thread_form(args)
    thread = discord.world.start_thread(message, name, discord.bot_id, auto)
    return discord.world.channel_json(thread)


def thread_form(args: Json) -> tuple[str, int]:
    problems = Problems()
    problems.length("name", args.get("name"), 1, 100)
    auto: Any = args.get("auto_archive_duration") or 4320
    problems.choices("auto_archive_duration", auto, (60, 1440, 4320, 10080))
    problems.refuse()
    return str(args["name"]), int(auto)
