"""Who has a case: claim, take over, assign, release, hand back, resolve. What else is done with one is in `desk`.

Each decides first and writes afterwards, so that a refusal costs nobody anything.
"""

from dataclasses import dataclass

from bot import texts
from bot.commands import OUTCOMES, Assign, Claim, HandBack, Outcome, Release, Resolve
from bot.conversation import Conversation, Move, Stage
from bot.entries import Author, Draft, Kind
from bot.errors import AlreadyClaimed, IllegalTransition, NotAllowed, Refused
from bot.handlers import handoff, hold
from bot.handlers.notice import watch
from bot.meant import closest
from bot.people import Actor, Operator, Role
from bot.ports import UnitOfWork

MOST_AMOUNT = 1e12


@dataclass(frozen=True, slots=True)
class Done:
    """What a click or command is answered: a word to the one who acted, if there is something to say."""

    number: int
    stage: str
    owner: str | None
    whisper: str | None = None


def done(uow: UnitOfWork, conversation: Conversation, whisper: str | None = None) -> Done:
    """The answer for a case as it stands now."""
    owner = owner_of(uow, conversation)
    return Done(conversation.number, str(conversation.stage), owner.name if owner else None, whisper)


def owner_of(uow: UnitOfWork, conversation: Conversation) -> Operator | None:
    """The owner's row."""
    return uow.people.operator(conversation.owner_id) if conversation.owner_id else None


def is_actor(operator: Operator | None, actor: Actor) -> bool:
    """Whether that row is the account that acts."""
    return operator is not None and (operator.platform, operator.external_id) == (actor.platform, actor.id)


def require_member(actor: Actor) -> None:
    """Guests and strangers may read and nothing more."""
    if actor.role is Role.NONE:
        raise NotAllowed(texts.answers.guests_may_not())


def refuse_if_taken(uow: UnitOfWork, conversation: Conversation, actor: Actor) -> None:
    """The loser of a claim race is told who won, and when."""
    owner = owner_of(uow, conversation)
    if conversation.stage is not Stage.ACTIVE or owner is None or is_actor(owner, actor):
        return
    since = conversation.owned_since or uow.now
    raise AlreadyClaimed(
        texts.answers.claimed_by(owner.name, texts.words.ago(uow.now - since)),
        owner=owner.name,
        claimed_at=since,
    )


def require_owner_or_lead(uow: UnitOfWork, conversation: Conversation, actor: Actor) -> None:
    owner = owner_of(uow, conversation)
    if conversation.stage is Stage.ACTIVE and actor.role is not Role.LEAD and not is_actor(owner, actor):
        raise NotAllowed(texts.answers.not_yours(owner.name if owner else texts.card.SPEAKERS["operator"]))


def claim(uow: UnitOfWork, command: Claim) -> Done:
    """One winner: handlers run one after the other, and the first changes what the next finds. A lead who says so
    takes it over from whoever has it."""
    require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    if not command.take_over:
        refuse_if_taken(uow, conversation, command.actor)
    if conversation.stage is not Stage.ACTIVE:
        move = Move.CLAIM
    elif is_actor(owner_of(uow, conversation), command.actor):
        return done(uow, conversation, texts.answers.already_yours())
    else:
        _require_lead(uow, conversation, command.actor)
        if command.owner is not None and command.owner != conversation.owner_id:
            refuse_if_taken(
                uow, conversation, command.actor
            )  # another lead was faster: they were not asked about
        move = Move.TAKE_OVER
    operator = uow.people.operator_for(command.actor)
    handoff.take(uow, conversation, operator, Kind.CLAIMED, operator, move)
    return done(uow, conversation)


def _require_lead(uow: UnitOfWork, conversation: Conversation, actor: Actor) -> None:
    if actor.role is not Role.LEAD:
        owner = owner_of(uow, conversation)
        raise NotAllowed(
            texts.answers.only_leads_step_in(owner.name if owner else texts.card.SPEAKERS["operator"])
        )


def assign(uow: UnitOfWork, command: Assign) -> Done:
    """A lead may always; an operator may give away their own case or an unowned one."""
    require_member(command.actor)
    require_member(command.to)
    conversation = handoff.case(uow, command.number)
    require_owner_or_lead(uow, conversation, command.actor)
    if is_actor(owner_of(uow, conversation), command.to) and conversation.stage is Stage.ACTIVE:
        return done(uow, conversation)
    by, operator = uow.people.operator_for(command.actor), uow.people.operator_for(command.to)
    handoff.take(uow, conversation, operator, Kind.ASSIGNED, by, Move.ASSIGN)
    away = operator.is_away(uow.now) and operator.id != by.id
    return done(uow, conversation, texts.answers.assigned_to_away(operator.name) if away else None)


