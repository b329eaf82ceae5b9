"""Slack's allowance: how many calls it takes of each method, and whose turn is next when there are more.

A call that Slack would refuse is not made. Who would have to wait longer than a moment is sent away and told when to
come back, so that what is owed waits in the database and never in memory; its place in the line is kept meanwhile.
The figures are Slack's own (docs.slack.dev/apis/web-api/rate-limits, PLATFORMS.md). Replicas share a workspace: each
takes the published figures divided by how many live now, so that together they stay inside. The 429 that one of them
meets pauses that line there.
"""

import asyncio
import bisect
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol

from bot.errors import PlaceFault

MINUTE = 61.0
"""A minute and a second: two calls may reach Slack nearer to each other than they left."""
PATIENCE = 2.0
"""Longest wait in memory, in seconds; a quarter of a call's timeout if that is less."""
LONGEST_ABSENCE = 15.0
"""Who is sent away comes back after so many seconds at most: those before them may have given up."""
GRACE = 5.0
"""Seconds for which a place is kept beyond the time somebody was told: they poll, and the writer may be busy."""
MOST_ABSENT = 10_000
PAUSE_WITHOUT_WORD = 1.0
_EPSILON = 1e-6


class Importance(IntEnum):
    """Who goes first where calls share a limit; among equals, who asked first."""

    ANSWER = 0  # to a click: somebody is looking
    POST = 1
    OPEN = 2  # a thread; after the posts, so that a thread that is open is soon complete
    AMEND = 3  # and retract
    CARD = 4  # of a case that somebody has taken, settled or given back: often it is the answer to a click
    WAITING_CARD = 5
    HOME = 6  # a Home tab that somebody had open; its own clicks are answers
    RECEIPT = 7
    LOOK = 8  # reading back what was said meanwhile


