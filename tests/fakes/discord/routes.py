"""Which request is which call, and the checks that many calls share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import permissions
from .errors import DiscordError, Json
from .things import Channel, Message

if TYPE_CHECKING:
    from .state import State

Method = Callable[["State", Json], Any]
ROUTES: list[tuple[str, re.Pattern[str], str, bool, Method]] = []


def route(name: str, verb: str, path: str, *, token: bool = True) -> Callable[[Method], Method]:
    """Register a call. Without `token` whoever knows the address may make it (webhooks, interactions)."""
    pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$")

    def register(function: Method) -> Method:
        ROUTES.append((verb, pattern, name, token, function))
        return function

    return register


def find(verb: str, path: str) -> tuple[str, Json, bool, Method] | None:
    for registered, pattern, name, token, function in ROUTES:
        match = pattern.match(path)
        if match and registered == verb:
            return name, match.groupdict(), token, function
    return None


def need(discord: State, channel: Channel, *names: str) -> None:
    """The bot must see the channel (else Missing Access) and may do that (else Missing Permissions)."""
    if channel.is_dm:
        return
    if not discord.world.sees(discord.bot_id, channel):
        raise DiscordError(50001)
    if not all(permissions.may(discord.world, discord.bot_id, channel, name) for name in names):
        raise DiscordError(50013)


def seen(discord: State, args: Json, *names: str) -> Channel:
    """The channel a call names, if the bot sees it and may do that there."""
    channel = discord.world.channel(args["channel_id"])
    need(discord, channel, *names)
    return channel


def active(channel: Channel) -> None:
    if channel.archived:
        raise DiscordError(50083)


def in_guild(discord: State, args: Json) -> None:
    if args["guild_id"] != discord.guild_id:
        raise DiscordError(10004)
    if discord.bot_id not in discord.world.members:
        raise DiscordError(50001)


def at(discord: State, args: Json) -> tuple[Channel, Message]:
    """The message a call names."""
    channel = seen(discord, args)
    return channel, discord.world.living(channel, args["message_id"])
