"""What a store's backend asks: escalate, log a turn, edit, delete, resolve, hand back, issue a token."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from bot import texts, triggers, views
from bot.commands import (
    DeleteTurn,
    EditTurn,
    Escalate,
    HandBackByStore,
    IssueToken,
    LogTurn,
    RecordOutcome,
    ResolveByStore,
    SaidTurn,
    ShopperFacts,
)
from bot.conversation import Awaiting, Conversation, Move, Stage
from bot.entries import Author, Draft, Entry, Kind
from bot.errors import NotFound, OtherShopper, PersonInControl
from bot.files import File
from bot.handlers import files, handoff
from bot.handlers import notice as team_notice
from bot.packet import Reason
from bot.people import Shopper
from bot.ports import UnitOfWork

API = "api"


def escalate(uow: UnitOfWork, command: Escalate) -> dict[str, Any]:
    """Hand over now. A repeated escalation gets the first answer."""
    conversation = uow.conversations.named(command.store, command.conversation_id)
    ended = conversation.handoffs_ended if conversation else 0
    escalation = command.escalation_id or f"{command.fingerprint}:{ended}"
    key = f"escalation:{command.store}:{command.conversation_id}:{escalation}"
    answered = uow.inbox.answer(key)
    if answered is not None and conversation is not None:
        return _answered_again(uow, conversation, answered)
    attached = [
        _attached(uow, command.store, conversation, turn, f"transcript.{index}.attachments")
        for index, turn in enumerate(command.transcript)
    ]
    conversation = _conversation(
        uow, command.store, command.conversation_id, command.channel, command.shopper
    )
    # The assistant is silent while a person is needed or engaged; what the shopper said is never lost.
    silent = conversation.in_persons_hands
    said = [
        (turn, given)
        for turn, given in zip(command.transcript, attached, strict=True)
        if turn.author == Author.SHOPPER or not silent
    ]
    _append_transcript(uow, conversation, said)
    reason = _reason(command.body)
    if conversation.in_persons_hands:
        handoff.another_reason(uow, conversation, reason, command.body)
    else:
        handoff.begin(uow, conversation, reason, command.body, Move.ESCALATE)
    answer = views.conversation_view(uow, conversation)
    spoken = {"packet": None, "entries": [entry["seq"] for entry in answer["entries"]]}
    uow.inbox.remember(key, answer | spoken)
    return answer


def _answered_again(uow: UnitOfWork, conversation: Conversation, answered: dict[str, Any]) -> dict[str, Any]:
    """The first answer, with the newest texts: what people wrote is kept in the log only, and a deleted text is
    never given again."""
    newest = views.conversation_view(uow, conversation)
    entries = [entry for entry in newest["entries"] if entry["seq"] in answered["entries"]]
    return answered | {"packet": newest["packet"], "entries": entries}


def _reason(body: dict[str, Any]) -> Reason:
    given = body.get("reason") or {}
    return Reason(
        trigger=given.get("trigger") or "api",
        rule=given.get("rule"),
        evidence=given.get("evidence") or given.get("detail"),
        category=body.get("category"),
        priority=body.get("priority"),
    )


def _conversation(
    uow: UnitOfWork, store: str, conversation_id: str, channel: str, facts: ShopperFacts | None
) -> Conversation:
    """The named conversation with its shopper's facts up to date, started if it is new."""
    conversation = uow.conversations.named(store, conversation_id)
    if conversation is None:
        return handoff.start(uow, store, conversation_id, channel, _shopper(uow, store, facts))
    _identify(uow, conversation, facts)
    return conversation


def _shopper(uow: UnitOfWork, store: str, facts: ShopperFacts | None) -> Shopper:
    """The store's shopper of that id, or a new one; without an id an anonymous one gets a generated id."""
    facts = facts or ShopperFacts()
    known = uow.people.shopper_named(store, facts.id) if facts.id else None
    if known is None:
        external_id = facts.id or _generated_id()
        known = uow.people.add_shopper(Shopper(0, store, external_id, uow.now, anonymous=facts.id is None))
    _learn(known, facts)
    return known


def _generated_id() -> str:
    """For a shopper whom nobody has named."""
    return f"anon-{uuid.uuid4().hex[:20]}"


