"""Calls about the app, the guild, its members, channels and threads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from . import permissions
from .errors import DiscordError, Json, Problems
from .limits import RENAME_SECONDS, RENAMES
from .messages import thread_form
from .routes import active, in_guild, need, route, seen
from .things import PRIVATE_THREAD, PUBLIC_THREAD, Channel

if TYPE_CHECKING:
    from .state import State


class TooOften(Exception):
    """A limit of its own, beside the route's bucket."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


# The app itself


@route("get_me", "GET", "/users/@me")
def get_me(discord: State, _: Json) -> Json:
    return discord.world.user_json(discord.bot_id) | {"verified": True, "mfa_enabled": True, "email": None}


@route("get_user", "GET", "/users/{user_id}")
def get_user(discord: State, args: Json) -> Json:
    if args["user_id"] not in discord.world.users:
        raise DiscordError(10013)
    return discord.world.user_json(args["user_id"])


@route("my_guilds", "GET", "/users/@me/guilds")
def my_guilds(discord: State, _: Json) -> list[Json]:
    if discord.bot_id not in discord.world.members:
        return []
    value = permissions.in_guild(discord.world, discord.bot_id)
    name = {"id": discord.guild_id, "name": discord.world.guild_name, "icon": None, "owner": False}
    return [name | {"permissions": str(value), "features": []}]


@route("open_dm", "POST", "/users/@me/channels")
def open_dm(discord: State, args: Json) -> Json:
    return discord.world.channel_json(discord.dm(str(args["recipient_id"])))


def _application(discord: State, _: Json) -> Json:
    return {
        "id": discord.application_id,
        "name": "Baton",
        "description": "",
        "icon": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": discord.gateway.flags(),
        "owner": discord.world.user_json(discord.owner_id),
        "team": None,
        "bot": discord.world.user_json(discord.bot_id),
        "approximate_guild_count": 1,
        "interactions_endpoint_url": None,
    }


route("get_application", "GET", "/oauth2/applications/@me")(_application)
route("get_application", "GET", "/applications/@me")(_application)


@route("gateway", "GET", "/gateway", token=False)
def gateway(discord: State, _: Json) -> Json:
    return {"url": discord.gateway.address}


@route("gateway_bot", "GET", "/gateway/bot")
def gateway_bot(discord: State, _: Json) -> Json:
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return {"url": discord.gateway.address, "shards": 1, "session_start_limit": limit}


# The guild


@route("get_guild", "GET", "/guilds/{guild_id}")
def get_guild(discord: State, args: Json) -> Json:
    in_guild(discord, args)
    counts = {"approximate_member_count": len(discord.world.members), "approximate_presence_count": 1}
    return discord.world.bare_guild_json() | (counts if args.get("with_counts") in ("1", "true") else {})


@route("get_channels", "GET", "/guilds/{guild_id}/channels")
def get_channels(discord: State, args: Json) -> list[Json]:
    in_guild(discord, args)
    found = [
        one for one in discord.world.channels.values() if not (one.is_thread or one.is_dm or one.deleted)
    ]
    return [discord.world.channel_json(one) for one in found]


@route("get_roles", "GET", "/guilds/{guild_id}/roles")
def get_roles(discord: State, args: Json) -> list[Json]:
    in_guild(discord, args)
    return [discord.world.role_json(one) for one in discord.world.roles.values()]


@route("list_members", "GET", "/guilds/{guild_id}/members")
def list_members(discord: State, args: Json) -> list[Json]:
    in_guild(discord, args)
    if "members" not in discord.privileged_intents:
        raise DiscordError(50001)
    after, limit = int(args.get("after") or 0), int(args.get("limit") or 1)
    found = sorted((one for one in discord.world.members if int(one) > after), key=int)
    return [discord.world.member_json(one) for one in found[:limit]]


@route("search_members", "GET", "/guilds/{guild_id}/members/search")
def search_members(discord: State, args: Json) -> list[Json]:
    in_guild(discord, args)
    wanted, limit = str(args.get("query", "")).lower(), int(args.get("limit") or 1)
    found = [one for one in discord.world.members if discord.world.users[one].name.lower().startswith(wanted)]
    return [discord.world.member_json(one) for one in found[:limit]]


@route("get_member", "GET", "/guilds/{guild_id}/members/{user_id}")
def get_member(discord: State, args: Json) -> Json:
    in_guild(discord, args)
    user = discord.bot_id if args["user_id"] == "@me" else args["user_id"]
    if user not in discord.world.members:
        raise DiscordError(10007 if user in discord.world.users else 10013)
    return discord.world.member_json(user)


@route("leave_guild", "DELETE", "/users/@me/guilds/{guild_id}")
def leave_guild(discord: State, args: Json) -> None:
    in_guild(discord, args)
    discord.remove_bot()


# Channels and threads


@route("get_channel", "GET", "/channels/{channel_id}")
def get_channel(discord: State, args: Json) -> Json:
    return discord.world.channel_json(seen(discord, args))


@route("create_channel", "POST", "/guilds/{guild_id}/channels")
def create_channel(discord: State, args: Json) -> Json:
    in_guild(discord, args)
    if not permissions.in_guild(discord.world, discord.bot_id) & permissions.BITS["manage_channels"]:
        raise DiscordError(50013)
    problems = Problems()
    problems.length("name", args.get("name"), 1, 100)
    problems.refuse()
    channel = discord.world.channels[discord.add_channel(args["name"])]
    channel.topic = args.get("topic")
    return discord.world.channel_json(channel)


