"""The ways Slack fails, as values a test can ask for.

The dangerous failures are the uncertain ones: the client sees an error or nothing, and the message is there
all the same (or will be, seconds later). So a fault says two things: what the client sees, and whether the
call is carried out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Args = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What the client sees (`answer`), and whether the call is carried out (`late`: after `delay` s)."""

    answer: Literal["http", "error", "drop", "hang", "slow"]
    commit: Literal["no", "yes", "late"] = "no"
    delay: float = 0.0
    status: int = 200
    code: str = ""
    retry_after: float = 0

    @classmethod
    def rate_limit(cls, retry_after: float = 1) -> Fault:
        """429 with Retry-After; nothing is carried out."""
        return cls("http", status=429, code="ratelimited", retry_after=retry_after)

    @classmethod
    def http(cls, status: int = 503, *, commit: bool = False) -> Fault:
        """An HTML error page with this status; with `commit` the call is carried out first."""
        return cls("http", "yes" if commit else "no", status=status)

    @classmethod
    def error(cls, code: str, *, commit: bool = False) -> Fault:
        """`{"ok": false, "error": code}`; `internal_error` and `fatal_error` may have been carried out."""
        return cls("error", "yes" if commit else "no", code=code)

    @classmethod
    def drop(cls, *, commit: bool = False) -> Fault:
        """The connection is closed with no answer."""
        return cls("drop", "yes" if commit else "no")

    @classmethod
    def hang(cls, *, commit: bool = False) -> Fault:
        """No answer until the server stops; the client runs into its own timeout."""
        return cls("hang", "yes" if commit else "no")

    @classmethod
    def late(cls, delay: float, *, status: int | None = None) -> Fault:
        """The client sees a cut connection (or `status`) at once; the call is carried out `delay` s later."""
        if status is None:
            return cls("drop", "late", delay)
        return cls("http", "late", delay, status)

    @classmethod
    def latency(cls, seconds: float) -> Fault:
        """The call is carried out and answered, `seconds` later. Adds to any other fault."""
        return cls("slow", "yes", seconds)


@dataclass
class Rule:
    """One fault, when it applies, and how often it has struck."""

    method: str
    fault: Fault
    times: int | None
    when: Callable[[Args], bool] | None
    probability: float
    after: int
    seen: int = 0
    hits: int = 0

    def strikes(self, method: str, args: Args, rng: random.Random) -> bool:
        if self.method not in ("*", method) or (self.times is not None and self.hits >= self.times):
            return False
        if self.when is not None and not self.when(args):
            return False
        self.seen += 1
        if self.seen <= self.after or rng.random() >= self.probability:
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """The faults in force. Only one non-latency fault strikes a call: the first that was added."""

    rng: random.Random
    rules: list[Rule] = field(default_factory=list)

    def add(
        self,
        method: str,
        fault: Fault,
        *,
        times: int | None = 1,
        when: Callable[[Args], bool] | None = None,
        probability: float = 1.0,
        after: int = 0,
    ) -> Rule:
        """Strike `times` calls (None: all) of `method` ("*": any) that `when` accepts, sparing `after`."""
        rule = Rule(method, fault, times, when, probability, after)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def pick(self, method: str, args: Args) -> tuple[float, Fault | None]:
        """Seconds of latency, and the fault that strikes this call."""
        latency, struck = 0.0, None
        for rule in self.rules:
            slow = rule.fault.answer == "slow"
            if (struck and not slow) or not rule.strikes(method, args, self.rng):
                continue
            if slow:
                latency += rule.fault.delay
            else:
                struck = rule.fault
        return latency, struck


_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
_TIER = {
    "apps.connections.open": 1,
    "conversations.list": 2,
    "reactions.remove": 2,
    "users.list": 2,
    "auth.test": 4,
    "chat.postEphemeral": 4,
    "conversations.members": 4,
    "users.info": 4,
    "views.open": 4,
    "views.publish": 4,
    "views.update": 4,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
}
_POSTS_PER_MINUTE = 300
_BURST = 5


@dataclass
class Limits:
    """Token buckets: 1 post/s/channel with a burst, 300 posts/min/workspace, tiers per method per minute."""

    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, method: str, args: Args, now: float) -> float:
        """Seconds until the call may be made; 0 takes a token."""
        if method == "chat.postMessage":
            return self._take(f"channel:{args.get('channel')}", 1.0, _BURST, now) or self._take(
                "posts", _POSTS_PER_MINUTE / 60, _POSTS_PER_MINUTE, now
            )
        per_minute = _PER_MINUTE[_TIER.get(method, 3)]
        return self._take(method, per_minute / 60, per_minute, now)

    def _take(self, key: str, per_second: float, burst: float, now: float) -> float:
        tokens, at = self.buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - at) * per_second)
        self.buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return 0.0 if tokens >= 1 else (1 - tokens) / per_second
