"""What the teams' chats tell about themselves: members, deleted roots and channels; and replaying what was given up.

Also how each person stands in the team whose case it is, which is decided here for every command.
"""

from collections import Counter
from collections.abc import Collection
from functools import wraps
from typing import Any

from bot import brief, noticing, roster, texts
from bot.commands import (
    ChannelGone,
    OpenBrief,
    PlaceBroken,
    PlaceMended,
    RetryDead,
    RootDeleted,
    ShareOut,
    TeamMembers,
    Told,
)
from bot.conversation import Conversation, Move, Stage
from bot.entries import Kind, Reader
from bot.errors import NotAllowed, NotFound, Refused
from bot.handlers import cases, failures, handoff
from bot.lanes import OUTSTANDING, Binding, BindingState, DeliveryState
from bot.people import Operator, Role
from bot.ports import Handler, UnitOfWork
from bot.posts import Answer

GONE, LOST = "gone", "lost"
"""Kinds of due rows: an owner who is gone, a thread whose channel is."""
MOST_ORPHANS = 500


def judging(handler: Handler) -> Handler:
    """The handler, given everybody in a command as they stand in the team of its case."""

    @wraps(handler)
    def judged(uow: UnitOfWork, command: Any) -> Any:
        return handler(uow, as_member(uow, command))

    return judged


def as_member(uow: UnitOfWork, command: Any) -> Any:
    """The command with its people as they stand in the team it is about: that of the case it names by its number or
    its thread. One about no case keeps them as they are."""
    if not roster.stands_anywhere(command):
        return command
    team = getattr(command, "team_asked", None) or _team_of(uow, command)
    return command if team is None else roster.seen_in(uow.settings.team(team).name, command)


def _team_of(uow: UnitOfWork, command: Any) -> str | None:
    number, place = getattr(command, "number", None), getattr(command, "place", None)
    if isinstance(command, RetryDead):
        delivery = uow.lanes.delivery(command.delivery_id)
        number = delivery.conversation if delivery is not None else None
    if number is None and place is not None:
        binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
        number = binding.conversation if binding is not None else None
    conversation = uow.conversations.get(number) if number is not None else None
    return conversation.team if conversation is not None else None


def members(uow: UnitOfWork, command: TeamMembers) -> None:
    """These can answer for the team now. Who is no longer among them loses the cases they had there, unless the list
    is only of those who are present."""
    staff: dict[int, Operator] = {}
    for one in command.members:
        if one.actor.role is not Role.NONE:
            operator = uow.people.operator_for(one.actor)
            operator.present, operator.active = one.present, True
            staff[operator.id] = operator
    former = [one for one in uow.people.team(command.team) if one.id not in staff]
    if former or len(staff) != len(uow.people.team(command.team)):
        uow.people.join(command.team, list(staff))
    for operator in former:
        operator.present = False
        if command.whole:
            operator.active = any(_is_in(uow, operator, team) for team in uow.settings.teams)
    if command.whole and command.members:
        _look_for_orphans(uow, command.team, command.members[0].actor.platform, staff)


def _is_in(uow: UnitOfWork, operator: Operator, team: str) -> bool:
    return any(one.id == operator.id for one in uow.people.team(team))


def _look_for_orphans(uow: UnitOfWork, team: str, platform: str, staff: Collection[int]) -> None:
    """Each is given up by a due row of its own, which locks its case first."""
    for conversation in uow.conversations.page(stage=str(Stage.ACTIVE), team=team, limit=MOST_ORPHANS):
        if _is_orphan(uow, conversation, platform, staff):
            uow.due.put(GONE, conversation.number, uow.now)


def _is_orphan(uow: UnitOfWork, conversation: Conversation, platform: str, staff: Collection[int]) -> bool:
    """Somebody who claimed a moment ago may have joined after the list was read; the next one will say."""
    owner = cases.owner_of(uow, conversation)
    if conversation.stage is not Stage.ACTIVE or owner is None or owner.platform != platform:
        return False
    fresh = (conversation.owned_since or 0.0) > uow.now - uow.settings.timing.members_refresh
    return owner.id not in staff and not fresh


def owner_gone(uow: UnitOfWork, conversation: Conversation) -> None:
    """The owner is no longer in the team: back to the queue, with a line that says why."""
    owner = cases.owner_of(uow, conversation)
    staff = {one.id for one in uow.people.team(conversation.team)}
    if owner is not None and _is_orphan(uow, conversation, owner.platform, staff):
        handoff.end_snooze(uow, conversation, "move", owner.name)  # who put it off will not look at it again
        cases.give_up(uow, conversation, texts.thread.owner_left(owner.name))