def release(uow: UnitOfWork, command: Release) -> Done:
    """Back to the queue, at its old place."""
    require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    require_owner_or_lead(uow, conversation, command.actor)
    owner = owner_of(uow, conversation)
    if command.own and conversation.stage is Stage.ACTIVE and not is_actor(owner, command.actor):
        raise NotAllowed(texts.answers.not_yours_any_more(conversation.number, owner.name if owner else None))
    if not conversation.may(Move.RELEASE):
        conversation.make(Move.RELEASE)  # raises: the table has no such move from here
    give_up(uow, conversation, command.actor.name)
    return done(uow, conversation)


def give_up(uow: UnitOfWork, conversation: Conversation, by: str) -> None:
    """The owner has it no longer; the shopper is told that the next one is being found."""
    hold.let_go(uow, conversation)
    conversation.make(Move.RELEASE)
    conversation.owner_id = None
    if conversation.waiting_since is None:
        conversation.waiting_since = uow.now
    uow.log.append(conversation, Draft(Kind.RELEASED, Author.OPERATOR, name=by))
    handoff.notice(uow, conversation, "released", texts.shopper.released())
    handoff.show_now(uow, conversation)
    uow.due.put(handoff.CARD, conversation.number, uow.now + 60)
    watch(uow, conversation)
    handoff.expect_shopper(uow, conversation)


def hand_back(uow: UnitOfWork, command: HandBack) -> Done:
    """Back to the assistant: the owner's or a lead's to do; anybody's while nobody owns it."""
    require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    require_owner_or_lead(uow, conversation, command.actor)
    _require_move(conversation, Move.HAND_BACK)
    handoff.end(
        uow, conversation, Move.HAND_BACK, Kind.HANDED_BACK, command.actor.name, "handed_back",
        texts.shopper.back_with_assistant(),
    )  # fmt: skip
    return done(uow, conversation)


def resolve(uow: UnitOfWork, command: Resolve) -> Done:
    """One tap; any operator of the team. What came of it is recorded with it, or later."""
    require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    if command.outcome is not None:
        require_outcome(conversation, command.outcome)
    if conversation.stage is Stage.RESOLVED:
        if command.outcome is not None:
            record_outcome(uow, conversation, command.actor, command.outcome)
        return done(uow, conversation, texts.answers.done_resolved(conversation.number))
    _require_move(conversation, Move.RESOLVE)
    if command.outcome is not None:
        record_outcome(uow, conversation, command.actor, command.outcome)
    handoff.end(
        uow,
        conversation,
        Move.RESOLVE,
        Kind.RESOLVED,
        command.actor.name,
        "resolved",
        texts.shopper.resolved(),
    )
    return done(uow, conversation)


def _require_move(conversation: Conversation, move: Move) -> None:
    if not conversation.may(move):
        raise IllegalTransition(
            f"#{conversation.number} is {conversation.stage}; there is nothing to {move.replace('_', ' ')}."
        )


def require_outcome(conversation: Conversation, outcome: Outcome) -> None:
    """Whether that can have come of a case that a person was needed in."""
    if conversation.handoff == 0:
        raise Refused(texts.answers.no_handoff_yet(conversation.number))
    if outcome.kind not in OUTCOMES:
        meant = closest(outcome.kind, OUTCOMES)
        raise Refused(texts.answers.unknown_outcome(outcome.kind, OUTCOMES, meant), field="kind", meant=meant)
    if outcome.amount is not None and not 0 <= outcome.amount < MOST_AMOUNT:
        raise Refused(texts.answers.wrong_amount(), field="amount")


def record_outcome(uow: UnitOfWork, conversation: Conversation, actor: Actor, outcome: Outcome) -> bool:
    """What came of it, in the log and on the card. The same again is a repeat, and changes nothing: then False."""
    currency = (outcome.currency or "").strip().upper()[:8] or None
    data = {
        "kind": outcome.kind,
        "amount": outcome.amount,
        "currency": currency,
        "note": outcome.note.strip(),
    }
    if data == conversation.outcome:
        return False
    conversation.outcome = data
    operator = uow.people.operator_for(actor)
    draft = Draft(Kind.OUTCOME, Author.OPERATOR, data=data, operator_id=operator.id, name=operator.name)
    uow.log.append(conversation, draft)
    return True
