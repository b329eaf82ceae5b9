"""Due rows. Whoever removes the row acts on it, so that several replicas may tick."""

from collections.abc import Callable

from bot import hours, texts
from bot.commands import Attend, HoldLease, Keep, Leave, RunDue
from bot.conversation import Awaiting, Conversation, Move, Stage
from bot.entries import Draft, Kind, Reader
from bot.handlers import cases, files_back, handoff, notice, relay, team
from bot.holds import HOLD
from bot.ports import UnitOfWork

REPLICA = "replica:"
"""What a replica's lease on being alive is called, before its own name."""


def hold_lease(uow: UnitOfWork, command: HoldLease) -> bool:
    """Whether `holder` may do that work now."""
    if command.take:
        uow.leases.take(command.name, command.holder, command.seconds)
        return True
    return uow.leases.hold(command.name, command.holder, command.seconds)


def attend(uow: UnitOfWork, command: Attend) -> int:
    """How many replicas live, once this one is counted."""
    uow.leases.hold(REPLICA + command.replica, command.replica, command.seconds)
    return uow.leases.count(REPLICA)


def leave(uow: UnitOfWork, command: Leave) -> None:
    """It is not counted any more."""
    uow.leases.release(REPLICA + command.replica, command.replica)


def keep(uow: UnitOfWork, command: Keep) -> str:
    """What is kept under that name from now on."""
    key = f"kept:{command.name}"
    known = uow.inbox.answer(key)
    kept = str(known["value"]) if known is not None else ""
    if command.value is None or kept != command.instead_of:
        return kept
    if known is None:
        uow.inbox.remember(key, {"value": command.value})
    else:
        uow.inbox.amend(key, {"value": command.value})
    return command.value


def run(uow: UnitOfWork, command: RunDue) -> None:
    """Act on one ripe row."""
    if not uow.due.take(command.kind, command.number, command.due_at):
        return
    conversation = uow.conversations.get(command.number)
    if conversation is None:
        return
    RIPE[command.kind](uow, conversation)


def _close_silent(uow: UnitOfWork, conversation: Conversation) -> None:
    """The shopper has been silent too long. A shopper who waits for an answer is never closed."""
    if conversation.awaiting is Awaiting.OPERATOR or conversation.stage in {Stage.WAITING, Stage.RESOLVED}:
        handoff.expect_shopper(uow, conversation)
        return
    handoff.end(
        uow,
        conversation,
        Move.RESOLVE,
        Kind.RESOLVED,
        texts.words.nobody(),
        "resolved",
        texts.shopper.resolved(),
    )


def _wake_idle_owner(uow: UnitOfWork, conversation: Conversation) -> None:
    """An answer is due and the owner says nothing: inside hours the case goes back to the queue."""
    if not _owner_is_due(conversation):
        return
    if hours.is_open(uow.settings.team(conversation.team).hours, uow.now):
        cases.give_up(uow, conversation, texts.words.nobody())
    else:
        handoff.expect_shopper(uow, conversation)


def _refresh_card(uow: UnitOfWork, conversation: Conversation) -> None:
    """A waiting case's card shows its age; less and less often, the longer it waits."""
    if conversation.stage is not Stage.WAITING:
        return
    uow.lanes.wake(conversation.number, Reader.CARD)
    waited = uow.now - (conversation.waiting_since or uow.now)
    uow.due.put(handoff.CARD, conversation.number, uow.now + max(60.0, waited / 2))


def _owner_is_due(conversation: Conversation) -> bool:
    """Whether the shopper waits for the owner's answer, and nobody has put that off."""
    return (
        conversation.stage is Stage.ACTIVE
        and conversation.awaiting is Awaiting.OPERATOR
        and conversation.snoozed_until is None
    )


def _nudge_idle_owner(uow: UnitOfWork, conversation: Conversation) -> None:
    """Half of the time that an owner has is over: they are reminded in the thread, inside hours."""
    owner = cases.owner_of(uow, conversation)
    if (
        owner is None
        or not _owner_is_due(conversation)
        or not hours.is_open(uow.settings.team(conversation.team).hours, uow.now)
    ):
        return
    follow = uow.settings.followup
    text = texts.thread.alert_idle(follow.idle_nudge, follow.idle_release)
    data = {"code": "idle", "text": text, "mention": [owner.id]}
    uow.log.append(conversation, Draft(Kind.ALERTED, data=data))


def _end_snooze(uow: UnitOfWork, conversation: Conversation) -> None:
    """Its time has come."""
    handoff.end_snooze(uow, conversation, "time")


RIPE: dict[str, Callable[[UnitOfWork, Conversation], None]] = {
    handoff.STALE: _close_silent,
    handoff.IDLE: _wake_idle_owner,
    handoff.NUDGE: _nudge_idle_owner,
    handoff.SNOOZE: _end_snooze,
    handoff.CARD: _refresh_card,
    HOLD: relay.let_ripe_go,
    files_back.FILES: files_back.look_for_deleted,
    notice.LATE: notice.late,
    notice.NOBODY: notice.nobody,
    notice.ABSENT: notice.absent,
    team.GONE: team.owner_gone,
    team.LOST: team.threads_lost,
}
