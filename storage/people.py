"""Shoppers, operators, and who is in which team."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select

from bot.people import Actor, Operator, Role, Shopper
from storage.memory import Memory
from storage.rows import Rows
from storage.tables import OperatorRow, ShopperRow, TeamRow, table

_SHOPPER, _OPERATOR, _TEAM = table(ShopperRow), table(OperatorRow), table(TeamRow)


def _named(select: Select[Any]) -> Select[Any]:
    return select.where(
        _SHOPPER.c.store == bindparam("store"), _SHOPPER.c.external_id == bindparam("external_id")
    )


class People:
    """See `bot.ports.People`."""

    def __init__(self, connection: Connection, memory: Memory | None = None):
        self._connection = connection
        self.shoppers: Rows[Shopper] = Rows(connection, _SHOPPER, Shopper, ("id",))
        self.operators: Rows[Operator] = Rows(
            connection, _OPERATOR, Operator, ("id",), {"role": Role}, memory
        )
        self._memory = memory
        self._accounts: dict[tuple[str, str], Operator] = {}

    def prefetch(self, accounts: Iterable[tuple[str, str]]) -> None:
        """Load the operators behind these platform accounts."""
        wanted = [
            account for account in accounts if account not in self._accounts and not self._recall(account)
        ]
        if wanted:
            for found in self.operators.among(("platform", "external_id"), wanted):
                self._accounts[found.platform, found.external_id] = found

    def _recall(self, account: tuple[str, str]) -> bool:
        """Whether the writer remembers who that is."""
        key = self._memory.names.get(account) if self._memory is not None else None
        known = self.operators.get(*key) if key is not None else None
        if known is None or (known.platform, known.external_id) != account:  # SQLite gives an id again
            return False
        self._accounts[account] = known
        return True

    def remember(self, memory: Memory) -> None:
        """After the commit: see `Rows.remember`."""
        self.operators.remember()
        memory.names.update((account, (one.id,)) for account, one in self._accounts.items())

    def shopper(self, shopper_id: int) -> Shopper | None:
        return self.shoppers.get(shopper_id)

    def load_shoppers(self, shopper_ids: Collection[int]) -> None:
        self.shoppers.prefetch((shopper_id,) for shopper_id in shopper_ids)

    def shopper_named(self, store: str, external_id: str) -> Shopper | None:
        found = self.shoppers.select(_named, store=store, external_id=external_id)
        return found[0] if found else None

    def add_shopper(self, shopper: Shopper) -> Shopper:
        return self.shoppers.add_numbered(shopper, "id")

    def operator(self, operator_id: int) -> Operator | None:
        return self.operators.get(operator_id)

    def known(self, actor: Actor) -> Operator | None:
        account = (actor.platform, actor.id)
        if account not in self._accounts:
            self.prefetch([account])
        return self._accounts.get(account)

    def operator_for(self, actor: Actor) -> Operator:
        account = (actor.platform, actor.id)
        known = self._accounts.get(account)
        if known is None:
            found = self.operators.where(
                _OPERATOR.c.platform == actor.platform, _OPERATOR.c.external_id == actor.id
            )
            known = found[0] if found else self._hire(actor)
            self._accounts[account] = known
        known.name, known.first_name, known.role = actor.name, actor.first_name, actor.highest
        return known

    def _hire(self, actor: Actor) -> Operator:
        fresh = Operator(0, actor.platform, actor.id, actor.name, actor.first_name, actor.role)
        return self.operators.add_numbered(fresh, "id")

    def join(self, team: str, operator_ids: Sequence[int]) -> None:
        self._connection.execute(delete(_TEAM).where(_TEAM.c.name == team))
        if operator_ids:
            rows = [{"name": team, "operator_id": operator_id} for operator_id in dict.fromkeys(operator_ids)]
            self._connection.execute(insert(_TEAM), rows)

    def team(self, team: str) -> Sequence[Operator]:
        members = select(_TEAM.c.operator_id).where(_TEAM.c.name == team)
        return self.operators.where(_OPERATOR.c.id.in_(members), order_by=(_OPERATOR.c.name,))
