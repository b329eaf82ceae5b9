"""What Slack says about channels and tokens, read: whether a team's place may have changed. Pure.

An event decides nothing. It only makes Baton look now instead of within a minute: the events come late, or not at all
(docs.slack.dev: `channel_left` "is sometimes withheld"), and some of them are about somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]

CHANNEL_EVENTS = frozenset(
    {
        f"{kind}_{what}"
        for kind in ("channel", "group")
        for what in ("archive", "deleted", "left", "rename", "unarchive")
    }
)
MEMBER_EVENTS = frozenset({"member_joined_channel", "member_left_channel"})
TOKEN_EVENTS = frozenset({"app_uninstalled", "tokens_revoked"})
PLACE_EVENTS = CHANNEL_EVENTS | MEMBER_EVENTS | TOKEN_EVENTS


@dataclass(frozen=True, slots=True)
class PlaceNews:
    """What happened to which channel (an empty one: to all of them). `name` is what it is called now, if that was
    said; `gone`: there is no such channel any more; `entered`: we were let into it."""

    channel: str = ""
    name: str = ""
    gone: bool = False
    entered: bool = False


def place_news(event: Event, our_user_id: str) -> PlaceNews | None:
    """None for an event that says nothing about us."""
    kind = str(event.get("type") or "")
    if kind == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
        return None  # a person's token, not ours
    if kind in TOKEN_EVENTS:
        return PlaceNews()
    if kind in MEMBER_EVENTS and event.get("user") != our_user_id:
        return None
    about = event.get("channel") or {}
    channel = about if isinstance(about, Mapping) else {"id": about}
    if not channel.get("id"):
        return None
    return PlaceNews(
        str(channel["id"]),
        str(channel.get("name") or ""),
        gone=kind.endswith("_deleted"),
        entered=kind == "member_joined_channel",
    )
