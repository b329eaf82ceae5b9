"""Verbs that change something: what somebody typed, carried out by the handlers of the commands it means.

All of it in one transaction with what asked for it, so that a verb in a thread is done exactly when its message is
stored.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot import commands, moments, texts, verbs
from bot.conversation import Conversation, Stage
from bot.errors import AlreadyClaimed, Misread, NotAllowed, NotFound, Refused
from bot.handlers import cases, handoff
from bot.handlers.cases import Done
from bot.hours import Hours
from bot.meant import closest
from bot.people import Actor, Operator, Role
from bot.ports import UnitOfWork
from bot.verbs import Act, Verb

_PLACEHOLDER = re.compile(r"@(\d{1,3})(?!\w)")


def perform(uow: UnitOfWork, command: commands.Perform) -> Done:
    """Done once where it has an id: the same again gets the first answer. A verb that only reads has no answer here:
    `bot.desk.Desk.ask` gives it."""
    key = f"perform:{command.id}"
    known = uow.inbox.answer(key) if command.id else None
    if known is not None:
        return Done(known["number"], known["stage"], known["owner"], known["whisper"])
    verb = verbs.parse(command.text, in_thread=command.number is not None, case=command.number)
    if verb.only_reads:
        return Done(verb.number or command.number or 0, "", None)
    done = _Performing(uow, command, verb).done()
    if command.id:
        answer = {"number": done.number, "stage": done.stage, "owner": done.owner, "whisper": done.whisper}
        uow.inbox.remember(key, answer)
    return done


def perform_in_thread(
    uow: UnitOfWork,
    conversation: Conversation,
    text: str,
    actor: Actor,
    people: Sequence[Actor],
    id: str,  # noqa: A002
) -> Done:
    """A verb written in a case's thread. A refusal is a whisper: the message it came in is stored all the same."""
    asked = commands.Perform(text, actor, conversation.number, tuple(people), id)
    try:
        return perform(uow, asked)
    except AlreadyClaimed as refused:
        leads = actor.in_team(conversation.team).role is Role.LEAD
        hint = f" {texts.answers.lead_may_take_over()}" if leads else ""
        return cases.done(uow, conversation, refused.message + hint)
    except Refused as refused:
        return cases.done(uow, conversation, named(refused.message, people))


class _Performing:
    """One verb: whose case, which people, which command."""

    def __init__(self, uow: UnitOfWork, command: commands.Perform, verb: Verb):
        self._uow, self._verb = uow, verb
        self._actor, self._people, self._id = command.actor, command.people, command.id
        self._number = verb.number if verb.number is not None else command.number

    def done(self) -> Done:
        """Carry it out. The whisper says what was done. Guests learn nothing, not even who is in a team."""
        if self._actor.highest is Role.NONE:
            raise NotAllowed(texts.answers.guests_may_not())
        return _DOING[self._verb.act](self)

    # --- what is needed ---------------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        if self._number is None:
            raise NotFound(texts.answers.number_missing(str(self._verb.act), verbs.EXAMPLES[self._verb.act]))
        return self._number

    def conversation(self) -> Conversation:
        return handoff.case(self._uow, self.number)

    def words(self) -> str:
        """With names where accounts were mentioned."""
        return named(self._verb.words, self._people)

    def hand(self, command: Any, whisper: str | None = None) -> Done:
        """To the command's own handler; `whisper` where that says nothing."""
        answer = _handle(self._uow, command)
        said = answer.whisper or whisper or texts.answers.nothing_done()
        return cases.done(self._uow, self.conversation(), said)

    # --- verbs ------------------------------------------------------------------------------------------------

    def claim(self) -> Done:
        return self.hand(commands.Claim(self.number, self._actor), texts.answers.did_claim(self.number))

    def take_over(self) -> Done:
        command = commands.Claim(self.number, self._actor, take_over=True)
        return self.hand(command, texts.answers.did_claim(self.number))

    def assign(self) -> Done:
        to = self._person(self.conversation())
        command = commands.Assign(self.number, self._actor, to)
        return self.hand(command, texts.answers.did_assign(self.number, to.name))

    def release(self) -> Done:
        return self.hand(commands.Release(self.number, self._actor), texts.answers.did_release(self.number))

    def hand_back(self) -> Done:
        return self.hand(
            commands.HandBack(self.number, self._actor), texts.answers.did_hand_back(self.number)
        )

    def move(self) -> Done:
        return self.hand(commands.MoveToTeam(self.number, self._actor, self.words()))

    def priority(self) -> Done:
        return self.hand(commands.SetPriority(self.number, self._actor, self._verb.words))

    def tag(self) -> Done:
        now = tuple(self.conversation().tags)
        tags = verbs.changed_tags(now, self.words())
        return self.hand(commands.SetTags(self.number, self._actor, tags))

    def snooze(self) -> Done:
        hours = self._uow.settings.team(self.conversation().team).hours
        off = self._verb.words.lower() in verbs.NOW
        until = None if off else moments.moment(self._verb.words, self._uow.now, hours)
        return self.hand(
            commands.Snooze(self.number, self._actor, until), texts.answers.did_wake(self.number)
        )

    def note(self) -> Done:
        note_id = self._id or f"{self._actor.platform}:{self._actor.id}:{self._uow.now}"
        return self.hand(commands.AddNote(self.number, self._actor, self.words(), note_id))

    def resolve(self) -> Done:
        outcome = self._outcome()
        if outcome is not None and self.conversation().stage is Stage.RESOLVED:
            return self.hand(commands.AddOutcome(self.number, self._actor, outcome))
        return self.hand(
            commands.Resolve(self.number, self._actor, outcome), texts.answers.done_resolved(self.number)
        )

    def outcome(self) -> Done:
        outcome = self._outcome()
        assert outcome is not None, "the verb has one"
        return self.hand(commands.AddOutcome(self.number, self._actor, outcome))

    def away(self) -> Done:
        words = self._verb.words
        until = moments.moment(words, self._uow.now, hours_of(self._uow, self._actor)) if words else None
        return self._of_nobody(commands.GoAway(self._actor, until))

    def back(self) -> Done:
        return self._of_nobody(commands.ComeBack(self._actor))

    def retry(self) -> Done:
        cases.require_member(self._actor)
        delivery = self._uow.lanes.delivery(self._verb.words)
        if delivery is None:
            raise NotFound(texts.answers.no_such_failure(self._verb.words))
        _handle(self._uow, commands.RetryDead(delivery.id, self._actor))
        conversation = handoff.case(self._uow, delivery.conversation)
        return cases.done(self._uow, conversation, texts.answers.did_retry(conversation.number))

    # --- parts of them ----------------------------------------------------------------------------------------

    def _of_nobody(self, command: Any) -> Done:
        answer = _handle(self._uow, command)
        return Done(self._number or 0, "", None, answer.whisper or texts.answers.nothing_done())

    def _outcome(self) -> commands.Outcome | None:
        given = self._verb.outcome
        if given is None:
            return None
        return commands.Outcome(given.kind, given.amount, given.currency, named(given.note, self._people))

    def _person(self, conversation: Conversation) -> Actor:
        """Whoever is meant by "me", a mention, or the name of one of the team."""
        word = self._verb.words.strip()
        if word.lower() == "me":
            return self._actor
        placed = _PLACEHOLDER.fullmatch(word)
        if placed is not None and 1 <= int(placed[1]) <= len(self._people):
            return self._people[int(placed[1]) - 1]
        team = conversation.team
        found = _called(word, [one for one in self._uow.people.team(team) if one.active])
        if isinstance(found, Operator):
            return account_of(found)
        if len(found) > 1:
            raise Misread(texts.answers.several_people(word, found))
        known = sorted(one.name for one in self._uow.people.team(team) if one.active)
        raise Misread(texts.answers.no_such_person(word, team, known[:8], closest(word.lstrip("@"), known)))


