"""The queue as one person sees it: what is theirs, what nobody has, what their teams have.

`Look` says which part of it somebody looks at; `Board` is that part, before any platform renders it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bot import moments, texts
from bot.cards import name_of
from bot.conversation import Awaiting, Conversation, Stage
from bot.hours import Hours
from bot.packet import shorten
from bot.people import Actor, Operator, Role
from bot.posts import Action, Button, Row

if TYPE_CHECKING:  # the ports speak of boards
    from bot.ports import UnitOfWork

PAGE_ROWS = 10
MOST_TAGS = 98
ISSUE_LENGTH, NAME_LENGTH = 110, 60


class View(StrEnum):
    """Which cases."""

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class Look:
    """A view with its filters. `awaiting` is "operator", "shopper" or empty; empty filters nothing; `page` from 0."""

    view: View = View.UNCLAIMED
    tag: str = ""
    priority: str = ""
    awaiting: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """One page. `counts` are of the whole views without filters; `tags` are those in use, for the filter."""

    look: Look
    rows: tuple[Row, ...]
    counts: dict[View, int]
    tags: tuple[str, ...]
    pages: int
    away: str = ""


# --- who looks ------------------------------------------------------------------------------------------------


def teams_of(uow: "UnitOfWork", actor: Actor) -> tuple[str, ...]:
    """The teams whose cases somebody sees: a lead's are all. A team of which nobody is known yet is everybody's."""
    names = tuple(uow.settings.teams)
    if actor.highest is Role.LEAD:
        return names
    if actor.standings is not None:
        own = {one.team for one in actor.standings if one.role is not Role.NONE}
        return tuple(name for name in names if name in own)
    if actor.highest is Role.NONE:
        return ()
    members = {name: uow.people.team(name) for name in names}
    return tuple(name for name in names if not members[name] or _is_among(members[name], actor))


def _is_among(operators: Sequence[Operator], actor: Actor) -> bool:
    return any((one.platform, one.external_id) == (actor.platform, actor.id) for one in operators)


# --- the board ------------------------------------------------------------------------------------------------


def board_of(uow: "UnitOfWork", actor: Actor, look: Look) -> Board:
    """What somebody sees. A page behind the last one shows the last."""
    teams, own = teams_of(uow, actor), uow.people.known(actor)
    owner_id = own.id if own else 0
    filters = {"tag": look.tag, "priority": look.priority, "awaiting": look.awaiting}
    size = uow.conversations.board_size(look.view, owner_id=owner_id, teams=teams, **filters)
    pages = max(1, -(-size // PAGE_ROWS))
    look = replace(look, page=min(max(0, look.page), pages - 1))
    found = uow.conversations.board(
        look.view, owner_id=owner_id, teams=teams, **filters,
        now=uow.now, limit=PAGE_ROWS, offset=look.page * PAGE_ROWS,
    )  # fmt: skip
    return Board(
        look=look,
        rows=rows_of(uow, found, actor),
        counts={view: uow.conversations.board_size(view, owner_id=owner_id, teams=teams) for view in View},
        tags=tuple(uow.conversations.tags_in_use(teams, MOST_TAGS)),
        pages=pages,
        away=_away(uow, own),
    )


def _away(uow: "UnitOfWork", operator: Operator | None) -> str:
    if operator is None or not operator.is_away(uow.now):
        return ""
    until = operator.away_until
    hours = clock_of(uow, operator.platform)
    return texts.boards.board_away(moments.shown(until, uow.now, hours) if until is not None else None)


def clock_of(uow: "UnitOfWork", platform: str) -> Hours:
    """The hours of the first team on that platform: whose time zone its people read."""
    teams = list(uow.settings.teams.values())
    return next((team for team in teams if team.chat == platform), teams[0]).hours


# --- rows -----------------------------------------------------------------------------------------------------


def rows_of(uow: "UnitOfWork", cases: Sequence[Conversation], actor: Actor) -> tuple[Row, ...]:
    """A row each, in the order given."""
    due = [
        case.number
        for case in cases
        if case.last_shopper_seq > case.last_answer_seq and case.in_persons_hands
    ]
    unread = uow.conversations.unread(due)
    return tuple(row_of(uow, case, actor, unread) for case in cases)


def row_of(uow: "UnitOfWork", case: Conversation, actor: Actor, unread: Mapping[int, int]) -> Row:
    """One case: who, what about, how urgent; and what can be done with it at once."""
    owner = uow.people.operator(case.owner_id) if case.owner_id else None
    lines = (_who(uow, case), _about(case), _how(uow, case, owner, unread.get(case.number, 0)))
    return Row(case.number, "\n".join(line for line in lines if line), _buttons(case, owner, actor))


def _who(uow: "UnitOfWork", case: Conversation) -> str:
    shopper = uow.people.shopper(case.shopper_id)
    name = shorten(name_of(shopper), NAME_LENGTH) if shopper else ""
    tier = (shopper.tier or "") if shopper else ""
    priority = f"**{case.priority}**" if case.priority != "normal" else ""
    parts = [
        linked_number(uow, case),
        texts.words.plainly(name),
        texts.words.plainly(shorten(tier, 30)),
        priority,
    ]
    return " · ".join(part for part in parts if part)


def linked_number(uow: "UnitOfWork", case: Conversation) -> str:
    """The case's number, leading to its thread where that has an address."""
    binding = uow.lanes.latest_binding(case.number)
    link = binding.permalink if binding is not None else None
    number = f"**#{case.number}**"
    return f"[{number}]({link})" if link and link.startswith("https://") else number


