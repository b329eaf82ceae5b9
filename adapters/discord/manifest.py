"""What Baton asks of a Discord server, in one place.

The invite link, the doctor and the documentation must not drift apart: a missing permission or intent is the most
common reason why "connected" still relays nothing. Tests compare these lists with what the code calls and hears.
"""

import base64
import binascii
from urllib.parse import urlencode

from adapters.discord.permissions import BITS, NEEDED

WANTED: dict[str, tuple[str, str]] = {
    "attach_files": ("Attach Files", "show shoppers' files; without it the team gets links"),
    "manage_threads": ("Manage Threads", "go on in a thread that somebody locked"),
    "manage_webhooks": (
        "Manage Webhooks",
        "post what shoppers write under their own names; without it the name stands before the words",
    ),
    "mention_everyone": (
        "Mention @everyone, @here, and All Roles",
        "call a role or whoever is here, where `mentions` of the team says so",
    ),
}
"""Without these less can be done."""

PERMISSIONS: dict[str, tuple[str, str]] = {**NEEDED, **WANTED}
"""Each permission as Discord's settings name it, with what fails without it."""

CALLS: dict[str, tuple[str, ...]] = {
    "/applications/{application_id}/guilds/{guild_id}/commands": (),
    "/channels/{channel_id}": ("view_channel", "manage_threads"),
    "/channels/{channel_id}/messages": ("view_channel", "send_messages", "send_messages_in_threads",
                                        "read_message_history", "embed_links", "attach_files", "mention_everyone"),
    "/channels/{channel_id}/messages/{message_id}": ("view_channel", "read_message_history", "embed_links"),
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": ("read_message_history", "add_reactions"),
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}": ("view_channel", "read_message_history"),
    "/channels/{channel_id}/messages/{message_id}/threads": ("create_public_threads",),
    "/channels/{channel_id}/typing": ("send_messages_in_threads",),
    "/channels/{channel_id}/webhooks": ("manage_webhooks",),
    "/guilds/{guild_id}": (),
    "/guilds/{guild_id}/channels": (),
    "/guilds/{guild_id}/members": (),
    "/guilds/{guild_id}/members/{user_id}": (),
    "/interactions/{interaction_id}/{interaction_token}/callback": (),
    "/oauth2/applications/@me": (),
    "/users/@me": (),
    "/users/@me/channels": (),
    "/webhooks/{application_id}/{interaction_token}": (),
    "/webhooks/{application_id}/{interaction_token}/messages/@original": (),
    "/webhooks/{webhook_id}/{webhook_token}": (),
    "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": (),
}  # fmt: skip
"""Each address that is called, with the permissions it may need. One without a line here fails a test."""

INTENTS: dict[str, tuple[str, str]] = {
    "message_content": ("Message Content Intent", "read what operators write"),
    "members": ("Server Members Intent", "know who belongs to a team"),
    "presences": ("Presence Intent", "know who is there; without it a new case mentions nobody by name"),
}
"""What to switch on in the Developer Portal (Bot, Privileged Gateway Intents), with what fails without it."""

SCOPES = ("bot", "applications.commands")
INVITE = "https://discord.com/oauth2/authorize"
PLACEHOLDER = "YOUR_APPLICATION_ID"


def permission_bits() -> int:
    """All of them as one number."""
    return sum(BITS[name] for name in PERMISSIONS)


def application_of(token: str) -> str:
    """The bot's id, which a token begins with; the application has the same, but for some made before 2017. Empty for
    what is no token."""
    first = token.partition(".")[0]
    try:
        found = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return found if found.isdigit() else ""


def invite_link(application_id: str = "", guild_id: str = "") -> str:
    """Where an admin of the server invites Baton, with exactly these permissions."""
    asked = {
        "client_id": application_id or PLACEHOLDER,
        "permissions": str(permission_bits()),
        "scope": " ".join(SCOPES),
    }
    if guild_id:
        asked |= {"guild_id": guild_id, "disable_guild_select": "true"}
    return f"{INVITE}?{urlencode(asked)}"


def manifest(application_id: str = "", guild_id: str = "") -> str:
    """What to do on Discord's pages, in words: it takes no manifest."""
    lines = [
        "Invite Baton to your server with this link:",
        "",
        f"  {invite_link(application_id, guild_id)}",
        "",
    ]
    if not application_id:
        lines += [f"  ({PLACEHOLDER} stands on the Developer Portal's page General Information; with DISCORD_TOKEN set "
                  "it is filled in.)", ""]  # fmt: skip
    lines += ["It asks for:", *(f"  {name}: {why}" for name, why in PERMISSIONS.values()), ""]
    lines += [
        "Switch on in the Developer Portal, under Bot, Privileged Gateway Intents:",
        *(f"  {name}: {why}" for name, why in INTENTS.values()),
    ]
    return "\n".join(lines)
