"""Rate limits: a bucket per route and its major parameter, and one for everything.

Discord's real numbers come in headers and may change; these are the ones its documentation and people name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .errors import Json

GLOBAL_PER_SECOND = 50
RENAMES, RENAME_SECONDS = 2, 600.0
BUCKETS = {
    "create_message": (5, 5.0),
    "edit_message": (5, 5.0),
    "delete_message": (5, 1.0),
    "create_reaction": (1, 0.25),
    "delete_own_reaction": (1, 0.25),
    "execute_webhook": (5, 2.0),
    "edit_webhook_message": (5, 2.0),
    "get_messages": (5, 1.0),
    "typing": (5, 5.0),
    "start_thread": (5, 5.0),
}
_DEFAULT = (50, 1.0)
_UNLIMITED = ("interaction_callback", "edit_original", "followup", "get_original", "gateway_bot")


@dataclass
class Window:
    """What is left of a bucket until it is filled again."""

    limit: int
    left: int
    until: float


@dataclass
class Limits:
    """Fixed windows, as the headers describe them."""

    windows: dict[str, Window] = field(default_factory=dict)

    def take(self, method: str, args: Json, now: float) -> tuple[float, bool, dict[str, str]]:
        """Seconds to wait (0: go on), whether that is the limit on everything, and the headers to send."""
        if method in _UNLIMITED:
            return 0.0, False, {}
        everything = self._window("global", GLOBAL_PER_SECOND, 1.0, now)
        if not everything.left:
            return everything.until - now, True, {}
        limit, seconds = BUCKETS.get(method, _DEFAULT)
        major = args.get("channel_id") or args.get("webhook_id") or args.get("guild_id") or ""
        window = self._window(f"{method}:{major}", limit, seconds, now)
        wait = window.until - now if not window.left else 0.0
        if not wait:
            everything.left -= 1
            window.left -= 1
        return wait, False, headers(method, window, now)

    def _window(self, key: str, limit: int, seconds: float, now: float) -> Window:
        window = self.windows.get(key)
        if window is None or now >= window.until:
            window = self.windows[key] = Window(limit, limit, now + seconds)
        return window


def headers(method: str, window: Window, now: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(window.limit),
        "X-RateLimit-Remaining": str(window.left),
        "X-RateLimit-Reset": f"{window.until:.3f}",
        "X-RateLimit-Reset-After": f"{max(0, math.ceil(1000 * (window.until - now))) / 1000:.3f}",
        "X-RateLimit-Bucket": f"fake-{method}",
    }