@route("modify_channel", "PATCH", "/channels/{channel_id}")
def modify_channel(discord: State, args: Json) -> Json:
    channel = seen(discord, args)
    problems = Problems()
    if "name" in args:
        problems.length("name", args["name"], 1, 100)
    if args.get("auto_archive_duration"):
        problems.choices("auto_archive_duration", args["auto_archive_duration"], (60, 1440, 4320, 10080))
    problems.refuse()
    if channel.is_thread:
        _modify_thread(discord, channel, args)
    else:
        need(discord, channel, "manage_channels")
        _rename(discord, channel, args)
        channel.topic = args.get("topic", channel.topic)
        discord.world.say_channel("CHANNEL_UPDATE", channel)
    return discord.world.channel_json(channel)


def _modify_thread(discord: State, thread: Channel, args: Json) -> None:
    manages = permissions.may(discord.world, discord.bot_id, thread, "manage_threads")
    if thread.archived and args.get("archived", True):
        active(thread)
    only_wakes = set(args) <= {"channel_id", "archived"} and not args.get("archived", True)
    if not manages and ("locked" in args or thread.locked):
        raise DiscordError(50013)
    if (
        not manages
        and thread.owner_id != discord.bot_id
        and not (only_wakes and discord.bot_id in thread.members)
    ):
        raise DiscordError(50013)
    _rename(discord, thread, args)
    thread.locked = bool(args.get("locked", thread.locked))
    thread.auto_archive = int(args.get("auto_archive_duration") or thread.auto_archive)
    if args.get("archived", thread.archived) != thread.archived or "auto_archive_duration" in args:
        thread.archived_at = discord.clock()
    thread.archived = bool(args.get("archived", thread.archived))
    discord.world.say_channel("THREAD_UPDATE", thread)


def _rename(discord: State, channel: Channel, args: Json) -> None:
    """Twice in ten minutes; the third waits for so long that a client seems to hang."""
    if args.get("name") in (None, channel.name):
        return
    now = discord.clock()
    channel.renames = [one for one in channel.renames if one > now - RENAME_SECONDS]
    if len(channel.renames) >= RENAMES:
        raise TooOften(channel.renames[0] + RENAME_SECONDS - now)
    channel.renames.append(now)
    discord.world.rename(channel, str(args["name"]), discord.bot_id)


@route("delete_channel", "DELETE", "/channels/{channel_id}")
def delete_channel(discord: State, args: Json) -> Json:
    channel = seen(discord, args)
    need(discord, channel, "manage_threads" if channel.is_thread else "manage_channels")
    data = discord.world.channel_json(channel)
    discord.world.delete_channel(channel)
    return data


@route("start_thread_without_message", "POST", "/channels/{channel_id}/threads")
def start_thread_without_message(discord: State, args: Json) -> Json:
    channel = seen(discord, args)
    if channel.is_thread or channel.is_dm:
        raise DiscordError(50024)
    kind = int(args.get("type") or PRIVATE_THREAD)
    need(discord, channel, "create_public_threads" if kind == PUBLIC_THREAD else "create_private_threads")
    name, auto = thread_form(args)
    thread = discord.world.add_thread(channel, discord.world.new_id(), name, discord.bot_id, auto, kind)
    return discord.world.channel_json(thread)


@route("active_threads", "GET", "/guilds/{guild_id}/threads/active")
def active_threads(discord: State, args: Json) -> Json:
    in_guild(discord, args)
    found = [one for one in discord.threads() if not one.archived and discord.world.sees(discord.bot_id, one)]
    return _listed(discord, sorted(found, key=lambda one: -int(one.id)))


@route("archived_threads", "GET", "/channels/{channel_id}/threads/archived/public")
def archived_threads(discord: State, args: Json) -> Json:
    """By the time they were archived, newest first."""
    channel = seen(discord, args, "read_message_history")
    found = [one for one in discord.threads(channel.id) if one.archived and one.type == PUBLIC_THREAD]
    if args.get("before"):
        until = datetime.fromisoformat(str(args["before"])).timestamp()
        found = [one for one in found if one.archived_at < until]
    found.sort(key=lambda one: -one.archived_at)
    limit = int(args.get("limit") or 50)
    return _listed(discord, found[:limit]) | {"has_more": len(found) > limit}


def _listed(discord: State, threads: list[Channel]) -> Json:
    data = [discord.world.channel_json(one) for one in threads]
    return {"threads": data, "members": [one["member"] for one in data if "member" in one]}


@route("join_thread", "PUT", "/channels/{channel_id}/thread-members/@me")
def join_thread(discord: State, args: Json) -> None:
    add_thread_member(discord, args | {"user_id": discord.bot_id})


@route("leave_thread", "DELETE", "/channels/{channel_id}/thread-members/@me")
def leave_thread(discord: State, args: Json) -> None:
    remove_thread_member(discord, args | {"user_id": discord.bot_id})


@route("add_thread_member", "PUT", "/channels/{channel_id}/thread-members/{user_id}")
def add_thread_member(discord: State, args: Json) -> None:
    thread = seen(discord, args)
    active(thread)
    if args["user_id"] not in discord.world.members:
        raise DiscordError(10007)
    if args["user_id"] not in thread.members:
        thread.members.append(args["user_id"])
    discord.changed()


@route("remove_thread_member", "DELETE", "/channels/{channel_id}/thread-members/{user_id}")
def remove_thread_member(discord: State, args: Json) -> None:
    thread = seen(discord, args)
    active(thread)
    if args["user_id"] in thread.members:
        thread.members.remove(args["user_id"])
    discord.changed()


@route("thread_members", "GET", "/channels/{channel_id}/thread-members")
def thread_members(discord: State, args: Json) -> list[Json]:
    thread = seen(discord, args)
    when = discord.world.channel_json(thread)["thread_metadata"]["create_timestamp"]
    return [{"id": thread.id, "user_id": one, "join_timestamp": when, "flags": 0} for one in thread.members]
