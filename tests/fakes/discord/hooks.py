"""Webhooks: making them, writing with them; and what an interaction's token does at the same addresses."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from .errors import DiscordError, Json, Problems
from .forms import changes, check_name, new_message
from .interactions import change as change_answer
from .interactions import follow_up, message_of
from .messages import shown
from .routes import in_guild, need, route, seen
from .things import USERS_ONLY, Channel, Message, Webhook
from .things import WEBHOOKS as WEBHOOK_EVENTS

if TYPE_CHECKING:
    from .state import State


def _said(discord: State, channel_id: str) -> None:
    data = {"guild_id": discord.guild_id, "channel_id": channel_id}
    discord.world.emit("WEBHOOKS_UPDATE", data, WEBHOOK_EVENTS, discord.world.channels[channel_id])
    discord.changed()


def make(discord: State, channel: Channel, name: str, creator: str, application: str | None) -> Webhook:
    webhook = Webhook(discord.world.new_id(), uuid.uuid4().hex, channel.id, name, creator, application)
    discord.world.webhooks[webhook.id] = webhook
    _said(discord, channel.id)
    return webhook


def _name(args: Json) -> None:
    problems = Problems()
    problems.length("name", args.get("name"), 1, 80)
    check_name(problems, "name", str(args.get("name") or ""))
    problems.refuse()


@route("create_webhook", "POST", "/channels/{channel_id}/webhooks")
def create_webhook(discord: State, args: Json) -> Json:
    channel = seen(discord, args, "manage_webhooks")
    if channel.is_thread:
        raise DiscordError(50024)
    _name(args)
    if len([one for one in discord.webhooks if one.channel_id == channel.id]) >= 15:
        raise DiscordError(30007)
    return discord.world.webhook_json(
        make(discord, channel, args["name"], discord.bot_id, discord.application_id)
    )


@route("get_webhooks", "GET", "/channels/{channel_id}/webhooks")
def get_webhooks(discord: State, args: Json) -> list[Json]:
    channel = seen(discord, args, "manage_webhooks")
    return [discord.world.webhook_json(one) for one in discord.webhooks if one.channel_id == channel.id]


@route("get_guild_webhooks", "GET", "/guilds/{guild_id}/webhooks")
def get_guild_webhooks(discord: State, args: Json) -> list[Json]:
    in_guild(discord, args)
    return [discord.world.webhook_json(one) for one in discord.webhooks]


def _webhook(discord: State, args: Json) -> Webhook:
    webhook = discord.world.webhooks.get(args["webhook_id"])
    if webhook is None or discord.world.channels[webhook.channel_id].deleted:
        raise DiscordError(10015)
    if "token" in args and args["token"] != webhook.token:
        raise DiscordError(50027)
    if "token" not in args:
        need(discord, discord.world.channel(webhook.channel_id), "manage_webhooks")
    return webhook


def _get(discord: State, args: Json) -> Json:
    return discord.world.webhook_json(_webhook(discord, args))


def _modify(discord: State, args: Json) -> Json:
    webhook = _webhook(discord, args)
    if "name" in args:
        _name(args)
        webhook.name = args["name"]
    _said(discord, webhook.channel_id)
    return discord.world.webhook_json(webhook)


def _delete(discord: State, args: Json) -> None:
    webhook = _webhook(discord, args)
    del discord.world.webhooks[webhook.id]
    _said(discord, webhook.channel_id)


for _path, _token in (("/webhooks/{webhook_id}", True), ("/webhooks/{webhook_id}/{token}", False)):
    route("get_webhook", "GET", _path, token=_token)(_get)
    route("modify_webhook", "PATCH", _path, token=_token)(_modify)
    route("delete_webhook", "DELETE", _path, token=_token)(_delete)


def is_ours(discord: State, args: Json) -> bool:
    """Whether the address is an interaction's, whose id is the application's."""
    return args["webhook_id"] == discord.application_id


def name_of(discord: State, method: str, args: Json) -> str:
    """What a call is called when it is an interaction's."""
    if not is_ours(discord, args):
        return method
    original = "original" if args.get("message_id") == "@original" else "followup"
    names = {"execute_webhook": "followup", "get_webhook_message": f"get_{original}"}
    names |= {"edit_webhook_message": f"edit_{original}", "delete_webhook_message": f"delete_{original}"}
    return names.get(method, method)


def _thread(discord: State, webhook: Webhook, args: Json) -> Channel:
    if not args.get("thread_id"):
        return discord.world.channel(webhook.channel_id)
    thread = discord.world.channel(args["thread_id"])
    if thread.parent_id != webhook.channel_id:
        raise DiscordError(10003)
    return thread


@route("execute_webhook", "POST", "/webhooks/{webhook_id}/{token}", token=False)
def execute_webhook(discord: State, args: Json) -> Any:
    if is_ours(discord, args):
        return follow_up(discord, args)
    webhook = _webhook(discord, args)
    channel = _thread(discord, webhook, args)
    if channel.locked:
        raise DiscordError(50083 if channel.archived else 160005)
    parts = new_message(discord, args, webhook=True)
    parts["flags"] &= ~(1 << 6)
    who = {"webhook_id": webhook.id, "username": args.get("username") or webhook.name}
    who |= {"avatar_url": args.get("avatar_url"), "application_id": webhook.application_id}
    allowed = args.get("allowed_mentions") or USERS_ONLY
    message = discord.world.post(channel, webhook.id, allowed=allowed, **parts, **who)
    return shown(discord, message) if args.get("wait") in ("1", "true") else None


def _found(discord: State, args: Json) -> Message:
    webhook = _webhook(discord, args)
    message = discord.world.living(_thread(discord, webhook, args), args["message_id"])
    if message.webhook_id != webhook.id:
        raise DiscordError(10008)
    return message


_MESSAGE = "/webhooks/{webhook_id}/{token}/messages/{message_id}"


@route("get_webhook_message", "GET", _MESSAGE, token=False)
def get_webhook_message(discord: State, args: Json) -> Json:
    if is_ours(discord, args):
        return discord.world.message_json(message_of(discord, args))
    return shown(discord, _found(discord, args))


@route("edit_webhook_message", "PATCH", _MESSAGE, token=False)
def edit_webhook_message(discord: State, args: Json) -> Json:
    if is_ours(discord, args):
        return change_answer(discord, args)
    message = _found(discord, args)
    if discord.world.channels[message.channel_id].archived:
        raise DiscordError(50083)
    discord.world.edit(
        message, allowed=args.get("allowed_mentions") or USERS_ONLY, **changes(discord, args, message)
    )
    return shown(discord, message)


@route("delete_webhook_message", "DELETE", _MESSAGE, token=False)
def delete_webhook_message(discord: State, args: Json) -> None:
    message = message_of(discord, args) if is_ours(discord, args) else _found(discord, args)
    discord.world.delete(message)