def share_out(uow: UnitOfWork, command: ShareOut) -> Answer:
    """A lead gives the cases that nobody has to those who are there, in turns, to whoever has least first."""
    if command.actor.role is not Role.LEAD:
        raise NotAllowed(texts.answers.only_leads_share_out())
    team = uow.settings.team(command.team_asked)
    found = [uow.conversations.get(number) for number in command.numbers]
    waiting = [one for one in found if one and one.stage is Stage.WAITING and one.team == team.name]
    if not waiting:
        return Answer(texts.answers.nothing_to_share_out())
    operators = noticing.there(uow.people.team(team.name), uow.now)
    if not operators:
        raise Refused(texts.answers.nobody_to_share_out_to())
    shares = roster.shared_out([one.number for one in waiting], operators, _loads(uow, team.name))
    by = uow.people.operator_for(command.actor)
    for conversation in waiting:
        handoff.take(uow, conversation, shares[conversation.number], Kind.ASSIGNED, by, Move.ASSIGN)
    return Answer(texts.answers.shared_out([(number, one.name) for number, one in shares.items()]))


def _loads(uow: UnitOfWork, team: str) -> dict[int, int]:
    active = uow.conversations.page(stage=str(Stage.ACTIVE), team=team, limit=MOST_ORPHANS)
    return dict(Counter(one.owner_id for one in active if one.owner_id is not None))


def open_brief(uow: UnitOfWork, command: OpenBrief) -> Answer | None:
    """The team's first hour, once a day: what waits. None: it was posted already, or nothing waits."""
    key = f"brief:{command.team}:{command.day}"
    if uow.inbox.answer(key) is not None:
        return None
    uow.inbox.remember(key, {})
    return brief.opening(uow, uow.settings.team(command.team))


def first_told(uow: UnitOfWork, command: Told) -> bool:
    """Whether nobody has said that yet; from now on somebody has."""
    if uow.inbox.answer(command.key) is not None:
        return False
    uow.inbox.remember(command.key, {})
    return True


def channel_gone(uow: UnitOfWork, command: ChannelGone) -> None:
    """A channel is gone for good, or the team has another one now: its open cases get new threads there."""
    for binding in uow.lanes.open_bindings(command.platform):
        if binding.channel == command.channel:
            uow.due.put(LOST, binding.conversation, uow.now)


def threads_lost(uow: UnitOfWork, conversation: Conversation) -> None:
    """The newest thread of the case was in such a channel."""
    binding = uow.lanes.latest_binding(conversation.number)
    if binding is not None and binding.state is BindingState.OPEN:
        lose(uow, binding)
        lane = uow.lanes.lane(conversation.number, Reader.THREAD)
        if lane is not None:
            lane.not_before = 0.0  # that place is at fault no more


def place_broken(uow: UnitOfWork, command: PlaceBroken) -> bool:
    """One outage is told once, whichever replica sees it, and another one the same day again."""
    count, is_open = _outages(uow, command.team)
    if is_open:
        return False
    return _note_outage(uow, command.team, count + 1, is_open=True)


def place_mended(uow: UnitOfWork, command: PlaceMended) -> bool:
    """What was put off because of that place is tried again now."""
    count, is_open = _outages(uow, command.team)
    uow.lanes.resume(command.team)
    return is_open and _note_outage(uow, command.team, count, is_open=False)


def _outages(uow: UnitOfWork, team: str) -> tuple[int, bool]:
    """How many there have been, and whether the last one lasts."""
    known = uow.inbox.answer(f"outage:{team}") or {}
    return int(known.get("count", 0)), bool(known.get("open"))


def _note_outage(uow: UnitOfWork, team: str, count: int, *, is_open: bool) -> bool:
    """Each end has a key of its own: of two replicas that write it at the same moment, one is told that it is there."""
    key, end = f"outage:{team}", f"outage:{team}:{count}:{'broken' if is_open else 'mended'}"
    if uow.inbox.answer(end) is not None:
        return False
    uow.inbox.remember(end, {})
    now = {"count": count, "open": is_open}
    if uow.inbox.answer(key) is None:
        uow.inbox.remember(key, now)
    else:
        uow.inbox.amend(key, now)
    return True


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
    if command.actor is not None:
        cases.require_member(command.actor)
    delivery = uow.lanes.delivery(command.delivery_id)
    if delivery is not None and failures.is_retried(delivery) and delivery.state is not DeliveryState.DEAD:
        raise Refused(texts.answers.retried_already(delivery.state is DeliveryState.SENT))
    if delivery is None or delivery.state is not DeliveryState.DEAD:
        raise NotFound(f"There is no failed delivery {command.delivery_id!r}.", field="delivery_id")
    failures.changed(uow, delivery, failures.TRYING, actor=command.actor)
    delivery.state = DeliveryState.PLANNED
    delivery.content = None  # the reader renders it anew
    delivery.attempt, delivery.error = 0, None
    uow.lanes.wake(delivery.conversation, delivery.reader)
    return delivery.conversation
