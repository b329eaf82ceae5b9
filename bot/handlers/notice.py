"""Cases that somebody must look at: a first reply is late, nobody is there to take it, its owner is gone.

Each says so once, as an ALERTED entry: {"code", "text", "mention": [operator ids], "mention_accounts": [accounts that
are no operators' own, such as a user group]}. The thread shows it, as soon as it is open.
"""

from collections.abc import Sequence

from bot import hours, noticing, roster, texts
from bot.commands import MoveToTeam
from bot.conversation import Awaiting, Conversation, Stage
from bot.entries import Author, Draft, Kind
from bot.people import Actor, Operator, Role
from bot.ports import Handler, UnitOfWork

LATE, NOBODY, ABSENT = "late", "nobody", "absent"
"""Kinds of due rows."""

BATON = Actor("baton", "baton", texts.card.SPEAKERS["baton"], Role.LEAD)
LOOKED_BACK = 100


def alert(
    uow: UnitOfWork,
    conversation: Conversation,
    code: str,
    text: str,
    mention: Sequence[int] = (),
    accounts: Sequence[str] = (),
) -> None:
    """Tell the team in the case's thread."""
    data = {"code": code, "text": text, "mention": list(mention), "mention_accounts": list(accounts)}
    uow.log.append(conversation, Draft(Kind.ALERTED, data=data))


def watch(uow: UnitOfWork, conversation: Conversation) -> None:
    """A case waits from now on: for somebody who can take it, and for its first reply."""
    uow.due.put(NOBODY, conversation.number, uow.now)
    target = uow.settings.targets.first_reply
    if target > 0 and not _is_answered(uow, conversation):
        when = uow.settings.team(conversation.team).hours
        uow.due.put(LATE, conversation.number, noticing.within_hours(when, uow.now + target, target))


# --- a first reply is late ------------------------------------------------------------------------------------


def late(uow: UnitOfWork, conversation: Conversation) -> None:
    """The lead is told, and told again later. Times that were missed are not made up for."""
    target, began = uow.settings.targets.first_reply, _wait_began(conversation)
    over = not conversation.in_persons_hands or _is_answered(uow, conversation)
    if over or began is None or target <= 0:
        return
    team = uow.settings.team(conversation.team)
    following = noticing.late_at(began, target, uow.now)
    if conversation.snoozed_until is not None and conversation.snoozed_until > uow.now:
        following = conversation.snoozed_until + target
    elif uow.now < began + target:
        pass  # watched from the middle of its wait on, or the target has changed
    elif hours.is_open(team.hours, uow.now):
        owner = uow.people.operator(conversation.owner_id) if conversation.owner_id else None
        text = texts.thread.alert_late(conversation.number, uow.now - began, owner.name if owner else None)
        alert(uow, conversation, noticing.LATE, text, _leads(uow, conversation))
    uow.due.put(LATE, conversation.number, noticing.within_hours(team.hours, following, target))


def _wait_began(conversation: Conversation) -> float | None:
    """Since when somebody waits for the first reply: a reopened case begins to wait anew."""
    escalated, waiting = conversation.escalated_at, conversation.waiting_since
    return escalated if waiting is None or escalated is None else max(escalated, waiting)


def _is_answered(uow: UnitOfWork, conversation: Conversation) -> bool:
    """Whether an operator has replied since then."""
    first, began = conversation.first_reply_at, _wait_began(conversation)
    if first is None or began is None or first >= began:
        return first is not None
    newest = uow.log.last(conversation.number, LOOKED_BACK)
    said = [one for one in newest if one.kind is Kind.MESSAGE and one.author is Author.OPERATOR]
    return any(one.stored_at >= began for one in said)


def _leads(uow: UnitOfWork, conversation: Conversation) -> list[int]:
    """Where nobody leads, whoever is there."""
    team = uow.settings.team(conversation.team)
    operators = uow.people.team(team.name)
    found = [one.id for one in roster.leads(team, operators)]
    return found[: noticing.MOST_MENTIONS] or noticing.for_team(team, operators, uow.now)


# --- nobody is there ------------------------------------------------------------------------------------------


