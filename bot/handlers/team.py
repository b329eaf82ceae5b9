"""What the teams' chats tell about themselves: members, deleted roots; and replaying what was given up."""

from bot.commands import RetryDead, RootDeleted, TeamMembers
from bot.entries import Reader
from bot.errors import NotFound
from bot.lanes import OUTSTANDING, Binding, BindingState, DeliveryState
from bot.people import Role
from bot.ports import UnitOfWork


def members(uow: UnitOfWork, command: TeamMembers) -> None:
    """These can answer for the team now."""
    staff = [uow.people.operator_for(one.actor) for one in command.members if one.actor.role is not Role.NONE]
    uow.people.join(command.team, [operator.id for operator in staff])


def root_deleted(uow: UnitOfWork, command: RootDeleted) -> None:
    """A thread's root is gone: its case gets a new thread."""
    place = command.place
    binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
    if binding is not None and binding.state is not BindingState.GONE:
        lose(uow, binding)


def lose(uow: UnitOfWork, binding: Binding) -> None:
    """Nothing more goes there; what was under way for it is planned again for the next thread."""
    binding.state = BindingState.GONE
    for reader in (Reader.THREAD, Reader.CARD, Reader.RECEIPTS):
        for delivery in uow.lanes.outstanding(binding.conversation, reader):
            if delivery.binding_id == binding.id and delivery.state in OUTSTANDING:
                delivery.state, delivery.content = DeliveryState.DROPPED, None
        uow.lanes.wake(binding.conversation, reader)


def retry_dead(uow: UnitOfWork, command: RetryDead) -> int:
    """Replay a dead letter: planned again, with the newest text. The answer is its case number."""
    delivery = uow.lanes.delivery(command.delivery_id)
    if delivery is None or delivery.state is not DeliveryState.DEAD:
        raise NotFound(f"There is no failed delivery {command.delivery_id!r}.", field="delivery_id")
    delivery.state = DeliveryState.PLANNED
    delivery.content = None  # the reader renders it anew
    delivery.attempt, delivery.error = 0, None
    uow.lanes.wake(delivery.conversation, delivery.reader)
    return delivery.conversation
