"""Tables, migrations, and the engine's promises."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from bot.conversation import Conversation
from bot.entries import Entry
from bot.lanes import Binding, Delivery, Lane, Link
from bot.people import Operator, Presence, Shopper
from storage import tables
from storage.engine import reading_engine, writing_engine
from storage.migrate import migrate
from tests.storage.world import World


@pytest.mark.parametrize(
    ("cls", "row"),
    [
        (Shopper, tables.ShopperRow),
        (Conversation, tables.ConversationRow),
        (Lane, tables.LaneRow),
        (Delivery, tables.DeliveryRow),
        (Binding, tables.BindingRow),
        (Link, tables.LinkRow),
        (Operator, tables.OperatorRow),
        (Presence, tables.PresenceRow),
    ],
)
def test_a_dataclass_and_its_table_have_the_same_fields(cls: type, row: type) -> None:
    columns = {column.name for column in tables.table(row).columns}  # type: ignore[arg-type]
    assert set(cls.__dataclass_fields__) == columns  # type: ignore[attr-defined]


def test_an_entry_is_its_line_and_its_body() -> None:
    line = {column.name for column in tables.table(tables.EntryRow).columns}
    body = {column.name for column in tables.table(tables.BodyRow).columns}
    assert set(Entry.__dataclass_fields__) == line | (body - {"original"})
    assert line & body == {"conversation", "seq"}


@pytest.fixture
def engine(database_url: str) -> Engine:
    return writing_engine(database_url)


# On SQLite; EXPLAIN shows it (test_addresses.py).
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_migrations_produce_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []
    engine.dispose()


def test_migrating_again_does_nothing(engine: Engine) -> None:
    assert migrate(engine) is False
    engine.dispose()


def test_a_new_file_is_migrated_from_nothing(tmp_path: Path) -> None:
    engine = writing_engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert migrate(engine) is True
    assert set(inspect(engine).get_table_names()) >= set(tables.METADATA.tables)
    engine.dispose()


@pytest.mark.sqlite_only
def test_every_commit_outlives_power_loss(engine: Engine) -> None:
    """WAL with synchronous=FULL (2), asked of the connection that writes."""
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    engine.dispose()


@pytest.mark.sqlite_only
def test_a_writer_takes_the_lock_when_it_begins(engine: Engine, database_url: str) -> None:
    """BEGIN IMMEDIATE: a second writer waits at its first statement, not at its first write."""
    other = writing_engine(database_url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with other.connect() as second:
            second.connection.driver_connection.execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr]
            with pytest.raises(Exception, match="database is locked"):
                second.execute(text("SELECT 1"))
    other.dispose()
    engine.dispose()


def test_readers_do_not_wait_for_the_writer(engine: Engine, database_url: str) -> None:
    reader = reading_engine(database_url)
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO due (kind, conversation, due_at) VALUES ('stale', 1, 1.0)"))
        with reader.connect() as second:
            assert second.execute(text("SELECT count(*) FROM due")).scalar() == 0
        connection.commit()
    with reader.connect() as second:
        assert second.execute(text("SELECT count(*) FROM due")).scalar() == 1
    reader.dispose()
    engine.dispose()


async def test_case_numbers_begin_at_1001_and_are_never_given_twice(world: World) -> None:
    assert [await world.escalate(f"c-{n}") for n in range(3)] == [1001, 1002, 1003]
