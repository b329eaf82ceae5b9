"""What else is done with a case, and by whom: team, priority, tags, snooze, note, outcome; and going away.

Each decides first and writes afterwards, so that a refusal costs nobody anything. A repeat changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot import hours, texts
from bot.commands import (
    PRIORITIES,
    AddNote,
    AddOutcome,
    ComeBack,
    GoAway,
    MoveToTeam,
    SetPriority,
    SetTags,
    Snooze,
)
from bot.conversation import Conversation, Move, Stage
from bot.entries import Author, Draft, Entry, Kind, Reader
from bot.errors import IllegalTransition, Refused
from bot.handlers import cases, handoff, hold, notice
from bot.handlers.cases import Done, done
from bot.lanes import Binding, BindingState, DeliveryState
from bot.meant import closest
from bot.people import Actor, Operator
from bot.ports import UnitOfWork
from bot.settings import TeamPolicy

MOST_TAGS, LONGEST_TAG = 12, 32
LONGEST_NOTE = 12_000
LONGEST_SNOOZE = 90 * 24 * 3600.0
MOST_OPEN = 200
NOTE = "note"


def _case_in_hands(uow: UnitOfWork, number: int, what: str) -> Conversation:
    """A case that waits or is somebody's; `IllegalTransition` says what cannot be done with any other."""
    conversation = handoff.case(uow, number)
    if not conversation.in_persons_hands:
        raise IllegalTransition(
            texts.answers.only_open_cases(number, str(conversation.stage), what),
            stage=str(conversation.stage),
        )
    return conversation


def _write(uow: UnitOfWork, conversation: Conversation, operator: Operator, draft: Draft) -> Entry:
    """Append what an operator did, under their full name."""
    signed = replace(draft, author=Author.OPERATOR, operator_id=operator.id, name=draft.name or operator.name)
    return uow.log.append(conversation, signed)


# --- team -----------------------------------------------------------------------------------------------------


def move_to_team(uow: UnitOfWork, command: MoveToTeam) -> Done:
    """Another team's case from now on. It waits in that team's queue at its old place; where that team's channel is
    another, the thread lane opens a thread there and leaves a pointer in the old one."""
    cases.require_member(command.actor)
    conversation = _case_in_hands(uow, command.number, texts.answers.DOING_MOVE)
    cases.require_owner_or_lead(uow, conversation, command.actor)
    new, old = _team_named(uow, command.team), uow.settings.team(conversation.team)
    if new.name == old.name:
        return done(uow, conversation, texts.answers.already_there(conversation.number, new.name))
    owner = cases.owner_of(uow, conversation) if conversation.stage is Stage.ACTIVE else None
    if owner is not None:
        _free(uow, conversation)
    handoff.end_snooze(uow, conversation, "move", command.actor.name)
    conversation.team = new.name
    elsewhere = (old.chat, old.channel) != (new.chat, new.channel)
    if elsewhere:
        _leave_thread(uow, conversation)
    data = {"from": old.name, "to": new.name, "elsewhere": elsewhere, "owner": owner.id if owner else None}
    if command.actor == notice.BATON:
        uow.log.append(conversation, Draft(Kind.MOVED, name=command.actor.name, data=data))
    else:
        _write(uow, conversation, uow.people.operator_for(command.actor), Draft(Kind.MOVED, data=data))
    _tell_shopper(uow, conversation, new, was_answered=owner is not None)
    handoff.expect_shopper(uow, conversation)
    notice.watch(uow, conversation)
    return done(uow, conversation, texts.answers.done_moved(conversation.number, new.name))


def _team_named(uow: UnitOfWork, name: str) -> TeamPolicy:
    """The team of that name, however it was capitalised; `Refused` names them all."""
    teams = {team.lower(): policy for team, policy in uow.settings.teams.items()}
    found = teams.get(name.strip().lstrip("#@").lower())
    if found is None:
        meant = closest(name, uow.settings.teams)
        raise Refused(
            texts.answers.unknown_team(name, tuple(uow.settings.teams), meant), field="team", meant=meant
        )
    return found


def _free(uow: UnitOfWork, conversation: Conversation) -> None:
    """Nobody has it any more; it waits at its old place."""
    hold.let_go(uow, conversation)
    conversation.make(Move.RELEASE)
    conversation.owner_id = None
    if conversation.waiting_since is None:
        conversation.waiting_since = uow.now
    uow.due.put(handoff.CARD, conversation.number, uow.now + 60)