def _learn(shopper: Shopper, facts: ShopperFacts) -> None:
    for name in ("name", "email", "tier", "orders_count", "lifetime_value", "currency", "locale"):
        value = getattr(facts, name)
        if value is not None:
            setattr(shopper, name, value)


def _identify(uow: UnitOfWork, conversation: Conversation, facts: ShopperFacts | None) -> None:
    """An anonymous shopper is replaced by the first named one; anybody else is refused."""
    if facts is None:
        return
    shopper = uow.people.shopper(conversation.shopper_id)
    assert shopper is not None, "a conversation always has a shopper"
    if facts.id is not None and facts.id != shopper.external_id:
        if not shopper.anonymous:
            raise OtherShopper("This conversation belongs to another shopper.", field="shopper.id")
        shopper = _shopper(uow, conversation.store, facts)
        conversation.shopper_id = shopper.id
    _learn(shopper, facts)


def turn_id(turn: SaidTurn) -> str:
    """The id of a turn; without one: a hash of author, text and `at` (DESIGN §1)."""
    if turn.id:
        return turn.id
    words = f"{turn.author}\0{turn.text}\0{turn.at}" + "".join(f"\0{one}" for one in turn.attachments)
    return "h-" + hashlib.sha256(words.encode()).hexdigest()[:24]


def _attached(
    uow: UnitOfWork, store: str, conversation: Conversation | None, turn: SaidTurn, field: str = "attachments"
) -> tuple[File, ...]:
    return files.attached(uow, store, conversation, turn.attachments, field=field)


def _draft_of(uow: UnitOfWork, conversation: Conversation, turn: SaidTurn, attached: Sequence[File]) -> Draft:
    return Draft(
        Kind.MESSAGE,
        Author(turn.author),
        text=turn.text,
        data={**turn.data, **files.given(uow, conversation, attached)},
        source=API,
        external_id=turn_id(turn),
        at=turn.at,
    )


def _append_transcript(
    uow: UnitOfWork, conversation: Conversation, turns: Sequence[tuple[SaidTurn, Sequence[File]]]
) -> None:
    """Items the log already has are skipped, the others appended in the order given."""
    ids = [turn_id(turn) for turn, _ in turns]
    known = uow.log.known_ids(conversation.number, ids) if ids else set()
    for (turn, attached), its_id in zip(turns, ids, strict=True):
        if its_id not in known:
            known.add(its_id)
            uow.log.append(conversation, _draft_of(uow, conversation, turn, attached))


def log_turn(uow: UnitOfWork, command: LogTurn) -> dict[str, Any]:
    """Log one turn. The assistant's are refused while a person is needed or engaged, in this transaction."""
    turn = command.turn
    key = f"turn:{command.store}:{command.conversation_id}:{turn_id(turn)}"
    answered = uow.inbox.answer(key)
    if answered is not None:
        return answered
    known = uow.conversations.named(command.store, command.conversation_id)
    logged = uow.log.by_external_id(known.number, turn_id(turn)) if known else None
    if known is not None and logged is not None and (logged.source == API or logged.author == turn.author):
        return _turn_answer(known, logged, None)  # it came by a transcript, or by the widget
    if turn.author == Author.ASSISTANT and known is not None and known.in_persons_hands:
        raise PersonInControl(
            f"Case #{known.number} is {known.stage}: a person answers now, so the assistant's message was not stored.",
            stage=str(known.stage),
        )
    attached = _attached(uow, command.store, known, turn)
    conversation = _conversation(
        uow, command.store, command.conversation_id, command.channel, command.shopper
    )
    draft = _draft_of(uow, conversation, turn, attached)
    if turn.author == Author.SHOPPER:
        entry, reason = shopper_says(uow, conversation, draft)
    else:
        entry, reason = uow.log.append(conversation, draft), None
        handoff.expect_shopper(uow, conversation)
    answer = _turn_answer(conversation, entry, reason)
    uow.inbox.remember(key, answer)
    return answer


def _turn_answer(conversation: Conversation, entry: Entry, reason: Reason | None) -> dict[str, Any]:
    trigger = {"kind": reason.trigger, "rule": reason.rule, "evidence": reason.evidence} if reason else None
    return {
        "escalated": reason is not None,
        "trigger": trigger,
        "assistant_may_reply": not conversation.in_persons_hands,
        "seq": entry.seq,
    }


