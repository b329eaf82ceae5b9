"""What a person of the team asks for by words, forms and listings, and what they are answered.

An adapter brings what was typed or pressed, and shows the answer to the one who asked. Whatever changes something goes
through the bus, as a command; whatever only reads is read beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot import answers, boards, forms, moments, replies, texts, verbs
from bot.boards import Board, Look
from bot.commands import (
    AddNote,
    AddOutcome,
    Assign,
    MoveToTeam,
    OperatorWrites,
    Outcome,
    Perform,
    SetPriority,
    SetTags,
    Snooze,
    from_button,
)
from bot.conversation import Stage
from bot.errors import AlreadyClaimed, NotFound, Refused, Unavailable
from bot.forms import Form
from bot.handlers.perform import account_of, named
from bot.lanes import BindingState
from bot.people import Actor
from bot.ports import Bus, Clock, Reads, UnitOfWork
from bot.posts import FORMS, Action, Answer, Place
from bot.settings import Settings
from bot.suggestions import Sought, suggestions
from bot.verbs import Act, Verb

FORM = "form"
Values = Mapping[str, str]


class Desk:
    """See `bot.ports.Desk`."""

    def __init__(self, settings: Settings, bus: Bus, reads: Reads, clock: Clock):
        self._settings, self._bus, self._reads, self._clock = settings, bus, reads, clock

    # --- words ------------------------------------------------------------------------------------------------

    async def ask(
        self,
        text: str,
        actor: Actor,
        *,
        number: int | None = None,
        people: Sequence[Actor] = (),
        id: str = "",  # noqa: A002
    ) -> Answer:
        """What somebody typed. `number`: in the thread of that case. Never raises `Refused`: the answer says what was
        wrong, and what was meant."""
        verb: Verb | None = None
        try:
            verb = verbs.parse(text, in_thread=number is not None, case=number)
            if verb.only_reads:
                asked = verb
                return await self._reads(lambda uow: answers.answer(uow, asked, actor, number))
            return await self._perform(Perform(text, actor, number, tuple(people), id), verb)
        except AlreadyClaimed as refused:
            case, said = (verb.number if verb else None) or number or 0, refused.message
            return await self._reads(lambda uow: answers.taken(uow, case, actor, said))
        except Refused as refused:
            return Answer(named(refused.message, people))

    async def _perform(self, command: Perform, verb: Verb) -> Answer:
        done = await self._bus.submit(command)
        said = done.whisper or texts.answers.nothing_done()
        if verb.act is not Act.AWAY:
            return Answer(said)
        return await self._reads(lambda uow: answers.still_open(uow, command.actor, said))

    async def press(self, action: Action, value: str, actor: Actor, id: str = "") -> Answer:  # noqa: A002
        """A button of an answer that asks nothing first: another page, a whole case, a dead letter again, a case handed
        over, or any of a card's. Never raises `Refused`, like `ask`."""
        if action is Action.PAGE and value == answers.OPEN_CASES:
            return await self._reads(lambda uow: answers.still_open(uow, actor, ""))
        if action is Action.PAGE:
            return await self.ask(value, actor)
        if action is Action.SHOW:
            return await self.ask(f"show {value}", actor)
        if action is Action.RETRY:
            return await self.ask(f"failed retry {value}", actor, id=id)
        command = from_button(action, value, actor)
        try:
            done = await self._bus.submit(command)
        except AlreadyClaimed as refused:
            taken = refused.message
            return await self._reads(lambda uow: answers.taken(uow, command.number, actor, taken))
        except Refused as refused:
            return Answer(refused.message)
        if isinstance(done, Answer):
            return done
        return Answer(getattr(done, "whisper", None) or await self._did(action, value))

    async def _did(self, action: Action, value: str) -> str:
        """It is done, whether or not the rest can be read."""
        try:
            return await self._reads(lambda uow: answers.did(uow, action, value))
        except Unavailable:
            return texts.answers.nothing_done()

    # --- while it is typed ------------------------------------------------------------------------------------

    async def case_at(self, place: Place) -> int | None:
        """The case whose thread that is, if it is one."""

        def found(uow: UnitOfWork) -> int | None:
            binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
            return binding.conversation if binding is not None else None

        return await self._reads(found)

    async def thread_of(self, number: int, platform: str) -> Place | None:
        """Where a case's thread is, if it goes on on that platform."""

        def found(uow: UnitOfWork) -> Place | None:
            binding = uow.lanes.latest_binding(number)
            if binding is None or binding.state is not BindingState.OPEN or binding.platform != platform:
                return None
            return Place(binding.platform, binding.channel, binding.root)

        return await self._reads(found)

    async def suggest(
        self, sought: Sought, typed: str, actor: Actor, number: int | None = None
    ) -> Sequence[forms.Option]:
        """What may be meant by what is typed so far; see `bot.suggestions`."""
        return await self._reads(lambda uow: suggestions(uow, sought, typed, actor, number))

    # --- the queue --------------------------------------------------------------------------------------------

    async def board(self, actor: Actor, look: Look) -> Board:
        """One page of the queue as that person sees it. Raises `NotAllowed` for guests."""
        answers.require_staff(actor)
        return await self._reads(lambda uow: boards.board_of(uow, actor, look))

    # --- forms ------------------------------------------------------------------------------------------------

    async def form(self, action: Action, number: int, actor: Actor) -> Form:
        """What that button has to ask first."""
        answers.require_staff(actor)
        if action not in FORMS:
            raise NotFound(texts.windows.no_such_form(str(action)))
        return await self._reads(lambda uow: forms.form_of(uow, action, number, actor))

    async def submit(
        self,
        action: Action,
        number: int,
        values: Values,
        actor: Actor,
        id: str,  # noqa: A002
    ) -> Answer | Form:
        """A form filled in. A `Form` is the next step: a saved reply's text. `Refused.field` is always one of the
        form's fields."""
        answers.require_staff(actor)
        if action not in FORMS:
            raise NotFound(texts.windows.no_such_form(str(action)))
        given = {name: value.strip() for name, value in values.items()}
        try:
            if action is Action.SAVED_REPLY:
                return await self._reply(number, given, actor, id)
            command = await self._reads(lambda uow: _COMMANDS[action](uow, number, given, actor, id))
            done = await self._bus.submit(command)
        except Refused as refused:
            refused.field = _field_of(action, refused.field, given)
            raise
        return Answer(done.whisper or _said(command))

    async def _reply(self, number: int, given: Values, actor: Actor, id: str) -> Answer | Form:  # noqa: A002
        """First what was picked, to be read over; then what it became, to the shopper."""
        if "text" not in given:
            picked = _required(given, "reply", texts.windows.choose_something())
            return await self._reads(lambda uow: forms.reply_form(uow, number, actor, picked))
        text = _required(given, "text", texts.windows.write_something())
        left = replies.unfilled(text)
        if left:
            raise Refused(texts.windows.blanks_left(left), field="text")
        done = await self._bus.submit(OperatorWrites(number, actor, text, id, source=FORM))
        if done.whisper:
            return Answer(done.whisper)
        owns = await self._reads(lambda uow: _owns(uow, number, actor))
        return Answer(
            texts.answers.did_send_reply(number) if owns else texts.answers.reply_stayed_inside(number)
        )