def _leave_thread(uow: UnitOfWork, conversation: Conversation) -> None:
    """Its thread takes nothing new: what was planned for it is told in the next one, and a place that is out of order
    holds nothing up any longer. A call that is under way ends as it may."""
    binding = uow.lanes.latest_binding(conversation.number)
    if binding is not None and binding.handoff == conversation.handoff:
        if binding.state is not BindingState.GONE:
            binding.state = BindingState.MOVED
        for reader in (Reader.THREAD, Reader.CARD):
            for delivery in uow.lanes.outstanding(conversation.number, reader):
                if delivery.binding_id == binding.id and delivery.state is DeliveryState.PLANNED:
                    delivery.state, delivery.content = DeliveryState.DROPPED, None
    for reader in (Reader.THREAD, Reader.CARD):
        lane = uow.lanes.lane(conversation.number, reader)
        if lane is not None:
            lane.not_before, lane.faults, lane.fault, lane.fault_since = 0.0, 0, None, None


def _tell_shopper(
    uow: UnitOfWork, conversation: Conversation, team: TeamPolicy, *, was_answered: bool
) -> None:
    """Who waits for a team that is away must know; so must who has just lost the person they talked to."""
    opens = hours.next_opening(team.hours, uow.now)
    if opens is not None:
        now = datetime.fromtimestamp(uow.now, opens.tzinfo)
        handoff.notice(uow, conversation, "hours", texts.shopper.outside_hours(opens, now))
    elif was_answered:
        handoff.notice(uow, conversation, "released", texts.shopper.released())


def where_it_went(uow: UnitOfWork, conversation: Conversation, binding: Binding) -> str | None:
    """What to tell somebody who writes in a thread that the case has left; None if it has not."""
    if binding.state is not BindingState.MOVED:
        return None
    newest = uow.lanes.latest_binding(conversation.number)
    permalink = newest.permalink if newest is not None and newest.id != binding.id else None
    return texts.thread.moved_on(conversation.team, permalink)


# --- priority, tags -------------------------------------------------------------------------------------------


def set_priority(uow: UnitOfWork, command: SetPriority) -> Done:
    """Where it stands in the queue; any operator's to set."""
    cases.require_member(command.actor)
    conversation = _case_in_hands(uow, command.number, texts.answers.DOING_PRIORITY)
    wanted = command.priority.strip().lower()
    if wanted not in PRIORITIES:
        meant = closest(wanted, PRIORITIES)
        raise Refused(
            texts.answers.unknown_priority(command.priority, PRIORITIES, meant), field="priority", meant=meant
        )
    if wanted == conversation.priority:
        return done(uow, conversation, texts.answers.already_priority(conversation.number, wanted))
    data = {"from": conversation.priority, "to": wanted}
    conversation.priority = wanted
    _write(uow, conversation, uow.people.operator_for(command.actor), Draft(Kind.PRIORITISED, data=data))
    return done(uow, conversation, texts.answers.done_priority(conversation.number, wanted))


def set_tags(uow: UnitOfWork, command: SetTags) -> Done:
    """All of its tags, as they shall be; in any stage, since what a case was about is often known at its end."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    wanted = tags(command.tags)
    if command.shown is not None:
        wanted = tags(_merged(conversation.tags, _tags_at(uow, conversation, command.shown), wanted))
    if wanted != conversation.tags:
        data = {"from": conversation.tags, "tags": wanted}
        conversation.tags = wanted
        _write(uow, conversation, uow.people.operator_for(command.actor), Draft(Kind.TAGGED, data=data))
    return done(uow, conversation, texts.answers.done_tags(conversation.number, wanted))


def _tags_at(uow: UnitOfWork, conversation: Conversation, seq: int) -> list[str]:
    """What they were when the log ended there: what the first change after it began with."""
    later = uow.log.after(conversation.number, seq, limit=max(1, conversation.head - seq))
    change = next((one for one in later if one.kind is Kind.TAGGED), None)
    return list(change.data["from"]) if change is not None else conversation.tags


def _merged(now: Sequence[str], shown: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """What somebody added to those they were shown, and what they took away, done to what there is now."""
    kept = [tag for tag in now if tag in chosen or tag not in shown]
    return (*kept, *(tag for tag in chosen if tag not in shown and tag not in kept))


def tags(written: Sequence[str]) -> list[str]:
    """In lower case, each once, without # and with single spaces; `Refused` if they are too many or too long."""
    printable = ("".join(char if char.isprintable() else " " for char in tag) for tag in written)
    plain = (" ".join(tag.replace(",", " ").lstrip("# ").lower().split()) for tag in printable)
    found = [tag for tag in dict.fromkeys(plain) if tag]
    for tag in found:
        if len(tag) > LONGEST_TAG:
            raise Refused(texts.answers.tag_too_long(tag, LONGEST_TAG), field="tags")
    if len(found) > MOST_TAGS:
        raise Refused(texts.answers.too_many_tags(len(found), MOST_TAGS), field="tags")
    return found


# --- snooze ---------------------------------------------------------------------------------------------------