_COURTESIES = frozenset(
    [
        "thanks",
        "thank",
        "you",
        "thankyou",
        "thx",
        "ty",
        "thnx",
        "tks",
        "ok",
        "okay",
        "okey",
        "great",
        "perfect",
        "cool",
        "nice",
        "bye",
        "goodbye",
        "cheers",
        "so",
        "much",
        "a",
        "lot",
        "very",
        "many",
        "you're",
        "welcome",
        "the",
        "best",
        "good",
        "day",
        "have",
    ]
)


LOOKED_BACK = 400
"""Entries among which the answer before one that was taken back is looked for."""


def is_courtesy(text: str) -> bool:
    """Nothing but a thank-you or goodbye: no reason to reopen. A question is more than that."""
    if "?" in text:
        return False
    words = "".join(char if char.isalnum() or char == "'" else " " for char in text.lower()).split()
    return all(word in _COURTESIES for word in words) and len(words) <= 8


def shopper_says(uow: UnitOfWork, conversation: Conversation, draft: Draft) -> tuple[Entry, Reason | None]:
    """Append a shopper's message, and do what it changes: it may escalate, reopen, or come back to the assistant.
    The reason is there if it escalated."""
    waited_already = (
        conversation.awaiting is Awaiting.OPERATOR
    )  # asking again must not give the owner more time
    entry = uow.log.append(conversation, draft)
    handoff.end_snooze(uow, conversation, "shopper")
    return entry, _said(uow, conversation, entry, waited_already)


def _said(uow: UnitOfWork, conversation: Conversation, entry: Entry, waited_already: bool) -> Reason | None:
    if conversation.stage is Stage.RESOLVED:
        if is_courtesy(entry.text) and not entry.data.get("files"):
            return None
        resolved_at = conversation.resolved_at or 0.0
        last = uow.log.entry(conversation.number, conversation.ended_seq)
        by_person = last is not None and last.kind is Kind.RESOLVED  # not handed back, and silent later
        if by_person and uow.now - resolved_at <= uow.settings.followup.reopen_window:
            _reopen(uow, conversation)
            return None
        conversation.make(Move.RETURN)
        uow.log.append(conversation, Draft(Kind.RETURNED))
    if conversation.stage is Stage.OPEN:
        reason = triggers.evaluate(uow.settings.triggers, entry.text)
        if reason is not None:
            handoff.begin(uow, conversation, reason, {}, Move.ESCALATE)
            return reason
    team_notice.shopper_wrote(uow, conversation)
    handoff.expect_shopper(uow, conversation, idle_restarts=not waited_already)
    return None


def _reopen(uow: UnitOfWork, conversation: Conversation) -> None:
    conversation.make(Move.REOPEN)
    handoff.resume(conversation)
    conversation.waiting_since = uow.now
    conversation.owner_id = None
    uow.log.append(conversation, Draft(Kind.REOPENED))
    handoff.notice(uow, conversation, "reopened", texts.shopper.reopened())
    uow.due.put(handoff.CARD, conversation.number, uow.now + 60)
    team_notice.watch(uow, conversation)
    handoff.expect_shopper(uow, conversation)


def _named(uow: UnitOfWork, store: str, conversation_id: str) -> Conversation:
    conversation = uow.conversations.named(store, conversation_id)
    if conversation is None:
        raise NotFound(f"There is no conversation {conversation_id!r} in this store.", field="id")
    return conversation


def _message(uow: UnitOfWork, conversation: Conversation, message_id: str) -> Entry:
    entry = uow.log.by_external_id(conversation.number, message_id)
    if entry is None or entry.kind is not Kind.MESSAGE or entry.author is Author.OPERATOR:
        raise NotFound(f"There is no message {message_id!r} in this conversation.", field="message_id")
    return entry


def edit_turn(uow: UnitOfWork, command: EditTurn) -> dict[str, Any]:
    """The newest text wins; the same text again changes nothing."""
    conversation = _named(uow, command.store, command.conversation_id)
    entry = _message(uow, conversation, command.message_id)
    if not entry.deleted and entry.text != command.text and command.order > entry.edited_order:
        edit(uow, conversation, entry, command.text, command.order)
    return {"seq": entry.seq, "head": conversation.head}


