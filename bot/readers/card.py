"""The card reader: the newest state into the thread's root, straight to the head."""

from collections.abc import Mapping
from typing import Any

from bot.cards import card_of
from bot.conversation import Conversation
from bot.lanes import Binding, BindingState, Delivery, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Card, Posted
from bot.readers.base import new_delivery


def current_card(uow: UnitOfWork, conversation: Conversation, binding: Binding | None) -> Card:
    """The card for that thread; one that the case has left says where it goes on."""
    shopper = uow.people.shopper(conversation.shopper_id)
    assert shopper is not None, "a conversation always has a shopper"
    owner = uow.people.operator(conversation.owner_id) if conversation.owner_id else None
    settings = uow.settings
    moved = binding is not None and binding.state is BindingState.MOVED
    of_this_handoff = binding is None or binding.handoff == conversation.handoff
    return card_of(
        conversation,
        shopper,
        owner,
        brand=settings.stores[conversation.store].brand,
        current=of_this_handoff and not moved,
        moved=moved and of_this_handoff,
        zone=settings.team(conversation.team).hours.zone,
        teams=len(settings.teams),
    )


def renew(uow: UnitOfWork, conversation: Conversation, delivery: Delivery, binding: Binding | None) -> None:
    """A card that waited for its turn is shown as it is by now: what it said then would only be in the way."""
    card = current_card(uow, conversation, binding)
    if delivery.content is None or Card.from_dict(delivery.content) != card:
        delivery.content = card.as_dict()


class CardReader:
    """See `LaneReader`."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        binding = uow.lanes.latest_binding(lane.conversation)
        if lane.due_at is None or lane.due_at > uow.now:
            return False
        lane.due_at = None  # whatever comes from now on wakes it again
        if binding is None or binding.state in {BindingState.GONE, BindingState.MOVED}:
            return False  # only the thread lane opens a thread; it wakes this one
        content = current_card(uow, conversation, binding).as_dict()
        new_delivery(uow, lane, Op.CARD, (lane.position, conversation.head), content=content, binding=binding)
        return True

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        lane.position = max(lane.position, delivery.last_seq)
        conversation = uow.conversations.get(lane.conversation)
        if conversation is None or conversation.head <= lane.position:
            lane.due_at = None  # else something came during the call, and it is still owed
        # The next state may be shown a moment later: many changes, one update.
        lane.not_before = max(lane.not_before, uow.now + uow.settings.timing.card_gap)

    def refresh(self, uow: UnitOfWork, delivery: Delivery) -> None:
        """Before a call that was certainly not made: it is for the newest state, as a new one would be."""
        conversation = uow.conversations.get(delivery.conversation)
        binding = uow.lanes.latest_binding(delivery.conversation)
        if conversation is None or binding is None or binding.id != delivery.binding_id:
            return
        renew(uow, conversation, delivery, binding)
        delivery.last_seq = conversation.head

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        binding = uow.lanes.latest_binding(delivery.conversation)
        return current_card(uow, conversation, binding).as_dict()
