"""What Baton asks of a Slack workspace, in one place.

The app's manifest, the self-test and the documentation must not drift apart: a missing scope is the most common
reason why "connected" still relays nothing.
"""

from typing import Any

SCOPES: tuple[tuple[str, str], ...] = (
    ("app_mentions:read", "hear a mention of the bot"),
    ("channels:history", "read replies in public channels"),
    ("channels:read", "find public channels and their members"),
    ("chat:write", "post cards and messages"),
    ("groups:history", "read replies in private channels"),
    ("groups:read", "find private channels and their members"),
    ("reactions:write", "show what became of a reply"),
    ("users:read", "know operators by name, role and presence"),
)
"""Each bot scope with what fails without it."""

EVENTS = ("app_mention", "message.channels", "message.groups")


def manifest(name: str = "Baton", public_url: str | None = None) -> dict[str, Any]:
    """The app manifest as Slack's "Create from manifest" takes it (as JSON or YAML).

    For Socket Mode; with `public_url`, Baton's address as Slack reaches it, for HTTP. Slack asks that address at
    once, so Baton must be running there when such a manifest is saved.
    """
    address = {"request_url": f"{public_url.rstrip('/')}/slack/events"} if public_url else {}
    return {
        "display_information": {
            "name": name,
            "description": "Passes shoppers from the AI assistant to your team, and back.",
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": False,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": name, "always_online": True},
        },
        "oauth_config": {"scopes": {"bot": [scope for scope, _ in SCOPES]}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": public_url is None,
            "token_rotation_enabled": False,
        },
    }