PATIENT = Importance.WAITING_CARD
"""From here on nobody looks at the very moment."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls at once, `per_second` in the long run, and never more than `per_minute` in any minute. The share
    `kept`, of what is there at once and of every minute, is for those who are more important than `PATIENT`: or what
    nobody waits for would use up the minute in which somebody clicks. `first`: how many a replica that joins others
    may make at once."""

    per_second: float
    burst: float
    per_minute: int | None = None
    kept: float = 0.0
    first: float = 1.0

    def among(self, replicas: int) -> "Limit":
        """One's share of it. At least one call at once, and one a minute: below that nothing could be said at all."""
        per_minute = None if self.per_minute is None else max(1, self.per_minute // replicas)
        return Limit(
            self.per_second / replicas, max(1.0, self.burst / replicas), per_minute, self.kept, self.first
        )

    def in_a_minute(self, *, patient: bool) -> int | None:
        """How many of either kind."""
        if self.per_minute is None or not patient:
            return self.per_minute
        return max(1, self.per_minute - int(self.per_minute * self.kept))

    def spared(self, *, patient: bool) -> float:
        """So many must still be there behind a call."""
        return min(self.burst * self.kept, self.burst - 1) if patient else 0.0


TIERS = {
    1: Limit(1 / 60, 1, 1),  # "1+ per minute"
    2: Limit(20 / 60, 10, 20),  # "20+ per minute", "occasional bursts"
    3: Limit(50 / 60, 25, 50),  # "50+ per minute", "sporadic bursts are welcome"
    4: Limit(100 / 60, 100, 100),  # "100+ per minute", "generous burst behavior"
}
CHANNEL_POSTS = Limit(1.0, 4)  # "1 per second" and channel, "short bursts >1 allowed"
WORKSPACE_POSTS = Limit(300 / 60, 30, 300)  # "several hundred messages per minute" and workspace
LIMITS = {
    "chat.update": replace(TIERS[3], kept=0.3),  # cards, changed posts and pages of listings share it
    "views.publish": replace(TIERS[4], kept=0.3),  # a Home tab after a click there, and those that stand open
    "conversations.replies": replace(TIERS[3], kept=0.2),  # looking for a post, and reading threads back
    "conversations.list": TIERS[2],
    "reactions.remove": TIERS[2],
    "users.getPresence": Limit(50 / 60, 50, 50),  # tier 3; nothing more important shares it
    "auth.test": TIERS[4],  # "special": hundreds a minute
    "chat.postEphemeral": TIERS[4],
    "conversations.members": replace(TIERS[4], first=20),  # likewise
    "files.completeUploadExternal": TIERS[4],
    "files.getUploadURLExternal": TIERS[4],
    "files.info": TIERS[4],
    "users.info": replace(
        TIERS[4], first=20
    ),  # who comes after a restart knows nobody, and the others ask seldom
    "views.open": TIERS[4],
    "views.update": TIERS[4],
}
"""Per method and workspace; a method not named here is of tier 3. `chat.postMessage` has the two limits above."""


def used(times: Sequence[float], limit: Limit = CHANNEL_POSTS) -> float:
    """The share of what `limit` permitted, from the first to the last of these calls, that was made use of: 0 to 1.
    `times` in seconds, of calls that Slack took."""
    if not times:
        return 0.0
    return len(times) / (limit.burst + limit.per_second * (max(times) - min(times)))


def one() -> int:
    """How many replicas there are where nobody shares."""
    return 1


class Loop(Protocol):
    """The part of an event loop that tells the time; tests have one that they turn by hand."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], None], /) -> Any: ...


@dataclass(slots=True, eq=False)
class _Ticket:
    """A place in the lines of some buckets. Its caller waits (`turn`), or is away and expected until `until`."""

    caller: str
    order: tuple[int, int]
    buckets: "tuple[_Bucket, ...]"
    turn: asyncio.Future[None] | None = None
    until: float = 0.0

    @property
    def patient(self) -> bool:
        return self.order[0] >= PATIENT

    def stands(self, now: float) -> bool:
        return self.turn is not None or self.until > now


@dataclass(slots=True, eq=False)
class _Bucket:
    """What is left of one limit, of which `limit` is our share. A pause is a filling time that lies ahead."""

    published: Limit
    limit: Limit
    filled_at: float
    tokens: float = 0.0
    made: deque[float] = field(default_factory=deque)
    line: set[_Ticket] = field(default_factory=set)

    def ready(self, now: float, before: int = 0, *, patient: bool = False) -> float:
        """When a call may be made that has so many others before it."""
        start, tokens = max(now, self.filled_at), self._level(now) - self.limit.spared(patient=patient)
        at = start + max(0.0, before + 1 - tokens - _EPSILON) / self.limit.per_second
        most = self.limit.in_a_minute(patient=patient)
        if most is None:
            return at
        minutes, rest = divmod(before, most)
        nth = len(self.made) + rest - most
        earliest = self.made[nth] + MINUTE if nth >= 0 else now
        return max(at, earliest + minutes * MINUTE)

    def take(self, now: float) -> None:
        self.tokens, self.filled_at = self._level(now) - 1, max(now, self.filled_at)
        if self.limit.per_minute is not None:
            self.made.append(now)
            while len(self.made) > self.limit.per_minute:
                self.made.popleft()

    def pause(self, until: float) -> None:
        """Slack knows better: nothing until then, and one call to begin with."""
        if until > self.filled_at:
            self.tokens, self.filled_at = 1.0, until

    def share(self, replicas: int, now: float) -> None:
        """From now on so many of us draw on it. What has gathered stays ours, as far as our share holds it."""
        tokens, self.limit = self._level(now), self.published.among(replicas)
        self.tokens, self.filled_at = min(tokens, self.limit.burst), max(now, self.filled_at)
        while self.limit.per_minute is not None and len(self.made) > self.limit.per_minute:
            self.made.popleft()

    def overflows(self, now: float) -> bool:
        """Whether what is not used now is lost."""
        return self.ready(now) <= now and self._level(now) >= self.limit.burst

    def _level(self, now: float) -> float:
        gained = max(0.0, now - self.filled_at) * self.limit.per_second
        return min(self.limit.burst, self.tokens + gained)


class Allowance:
    """One per workspace and process. `patience`: longest wait here, in seconds. `on` False: no limits at all.
    `replicas`: how many processes share the workspace now, this one among them; asked before every call."""

    def __init__(
        self,
        patience: float = PATIENCE,
        *,
        on: bool = True,
        loop: Loop | None = None,
        replicas: Callable[[], int] = one,
    ):
        self._patience = patience
        self._on = on
        self._replicas = replicas
        self._sharing = 1
        self._began: float | None = None
        self._joins = False
        self._given_loop = loop
        self._buckets: dict[str, _Bucket] = {}
        self._waiting: list[_Ticket] = []
        self._absent: OrderedDict[str, _Ticket] = OrderedDict()
        self._asked = itertools.count()
        self._alarm: Any = None

    async def turn(
        self, method: str, channel: str, importance: Importance, caller: str, patience: float | None = None
    ) -> None:
        """Returns when the call may be made: at once if the allowance is free.

        `PlaceFault` "allowance" if that would take longer than `patience`; who comes back after its `retry_after`
        under the same `caller` has kept their place.
        """
        if not self._on:
            return
        now, patience = self._loop.time(), self._patience if patience is None else patience
        self._share_out(now)
        before = self._absent.pop(caller, None)
        if before is not None:
            self._leave(before)
        order = (importance, next(self._asked) if before is None else before.order[1])
        ticket = _Ticket(caller, order, self._buckets_of(method, channel, now))
        at = self._turn_of(ticket, now)
        if at <= now + _EPSILON or (ticket.buckets[0].overflows(now) and _ready(ticket, now) <= now):
            self._grant(ticket, now)
            return
        if at - now > patience:
            raise self._send_away(ticket, at, now)
        await self._wait(ticket, now + patience, now)

    def pause(self, method: str, channel: str, seconds: float | None) -> None:
        """After a 429: that method (for posts, that channel) rests as long as Slack says; everything else goes on."""
        if not self._on:
            return
        now = self._loop.time()
        self._buckets_of(method, channel, now)[0].pause(now + (seconds or PAUSE_WITHOUT_WORD))
        self._review(now)

    def _share_out(self, now: float) -> None:
        """Replicas have come or gone. One that comes to others knows not what they have used just now: instead of a
        burst it begins with one call of each kind, or the few that are named, and with none in a channel, where they
        may just have posted."""
        if self._began is None:
            self._began, self._joins = now, self._replicas() > 1
        if self._sharing == self._replicas():
            return
        self._sharing = self._replicas()
        for bucket in self._buckets.values():
            bucket.share(self._sharing, now)
        self._review(now)

    # Waiting here

    async def _wait(self, ticket: _Ticket, latest: float, now: float) -> None:
        ticket.turn, ticket.until = asyncio.get_running_loop().create_future(), latest
        bisect.insort(self._waiting, ticket, key=lambda one: one.order)
        for bucket in ticket.buckets:
            bucket.line.add(ticket)
        self._review(now)
        try:
            await ticket.turn
        except asyncio.CancelledError:
            self._leave(ticket)
            raise

    def _review(self, now: float) -> None:
        """Send away those whose turn has moved beyond their patience; then set the alarm for the next turn."""
        for ticket in list(self._waiting):
            at = self._turn_of(ticket, now)
            if at > ticket.until + _EPSILON and ticket.turn is not None and not ticket.turn.done():
                turn = ticket.turn
                turn.set_exception(self._send_away(ticket, at, now))
        self._set_alarm(now)

    def _set_alarm(self, now: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._waiting:
            soonest = min(_ready(ticket, now) for ticket in self._waiting)
            self._alarm = self._loop.call_later(max(0.0, soonest - now), self._let_in)

    def _let_in(self) -> None:
        self._alarm = None
        now = self._loop.time()
        for ticket in list(self._waiting):
            if _ready(ticket, now) <= now + _EPSILON:
                turn = ticket.turn
                self._grant(ticket, now)
                if turn is not None and not turn.done():
                    turn.set_result(None)
        self._set_alarm(now)

    def _grant(self, ticket: _Ticket, now: float) -> None:
        self._leave(ticket)
        for bucket in ticket.buckets:
            bucket.take(now)

    def _leave(self, ticket: _Ticket) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        for bucket in ticket.buckets:
            bucket.line.discard(ticket)
        ticket.turn = None

    # Waiting elsewhere

    def _send_away(self, ticket: _Ticket, at: float, now: float) -> PlaceFault:
        """To be back a little before their turn, and not before a pause ends."""
        early = now + self._patience / 2
        retry_after = max(min(at - early, LONGEST_ABSENCE), _ready(ticket, now) - early, self._patience / 4)
        self._leave(ticket)
        ticket.until = now + retry_after + GRACE
        self._forget(now)
        self._absent[ticket.caller] = ticket
        for bucket in ticket.buckets:
            bucket.line.add(ticket)
        return PlaceFault("allowance", retry_after)

    def _forget(self, now: float) -> None:
        """Places of those who did not come back; the oldest, if there are too many."""
        gone = [ticket for ticket in self._absent.values() if not ticket.stands(now)]
        if len(self._absent) - len(gone) >= MOST_ABSENT:
            gone.append(next(ticket for ticket in self._absent.values() if ticket.stands(now)))
        for ticket in gone:
            del self._absent[ticket.caller]
            self._leave(ticket)

    # Buckets

    def _turn_of(self, ticket: _Ticket, now: float) -> float:
        """Everybody ahead of it in its own line counts, and of the lines beside it those whose turn it is there:
        a line that is long, or paused, must not stall the others."""
        own, *shared = ticket.buckets
        ahead = [other for other in own.line if other.order < ticket.order and other.stands(now)]
        at = own.ready(now, len(ahead), patient=ticket.patient)
        for bucket in shared:
            beside = [one for one in bucket.line if one.order < ticket.order and one.turn is not None]
            turns = sum(1 for one in beside if one.buckets[0].ready(now, patient=one.patient) <= now)
            at = max(at, bucket.ready(now, turns, patient=ticket.patient))
        return at

    def _buckets_of(self, method: str, channel: str, now: float) -> tuple[_Bucket, ...]:
        """The first is the one that a 429 pauses."""
        if method == "chat.postMessage":
            posts = self._bucket(f"{method} {channel}", CHANNEL_POSTS, now)
            return posts, self._bucket(method, WORKSPACE_POSTS, now)
        return (self._bucket(method, LIMITS.get(method, TIERS[3]), now),)

    def _bucket(self, name: str, limit: Limit, now: float) -> _Bucket:
        if name not in self._buckets:
            self._buckets[name] = self._fresh(limit, now)
        return self._buckets[name]

    def _fresh(self, published: Limit, now: float) -> _Bucket:
        limit = published.among(self._sharing)
        if self._began is None or not self._joins:
            return _Bucket(published, limit, now, limit.burst)
        first = 0.0 if limit.per_minute is None else min(limit.first, limit.burst)
        return _Bucket(published, limit, self._began, first)

    @property
    def _loop(self) -> Loop:
        return self._given_loop or asyncio.get_running_loop()


def _ready(ticket: _Ticket, now: float) -> float:
    return max(bucket.ready(now, patient=ticket.patient) for bucket in ticket.buckets)