def snooze(uow: UnitOfWork, command: Snooze) -> Done:
    """Out of sight until then, in the stage it is in. `until` None ends it now."""
    cases.require_member(command.actor)
    conversation = _case_in_hands(uow, command.number, texts.answers.DOING_SNOOZE)
    cases.require_owner_or_lead(uow, conversation, command.actor)
    until = command.until
    if until is None:
        return _unsnooze(uow, conversation, command.actor)
    if not uow.now < until <= uow.now + LONGEST_SNOOZE:
        raise Refused(texts.answers.wrong_snooze(int(LONGEST_SNOOZE // 86400)), field="until")
    zone = uow.settings.team(conversation.team).hours.zone
    whisper = texts.answers.done_snoozed(conversation.number, texts.words.on_the_clock(until, zone))
    if until == conversation.snoozed_until:
        return done(uow, conversation, whisper)
    conversation.snoozed_until = until
    uow.due.put(handoff.SNOOZE, conversation.number, until)
    operator = uow.people.operator_for(command.actor)
    _write(uow, conversation, operator, Draft(Kind.SNOOZED, data={"until": until}))
    handoff.expect_shopper(uow, conversation)
    return done(uow, conversation, whisper)


def _unsnooze(uow: UnitOfWork, conversation: Conversation, actor: Actor) -> Done:
    if conversation.snoozed_until is None:
        return done(uow, conversation, texts.answers.not_snoozed(conversation.number))
    handoff.end_snooze(uow, conversation, "operator", actor.name)
    return done(uow, conversation)


# --- note, outcome --------------------------------------------------------------------------------------------


def add_note(uow: UnitOfWork, command: AddNote) -> Done:
    """Something for the team only, in whatever stage."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    text = command.text.strip()
    if not text:
        raise Refused(texts.answers.empty_note(), field="text")
    if len(text) > LONGEST_NOTE:
        raise Refused(texts.answers.note_too_long(LONGEST_NOTE), field="text")
    key = f"{NOTE}:{command.number}:{command.id}"
    if uow.inbox.answer(key) is None:
        operator = uow.people.operator_for(command.actor)
        draft = Draft(Kind.ASIDE, text=text, source=NOTE, external_id=command.id, name=operator.first_name)
        entry = _write(uow, conversation, operator, draft)
        uow.inbox.remember(key, {"seq": entry.seq})
    return done(uow, conversation, texts.answers.done_note(conversation.number))


def add_outcome(uow: UnitOfWork, command: AddOutcome) -> Done:
    """What came of it, during the case or later."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    cases.require_outcome(conversation, command.outcome)
    cases.record_outcome(uow, conversation, command.actor, command.outcome)
    return done(uow, conversation, texts.answers.done_outcome(conversation.number))


# --- away -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Absence:
    """What going away or coming back is answered. `open_cases` are the numbers of those that the operator has, which
    a listing may offer to hand over."""

    whisper: str
    away: bool
    until: float | None = None
    open_cases: tuple[int, ...] = ()


def go_away(uow: UnitOfWork, command: GoAway) -> Absence:
    """Nothing new for this operator; what they have stays theirs. Again with another time: that time counts."""
    cases.require_member(command.actor)
    until = command.until
    if until is not None and until <= uow.now:
        raise Refused(texts.answers.away_is_over(), field="until")
    operator = uow.people.operator_for(command.actor)
    if not operator.is_away(uow.now):
        operator.away_since = uow.now
    operator.away_until = until
    numbers = _open_cases(uow, operator)
    zone = _zone_of(uow, operator)
    when = texts.words.on_the_clock(until, zone) if until is not None else None
    return Absence(texts.answers.gone_away(when, len(numbers)), True, until, numbers)


def come_back(uow: UnitOfWork, command: ComeBack) -> Absence:
    """There again; said twice it changes nothing."""
    cases.require_member(command.actor)
    operator = uow.people.operator_for(command.actor)
    was_away = operator.is_away(uow.now)
    operator.away_since = operator.away_until = None
    numbers = _open_cases(uow, operator)
    return Absence(
        texts.answers.come_back(len(numbers)) if was_away else texts.answers.not_away(), False, None, numbers
    )


def _open_cases(uow: UnitOfWork, operator: Operator) -> tuple[int, ...]:
    found = uow.conversations.page(stage=str(Stage.ACTIVE), owner_id=operator.id, limit=MOST_OPEN)
    return tuple(sorted(conversation.number for conversation in found))


def _zone_of(uow: UnitOfWork, operator: Operator) -> str:
    """The time zone of the first team on that platform: where people read the clock of their team."""
    teams = uow.settings.teams.values()
    own = next((team for team in teams if team.chat == operator.platform), None)
    return own.hours.zone if own else next(iter(teams)).hours.zone
