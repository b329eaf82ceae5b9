"""Shoppers are found by their address, by an index, however many there are."""

import pytest
from sqlalchemy import Connection, text

from bot.commands import ShopperFacts
from storage.boards import SHOPPERS_AT
from tests.storage.world import World

MANY = text(
    "INSERT INTO shopper (store, external_id, created_at, anonymous, email) "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    "SELECT 'main', 'x' || i, 0, FALSE, 'x' || i || '@example.com' FROM n"
)


async def found(world: World, address: str) -> list[int]:
    cases = await world.read(lambda uow: uow.conversations.addressed(address, 10))
    return [case.number for case in cases]


async def test_an_address_is_found_in_whatever_capitals_and_whole(world: World) -> None:
    first = await world.escalate("c-1", shopper=ShopperFacts("s-1", email="Sarah@Example.com"))
    await world.escalate("c-2", shopper=ShopperFacts("s-2", email="other@example.com"))
    world.clock.advance(1)
    third = await world.escalate("c-3", shopper=ShopperFacts("s-3", email="sarah@example.com"))
    assert await found(world, "SARAH@example.COM") == [third, first]
    assert await found(world, "sarah@example.co") == []
    assert await found(world, "%@example.com") == []


def plan(connection: Connection) -> str:
    """What the database would do, in its own words."""
    compiled = SHOPPERS_AT.compile(dialect=connection.dialect)
    asked = compiled.params | {"address": "X7@example.com", "limit": 11}
    given = tuple(asked[name] for name in compiled.positiontup) if compiled.positional else asked
    how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{how} {compiled}", given).fetchall()
    return " | ".join(str(row[-1]) for row in rows)


async def test_it_is_looked_up_by_its_index_on_both_databases(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(MANY)
        connection.execute(text("ANALYZE"))
        assert "ix_shopper_email" in plan(connection)


@pytest.mark.parametrize("number", [1, 3000])
async def test_the_oldest_is_found_like_the_newest(world: World, number: int) -> None:
    with world.engine.begin() as connection:
        connection.execute(MANY)
        rows = connection.execute(SHOPPERS_AT, {"address": f"X{number}@EXAMPLE.com", "limit": 5}).all()
    assert len(rows) == 1
