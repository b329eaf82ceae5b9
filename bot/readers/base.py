"""What every reader answers to, and the two things all of them do: name a delivery, say where it goes."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from bot.conversation import Conversation
from bot.lanes import Binding, Delivery, DeliveryState, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Post, Posted

Split = Callable[[Post], Sequence[Post]]


class LaneReader(Protocol):
    """One per kind of lane; stateless."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        """Take the next step: add deliveries, or move the lane's position past what needs none.

        True if anything was done (the courier asks again), False if the reader is owed nothing now; it may then
        have set `lane.due_at` to a later time.
        """
        ...

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        """A delivery of this lane was carried out."""
        ...

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        """The content of a replayed dead letter, with the newest text; None: nothing is left to say."""
        ...


def new_delivery(
    uow: UnitOfWork,
    lane: Lane,
    op: Op,
    span: tuple[int, int],
    *,
    content: dict[str, Any] | None = None,
    binding: Binding | None = None,
    remote_id: str | None = None,
    part: int = 0,
    parts: int = 1,
) -> Delivery:
    """Plan one call. Its id is what goes to the platform: 24 characters, within Discord's nonce limit of 25."""
    delivery = Delivery(
        id=secrets.token_hex(12),
        conversation=lane.conversation,
        reader=lane.reader,
        op=op,
        first_seq=span[0],
        last_seq=span[1],
        part=part,
        parts=parts,
        state=DeliveryState.PLANNED,
        created_at=uow.now,
        content=content,
        binding_id=binding.id if binding else None,
        remote_id=remote_id,
    )
    uow.lanes.add_delivery(delivery)
    return delivery
