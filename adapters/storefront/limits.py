"""How much one shopper or one address may ask for: token buckets, in memory, one number each.

The number is when the bucket will be full again (the generic cell rate algorithm); full buckets are forgotten.
Every replica counts for itself.
"""

import math
from collections.abc import Hashable

from adapters.storefront.refusals import TooMany
from bot.ports import Clock

KEPT = 10_000


class Limit:
    """`burst` at once, then one every 1/`rate` seconds."""

    def __init__(self, what: str, burst: int, rate: float, clock: Clock):
        self._what = what
        self._gap = 1.0 / rate
        self._room = burst / rate
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        self._sweep_at = KEPT

    def spare(self, key: Hashable) -> float:
        """Take one if there is one (answers 0), else say in how many seconds there will be."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._gap
        if full_at - now > self._room + 1e-9:
            return full_at - now - self._room
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        self._full_at[key] = full_at
        return 0.0

    def take(self, key: Hashable) -> None:
        """429 with the seconds to wait when the bucket is empty."""
        wait = self.spare(key)
        if wait > 0:
            seconds = max(1, math.ceil(wait))
            raise TooMany(f"Too many {self._what} at once; try again in {seconds} s.", retry_after=seconds)

    def _sweep(self, now: float) -> None:
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(KEPT, 2 * len(self._full_at))
