"""Shoppers and operators as the core knows them."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Role(StrEnum):
    """What a person of the team may do. `NONE`: guests and strangers, who may read and nothing more."""

    NONE = "none"
    OPERATOR = "operator"
    LEAD = "lead"


@dataclass(slots=True)
class Shopper:
    """A store's customer. `anonymous` until the store names one; `lifetime_value` is in `currency`."""

    id: int
    store: str
    external_id: str
    created_at: float
    anonymous: bool = False
    name: str | None = None
    email: str | None = None
    tier: str | None = None
    orders_count: int | None = None
    lifetime_value: float | None = None
    currency: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in one team; `called` is what shoppers read instead of their first name, if the policy says."""

    team: str
    role: Role
    called: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the platform knows them: its id, the name it shows, and the role they have there.

    `standings` None: the platform knows no teams, and `role` counts everywhere. Otherwise `role` is the highest of
    them until `in_team` has said which team it is about.
    """

    platform: str
    id: str
    name: str
    role: Role = Role.OPERATOR
    standings: tuple[Standing, ...] | None = None
    called: str = ""

    @property
    def first_name(self) -> str:
        """What shoppers see: the policy's name for them, of another team if need be, since whoever goes by another
        name must not be called by their own; else the first word of that."""
        elsewhere = next((one.called for one in self.standings or () if one.called), "")
        return self.called or elsewhere or (self.name.split()[0] if self.name.split() else self.name)

    def in_team(self, team: str) -> "Actor":
        """The same person, with the role and the name that they have there."""
        if self.standings is None:
            return self
        own = next((one for one in self.standings if one.team == team), Standing(team, Role.NONE))
        return replace(self, role=own.role, called=own.called)

    @property
    def highest(self) -> Role:
        """The most that they are in any team."""
        roles = {one.role for one in self.standings or ()} | {self.role}
        return next(role for role in (Role.LEAD, Role.OPERATOR, Role.NONE) if role in roles)


@dataclass(slots=True)
class Operator:
    """A person of the team, one row per platform account. `present` is what the platform said last (None: it does
    not say); `active` is False once the account is gone from the team's chat. `away_until` None: until they say so."""

    id: int
    platform: str
    external_id: str
    name: str
    first_name: str
    role: Role = Role.OPERATOR
    away_since: float | None = None
    away_until: float | None = None
    present: bool | None = None
    active: bool = True

    def is_away(self, now: float) -> bool:
        """Whether they said that they are away, and have not come back."""
        return self.away_since is not None and (self.away_until is None or now < self.away_until)


@dataclass(frozen=True, slots=True)
class Member:
    """A channel's member, as `TeamChat.members` tells. `present` is None where the platform does not tell."""

    actor: Actor
    present: bool | None = None


@dataclass(slots=True)
class Presence:
    """What one open tab of a shopper last said. `delivered` and `seen` are log numbers."""

    conversation: int
    tab: str
    at: float
    delivered: int = 0
    seen: int = 0
    hidden: bool = False
    hidden_since: float | None = None
