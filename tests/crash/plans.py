"""What befalls which replica, and when: told beforehand, so that a story can be told again."""

from collections.abc import Sequence
from dataclasses import dataclass

SCALE = 0.05
"""Of the real delays, for one Baton that has the machine nearly to itself."""
ANY = ""
NO_TICK = r"(?!(before|after) commit (HoldLease|Attend|TeamMembers|OpenBrief|\+)+$)"
"""Every step but those of the scheduler, which ticks on while nothing happens."""


@dataclass(frozen=True, slots=True)
class Blow:
    """It strikes at the `step`th step of a life, of those whose label matches `at`. SIGKILL, and a new start after so
    many `seconds` (None: never), or with `pause` SIGSTOP, and SIGCONT after so many."""

    step: int
    at: str = ANY
    seconds: float | None = 0.0
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Per replica the blow of each of its lives; behind the last it lives on. The store and the shopper `stay` with
    the replica that answers them, or ask one after the other. `impatience` shortens the database's limits for
    transactions that stand still, `scale` all of Baton's own delays. `over_http`: Slack calls us, whichever lives.
    `chat`: where the team is."""

    blows: Sequence[Sequence[Blow]]
    stay: bool = False
    impatience: float = 1.0
    scale: float = SCALE
    over_http: bool = False
    chat: str = "slack"

    def __str__(self) -> str:
        parts = [
            f"{'pause' if blow.pause else 'kill'}{blow.step}{_short(blow.at)}"
            for lives in self.blows
            for blow in lives
        ]
        return "-".join(parts)

    @property
    def seed(self) -> int:
        """The same plan is told with the same seed."""
        steps = [blow.step for lives in self.blows for blow in lives]
        return sum(step * 1_000**index for index, step in enumerate(steps))


def kills(*steps: int, chat: str = "slack") -> Plan:
    """One Baton, killed at these steps of its lives and started again at once."""
    return Plan([[Blow(step, NO_TICK) for step in steps]], chat=chat)


def _short(at: str) -> str:
    return (
        "" if at in (ANY, NO_TICK) else "".join(one for one in at.removeprefix(NO_TICK) if one.isalnum())[:24]
    )