def _called(word: str, team: Sequence[Operator]) -> Operator | list[str]:
    """The one who is called so, by the whole name or the first; else the names of all who are."""
    name = word.lstrip("@").casefold()
    whole = [one for one in team if one.name.casefold() == name]
    found = whole or [
        one for one in team if name in (one.first_name.casefold(), one.name.split()[0].casefold())
    ]
    return found[0] if len(found) == 1 else [one.name for one in found]


def account_of(operator: Operator) -> Actor:
    """A colleague as an actor, who may be given a case. Their role is what their platform said last."""
    role = Role.OPERATOR if operator.role is Role.NONE and operator.active else operator.role
    return Actor(operator.platform, operator.external_id, operator.name, role, called=operator.first_name)


def named(text: str, people: Sequence[Actor]) -> str:
    """The text with people's names where an adapter put `@1`, `@2` …"""

    def name(found: re.Match[str]) -> str:
        index = int(found[1])
        return f"@{people[index - 1].name}" if 1 <= index <= len(people) else found[0]

    return _PLACEHOLDER.sub(name, text)


def hours_of(uow: UnitOfWork, actor: Actor) -> Hours:
    """The hours of the first team that somebody is in: the clock they read."""
    teams = list(uow.settings.teams.values())
    if actor.standings is not None:
        names = {one.team for one in actor.standings if one.role is not Role.NONE}
        teams = [team for team in teams if team.name in names] or teams
    return next((team for team in teams if team.chat == actor.platform), teams[0]).hours


def _handle(uow: UnitOfWork, command: Any) -> Any:
    """By the list of all handlers, which this module is in itself."""
    from bot.handlers import HANDLERS

    return HANDLERS[type(command)](uow, command)


_DOING: dict[Act, Callable[[_Performing], Done]] = {
    Act.CLAIM: _Performing.claim,
    Act.TAKE_OVER: _Performing.take_over,
    Act.ASSIGN: _Performing.assign,
    Act.RELEASE: _Performing.release,
    Act.HAND_BACK: _Performing.hand_back,
    Act.MOVE: _Performing.move,
    Act.PRIORITY: _Performing.priority,
    Act.TAG: _Performing.tag,
    Act.SNOOZE: _Performing.snooze,
    Act.NOTE: _Performing.note,
    Act.RESOLVE: _Performing.resolve,
    Act.OUTCOME: _Performing.outcome,
    Act.AWAY: _Performing.away,
    Act.BACK: _Performing.back,
    Act.FAILED: _Performing.retry,
}
