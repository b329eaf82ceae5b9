"""Until when a call may leave the house.

A replica that stood still (SIGSTOP, a frozen machine) goes on where it was, though its lease has ended and another has
made the call meanwhile; and a timeout that strikes an inner wait may be swallowed there. So an adapter asks
`in_time()` when nothing but the sending is left to do.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from bot.errors import PlaceFault
from bot.ports import Clock

_is_late: ContextVar[Callable[[], bool]] = ContextVar("is_late", default=lambda: False)


@contextlib.contextmanager
def until(at: float, clock: Clock) -> Iterator[None]:
    """What is called in here must leave by then."""
    token = _is_late.set(lambda: clock() > at)
    try:
        yield
    finally:
        _is_late.reset(token)


def in_time() -> None:
    """`PlaceFault` if it is too late for the call under way: it is not made."""
    if _is_late.get()():
        raise PlaceFault("too late")
