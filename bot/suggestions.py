"""What may be meant while somebody is still typing: cases, people, teams, tags, saved replies that fit so far.

Only what that person may see, the likeliest first, and few: a platform shows a couple of dozen at most.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from bot import forms, replies
from bot.boards import View, teams_of
from bot.cards import name_of
from bot.conversation import Conversation
from bot.forms import Option
from bot.packet import shorten
from bot.people import Actor, Role

if TYPE_CHECKING:  # the ports speak of suggestions
    from bot.ports import UnitOfWork

MOST = 25
LOOKED_AT = 100
"""So many cases of a queue are searched: typing must not cost what `find` does."""


class Sought(StrEnum):
    """What is being typed."""

    CASE = "case"
    PERSON = "person"
    TEAM = "team"
    TAG = "tag"
    REPLY = "reply"


def suggestions(
    uow: "UnitOfWork", sought: Sought, typed: str, actor: Actor, number: int | None = None
) -> tuple[Option, ...]:
    """At most `MOST`. `number`: the case that the words before were about. A guest is suggested nothing."""
    if actor.highest is Role.NONE:
        return ()
    return tuple(_SEEKING[sought](uow, typed.strip(), actor, number))[:MOST]


def _cases(uow: "UnitOfWork", typed: str, actor: Actor, number: int | None) -> Iterable[Option]:
    """One's own first, then their teams'; one that is over only by its whole number."""
    teams, own = teams_of(uow, actor), uow.people.known(actor)
    found: dict[int, Conversation] = {}
    bare = typed.lstrip("#")
    named = uow.conversations.get(int(bare)) if bare.isdecimal() and len(bare) <= 9 else None
    if named is not None and named.team in teams:
        found[named.number] = named
    for view in (View.MINE, View.TEAMS):
        page = uow.conversations.board(
            view, owner_id=own.id if own else 0, teams=teams, now=uow.now, limit=LOOKED_AT
        )
        found |= {case.number: case for case in page if case.number not in found}
    options = (_case(uow, case) for case in found.values())
    return _fitting(options, bare)


def _case(uow: "UnitOfWork", case: Conversation) -> Option:
    shopper = uow.people.shopper(case.shopper_id)
    name = shorten(name_of(shopper), 40) if shopper else ""
    return Option(str(case.number), f"#{case.number} · {name}", str(case.packet.get("issue") or ""))


def _people(uow: "UnitOfWork", typed: str, actor: Actor, number: int | None) -> Iterable[Option]:
    """The people of the case's team, or of all teams that somebody sees; whoever is there with least first."""
    case = uow.conversations.get(number) if number is not None else None
    seen = teams_of(uow, actor)
    teams = (case.team,) if case is not None and case.team in seen else seen
    options = [option for team in teams for option in _of_team(uow, team, actor)]
    return _fitting(dict.fromkeys(options), typed.lstrip("@"))


def _of_team(uow: "UnitOfWork", team: str, actor: Actor) -> list[Option]:
    """An account of the asker's own platform by its id, anybody else by their name."""
    return [
        Option(one.external_id if one.platform == actor.platform else one.name, one.name, state)
        for one, state in forms.colleagues(uow, team)
    ]


def _teams(uow: "UnitOfWork", typed: str, actor: Actor, number: int | None) -> Iterable[Option]:
    case = uow.conversations.get(number) if number is not None else None
    here = case.team if case is not None else None
    return _fitting(forms.teams_to_move_to(uow, here), typed)


def _tags(uow: "UnitOfWork", typed: str, actor: Actor, number: int | None) -> Iterable[Option]:
    """For the last of several with commas between them; those before it stay."""
    before, comma, last = typed.rpartition(",")
    kept = f"{before.strip()}, " if comma else ""
    known = uow.conversations.tags_in_use(teams_of(uow, actor), LOOKED_AT)
    taken = {tag.strip().lower() for tag in before.split(",")}
    found = _fitting((Option(tag, tag) for tag in known if tag not in taken), last.strip())
    return (Option(f"{kept}{one.value}", f"{kept}{one.label}") for one in found)


def _replies(uow: "UnitOfWork", typed: str, actor: Actor, number: int | None) -> Iterable[Option]:
    case = uow.conversations.get(number) if number is not None else None
    if case is None or case.team not in teams_of(uow, actor):
        return ()
    known = replies.for_team(uow.settings.replies, case.team)
    return _fitting((Option(forms.value_of(one), one.name, one.text) for one in known), typed)


def _fitting(options: Iterable[Option], typed: str) -> list[Option]:
    """Those that hold every word typed; those that begin with it first."""
    words, begun = typed.casefold().split(), typed.casefold()
    found = [one for one in options if _holds(one, words)]
    return sorted(found, key=lambda one: not one.label.lstrip("#").casefold().startswith(begun))


def _holds(option: Option, words: Sequence[str]) -> bool:
    text = f"{option.label} {option.hint}".casefold()
    return all(word in text for word in words)


_SEEKING: dict[Sought, Callable[["UnitOfWork", str, Actor, int | None], Iterable[Option]]] = {
    Sought.CASE: _cases,
    Sought.PERSON: _people,
    Sought.TEAM: _teams,
    Sought.TAG: _tags,
    Sought.REPLY: _replies,
}