def nobody(uow: UnitOfWork, conversation: Conversation) -> None:
    """Inside hours a waiting case needs somebody who is there: else the fallback team gets it, and the lead is told.
    Once per handoff and team; a team that nobody has been asked about yet is not known to be empty."""
    if conversation.stage is not Stage.WAITING:
        return
    team = uow.settings.team(conversation.team)
    key = f"nobody:{conversation.number}:{conversation.handoff}:{team.name}"
    if uow.inbox.answer(key) is not None:
        return
    opens = hours.next_opening(team.hours, uow.now)
    if opens is not None:
        uow.due.put(NOBODY, conversation.number, opens.timestamp())
        return
    operators = uow.people.team(team.name)
    if not operators or noticing.there(operators, uow.now):
        uow.due.put(NOBODY, conversation.number, uow.now + uow.settings.timing.members_refresh)
        return
    uow.inbox.remember(key, {})
    fallback = _fallback(uow, conversation)
    text = texts.thread.alert_nobody_there(conversation.number, team.name, fallback)
    alert(uow, conversation, noticing.NOBODY_THERE, text, _leads(uow, conversation))
    if fallback is not None:
        _move(uow, conversation, fallback)
        uow.due.put(NOBODY, conversation.number, uow.now + uow.settings.timing.members_refresh)


def _fallback(uow: UnitOfWork, conversation: Conversation) -> str | None:
    """Where it goes, if anywhere. A handoff never comes back to a team that had nobody for it."""
    name = uow.settings.team(conversation.team).fallback
    empty = uow.inbox.answer(f"nobody:{conversation.number}:{conversation.handoff}:{name}") is not None
    return name if name in uow.settings.teams and not empty and _mover() else None


def _move(uow: UnitOfWork, conversation: Conversation, team: str) -> None:
    mover = _mover()
    assert mover is not None, "asked before"
    mover(uow, MoveToTeam(conversation.number, BATON, team))


def _mover() -> Handler | None:
    from bot.handlers import HANDLERS  # which imports this module

    return HANDLERS.get(MoveToTeam)


# --- the owner is gone ----------------------------------------------------------------------------------------


def shopper_wrote(uow: UnitOfWork, conversation: Conversation) -> None:
    """An answer is due: is the owner there to give it? One who said that they are away is not; one whom the platform
    shows as gone gets two minutes."""
    owner = _owner(uow, conversation)
    if owner is None:
        return
    if owner.is_away(uow.now) or not owner.active:
        _owner_away(uow, conversation, owner)
    elif owner.present is False and uow.due.at(ABSENT, conversation.number) is None:
        uow.due.put(ABSENT, conversation.number, uow.now + noticing.ABSENT_SECONDS)


def absent(uow: UnitOfWork, conversation: Conversation) -> None:
    """The two minutes are over."""
    owner = _owner(uow, conversation)
    if owner is None or conversation.awaiting is not Awaiting.OPERATOR:
        return
    if not noticing.is_there(owner, uow.now):
        _owner_away(uow, conversation, owner)


def _owner(uow: UnitOfWork, conversation: Conversation) -> Operator | None:
    if conversation.stage is not Stage.ACTIVE or conversation.owner_id is None:
        return None
    return uow.people.operator(conversation.owner_id)


def _owner_away(uow: UnitOfWork, conversation: Conversation, owner: Operator) -> None:
    """Whoever else is there is called; where nobody is, the leads."""
    team = uow.settings.team(conversation.team)
    if not hours.is_open(team.hours, uow.now) or _told_already(uow, conversation, owner):
        return
    operators = uow.people.team(team.name)
    others = noticing.for_team(team, operators, uow.now, without=owner.id)
    mention = others or [one for one in _leads(uow, conversation) if one != owner.id]
    text = texts.thread.alert_owner_away(conversation.number, owner.name)
    alert(uow, conversation, noticing.OWNER_AWAY, text, mention)


def _told_already(uow: UnitOfWork, conversation: Conversation, owner: Operator) -> bool:
    """Once per absence: that is, until the owner has done something again."""
    for entry in reversed(uow.log.last(conversation.number, LOOKED_BACK)):
        if entry.kind is Kind.ALERTED and entry.data.get("code") == noticing.OWNER_AWAY:
            return True
        if entry.author is Author.OPERATOR and entry.operator_id == owner.id:
            return False
    return False
