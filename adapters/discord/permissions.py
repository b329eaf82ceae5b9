"""Who may do what where, computed as Discord documents it. Pure; from its JSON, so that no gateway is needed for it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

BITS = {
    "add_reactions": 1 << 6,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "manage_webhooks": 1 << 29,
    "manage_threads": 1 << 34,
    "create_public_threads": 1 << 35,
    "send_messages_in_threads": 1 << 38,
}
NEEDED = {
    "view_channel": ("View Channel", "see it"),
    "send_messages": ("Send Messages", "open cases there"),
    "create_public_threads": ("Create Public Threads", "open a thread for each case"),
    "send_messages_in_threads": ("Send Messages in Threads", "tell the team what shoppers write"),
    "embed_links": ("Embed Links", "show a case's card"),
    "read_message_history": ("Read Message History", "find what was written while it was away"),
    "add_reactions": ("Add Reactions", "show what became of a message"),
}
"""Without these calls fail, as Discord's settings name them; without others less can be done, which the doctor says."""
ADMINISTRATOR, EVERYTHING = 1 << 3, (1 << 53) - 1


def everywhere(guild: Mapping[str, Any], user_id: str, role_ids: Collection[str]) -> int:
    """What somebody's roles allow in the guild. `@everyone` is the role with the guild's own id."""
    if user_id == str(guild.get("owner_id")):
        return EVERYTHING
    held = {str(guild["id"]), *role_ids}
    found = 0
    for role in guild.get("roles", ()):
        if str(role["id"]) in held:
            found |= int(role.get("permissions") or 0)
    return EVERYTHING if found & ADMINISTRATOR else found


def inside(
    guild: Mapping[str, Any], channel: Mapping[str, Any], user_id: str, role_ids: Collection[str]
) -> int:
    """What they may do in that channel: its exceptions for everybody, for their roles, then for themselves."""
    base = everywhere(guild, user_id, role_ids)
    if base == EVERYTHING:
        return base
    exceptions = {str(one["id"]): one for one in channel.get("permission_overwrites") or ()}
    base = _applied(base, [exceptions.get(str(guild["id"]))])
    base = _applied(base, [exceptions.get(one) for one in role_ids])
    base = _applied(base, [exceptions.get(user_id)])
    return base if base & BITS["view_channel"] else 0


def _applied(base: int, exceptions: Iterable[Mapping[str, Any] | None]) -> int:
    """What one of them allows counts more than what another of them forbids."""
    kept = [one for one in exceptions if one is not None]
    for one in kept:
        base &= ~int(one.get("deny") or 0)
    for one in kept:
        base |= int(one.get("allow") or 0)
    return base


def may(value: int, *names: str) -> bool:
    """Whether that allows all of these."""
    return all(value & BITS[name] for name in names)