def edit(uow: UnitOfWork, conversation: Conversation, entry: Entry, text: str, order: str) -> None:
    """Give a message a new text, for everyone who has it; what it said before is quoted nowhere any more."""
    handoff.forget(uow, conversation, entry.text)
    uow.log.rewrite(entry, text, order)
    uow.log.append(
        conversation,
        Draft(Kind.EDITED, entry.author, text=text, source=entry.source, target=entry.seq,
              operator_id=entry.operator_id, name=entry.name),
    )  # fmt: skip


def delete_turn(uow: UnitOfWork, command: DeleteTurn) -> dict[str, Any]:
    """Taken back for good; again changes nothing."""
    conversation = _named(uow, command.store, command.conversation_id)
    entry = _message(uow, conversation, command.message_id)
    if not entry.deleted:
        delete(uow, conversation, entry)
    return {"seq": entry.seq, "head": conversation.head}


def delete(uow: UnitOfWork, conversation: Conversation, entry: Entry) -> None:
    """Take a message back from everyone who has it, and from wherever it was quoted."""
    handoff.forget(uow, conversation, entry.text)
    uow.log.blank(entry)
    uow.log.append(
        conversation,
        Draft(Kind.DELETED, entry.author, source=entry.source, target=entry.seq,
              operator_id=entry.operator_id, name=entry.name),
    )  # fmt: skip
    if entry.kind is Kind.MESSAGE and entry.seq == conversation.last_answer_seq:
        _unanswer(uow, conversation)


def _unanswer(uow: UnitOfWork, conversation: Conversation) -> None:
    """The newest answer was taken back: whoever had none before it waits for one again."""
    said = [one for one in uow.log.last(conversation.number, LOOKED_BACK) if one.kind is Kind.MESSAGE]
    answers = [one.seq for one in said if one.author is not Author.SHOPPER and not one.deleted]
    conversation.last_answer_seq = max(answers, default=0)
    handoff.expect_shopper(uow, conversation)


def resolve(uow: UnitOfWork, command: ResolveByStore) -> dict[str, Any]:
    """Closed by the store; again changes nothing."""
    conversation = _named(uow, command.store, command.conversation_id)
    if conversation.stage is not Stage.RESOLVED:
        handoff.end(
            uow, conversation, Move.RESOLVE, Kind.RESOLVED, "the store", "resolved", texts.shopper.resolved()
        )
    return views.conversation_row(uow, conversation)


def hand_back(uow: UnitOfWork, command: HandBackByStore) -> dict[str, Any]:
    """Back to the assistant; again changes nothing."""
    conversation = _named(uow, command.store, command.conversation_id)
    if conversation.stage is not Stage.OPEN:
        handoff.end(
            uow, conversation, Move.HAND_BACK, Kind.HANDED_BACK, "the store", "handed_back",
            texts.shopper.back_with_assistant(),
        )  # fmt: skip
    return views.conversation_row(uow, conversation)


def record_outcome(uow: UnitOfWork, command: RecordOutcome) -> dict[str, Any]:
    """What came of it, in the log."""
    conversation = _named(uow, command.store, command.conversation_id)
    key = f"outcome:{command.store}:{command.conversation_id}:{command.key}" if command.key else None
    answered = uow.inbox.answer(key) if key else None
    if answered is not None:
        return answered
    data = {"kind": command.kind, "amount": command.amount, "currency": command.currency}
    entry = uow.log.append(conversation, Draft(Kind.OUTCOME, data=data, source=API, at=command.at))
    conversation.outcome = {**data, "note": ""}
    answer = {"seq": entry.seq}
    if key:
        uow.inbox.remember(key, answer)
    return answer


def issue_token(uow: UnitOfWork, command: IssueToken) -> dict[str, str]:
    """Whom and which conversation a widget token has to carry. Nothing starts before something is said."""
    conversation_id = command.conversation_id or f"w-{uuid.uuid4().hex[:20]}"
    conversation = uow.conversations.named(command.store, conversation_id)
    if conversation is not None:
        _identify(uow, conversation, command.shopper)
        shopper = uow.people.shopper(conversation.shopper_id)
        assert shopper is not None, "a conversation always has a shopper"
    elif command.shopper.id is None:
        return {"shopper_id": _generated_id(), "conversation_id": conversation_id}
    else:
        shopper = _shopper(uow, command.store, command.shopper)
    return {"shopper_id": shopper.external_id, "conversation_id": conversation_id}
