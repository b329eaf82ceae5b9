"""Application commands: registering them, and what a person's client makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .errors import DiscordError, Json, Problems
from .routes import in_guild, route

if TYPE_CHECKING:
    from .state import State

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
_NAME = re.compile(r"^[-_'\w]{1,32}$")
_LIMITS = {CHAT: 100, USER_MENU: 5, MESSAGE_MENU: 5}


def check_commands(commands: Any) -> None:
    problems = Problems()
    if not isinstance(commands, list):
        problems.add("body", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        problems.refuse()
    seen: set[tuple[int, str]] = set()
    for number, one in enumerate(commands):
        kind = one.get("type") or CHAT
        _check_name(problems, f"{number}.name", one.get("name"), menu=kind != CHAT)
        if kind == CHAT:
            problems.length(f"{number}.description", one.get("description"), 1, 100)
            _check_options(problems, str(number), one.get("options") or [], depth=0)
        elif one.get("description"):
            problems.add(
                f"{number}.description",
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET",
                "Context menu commands cannot have description",
            )
        if (kind, one.get("name")) in seen:
            problems.add(
                str(number), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add((kind, one.get("name")))
        if sum(len(text) for text in _texts(one)) > 8000:
            problems.add(str(number), "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
    for kind, limit in _LIMITS.items():
        if len([each for each in seen if each[0] == kind]) > limit:
            raise DiscordError(30032)
    problems.refuse()


def _check_name(problems: Problems, path: str, name: Any, *, menu: bool) -> None:
    problems.length(path, name, 1, 32)
    if not menu and name and (not _NAME.match(name) or name != name.lower()):
        problems.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_options(problems: Problems, path: str, options: list[Json], depth: int) -> None:
    problems.length(f"{path}.options", options, 0, 25)
    seen_optional = False
    names: set[str] = set()
    for number, one in enumerate(options):
        place = f"{path}.options.{number}"
        _check_name(problems, f"{place}.name", one.get("name"), menu=False)
        problems.length(f"{place}.description", one.get("description"), 1, 100)
        if one.get("name") in names:
            problems.add(
                f"{path}.options", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique"
            )
        names.add(one.get("name"))
        if one.get("type") in (SUBCOMMAND, GROUP):
            if depth > (1 if one["type"] == SUBCOMMAND else 0):
                problems.add(
                    f"{place}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command option mismatch"
                )
            _check_options(problems, place, one.get("options") or [], depth + 1)
            continue
        if one.get("required") and seen_optional:
            problems.add(
                f"{path}.options",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        seen_optional = seen_optional or not one.get("required")
        _check_choices(problems, place, one)


def _check_choices(problems: Problems, place: str, option: Json) -> None:
    choices = option.get("choices") or []
    problems.length(f"{place}.choices", choices, 0, 25)
    if choices and option.get("autocomplete"):
        problems.add(
            f"{place}.choices",
            "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
            "No choices with autocomplete",
        )
    for number, choice in enumerate(choices):
        problems.length(f"{place}.choices.{number}.name", choice.get("name"), 1, 100)


def _texts(one: Json) -> Iterator[str]:
    yield from (one.get("name") or "", one.get("description") or "")
    for choice in one.get("choices") or ():
        yield from (choice["name"], str(choice["value"]))
    for option in one.get("options") or ():
        yield from _texts(option)


def _registered(discord: State, commands: list[Json], guild_id: str | None) -> list[Json]:
    known = {(one["type"], one["name"]): one["id"] for one in (*discord.commands, *discord.global_commands)}
    out = []
    for one in commands:
        kind = one.get("type") or CHAT
        base: Json = {"description": "", "options": [], "default_member_permissions": None, "nsfw": False}
        fixed: Json = {
            "id": known.get((kind, one["name"])) or discord.world.new_id(),
            "application_id": discord.application_id,
            "version": discord.world.new_id(),
            "type": kind,
            "dm_permission": True,
            "integration_types": [0],
            "contexts": None,
        }
        out.append(base | one | fixed | ({"guild_id": guild_id} if guild_id else {}))
    return out


_APP = "/applications/{application_id}"


def _own(discord: State, args: Json) -> None:
    if args["application_id"] != discord.application_id:
        raise DiscordError(50001)


@route("overwrite_commands", "PUT", _APP + "/guilds/{guild_id}/commands")
def overwrite_guild_commands(discord: State, args: Json) -> list[Json]:
    _own(discord, args)
    in_guild(discord, args)
    check_commands(args.get("_body"))
    discord.commands = _registered(discord, args["_body"], discord.guild_id)
    discord.changed()
    return discord.commands


@route("get_commands", "GET", _APP + "/guilds/{guild_id}/commands")
def get_guild_commands(discord: State, args: Json) -> list[Json]:
    _own(discord, args)
    in_guild(discord, args)
    return discord.commands


@route("overwrite_global_commands", "PUT", _APP + "/commands")
def overwrite_global_commands(discord: State, args: Json) -> list[Json]:
    _own(discord, args)
    check_commands(args.get("_body"))
    discord.global_commands = _registered(discord, args["_body"], None)
    discord.changed()
    return discord.global_commands


@route("get_global_commands", "GET", _APP + "/commands")
def get_global_commands(discord: State, args: Json) -> list[Json]:
    _own(discord, args)
    return discord.global_commands


# What a person's client does with them


def find(discord: State, name: str, kind: int) -> Json:
    """A registered command; AssertionError if the client would not offer it."""
    registered = [*discord.commands, *discord.global_commands]
    for one in registered:
        if one["type"] == kind and one["name"] == name:
            return one
    raise AssertionError(f"no command {name!r}; offered are {[one['name'] for one in registered]}")


def filled(discord: State, command: Json, path: list[str], values: Json, focused: str | None = None) -> Json:
    """An interaction's `data`: the way to the subcommand, and its options as the person filled them in."""
    found, resolved = command, {}
    way: list[Json] = []
    for name in path:
        found = next((one for one in found.get("options") or () if one["name"] == name), {})
        assert found.get("type") in (SUBCOMMAND, GROUP), f"no subcommand {name!r} of /{command['name']}"
        way.append(found)
    options = found.get("options") or []
    assert not any(one["type"] in (SUBCOMMAND, GROUP) for one in options), (
        f"/{command['name']} needs a subcommand"
    )
    chosen = []
    for option in options:
        if option["name"] in values:
            chosen.append(_chosen(discord, option, values[option["name"]], focused, resolved))
        else:
            missing = option.get("required") and focused is None
            assert not missing, f"the client asks for {option['name']!r} first"
    unknown = set(values) - {one["name"] for one in options}
    assert not unknown, f"/{command['name']} {' '.join(path)} has no option {unknown}"
    for step in reversed(way):
        chosen = [{"name": step["name"], "type": step["type"], "options": chosen}]
    data: Json = {"id": command["id"], "name": command["name"], "type": CHAT, "guild_id": discord.guild_id}
    return data | {"options": chosen} | ({"resolved": resolved} if resolved else {})


