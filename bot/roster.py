"""Who belongs to a team, and as what. Pure: the one place where the policy's people count.

Members are, in this order of what a policy says: the accounts it names, the people of its user group, or else the
channel's. Leads are those it names, or else the workspace's admins among them. Guests, strangers of a shared channel,
bots and deactivated accounts are nobody's operators, whatever the policy says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from bot.people import Actor, Operator, Role, Standing
from bot.settings import TeamPolicy


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its platform describes it. `handles` are names without @, in lower case, that mean this account and
    no other: never a display name, which somebody else may choose; `full`: a member of
    the workspace like any other; `admin`: the workspace is theirs to run."""

    id: str
    handles: frozenset[str] = frozenset()
    full: bool = True
    admin: bool = False


def is_named(account: Account, names: Iterable[str]) -> bool:
    """Whether a list of the policy means that account: by its id, or by an @name."""
    return any(name == account.id or name.removeprefix("@").lower() in account.handles for name in names)


def role_of(team: TeamPolicy, account: Account, *, in_channel: bool, in_group: bool) -> Role:
    """What that account is in the team."""
    if not account.full:
        return Role.NONE
    here = in_channel or in_group  # an @name can be looked for among these only, an id anywhere
    if is_named(account if here else Account(account.id), team.leads):
        return Role.LEAD
    named = is_named(account if here else Account(account.id), team.operators)
    listed = named or (bool(team.group) and in_group)
    by_channel = not team.operators and not team.group
    if account.admin and not team.leads and (listed or in_channel):
        return Role.LEAD
    return Role.OPERATOR if listed or (by_channel and in_channel) else Role.NONE


def called(team: TeamPolicy, account: Account) -> str:
    """What shoppers read instead of the first name; empty if the policy does not say."""
    return next((shown for name, shown in team.names.items() if is_named(account, (name,))), "")


def standing(team: TeamPolicy, account: Account, *, in_channel: bool, in_group: bool) -> Standing:
    """Both of it."""
    role = role_of(team, account, in_channel=in_channel, in_group=in_group)
    return Standing(team.name, role, called(team, account))


def with_standings(actor: Actor, standings: Sequence[Standing]) -> Actor:
    """The actor with what they are in each team; outside of any, the highest of it."""
    bare = replace(actor, role=Role.NONE, standings=tuple(standings))
    shown = next((one.called for one in standings if one.called), "")
    return replace(bare, role=bare.highest, called=shown)


def seen_in(team: str, command: Any) -> Any:
    """The command with everybody in it as they stand in that team."""
    changed = {name: actor.in_team(team) for name, actor in _standing(command).items()}
    return replace(command, **changed) if changed else command


def stands_anywhere(command: Any) -> bool:
    """Whether anybody in it is somebody in one team and nobody in another: whoever acts, and whomever it is about."""
    return bool(_standing(command))


def _standing(command: Any) -> dict[str, Actor]:
    return {
        name: one
        for name in _names_in(command.__class__)
        if isinstance(one := getattr(command, name), Actor) and one.standings is not None
    }


@cache
def _names_in(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def shared_out(
    numbers: Sequence[int], operators: Sequence[Operator], load: Mapping[int, int]
) -> dict[int, Operator]:
    """Case by case to whoever has least by then; among equals, by name. `load` is how many each has now."""
    have = {one.id: load.get(one.id, 0) for one in operators}
    shares: dict[int, Operator] = {}
    for number in numbers:
        next_one = min(operators, key=lambda one: (have[one.id], one.name, one.id))
        shares[number] = next_one
        have[next_one.id] += 1
    return shares


def leads(team: TeamPolicy, operators: Iterable[Operator]) -> list[Operator]:
    """Those of the team's people who lead it. Who leads another team only is none, where the policy names ids."""
    able = [one for one in operators if one.active and one.role is Role.LEAD]
    named = [one for one in able if one.external_id in team.leads]
    return named or able
