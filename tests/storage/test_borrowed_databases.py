"""The suite gives its PostgreSQL databases out again: each must be as on its first day."""

import psycopg
import pytest

from tests.fakes.chat import FakeChat
from tests.postgres import Server
from tests.storage.world import ManualClock, World, make_settings


async def test_a_case_leaves_nothing_behind(postgres: Server, clock: ManualClock) -> None:
    name = postgres.borrow()
    for _ in range(2):
        world = World(make_settings(postgres.url(name)), clock, FakeChat(clock))
        world.start()
        assert await world.escalate() == 1001
        await world.settle()
        await world.stop()
        postgres.give_back(name)
        assert postgres.borrow() == name
    postgres.drop_database(name)


def test_who_is_still_connected_is_thrown_out(postgres: Server) -> None:
    name = postgres.borrow()
    connection = psycopg.connect(postgres.url(name).replace("+psycopg", ""))
    postgres.give_back(name)
    assert postgres.borrow() == name
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    postgres.drop_database(name)


def test_a_database_that_cannot_be_emptied_is_not_given_out_again(postgres: Server) -> None:
    name = postgres.borrow()
    with psycopg.connect(postgres.url().replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    postgres.give_back(name)
    assert name not in postgres.emptied
