"""What Baton asks of a Slack workspace, in one place.

The app's manifest, the self-test, the listeners and the documentation must not drift apart: a missing scope is the
most common reason why "connected" still relays nothing. Tests compare these lists with what the code calls and hears.
"""

from typing import Any

from bot import texts

COMMAND = "/handoff"
SEND_SHORTCUT = "baton:send_to_shopper"

EVENTS: dict[str, str] = {
    "app_home_opened": "app_home_opened",
    "app_mention": "app_mention",
    "app_uninstalled": "app_uninstalled",
    "channel_archive": "channel_archive",
    "channel_deleted": "channel_deleted",
    "channel_left": "channel_left",
    "channel_rename": "channel_rename",
    "channel_unarchive": "channel_unarchive",
    "file_deleted": "file_deleted",
    "group_archive": "group_archive",
    "group_deleted": "group_deleted",
    "group_left": "group_left",
    "group_rename": "group_rename",
    "group_unarchive": "group_unarchive",
    "member_joined_channel": "member_joined_channel",
    "member_left_channel": "member_left_channel",
    "message.channels": "message",
    "message.groups": "message",
    "reaction_added": "reaction_added",
    "tokens_revoked": "tokens_revoked",
}
"""Each subscription and the type of the events that it brings: every one has a listener, and only these have."""

EVENT_SCOPES: dict[str, str] = {
    "app_mention": "app_mentions:read",
    "channel_archive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_left": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "file_deleted": "files:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_left": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "reaction_added": "reactions:read",
}
"""What a subscription needs; one that is not named needs nothing. Of private channels `member_…` events need
`groups:read` as well, which the `group_…` events bring."""

METHOD_SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.replies": ("channels:history", "groups:history"),
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.getPresence": ("users:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.update": (),
}
"""Each method of the Web API that is called, with what it needs. A method without a line here fails a test."""

SCOPES: tuple[tuple[str, str], ...] = (
    ("app_mentions:read", "hear a mention of the bot"),
    ("channels:history", "read replies in public channels"),
    ("channels:read", "find public channels and their members, and hear what happens to them"),
    ("chat:write", "post cards and messages"),
    ("commands", f"answer {COMMAND} and offer “{texts.windows.SHORTCUT_SEND}”"),
    ("files:read", "pass files on to shoppers"),
    ("files:write", "show shoppers' files"),
    ("groups:history", "read replies in private channels"),
    ("groups:read", "find private channels and their members, and hear what happens to them"),
    ("reactions:read", "take a held message back when somebody reacts with 🛑"),
    ("reactions:write", "show what became of a reply"),
    ("usergroups:read", "know the members of a team that is a user group"),
    ("users:read", "know operators by name, role and presence"),
)
"""Each bot scope with what fails without it."""


def manifest(name: str = "Baton", public_url: str | None = None) -> dict[str, Any]:
    """The app manifest as Slack's "Create from manifest" takes it (as JSON or YAML).

    For Socket Mode; with `public_url`, Baton's address as Slack reaches it, for HTTP. Slack asks that address at
    once, so Baton must be running there when such a manifest is saved.
    """
    url = f"{public_url.rstrip('/')}/slack/events" if public_url else ""
    address = {"request_url": url} if url else {}
    return {
        "display_information": {
            "name": name,
            "description": "Passes shoppers from the AI assistant to your team, and back.",
            "background_color": "#1f2937",
        },
        "features": _features(name, url),
        "oauth_config": {"scopes": {"bot": [scope for scope, _ in SCOPES]}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": public_url is None,
            "token_rotation_enabled": False,
        },
    }


def _features(name: str, url: str) -> dict[str, Any]:
    command = {
        "command": COMMAND,
        "description": texts.windows.COMMAND_DESCRIPTION,
        "usage_hint": texts.windows.COMMAND_HINT,
        "should_escape": True,  # people come as ids, not as names that two may share
    }
    shortcut = {
        "name": texts.windows.SHORTCUT_SEND,
        "type": "message",
        "callback_id": SEND_SHORTCUT,
        "description": texts.windows.SHORTCUT_SEND_DESCRIPTION,
    }
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,  # without it Slack refuses a private word to a lead
            "messages_tab_read_only_enabled": True,
        },
        "bot_user": {"display_name": name, "always_online": True},
        "shortcuts": [shortcut],
        "slash_commands": [command | ({"url": url} if url else {})],
    }
