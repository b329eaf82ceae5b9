"""Discord's permission bits, and who may do what where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .things import Channel
    from .world import World

BITS = {
    "kick_members": 1 << 1,
    "ban_members": 1 << 2,
    "administrator": 1 << 3,
    "manage_channels": 1 << 4,
    "manage_guild": 1 << 5,
    "add_reactions": 1 << 6,
    "view_audit_log": 1 << 7,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "send_tts_messages": 1 << 12,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "use_external_emojis": 1 << 18,
    "change_nickname": 1 << 26,
    "manage_nicknames": 1 << 27,
    "manage_roles": 1 << 28,
    "manage_webhooks": 1 << 29,
    "use_application_commands": 1 << 31,
    "manage_threads": 1 << 34,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "send_messages_in_threads": 1 << 38,
    "moderate_members": 1 << 40,
    "send_polls": 1 << 49,
    "pin_messages": 1 << 51,
}
EVERYTHING = sum(BITS.values())
PEOPLE = (
    "view_channel send_messages embed_links attach_files read_message_history add_reactions use_external_emojis "
    "use_application_commands create_public_threads send_messages_in_threads change_nickname"
)
BOT = (
    "view_channel send_messages embed_links attach_files read_message_history add_reactions use_external_emojis "
    "create_public_threads send_messages_in_threads manage_threads manage_messages manage_webhooks mention_everyone"
)


def bits(names: str) -> int:
    """The value of permissions named with spaces between them."""
    return sum(BITS[name] for name in names.split())


def in_guild(world: World, user: str) -> int:
    """What a member may do where no channel says otherwise."""
    if user == world.owner_id:
        return EVERYTHING
    member = world.members.get(user)
    if member is None:
        return 0
    value = world.roles[world.guild_id].permissions
    for role in member.roles:
        value |= world.roles[role].permissions
    return EVERYTHING if value & BITS["administrator"] else value


def in_channel(world: World, user: str, channel: Channel) -> int:
    """… and what in this channel; a thread has its parent's overwrites."""
    value = in_guild(world, user)
    if value & BITS["administrator"] or user not in world.members:
        return value
    overwrites = world.parent(channel).overwrites
    if world.guild_id in overwrites:
        value = value & ~overwrites[world.guild_id].deny | overwrites[world.guild_id].allow
    roles = [overwrites[role] for role in world.members[user].roles if role in overwrites]
    for one in roles:
        value &= ~one.deny
    for one in roles:
        value |= one.allow
    if user in overwrites:
        value = value & ~overwrites[user].deny | overwrites[user].allow
    return value if value & BITS["view_channel"] else 0


def may(world: World, user: str, channel: Channel, name: str) -> bool:
    return bool(in_channel(world, user, channel) & BITS[name])
