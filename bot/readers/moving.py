"""A case that goes on in another place: a move to another team's channel, or a root that was deleted.

The move's own entry is read in the new thread, once that stands and shows what was said before. It plans a line there
and a pointer in every thread that the case has left: a line, a card without buttons, and no offer any more. A pointer
that cannot be placed holds nothing up (`bot.delivering`).
"""

from bot.conversation import Conversation
from bot.entries import Entry, Kind
from bot.lanes import Binding, BindingState, Delivery, Lane, Op
from bot.ports import UnitOfWork
from bot.posts import Post
from bot.readers.base import new_delivery
from bot.readers.card import current_card
from bot.readers.saying import moved_line, pointer_line


def goes_on_elsewhere(binding: Binding, conversation: Conversation) -> bool:
    """Whether its handoff needs another thread: its root was deleted while that goes on, or it has moved away."""
    if conversation.handoff != binding.handoff:
        return False
    going_on = conversation.handoffs_ended < conversation.handoff
    return binding.state is BindingState.MOVED or (binding.state is BindingState.GONE and going_on)


def team_of(delivery: Delivery, conversation: Conversation) -> str:
    """The team whose place a call is for: a thread is opened where its card was planned for, although the case may
    have moved on since."""
    opened_for = (delivery.content or {}).get("team") if delivery.op is Op.OPEN else None
    return opened_for or conversation.team


def has_moved(uow: UnitOfWork, conversation: Conversation, delivery: Delivery) -> bool:
    """Whether the case belongs to another place than the one that this thread is opened in."""
    then, now = (uow.settings.team(name) for name in (team_of(delivery, conversation), conversation.team))
    return (then.chat, then.channel) != (now.chat, now.channel)


def is_told_elsewhere(uow: UnitOfWork, binding: Binding, entry: Entry) -> bool:
    """Whether another thread of this handoff has said so, which calls nobody a second time."""
    return any(
        uow.lanes.links_of(one.id, entry.seq)
        for one in uow.lanes.bindings(binding.conversation)
        if one.handoff == binding.handoff and one.id != binding.id
    )


def shows_already(binding: Binding, change: Entry) -> bool:
    """Whether a thread that the case has left was told of that change before; the next one reads it again."""
    return binding.state is BindingState.MOVED and change.seq <= binding.last_seq


def plan(uow: UnitOfWork, lane: Lane, conversation: Conversation, binding: Binding, entry: Entry) -> bool:
    """What a move needs in the thread where the case goes on, and in those that it has left."""
    left = _left(uow, binding)
    line = moved_line(uow, binding, entry, left[-1] if left else None)
    planned = [_say(uow, lane, binding, entry, line)]
    if not _is_overtaken(uow, entry):
        for old in left:
            planned += _point(uow, lane, conversation, old, binding, entry)
    for index, delivery in enumerate(planned):
        delivery.part, delivery.parts = index, len(planned)
    return True


def _point(
    uow: UnitOfWork, lane: Lane, conversation: Conversation, old: Binding, new: Binding, entry: Entry
) -> list[Delivery]:
    """From a thread that the case has left to the one where it goes on; said once."""
    if uow.lanes.links_of(old.id, entry.seq):
        return []
    span = (entry.seq, entry.seq)
    card = current_card(uow, conversation, old).as_dict()
    planned = [
        _say(uow, lane, old, entry, pointer_line(uow, old, new, conversation, entry)),
        new_delivery(uow, lane, Op.CARD, span, content=card, binding=old),
    ]
    if old.offer_id is not None:
        planned.append(new_delivery(uow, lane, Op.RETRACT, span, binding=old, remote_id=old.offer_id))
        old.offer_seq = None
    return planned


def _say(uow: UnitOfWork, lane: Lane, binding: Binding, entry: Entry, post: Post) -> Delivery:
    span = (entry.seq, entry.seq)
    return new_delivery(uow, lane, Op.POST, span, content=post.as_dict(), binding=binding)


def _left(uow: UnitOfWork, binding: Binding) -> list[Binding]:
    """The threads of the same handoff that the case has left by a move, oldest first."""
    return [
        one
        for one in uow.lanes.bindings(binding.conversation)
        if one.handoff == binding.handoff and one.id < binding.id and one.state is BindingState.MOVED
    ]


def _is_overtaken(uow: UnitOfWork, entry: Entry) -> bool:
    """Whether another move follows already, which will say where the case is."""
    later = uow.log.after(entry.conversation, entry.seq)
    return any(one.kind is Kind.MOVED and one.data.get("elsewhere") for one in later)
