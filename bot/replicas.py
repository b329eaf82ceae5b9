"""How many processes share the database, so that what the outside world allows them all is divided among them.

Each renews a lease of its own and counts those that stand. One that died is counted until its lease ends; one that
stops gives its lease back. Nothing but pace rests on the number.
"""

import secrets

from bot.commands import Attend, Leave
from bot.ports import Bus

RENEWALS = 3
"""So many renewals are due within a lease: one or two may be late."""


class Replicas:
    """`alive`: how many there were at the last look, this one among them. Each lease ends after `lease` seconds.
    `alone`: nobody can share this database, and nothing is asked."""

    def __init__(self, bus: Bus, lease: float, *, alone: bool = False):
        self._bus = bus
        self._lease = lease
        self._alone = alone
        self._name = secrets.token_hex(6)
        self.alive = 1

    @property
    def every(self) -> float:
        """Seconds between two renewals."""
        return self._lease / RENEWALS

    async def attend(self) -> None:
        """Be counted, and count."""
        if not self._alone:
            self.alive = await self._bus.submit(Attend(self._name, self._lease))

    async def leave(self) -> None:
        """The others need not wait until the lease ends."""
        if not self._alone:
            await self._bus.submit(Leave(self._name))
