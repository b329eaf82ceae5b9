"""What several handlers share: how a handoff begins and ends, and what the shopper and the team are told.

Nothing here decides whether it may happen; the callers do, before they call.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot import hours, packet, texts, views
from bot.conversation import Awaiting, Conversation, Move, Stage
from bot.entries import Author, Draft, Entry, Kind, Reader
from bot.errors import NotFound, OtherShopper
from bot.handlers import hold
from bot.handlers.notice import watch
from bot.packet import Reason
from bot.people import Operator, Shopper
from bot.ports import UnitOfWork

STALE, IDLE, CARD, SNOOZE, NUDGE = "stale", "idle", "card", "snooze", "nudge"


def start(uow: UnitOfWork, store: str, external_id: str, channel: str, shopper: Shopper) -> Conversation:
    """A conversation is seen for the first time."""
    policy = uow.settings.stores[store]
    conversation = uow.conversations.start(
        Conversation(
            number=0,
            store=store,
            external_id=external_id,
            shopper_id=shopper.id,
            channel=channel,
            stage=Stage.OPEN,
            team=policy.team,
            created_at=uow.now,
            updated_at=uow.now,
            guest_id=shopper.external_id if shopper.anonymous else None,
        )
    )
    if policy.webhook_url:
        uow.lanes.open(conversation.number, Reader.WEBHOOK)
    return conversation


def require_shopper(uow: UnitOfWork, conversation: Conversation, shopper_id: str) -> None:
    """`OtherShopper` unless it is theirs."""
    if not views.is_theirs(uow, conversation, shopper_id):
        raise OtherShopper("This conversation belongs to another shopper.", field="shopper.id")


def case(uow: UnitOfWork, number: int) -> Conversation:
    """The case with that number; `NotFound` otherwise."""
    conversation = uow.conversations.get(number)
    if conversation is None:
        raise NotFound(f"There is no case #{number}.", field="number")
    return conversation


def notice(
    uow: UnitOfWork, conversation: Conversation, code: str, text: str, *, quoted: str | None = None
) -> Entry:
    """Tell the shopper something, for good. `quoted` are their own words in it, should they take them back."""
    data = {"code": code, "stage": str(conversation.stage), "quoted": quoted}
    return uow.log.append(conversation, Draft(Kind.NOTICE, text=text, data=data))


def begin(
    uow: UnitOfWork, conversation: Conversation, reason: Reason, body: Mapping[str, Any], move: Move
) -> None:
    """A handoff begins: by an escalation (`Move.ESCALATE`), or an operator steps in (claim, assign)."""
    shopper = uow.people.shopper(conversation.shopper_id)
    assert shopper is not None, "a conversation always has a shopper"
    if move is Move.ESCALATE:
        conversation.make(move)
        conversation.waiting_since = uow.now
    conversation.handoff += 1
    conversation.owner_id = None
    conversation.escalated_at = uow.now
    conversation.claimed_at = conversation.first_reply_at = conversation.resolved_at = None
    conversation.category = body.get("category") or reason.category or conversation.category
    conversation.priority = body.get("priority") or reason.priority or "normal"
    newest = uow.log.last(conversation.number, 400)
    said = [entry for entry in newest if entry.kind is Kind.MESSAGE]
    ended = max((entry.seq for entry in newest if entry.kind in {Kind.RESOLVED, Kind.HANDED_BACK}), default=0)
    conversation.packet = packet.build(shopper, said, reason, body, _earlier(uow, conversation), ended)
    uow.lanes.open(conversation.number, Reader.THREAD, _shown_before(uow, conversation))
    uow.lanes.open(conversation.number, Reader.CARD)
    uow.lanes.open(conversation.number, Reader.RECEIPTS)
    uow.log.append(
        conversation, Draft(Kind.ESCALATED, text=reason.evidence or "", data=_recorded(reason, body))
    )
    if move is Move.ESCALATE:
        tell_finding(uow, conversation, reason)
        uow.due.put(CARD, conversation.number, uow.now + 60)
        watch(uow, conversation)
    expect_shopper(uow, conversation)


def _recorded(reason: Reason, body: Mapping[str, Any]) -> dict[str, Any]:
    summary = body.get("summary") or {}
    return {**reason.as_dict(), "sentiment": summary.get("sentiment"), "quoted": reason.evidence}


def _shown_before(uow: UnitOfWork, conversation: Conversation) -> int:
    """Where the thread lane begins if it is new: before everything."""
    lane = uow.lanes.lane(conversation.number, Reader.THREAD)
    return lane.position if lane else 0


def _earlier(uow: UnitOfWork, conversation: Conversation) -> list[dict[str, Any]]:
    found = uow.conversations.earlier(conversation.shopper_id, conversation.number)
    return [
        {
            "number": other.number,
            "issue": (other.packet or {}).get("issue"),
            "outcome": str(other.stage),
            "rating": None,
            "at": datetime.fromtimestamp(other.updated_at, ZoneInfo("UTC")).isoformat(timespec="seconds"),
        }
        for other in found
    ]


def tell_finding(uow: UnitOfWork, conversation: Conversation, reason: Reason) -> None:
    """At once: that a person is being found and why; outside hours, when somebody will be there."""
    team = uow.settings.team(conversation.team)
    opens = hours.next_opening(team.hours, uow.now)
    if opens is not None:
        now = datetime.fromtimestamp(uow.now, opens.tzinfo)
        notice(uow, conversation, "hours", texts.shopper.outside_hours(opens, now))
        return
    why = _in_their_words(conversation, reason)
    notice(uow, conversation, "finding", texts.shopper.finding_person(why), quoted=why)


def _in_their_words(conversation: Conversation, reason: Reason) -> str | None:
    """Only what the shopper wrote: a summary or a reason given by the store may be meant for the team alone."""
    if reason.trigger == "explicit_request":
        return None  # they know that they asked
    if reason.trigger == "keyword" and reason.rule is not None:
        return reason.evidence  # a rule of ours found it in their message
    quote: str | None = conversation.packet.get("sentiment", {}).get("quote")
    return quote


def forget(uow: UnitOfWork, conversation: Conversation, text: str) -> None:
    """A message was changed or taken back: so is every quotation of it, in the packet, the card and the notices."""
    conversation.packet = packet.without(conversation.packet, text)
    for entry in uow.log.after(conversation.number, 0, limit=conversation.head):
        quoted = entry.data.get("quoted")
        if entry.kind in {Kind.NOTICE, Kind.ESCALATED} and quoted and packet.is_quoted(quoted, text):
            plain = texts.shopper.finding_person(None) if entry.kind is Kind.NOTICE else ""
            uow.log.rewrite(entry, plain, "", data={**entry.data, "quoted": None, "evidence": None})
            if entry.kind is Kind.NOTICE:
                uow.log.append(conversation, Draft(Kind.EDITED, text=plain, target=entry.seq))
    uow.lanes.wake(conversation.number, Reader.CARD)


def another_reason(
    uow: UnitOfWork, conversation: Conversation, reason: Reason, body: Mapping[str, Any]
) -> None:
    """While a person is needed or engaged already: the reason is added, nothing else."""
    uow.log.append(
        conversation,
        Draft(Kind.ESCALATED, text=reason.evidence or "", data={**_recorded(reason, body), "again": True}),
    )


def resume(conversation: Conversation) -> None:
    """The handoff that was resolved goes on: the same thread."""
    conversation.handoffs_ended = conversation.handoff - 1
    conversation.resolved_at = None


def take(
    uow: UnitOfWork, conversation: Conversation, operator: Operator, kind: Kind, by: Operator, move: Move
) -> None:
    """Give the case to `operator`, whatever stage it is in; `move` is claim, assign or take over."""
    hold.let_go(uow, conversation)
    following = conversation.stage
    if following is Stage.OPEN or conversation.handoff == 0:
        begin(uow, conversation, Reason("claim"), {}, move)
    elif following is Stage.RESOLVED:
        resume(conversation)
    former = uow.people.operator(conversation.owner_id or 0) if move is Move.TAKE_OVER else None
    conversation.make(move)
    own(uow, conversation, operator, kind, by, former)


def own(
    uow: UnitOfWork,
    conversation: Conversation,
    operator: Operator,
    kind: Kind,
    by: Operator,
    former: Operator | None = None,
) -> None:
    """`operator` has it from now on; the shopper is told who is there. `former` had it until it was taken over."""
    end_snooze(uow, conversation, "claim", by.name)
    conversation.owner_id = operator.id
    conversation.owned_since = uow.now
    if conversation.claimed_at is None:
        conversation.claimed_at = uow.now
    data: dict[str, Any] = {"by": by.name} if by.id != operator.id else {}
    if former is not None:
        data |= {"from": former.name, "from_id": former.id}
    uow.log.append(
        conversation,
        Draft(kind, Author.OPERATOR, operator_id=operator.id, name=operator.name, data=data),
    )
    notice(uow, conversation, "claimed", texts.shopper.claimed(operator.first_name))
    show_now(uow, conversation)
    uow.due.drop(CARD, conversation.number)
    expect_shopper(uow, conversation)


def show_now(uow: UnitOfWork, conversation: Conversation) -> None:
    """Somebody has just pressed a button on the card: it need not wait as long as it had to while nobody did. Two
    updates keep their distance all the same, and so does one whose place is at fault."""
    lane = uow.lanes.lane(conversation.number, Reader.CARD)
    if lane is not None and not lane.faults and lane.not_before > uow.now + uow.settings.timing.card_gap:
        lane.not_before = uow.now


def end(
    uow: UnitOfWork, conversation: Conversation, move: Move, kind: Kind, by: str, code: str, text: str
) -> None:
    """A handoff ends (resolve, hand back), or a conversation that no person was needed in; `by` is a name for the
    team. The shopper is told of a handoff's end only: the assistant needs no goodbye."""
    hold.let_go(uow, conversation)
    was_in_hands = conversation.in_persons_hands
    conversation.make(move)
    conversation.snoozed_until = None
    if was_in_hands:
        conversation.handoffs_ended = conversation.handoff
        conversation.ended_seq = conversation.head + 1  # the entry below
    conversation.waiting_since = None
    uow.log.append(conversation, Draft(kind, name=by, operator_id=conversation.owner_id))
    if move is Move.RESOLVE:
        conversation.resolved_at = uow.now
    else:
        conversation.owner_id = None
    if was_in_hands:
        notice(uow, conversation, code, text)
    show_now(uow, conversation)
    for clock in (CARD, SNOOZE, IDLE, NUDGE):
        uow.due.drop(clock, conversation.number)
    expect_shopper(uow, conversation)


