"""What the writer need not read again, and when it has to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update

from bot.conversation import Conversation, Stage
from bot.entries import Reader
from bot.errors import Refused
from bot.handlers.hints import Hints
from bot.lanes import Binding, BindingState
from bot.people import Actor
from bot.settings import Settings
from storage import memory as memories
from storage.engine import writing_engine
from storage.memory import Memory, memory_of
from storage.tables import ConversationRow, LaneRow, table
from storage.unit_of_work import UnitOfWork
from storage.writer import Writer
from tests.storage.world import START, ManualClock

pytestmark = pytest.mark.sqlite_only
THREAD = ("fake", "C1", "100.1")
ANNA = Actor("fake", "U-anna", "Anna Berg")


@dataclass
class Batches:
    """Transactions as the writer makes them, and the SELECTs each has made."""

    engine: Engine
    settings: Settings
    memory: Memory
    reads: list[str]

    @contextmanager
    def __call__(self) -> Iterator[UnitOfWork]:
        self.reads.clear()
        with self.engine.connect() as connection:
            connection.begin()
            self.memory.begin(connection)
            uow = UnitOfWork(connection, self.settings, START, writing=True, memory=self.memory)
            yield uow
            uow.flush()
            connection.commit()
            uow.remember()


@pytest.fixture
def batch(database_url: str, settings: Settings) -> Iterator[Batches]:
    engine = writing_engine(database_url)
    reads: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            reads.append(statement)

    yield Batches(engine, settings, Memory(engine), reads)
    engine.dispose()


@pytest.fixture
def number(batch: Batches) -> int:
    """A case with a thread and a lane, which the writer has seen once more since."""
    with batch() as uow:
        case = Conversation(0, "main", "c-1", 1, "chat", Stage.ACTIVE, "support", START, START)
        found = uow.conversations.start(case).number
        uow.lanes.open(found, Reader.THREAD)
        uow.lanes.add_binding(
            Binding(0, found, 1, *THREAD, state=BindingState.OPEN, first_seq=1, last_seq=1, created_at=START)
        )
        uow.due.put("stale", found, START)
        uow.people.operator_for(ANNA)
    with batch() as uow:
        uow.prepare(hints())
    return found


def hints() -> Hints:
    """Of a message in that thread."""
    return Hints(threads={THREAD}, accounts={("fake", "U-anna")})


def look(uow: UnitOfWork, number: int) -> tuple[Any, ...]:
    """What a handler sees of the case."""
    uow.prepare(hints())
    case, lane = uow.conversations.get(number), uow.lanes.lane(number, Reader.THREAD)
    assert case is not None
    assert lane is not None
    binding = uow.lanes.binding_at(*THREAD)
    assert binding is not None
    return case.team, lane.position, binding.last_seq, uow.due.at("stale", number)


def test_what_the_last_batch_saw_is_not_read_again(batch: Batches, number: int) -> None:
    with batch() as uow:
        assert look(uow, number) == ("support", 0, 1, START)
        assert uow.lanes.lane(number, Reader.EMAIL) is None
        assert uow.people.known(ANNA) is not None
        assert batch.reads == []


def test_what_the_last_batch_wrote_is_what_the_next_sees(batch: Batches, number: int) -> None:
    with batch() as uow:
        uow.lanes.lane(number, Reader.THREAD).position = 7  # type: ignore[union-attr]
        uow.due.drop("stale", number)
        uow.lanes.open(number, Reader.EMAIL)
    with batch() as uow:
        assert look(uow, number) == ("support", 7, 1, None)
        assert uow.lanes.lane(number, Reader.EMAIL) is not None
        assert batch.reads == []


def test_what_another_process_wrote_is_seen(batch: Batches, number: int, database_url: str) -> None:
    other = writing_engine(database_url)
    with other.begin() as connection:
        connection.execute(text("UPDATE conversation SET team = 'other'"))
        connection.execute(text("UPDATE lane SET position = 9"))
    other.dispose()
    with batch() as uow:
        assert look(uow, number)[:2] == ("other", 9)


def test_what_another_process_wrote_while_a_batch_was_committed_is_seen(
    batch: Batches, number: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = writing_engine(database_url)
    with batch() as uow:
        uow.lanes.lane(number, Reader.THREAD).position = 7  # type: ignore[union-attr]
        behind = uow.remember

        def late() -> None:
            with other.begin() as connection:
                connection.execute(text("UPDATE lane SET position = 9"))
            behind()

        monkeypatch.setattr(uow, "remember", late)
    other.dispose()
    with batch() as uow:
        assert look(uow, number)[1] == 9


def test_what_somebody_else_wrote_through_our_own_connection_is_seen(batch: Batches, number: int) -> None:
    with batch.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE lane SET position = 9")
        connection.commit()
    with batch() as uow:
        assert look(uow, number)[1] == 9


def test_a_batch_that_was_rolled_back_leaves_nothing(batch: Batches, number: int) -> None:
    def write_and_fail(uow: UnitOfWork) -> None:
        uow.lanes.lane(number, Reader.THREAD).position = 7  # type: ignore[union-attr]
        uow.due.drop("stale", number)
        uow.flush()
        raise Refused("no")

    with pytest.raises(Refused), batch() as uow:
        write_and_fail(uow)
    with batch() as uow:
        assert look(uow, number) == ("support", 0, 1, START)


@pytest.mark.parametrize(
    "statement", [update(table(LaneRow)).values(position=9), text("UPDATE lane SET position = 9")]
)
def test_a_handler_that_writes_past_the_rows_is_noticed(batch: Batches, number: int, statement: Any) -> None:
    with batch() as uow:
        look(uow, number)
        uow.conversations._connection.execute(statement)
    with batch() as uow:
        assert look(uow, number)[1] == 9


def test_what_people_wrote_is_not_kept_once_it_was_erased(batch: Batches, number: int) -> None:
    with batch() as uow:
        uow.conversations.get(number).packet = {"issue": "my secret"}  # type: ignore[union-attr]
    with batch() as uow:
        assert look(uow, number)
        uow.conversations.get(number).packet = {}  # type: ignore[union-attr]
    assert "my secret" not in str(batch.memory.tables)
    with batch() as uow:
        assert uow.conversations.get(number).packet == {}  # type: ignore[union-attr]


def test_json_is_seen_as_the_database_gives_it_back(batch: Batches, number: int) -> None:
    with batch() as uow:
        uow.conversations.get(number).packet = {"tried": ("a", "b")}  # type: ignore[union-attr]
    with batch() as uow:
        assert uow.conversations.get(number).packet == {"tried": ["a", "b"]}  # type: ignore[union-attr]


def test_no_more_than_so_much_is_kept_and_what_was_used_last(
    batch: Batches, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(memories.MOST, table(ConversationRow).name, 3)
    for index in range(5):
        with batch() as uow:
            look(uow, number)
            case = Conversation(0, "main", f"d-{index}", 1, "chat", Stage.OPEN, "support", START, START)
            uow.conversations.start(case)
        with batch() as uow:
            uow.conversations.page()
            look(uow, number)
    kept = batch.memory.tables[table(ConversationRow).name]
    assert len(kept) == 3
    assert (number,) in kept
    assert len(batch.memory.whole) <= 3


def test_a_case_that_was_forgotten_is_read_again(batch: Batches, number: int) -> None:
    batch.memory.forget()
    with batch() as uow:
        assert look(uow, number) == ("support", 0, 1, START)
        assert len(batch.reads) > 3


@dataclass(frozen=True)
class Do:
    """Runs a function as a handler."""

    what: Callable[[UnitOfWork], Any]


async def test_a_handler_that_fails_after_it_wrote_leaves_the_others_what_is_true(
    database_url: str, settings: Settings, clock: ManualClock
) -> None:
    writer = Writer(writing_engine(database_url), settings, {Do: lambda uow, do: do.what(uow)}, clock)
    writer.start()

    def write_and_fail(uow: UnitOfWork) -> None:
        uow.due.put("stale", 1, START + 5)
        uow.flush()
        raise ValueError("broken")

    await writer.submit(Do(lambda uow: uow.due.put("stale", 1, START)))
    with pytest.raises(ValueError, match="broken"):
        await writer.submit(Do(write_and_fail))
    assert await writer.submit(Do(lambda uow: uow.due.at("stale", 1))) == START
    await writer.stop()


def test_replicas_share_their_rows_so_nothing_is_kept_on_postgresql() -> None:
    engine = writing_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert memory_of(engine) is None