def _about(case: Conversation) -> str:
    return texts.words.plainly(shorten(str(case.packet.get("issue") or ""), ISSUE_LENGTH))


def _how(uow: "UnitOfWork", case: Conversation, owner: Operator | None, unread: int) -> str:
    parts = [texts.boards.row_new(unread) if unread else "", _wait(uow, case)]
    if case.stage is Stage.ACTIVE:
        parts.append(texts.words.plainly(owner.name) if owner else texts.card.SPEAKERS["operator"])
    elif case.stage is not Stage.WAITING:
        parts.append(str(case.stage))
    if len(uow.settings.teams) > 1:
        parts.append(texts.words.plainly(case.team))
    parts.append(" ".join(texts.words.plainly(f"#{tag}") for tag in case.tags[:5]))
    if case.snoozed_until is not None and case.snoozed_until > uow.now and case.in_persons_hands:
        hours = uow.settings.team(case.team).hours
        parts.append(texts.boards.row_snoozed(moments.shown(case.snoozed_until, uow.now, hours)))
    return " · ".join(part for part in parts if part)


def _wait(uow: "UnitOfWork", case: Conversation) -> str:
    if case.stage is Stage.WAITING and case.waiting_since is not None:
        return texts.boards.row_waits(uow.now - case.waiting_since)
    if case.awaiting is Awaiting.OPERATOR and case.last_shopper_at is not None:
        return texts.boards.row_unanswered(uow.now - case.last_shopper_at)
    return ""


def _buttons(case: Conversation, owner: Operator | None, actor: Actor) -> tuple[Button, ...]:
    value, found = str(case.number), []
    mine = owner is not None and _is_among([owner], actor)
    leads = actor.in_team(case.team).role is Role.LEAD
    if case.stage in (Stage.WAITING, Stage.RESOLVED):
        label = texts.card.BUTTON_CLAIM if case.stage is Stage.WAITING else texts.boards.BUTTON_REOPEN
        style = "primary" if case.stage is Stage.WAITING else None
        found.append(Button(Action.CLAIM, label, value, style))
    if case.stage is Stage.WAITING and leads:
        found.append(Button(Action.ASSIGN, texts.windows.MENU_LABELS["assign"], value))
    if case.stage is Stage.ACTIVE and mine:
        found.append(Button(Action.RESOLVE, texts.card.BUTTON_RESOLVE, value))
    if case.stage is Stage.ACTIVE and not mine and leads:
        found.append(step_in(case.number, owner))
    return (*found, Button(Action.SHOW, texts.boards.BUTTON_SHOW, value))


def step_in(number: int, owner: Operator | None) -> Button:
    """A lead takes somebody's case, once they have said that they mean it."""
    name = owner.name if owner else texts.card.SPEAKERS["operator"]
    return Button(
        Action.STEP_IN,
        texts.windows.MENU_LABELS["step_in"],
        f"{number}:{owner.id}" if owner else str(number),
        confirm=texts.boards.confirm_step_in(name),
    )
