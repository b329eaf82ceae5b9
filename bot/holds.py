"""Messages that wait before they leave, so that their author can take them back (DESIGN §2, hold). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HOLD = "hold"
"""The due row of a conversation with held messages; it stands as long as there is one."""

NO_ENTRY = 2**31 - 1
"""What the link of a held message shows: no entry yet, and none of the log's numbers is ever as high."""


NO_THREAD = 0
"""The binding of a held message that stands in no thread: it was typed in a page of ours."""


@dataclass(slots=True)
class Held:
    """An operator's message that is no entry yet. `order` is its platform's; `at` when it was written.

    `data` holds what its entry will need: {"entry": the entry's data, "late": …}, and whether it has waited for its
    thread's history: {"waited": …, "due": when it would have left}.
    """

    platform: str
    channel: str
    remote_id: str
    conversation: int
    binding_id: int
    operator_id: int
    order: str
    at: float
    due_at: float
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    edited_order: str = ""


def in_order(held: Iterable[Held]) -> list[Held]:
    """As they were written."""
    return sorted(held, key=lambda one: (one.order, one.remote_id))


def ripe(held: Iterable[Held], now: float) -> list[Held]:
    """Those that leave now: none before one that was written earlier, though that one came later."""
    leaving = []
    for one in in_order(held):
        if one.due_at > now:
            break
        leaving.append(one)
    return leaving


def next_at(held: Iterable[Held]) -> float | None:
    """When there is something to do: the time of the first that must leave."""
    first = in_order(held)[:1]
    return first[0].due_at if first else None