def end_snooze(uow: UnitOfWork, conversation: Conversation, why: str, by: str | None = None) -> None:
    """It is in sight again, if it was snoozed. `why` is time, shopper, operator, claim or move; the owner is told of it
    in the thread, but for the last two, which say so themselves."""
    if conversation.snoozed_until is None:
        return
    conversation.snoozed_until = None
    uow.due.drop(SNOOZE, conversation.number)
    uow.log.append(
        conversation,
        Draft(Kind.WOKEN, operator_id=conversation.owner_id, name=by, data={"why": why}),
    )
    expect_shopper(uow, conversation)


def expect_shopper(uow: UnitOfWork, conversation: Conversation, *, idle_restarts: bool = True) -> None:
    """(Re)start the clocks that close a silent conversation and wake an idle owner."""
    follow = uow.settings.followup
    match conversation.stage:
        case Stage.OPEN:
            uow.due.put(STALE, conversation.number, uow.now + follow.stale_open)
        case Stage.ACTIVE:
            quiet_from = max(uow.now, conversation.snoozed_until or 0.0)
            uow.due.put(STALE, conversation.number, quiet_from + follow.stale_shopper)
            _expect_owner(uow, conversation, restarts=idle_restarts)
        case _:
            for kind in (STALE, IDLE, NUDGE):
                uow.due.drop(kind, conversation.number)


def _expect_owner(uow: UnitOfWork, conversation: Conversation, *, restarts: bool) -> None:
    """While an answer is due, and the case is not snoozed, its owner is reminded, and loses it later."""
    follow = uow.settings.followup
    if conversation.awaiting is not Awaiting.OPERATOR or conversation.snoozed_until is not None:
        uow.due.drop(IDLE, conversation.number)
        uow.due.drop(NUDGE, conversation.number)
    elif restarts:
        uow.due.put(IDLE, conversation.number, uow.now + follow.idle_release)
        if follow.idle_nudge < follow.idle_release:
            uow.due.put(NUDGE, conversation.number, uow.now + follow.idle_nudge)
