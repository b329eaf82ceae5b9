"""What a button asks before it does anything, before any platform renders it as a modal: fields, choices, a title.

Built by `bot.desk.Desk.form`, filled in by a person, and given back to `Desk.submit` as plain strings by field name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot import hours as opening_hours
from bot import moments, replies, texts
from bot.commands import OUTCOMES, PRIORITIES
from bot.conversation import Conversation
from bot.entries import Kind
from bot.errors import NotFound, Refused
from bot.packet import shorten
from bot.people import Actor, Operator
from bot.posts import Action

if TYPE_CHECKING:  # the ports speak of forms
    from bot.ports import UnitOfWork

MOST_OPTIONS = 100
SNOOZES = ("30m", "1h", "2h")
TOMORROW, OFF = "tomorrow", "off"
LONGEST_TEXT = 3000
SUGGESTED = ":suggested:"
"""What choosing the assistant's suggested reply is called; a saved reply of that name would be hidden by it."""
TAGS = "tags@"
"""What the field of a case's tags is called, before the number of their last change then. The name comes back with what
was chosen, on every platform: so what a colleague changes meanwhile is told apart from what was taken away here."""


class FieldKind(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"  # several lines
    ONE = "one"  # one of `options`
    MANY = "many"  # any of `options`; given back joined by commas


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `hint` is what helps to choose ("3 open, away until 14:00")."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. `value` is what it holds at first. `at_once`: choosing is answer enough, and where the platform can
    the next step follows without a button."""

    name: str
    label: str
    kind: FieldKind = FieldKind.LINE
    options: tuple[Option, ...] = ()
    value: str = ""
    hint: str = ""
    optional: bool = False
    longest: int = 3000
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A modal: what is being done to which case, and what is asked."""

    action: Action
    number: int
    title: str
    submit: str
    fields: tuple[FormField, ...]
    text: str = ""


# --- building them --------------------------------------------------------------------------------------------


def form_of(uow: "UnitOfWork", action: Action, number: int, actor: Actor) -> Form:
    """What that button asks about that case. `Refused` where there is nothing to choose from."""
    conversation = uow.conversations.get(number)
    if conversation is None:
        raise NotFound(texts.answers.no_such_case(number), field="number")
    fields = _FIELDS[action](uow, conversation, actor)
    name = str(action)
    return Form(action, number, _title(name, number), texts.windows.FORM_SUBMITS[name], fields)


def _title(name: str, number: int) -> str:
    return f"{texts.windows.FORM_TITLES[name]} #{number}"


Fields = tuple[FormField, ...]


def _assign(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    team = colleagues(uow, conversation.team)
    if not team:
        raise Refused(texts.windows.nobody_to_assign(conversation.team))
    options = tuple(Option(str(one.id), one.name, state) for one, state in team)
    return (FormField("operator", texts.windows.LABEL_OPERATOR, FieldKind.ONE, options[:MOST_OPTIONS]),)


def colleagues(uow: "UnitOfWork", team: str) -> list[tuple[Operator, str]]:
    """The team's people, and how it stands with each: whoever is there first, then by how much they have."""
    known = [one for one in uow.people.team(team) if one.active]
    loads = uow.conversations.loads(tuple(uow.settings.teams)) if known else {}
    hours = uow.settings.team(team).hours
    order = sorted(
        known, key=lambda one: (one.is_away(uow.now), one.present is False, loads.get(one.id, 0), one.name)
    )
    return [(one, _state(one, loads.get(one.id, 0), uow.now, hours)) for one in order]


def _state(operator: Operator, load: int, now: float, hours: opening_hours.Hours) -> str:
    """ "3 open, away until 14:00"."""
    if operator.is_away(now):
        until = operator.away_until
        there = texts.windows.form_away(moments.shown(until, now, hours) if until is not None else None)
    else:
        there = texts.windows.form_present(operator.present)
    return ", ".join(part for part in (texts.windows.form_open_cases(load), there) if part)


def _move(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    options = teams_to_move_to(uow, conversation.team)
    if not options:
        raise Refused(texts.windows.no_other_team(conversation.team))
    return (FormField("team", texts.windows.LABEL_TEAM, FieldKind.ONE, tuple(options)),)


def teams_to_move_to(uow: "UnitOfWork", here: str | None) -> list[Option]:
    """All teams but the one it is in, each with who waits there and when it opens."""
    options = []
    for team in [one for one in uow.settings.teams.values() if one.name != here][:MOST_OPTIONS]:
        waiting, _ = uow.conversations.waits([team.name])
        opens = opening_hours.next_opening(team.hours, uow.now)
        back = moments.shown(opens.timestamp(), uow.now, team.hours) if opens else None
        options.append(Option(team.name, team.name, texts.windows.form_team(waiting, back)))
    return options


def _priority(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    options = tuple(Option(one, one.capitalize()) for one in reversed(PRIORITIES))
    return (
        FormField(
            "priority", texts.windows.LABEL_PRIORITY, FieldKind.ONE, options, value=conversation.priority
        ),
    )


def _snooze(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    hours = uow.settings.team(conversation.team).hours
    opening = moments.shown(moments.moment(TOMORROW, uow.now, hours), uow.now, hours).split()[-1]
    options = [Option(one, texts.windows.SNOOZE_LABELS[one]) for one in SNOOZES]
    options.append(Option(TOMORROW, texts.windows.form_tomorrow(opening)))
    if conversation.snoozed_until is not None:
        options.append(Option(OFF, texts.windows.SNOOZE_OFF))
    return (
        FormField("until", texts.windows.LABEL_UNTIL, FieldKind.ONE, tuple(options), optional=True),
        FormField("time", texts.windows.LABEL_TIME, hint=texts.windows.HINT_TIME, optional=True, longest=60),
    )


def _tag(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    in_use = uow.conversations.tags_in_use(tuple(uow.settings.teams), MOST_OPTIONS)
    known = list(dict.fromkeys([*conversation.tags, *in_use]))[:MOST_OPTIONS]
    fresh = FormField(
        "new", texts.windows.LABEL_NEW_TAGS, hint=texts.windows.HINT_TAGS, optional=True, longest=200
    )
    if not known:
        return (fresh,)
    options = tuple(Option(tag, tag) for tag in known)
    value = ",".join(conversation.tags)
    log = uow.log.after(conversation.number, 0, limit=conversation.head)
    name = f"{TAGS}{max((one.seq for one in log if one.kind is Kind.TAGGED), default=0)}"
    return (
        FormField(name, texts.windows.LABEL_TAGS, FieldKind.MANY, options, value=value, optional=True),
        fresh,
    )


def _note(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    return (
        FormField(
            "text",
            texts.windows.LABEL_NOTE,
            FieldKind.TEXT,
            hint=texts.windows.HINT_NOTE,
            longest=LONGEST_TEXT,
        ),
    )


def _outcome(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    before = conversation.outcome or {}
    shopper = uow.people.shopper(conversation.shopper_id)
    money = before.get("amount")
    currency = before.get("currency") or (shopper.currency if shopper else None) or ""
    kinds = tuple(Option(kind, texts.windows.OUTCOME_LABELS[kind]) for kind in OUTCOMES)
    return (
        FormField("kind", texts.windows.LABEL_KIND, FieldKind.ONE, kinds, value=before.get("kind") or ""),
        FormField(
            "amount", texts.windows.LABEL_AMOUNT, value="" if money is None else f"{money:.2f}",
            optional=True, longest=20,
        ),
        FormField(
            "currency", texts.windows.LABEL_CURRENCY, value=currency, hint=texts.windows.HINT_CURRENCY,
            optional=True, longest=8,
        ),
        FormField(
            "note", texts.windows.LABEL_NOTE, FieldKind.TEXT, value=before.get("note") or "", optional=True, longest=500
        ),
    )  # fmt: skip


# --- saved replies: pick one, then read it over ---------------------------------------------------------------


def _saved_reply(uow: "UnitOfWork", conversation: Conversation, actor: Actor) -> Fields:
    """What the assistant suggests stands first: it was written for this very case."""
    known, suggested = replies.for_team(uow.settings.replies, conversation.team), _suggested(conversation)
    if not known and not suggested:
        raise Refused(texts.windows.no_saved_replies(conversation.team))
    first = [Option(SUGGESTED, texts.windows.SUGGESTED_REPLY, shorten(suggested, 74))] if suggested else []
    options = [
        Option(value_of(reply), reply.name, shorten(_filled(uow, conversation, actor, reply).text, 74))
        for reply in known
    ]
    choices = tuple([*first, *options][:MOST_OPTIONS])
    return (FormField("reply", texts.windows.LABEL_REPLY, FieldKind.ONE, choices, at_once=True),)


def _suggested(conversation: Conversation) -> str:
    return str(conversation.packet.get("suggested_reply") or "").strip()


def reply_form(uow: "UnitOfWork", number: int, actor: Actor, picked: str) -> Form:
    """The second step: the reply as it would leave, to be changed or sent. `Refused` if it is there no more."""
    conversation = uow.conversations.get(number)
    if conversation is None:
        raise NotFound(texts.answers.no_such_case(number), field="number")
    suggested = _suggested(conversation) if picked == SUGGESTED else ""
    if suggested:
        filled = replies.Filled(suggested, ())
    else:
        known = replies.for_team(uow.settings.replies, conversation.team)
        reply = next((one for one in known if value_of(one) == picked or one.name == picked), None)
        if reply is None:
            raise Refused(texts.windows.reply_gone(picked), field="reply")
        filled = _filled(uow, conversation, actor, reply)
    field = FormField(
        "text", texts.windows.LABEL_TEXT, FieldKind.TEXT, value=filled.text, hint=texts.windows.HINT_REPLY,
        longest=max(LONGEST_TEXT, len(filled.text)),
    )  # fmt: skip
    name = str(Action.SAVED_REPLY)
    said = texts.windows.blanks_unknown(filled.missing) if filled.missing else ""
    return Form(Action.SAVED_REPLY, number, _title(name, number), texts.windows.FORM_SEND, (field,), said)


def value_of(reply: replies.Reply) -> str:
    """What the choice is called between the steps: short enough for any platform."""
    return reply.name[:75]


def _filled(
    uow: "UnitOfWork", conversation: Conversation, actor: Actor, reply: replies.Reply
) -> replies.Filled:
    shopper = uow.people.shopper(conversation.shopper_id)
    assert shopper is not None, "a conversation always has a shopper"
    store = uow.settings.stores.get(conversation.store)
    operator = actor.in_team(conversation.team).first_name
    return replies.fill(
        reply, replies.facts_of(conversation, shopper, operator, store.brand if store else "")
    )


_FIELDS: dict[Action, Callable[["UnitOfWork", Conversation, Actor], Fields]] = {
    Action.ASSIGN: _assign,
    Action.MOVE: _move,
    Action.PRIORITY: _priority,
    Action.SNOOZE: _snooze,
    Action.TAG: _tag,
    Action.NOTE: _note,
    Action.SAVED_REPLY: _saved_reply,
    Action.OUTCOME: _outcome,
}
