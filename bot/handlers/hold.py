"""Holding an operator's message, letting it go, and taking it back (DESIGN §2, hold).

A held message is a row and, where it stands in a thread, a link that shows no entry yet. Each step ends the row or
makes it the entry, in one transaction. Whatever ends or moves a handoff calls `let_go` first, so that nothing overtakes
what was written before.
"""

from dataclasses import replace
from typing import Any

from bot.conversation import Conversation
from bot.entries import Author, Draft, Entry, Kind, Reader
from bot.holds import HOLD, NO_ENTRY, NO_THREAD, Held, next_at, ripe
from bot.lanes import Binding, BindingState, Link
from bot.ports import UnitOfWork


def keep(
    uow: UnitOfWork, conversation: Conversation, binding: Binding | None, draft: Draft, order: str = ""
) -> Held:
    """Hold what `draft` would say; ⏳ shows it at once. `binding` None: it was typed in a page of ours, behind all that
    was written until then."""
    assert draft.operator_id is not None, "only operators' messages are held"
    assert draft.external_id is not None, "what was written in a thread has an id"
    held = Held(
        platform=binding.platform if binding else draft.source,
        channel=binding.channel if binding else str(conversation.number),
        remote_id=draft.external_id,
        conversation=conversation.number,
        binding_id=binding.id if binding else NO_THREAD,
        operator_id=draft.operator_id,
        order=order or _behind_all(uow, conversation),
        at=draft.at if draft.at is not None else uow.now,
        due_at=uow.now + uow.settings.team(conversation.team).hold,
        text=draft.text,
        data={"entry": draft.data, "late": draft.late},
        edited_order=draft.edited_order,
    )
    uow.held.add(held)
    if binding is not None:
        uow.lanes.add_link(
            Link(held.platform, held.channel, held.remote_id, conversation.number, binding.id,
                 NO_ENTRY, NO_ENTRY, ours=False)
        )  # fmt: skip
    _expect(uow, conversation.number)
    uow.lanes.wake(conversation.number, Reader.RECEIPTS)
    return held


def _behind_all(uow: UnitOfWork, conversation: Conversation) -> str:
    """An order of its own for what no platform ordered: after the newest that is known of the case's thread."""
    binding = uow.lanes.latest_binding(conversation.number)
    known = [held.order for held in uow.held.of(conversation.number)]
    return max([*known, binding.last_order if binding is not None else ""]) + "~"


def held_behind(uow: UnitOfWork, link: Link | None) -> Held | None:
    """The held message that a post stands for, if it does."""
    if link is None or link.ours or link.last_seq != NO_ENTRY:
        return None
    return uow.held.get(link.platform, link.channel, link.remote_id)


def let_go(uow: UnitOfWork, conversation: Conversation) -> None:
    """Every held message leaves now, whatever time it had left: something is about to happen that must not overtake
    it. They leave under their author's name, whoever has the case meanwhile."""
    if uow.due.at(HOLD, conversation.number) is None:
        return
    for held in uow.held.of(conversation.number):
        _leave(uow, conversation, held)
    uow.due.drop(HOLD, conversation.number)


def let_ripe_go(uow: UnitOfWork, conversation: Conversation) -> bool:
    """Those whose time has come leave, in the order they were written. Whether any did."""
    leaving = ripe(uow.held.of(conversation.number), uow.now)
    if any(_was_away(uow, held) for held in leaving):
        await_history(uow, conversation)
        leaving = []
    for held in leaving:
        _leave(uow, conversation, held)
    _expect(uow, conversation.number)
    return bool(leaving)


def await_history(uow: UnitOfWork, conversation: Conversation) -> None:
    """The thread's catch-up goes first, since an author may have taken a message back meanwhile; but not for ever, and
    once for each."""
    until = uow.now + uow.settings.timing.catch_up_held
    for held in uow.held.of(conversation.number):
        if not held.data.get("waited"):
            held.data = {**held.data, "waited": True, "due": held.due_at}
            held.due_at = max(held.due_at, until)
    _expect(uow, conversation.number)


def history_read(uow: UnitOfWork, conversation: Conversation) -> None:
    """What has waited for it leaves at its time again. Nothing that is here now need wait for it any more."""
    for held in uow.held.of(conversation.number):
        held.due_at = min(held.due_at, held.data.get("due", held.due_at))
        held.data = {**held.data, "waited": True}
    _expect(uow, conversation.number)


def _was_away(uow: UnitOfWork, held: Held) -> bool:
    """Whether nobody looked when its time came. What was typed in a page of ours is taken back there only."""
    timing = uow.settings.timing
    late = uow.now - held.due_at > timing.catch_up_wait + 2 * timing.due_tick
    return late and held.binding_id != NO_THREAD and not held.data.get("waited")


def _leave(uow: UnitOfWork, conversation: Conversation, held: Held) -> None:
    become(uow, conversation, held, replace(_draft(uow, held), late=held.data["late"]))


def aside(uow: UnitOfWork, held: Held, data: dict[str, Any]) -> Draft:
    """What a held message becomes when it is stopped; `data` says what may be done with it."""
    return replace(_draft(uow, held), kind=Kind.ASIDE, data={**held.data["entry"], **data})


def drop(uow: UnitOfWork, held: Held) -> None:
    """Its author deleted it: nobody outside the thread has ever seen it, so nothing is left to say."""
    link = uow.lanes.link(held.platform, held.channel, held.remote_id)
    if link is not None:
        link.first_seq = link.last_seq = 0
    uow.held.remove(held)
    _expect(uow, held.conversation)


def _draft(uow: UnitOfWork, held: Held) -> Draft:
    operator = uow.people.operator(held.operator_id)
    return Draft(
        Kind.MESSAGE,
        Author.OPERATOR,
        text=held.text,
        data=held.data["entry"],
        operator_id=held.operator_id,
        name=operator.first_name if operator else None,
        source=held.platform,
        external_id=held.remote_id,
        at=held.at,
        edited_order=held.edited_order,
    )


def become(uow: UnitOfWork, conversation: Conversation, held: Held, draft: Draft) -> Entry:
    """The row becomes an entry (the message, or an aside), and its post stands for that from now on."""
    binding = uow.lanes.binding(held.binding_id) if held.binding_id != NO_THREAD else None
    if binding is None:
        entry = uow.log.append(conversation, draft)
    else:
        entry = append_written(uow, conversation, binding, draft)
        link = uow.lanes.link(held.platform, held.channel, held.remote_id)
        if link is not None:
            link.first_seq = link.last_seq = entry.seq
        binding.last_order = max(binding.last_order, held.order)
    uow.held.remove(held)
    _expect(uow, held.conversation)
    return entry


def _expect(uow: UnitOfWork, number: int) -> None:
    """Keep the due row in step with what is held."""
    at = next_at(uow.held.of(number))
    if at is None:
        uow.due.drop(HOLD, number)
    else:
        uow.due.put(HOLD, number, at)


def append_written(uow: UnitOfWork, conversation: Conversation, binding: Binding, draft: Draft) -> Entry:
    """The thread shows already what was written in it: a lane that owes nothing else need not look."""
    lane = uow.lanes.lane(conversation.number, Reader.THREAD)
    up_to_date = (
        lane is not None
        and lane.due_at is None
        and lane.position == conversation.head
        and binding.state is BindingState.OPEN
        and binding.handoff == conversation.handoff
        and "offer" not in draft.data
    )
    entry = uow.log.append(conversation, draft, told={Reader.THREAD} if up_to_date else ())
    if lane is not None and up_to_date:
        lane.position = binding.last_seq = entry.seq
    return entry