def _owns(uow: UnitOfWork, number: int, actor: Actor) -> bool:
    """Whether what they write in the case leaves."""
    case, own = uow.conversations.get(number), uow.people.known(actor)
    if case is None or own is None or uow.settings.team(case.team).relay != "owner":
        return False
    return case.stage is Stage.ACTIVE and case.owner_id == own.id


# --- a form's values as a command -------------------------------------------------------------------------------


def _required(given: Values, name: str, why: str) -> str:
    if not given.get(name):
        raise Refused(why, field=name)
    return given[name]


def _assign(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    chosen = _required(given, "operator", texts.windows.choose_something())
    case = uow.conversations.get(number)
    team = uow.people.team(case.team) if case is not None else ()
    operator = next((one for one in team if str(one.id) == chosen and one.active), None)
    if operator is None:
        raise NotFound(texts.windows.operator_gone(), field="operator")
    return Assign(number, actor, account_of(operator))


def _move(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    return MoveToTeam(number, actor, _required(given, "team", texts.windows.choose_something()))


def _priority(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    return SetPriority(number, actor, _required(given, "priority", texts.windows.choose_something()))


def _snooze(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    """What is written counts more than what is chosen."""
    written = given.get("time", "")
    when = written or _required(given, "until", texts.windows.choose_something())
    if when.lower() in verbs.NOW:
        return Snooze(number, actor, None)
    case = uow.conversations.get(number)
    if case is None:
        raise NotFound(texts.answers.no_such_case(number), field="number")
    try:
        return Snooze(number, actor, moments.moment(when, uow.now, uow.settings.team(case.team).hours))
    except Refused as refused:
        refused.field = "time" if written else "until"
        raise


def _tag(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    """All that are chosen, and the new ones. A form that showed none has nothing to take away."""
    field = next((name for name in given if name.startswith(forms.TAGS)), "")
    head = field.removeprefix(forms.TAGS) or "0"
    if not head.isdecimal():
        raise Refused(texts.windows.form_is_stale())
    written = f"{given.get(field, '')},{given.get('new', '')}".split(",")
    return SetTags(number, actor, tuple(tag.strip() for tag in written if tag.strip()), int(head))


def _note(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    return AddNote(number, actor, _required(given, "text", texts.windows.write_something()), id)


def _outcome(uow: UnitOfWork, number: int, given: Values, actor: Actor, id: str) -> Any:  # noqa: A002
    """A currency says nothing without an amount."""
    kind = _required(given, "kind", texts.windows.choose_something())
    money = given.get("amount", "")
    amount = verbs.amount(money) if money else None
    currency = verbs.currency(given.get("currency")) if amount is not None else None
    return AddOutcome(number, actor, Outcome(kind, amount, currency, given.get("note", "")))


_COMMANDS: dict[Action, Callable[[UnitOfWork, int, Values, Actor, str], Any]] = {
    Action.ASSIGN: _assign,
    Action.MOVE: _move,
    Action.PRIORITY: _priority,
    Action.SNOOZE: _snooze,
    Action.TAG: _tag,
    Action.NOTE: _note,
    Action.OUTCOME: _outcome,
}

FIELDS: dict[Action, tuple[str, ...]] = {
    Action.ASSIGN: ("operator",),
    Action.MOVE: ("team",),
    Action.PRIORITY: ("priority",),
    Action.SNOOZE: ("until", "time"),
    Action.TAG: ("new", "tags"),
    Action.NOTE: ("text",),
    Action.SAVED_REPLY: ("reply", "text"),
    Action.OUTCOME: ("kind", "amount", "currency", "note"),
}
"""The fields of each form. What is wrong with none of them in particular is said beside the first."""


def _field_of(action: Action, field: str | None, given: Values) -> str:
    """One that the form has: a line for new tags may be all there is."""
    known = [name for name in given if name.partition("@")[0] in FIELDS[action]] or list(FIELDS[action])
    known.sort(key=lambda name: FIELDS[action].index(name.partition("@")[0]))
    return next((name for name in known if name.partition("@")[0] == field), known[0])


def _said(command: Any) -> str:
    """For handlers that say nothing of their own."""
    if isinstance(command, Assign):
        return texts.answers.did_assign(command.number, command.to.name)
    if isinstance(command, Snooze) and command.until is None:
        return texts.answers.did_wake(command.number)
    return texts.answers.nothing_done()