def _chosen(discord: State, option: Json, value: Any, focused: str | None, resolved: Json) -> Json:
    kind, name = option["type"], option["name"]
    shown: Json = {"name": name, "type": kind, "value": value}
    if name == focused:
        return shown | {"value": str(value), "focused": True}
    if option.get("choices"):
        offered = {one["value"] for one in option["choices"]} | {one["name"] for one in option["choices"]}
        assert value in offered, f"{name} offers {offered}"
        shown["value"] = next(
            one["value"] for one in option["choices"] if value in (one["name"], one["value"])
        )
    elif kind == STRING:
        assert isinstance(value, str), f"{name} is a text"
        assert option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000), (
            f"{name}: wrong length"
        )
    elif kind in (INTEGER, NUMBER):
        assert isinstance(value, int | float), f"{name} is a number"
        assert option.get("min_value", value) <= value <= option.get("max_value", value), (
            f"{name} is out of range"
        )
    elif kind == BOOLEAN:
        assert isinstance(value, bool), f"{name} is yes or no"
    elif kind in (USER, CHANNEL, ROLE, MENTIONABLE):
        resolve(discord, kind, str(value), resolved)
    elif kind == ATTACHMENT:
        resolved.setdefault("attachments", {})[value.id] = discord.world.file_json(value)
        shown["value"] = value.id
    return shown


def resolve(discord: State, kind: int, key: str, resolved: Json) -> None:
    """Describe a person, role or channel that was chosen. `kind` as in options."""
    world = discord.world
    if kind in (USER, MENTIONABLE) and key in world.users:
        resolved.setdefault("users", {})[key] = world.user_json(key)
        if key in world.members:
            member = world.member_json(key, bare=True)
            resolved.setdefault("members", {})[key] = member | {"permissions": "0"}
    elif kind in (ROLE, MENTIONABLE) and key in world.roles:
        resolved.setdefault("roles", {})[key] = world.role_json(world.roles[key])
    elif kind == CHANNEL and key in world.channels:
        data = world.channel_json(world.channels[key]) | {"permissions": "0"}
        resolved.setdefault("channels", {})[key] = data
    else:
        raise AssertionError(f"nothing to choose: {key}")
