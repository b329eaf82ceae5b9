"""The deliveries' state machine: how a call ended, and which call comes next, in one transaction (DESIGN §1).

A delivery is committed before its call, together with the previous one's result. After a timeout or a crash it is
uncertain: the platform is asked, and "not there" is believed only a settling time after the attempt. A fault of
the place pauses the lane and gives nothing up; a fault of the entry makes a dead letter and the lane goes on.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.commands import Advance, Settled
from bot.entries import Reader
from bot.handlers import failures
from bot.handlers.team import lose
from bot.lanes import REPEATABLE, BindingState, Delivery, DeliveryState, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Place
from bot.readers import READERS
from bot.readers.card import CardReader
from bot.readers.moving import team_of
from bot.readers.thread import ThreadReader, closes, place_of
from bot.settings import Timing

ALLOWANCE = "allowance"
"""The reason of a `PlaceFault` by which an adapter keeps inside its platform's published limits."""

TRIES_IN_THE_PAST = 3
"""How often a call for a thread that the case has left is tried."""

LOOKED_AT_LEAST = 900.0
"""Seconds before an attempt from which on other deliveries' posts are told to whoever looks for its own: more than any
platform looks back."""

IN_FLIGHT = frozenset({DeliveryState.SENDING, DeliveryState.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Call:
    """What the courier has to do now. `find`: look whether it was done already, do not do it; `known` are posts that
    other deliveries made."""

    delivery_id: str
    conversation: int
    op: Op
    store: str
    team: str
    place: Place
    content: dict[str, Any]
    remote_id: str | None
    attempted_at: float
    find: bool
    known: frozenset[str] = frozenset()


def backoff(faults: int, timing: Timing, jitter: float) -> float:
    """Seconds until the next try after that many faults in a row; `jitter` is within 0..1 and takes up to half
    off, so that many lanes do not come back at once."""
    whole = min(timing.backoff_first * 2.0 ** min(faults - 1, 60), timing.backoff_most)
    return whole * (1 - jitter / 2)


def _known(uow: UnitOfWork, delivery: Delivery) -> frozenset[str]:
    """What of ours stands there by other deliveries: posts, or the roots of the case's threads."""
    number = delivery.conversation
    roots = [binding.root for binding in uow.lanes.bindings(number)]
    return frozenset([*roots, *uow.lanes.posted(number, delivery.attempted_at - LOOKED_AT_LEAST)])


def _rest(lane: Lane) -> None:
    lane.lease_owner, lane.lease_until = None, 0.0


def _tells_no_end(settled: Settled) -> bool:
    """Whether it was not done, or nobody knows: from whoever has lost the lease, that says nothing about the call
    which the new holder makes."""
    return settled.fault is not None or settled.missing


class Delivering:
    """The handler of `Advance`. It knows the chats, since a reader needs each one's `split`."""

    def __init__(self, chats: Mapping[str, TeamChat]):
        self._chats = chats

    def advance(self, uow: UnitOfWork, command: Advance) -> Call | None:
        """Record how the lane's last call ended and answer the next one; None: nothing to do for this holder."""
        lane = uow.lanes.lane(command.number, command.reader)
        if lane is None:
            return None
        foreign = lane.lease_owner is not None and lane.lease_owner != command.holder
        if command.settled is not None and not (foreign and _tells_no_end(command.settled)):
            self._settle(uow, lane, command.settled)
        if foreign and lane.lease_until > uow.now:
            return None
        if lane.not_before > uow.now or lane.due_at is None or lane.due_at > uow.now:
            _rest(lane)
            return None
        call = None if command.stop else self._next(uow, lane)
        if call is None:
            _rest(lane)
            return None
        lane.lease_owner, lane.lease_until = command.holder, uow.now + uow.settings.timing.lease
        return call

    # --- the next call ----------------------------------------------------------------------------------------

    def _next(self, uow: UnitOfWork, lane: Lane) -> Call | None:
        conversation = uow.conversations.get(lane.conversation)
        assert conversation is not None, "a lane belongs to a conversation"
        reader = READERS[lane.reader]
        while True:
            outstanding = uow.lanes.outstanding(lane.conversation, lane.reader)
            if outstanding:
                call = self._call(uow, lane, outstanding[0])
                if call is not None:
                    return call
                continue
            due_at = lane.due_at
            if not reader.plan(uow, lane, conversation, self._chats):
                if lane.due_at == due_at:
                    lane.due_at = None  # it owes nothing now; a new entry wakes it
                return None
            if lane.due_at is None:
                lane.due_at = uow.now  # until what it planned is done

    def _call(self, uow: UnitOfWork, lane: Lane, delivery: Delivery) -> Call | None:
        conversation = uow.conversations.get(lane.conversation)
        assert conversation is not None, "a lane belongs to a conversation"
        if delivery.content is None and delivery.op not in {Op.RETRACT}:
            delivery.content = READERS[lane.reader].render(uow, delivery, conversation, self._chats)
            if delivery.content is None:
                self._drop(uow, delivery)
                return None
        if delivery.state is DeliveryState.SENDING:  # whoever made this call did not live to tell
            delivery.state = DeliveryState.UNCERTAIN
        if delivery.state is DeliveryState.PLANNED and not self._still_wanted(uow, lane, delivery):
            return None
        find = delivery.state is DeliveryState.UNCERTAIN and delivery.op not in REPEATABLE
        if not find:
            delivery.state = DeliveryState.SENDING
            delivery.attempt += 1
            delivery.attempted_at = uow.now
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        team = uow.settings.team(team_of(delivery, conversation))
        return Call(
            delivery_id=delivery.id,
            conversation=lane.conversation,
            op=delivery.op,
            store=conversation.store,
            team=team.name,
            place=place_of(binding) if binding else Place(team.chat, team.channel),
            content=delivery.content or {},
            remote_id=delivery.remote_id,
            attempted_at=delivery.attempted_at,
            find=find,
            known=_known(uow, delivery) if find else frozenset(),
        )

    def _still_wanted(self, uow: UnitOfWork, lane: Lane, delivery: Delivery) -> bool:
        """What was taken back while it waited is not posted; its lane goes on behind it."""
        reader = READERS[lane.reader]
        if isinstance(reader, CardReader):
            reader.refresh(uow, delivery)
        if not isinstance(reader, ThreadReader) or reader.refresh(uow, delivery):
            return True
        self._drop(uow, delivery)
        if delivery.part == delivery.parts - 1:
            lane.position = max(lane.position, delivery.last_seq)
        return False

    def _drop(self, uow: UnitOfWork, delivery: Delivery) -> None:
        """Nothing is left to say."""
        delivery.state, delivery.content = DeliveryState.DROPPED, None
        if failures.is_retried(delivery):
            failures.changed(uow, delivery, failures.DROPPED)

    # --- how the last one ended -------------------------------------------------------------------------------

    def _settle(self, uow: UnitOfWork, lane: Lane, settled: Settled) -> None:
        delivery = uow.lanes.delivery(settled.delivery_id)
        if delivery is None or delivery.state not in IN_FLIGHT:
            return  # another holder has settled it, or it is no longer wanted
        if settled.fault is not None:
            self._faulted(uow, lane, delivery, settled)
        elif settled.missing:
            self._missing(uow, lane, delivery, settled.looked_at or uow.now)
        else:
            if failures.is_retried(delivery):
                failures.changed(uow, delivery, failures.DELIVERED)
            delivery.state, delivery.settled_at, delivery.error = DeliveryState.SENT, uow.now, None
            if settled.posted is not None:
                delivery.remote_id = settled.posted.remote_id
            READERS[lane.reader].sent(uow, lane, delivery, settled.posted)
            delivery.content = None
            lane.faults, lane.fault, lane.fault_since = 0, None, None

    def _missing(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, looked_at: float) -> None:
        """A look says what was there when it began, however late its answer comes."""
        believed_from = delivery.attempted_at + uow.settings.timing.settle
        if looked_at >= believed_from:
            delivery.state = DeliveryState.PLANNED
        else:
            delivery.state = DeliveryState.UNCERTAIN
            lane.not_before = believed_from

    def _faulted(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, settled: Settled) -> None:
        timing = uow.settings.timing
        delivery.error = settled.reason
        if settled.fault == "root":
            self._root_gone(uow, lane, delivery)
        elif self._is_past(uow, lane, delivery, settled):
            self._leave_out(uow, lane, delivery)
        elif settled.fault == "entry" and delivery.op is not Op.OPEN:
            self._refused(uow, lane, delivery, settled.reason)
        elif settled.fault == "unsure" and delivery.op not in REPEATABLE:
            delivery.state = DeliveryState.UNCERTAIN
            lane.not_before = uow.now + timing.backoff_first / 2
        else:
            if delivery.state is DeliveryState.SENDING:
                delivery.state = DeliveryState.PLANNED  # not carried out, or harmless to repeat
            if settled.reason == ALLOWANCE:  # we kept ourselves back: nothing is wrong there
                lane.not_before = uow.now + (settled.retry_after or 0.0)
                return
            lane.faults += 1
            lane.fault, lane.fault_since = settled.reason, lane.fault_since or uow.now
            pause = backoff(lane.faults, timing, random.random())
            lane.not_before = uow.now + max(pause, settled.retry_after or 0.0)

    def _is_past(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, settled: Settled) -> bool:
        """Whether it is for a thread that the case has left, and was tried enough: the new one must not wait."""
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        if binding is None or binding.state is not BindingState.MOVED or settled.reason == ALLOWANCE:
            return False
        return settled.fault == "entry" or lane.faults + 1 >= TRIES_IN_THE_PAST

    def _leave_out(self, uow: UnitOfWork, lane: Lane, delivery: Delivery) -> None:
        """The lane goes on without it."""
        if lane.reader in {Reader.CARD, Reader.RECEIPTS}:
            READERS[lane.reader].sent(uow, lane, delivery, None)  # or it would be planned again
        self._drop(uow, delivery)
        if delivery.part == delivery.parts - 1:
            lane.position = max(lane.position, delivery.last_seq)
        lane.faults, lane.fault, lane.fault_since = 0, None, None

    def _root_gone(self, uow: UnitOfWork, lane: Lane, delivery: Delivery) -> None:
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        delivery.state, delivery.content = DeliveryState.DROPPED, None
        if binding is not None:
            lose(uow, binding)

    def _refused(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, reason: str) -> None:
        """A dead letter: kept, said in the thread, replayable."""
        if lane.reader in {Reader.CARD, Reader.RECEIPTS}:
            READERS[lane.reader].sent(
                uow, lane, delivery, None
            )  # that state is not tried again, the next one is
        delivery.state, delivery.content, delivery.settled_at = DeliveryState.DEAD, None, uow.now
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        if delivery.part == delivery.parts - 1:
            lane.position = max(lane.position, delivery.last_seq)
            if binding is not None and closes(uow, binding, delivery):
                binding.state = BindingState.CLOSED  # its last line is lost, its handoff ended all the same
        failures.given_up(uow, delivery, reason)
