"""How long a shopper will wait. Pure."""

from collections.abc import Sequence
from statistics import median

LEAST, MOST = 15.0, 3600.0


def estimate(position: int, recent_waits: Sequence[float]) -> int | None:
    """Seconds until somebody claims, from the newest claims of the team; None without any to go by.

    The median wait already contains a typical queue, so each further place adds half of it.
    """
    if not recent_waits or position < 1:
        return None
    guess = median(recent_waits) * (1 + (position - 1) / 2)
    return round(min(max(guess, LEAST), MOST))
