"""Many rows by one statement: all of them, in their order, as their columns' types want them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from bot.conversation import Conversation, Stage
from bot.entries import Author, Draft, Kind, Reader
from bot.files import File
from bot.lanes import Lane
from bot.settings import Settings
from storage.engine import writing_engine
from storage.unit_of_work import UnitOfWork
from tests.storage.world import START


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = writing_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def fresh(connection: Connection, settings: Settings) -> UnitOfWork:
    return UnitOfWork(connection, settings, START)


@pytest.mark.parametrize("amount", [1, 2, 3, 31, 32, 33, 100])
def test_however_many_rows_are_added_all_are_there(
    connection: Connection, settings: Settings, amount: int
) -> None:
    uow = fresh(connection, settings)
    case = Conversation(0, "main", "c-1", 1, "chat", Stage.OPEN, "support", START, START)
    uow.conversations.start(case)
    for index in range(amount):
        uow.log.append(case, Draft(Kind.MESSAGE, Author.SHOPPER, text=f"t{index}", data={"n": [index, None]}))
        uow.due.put("stale", index, START + index)
    uow.flush()
    uow = fresh(connection, settings)
    said = uow.log.after(case.number, 0)
    assert [(one.seq, one.text, one.data) for one in said] == [
        (index + 1, f"t{index}", {"n": [index, None]}) for index in range(amount)
    ]
    assert [at for _, _, at in uow.due.ripe(START + 1000, 200)] == [START + index for index in range(amount)]


def test_a_row_whose_fields_stand_in_another_order_than_the_columns(
    connection: Connection, settings: Settings
) -> None:
    files = [
        File(
            f"f{at}", "main", name="a.png", mime="image/png", size=10 + at, created_at=START, conversation=at
        )
        for at in range(3)
    ]
    uow = fresh(connection, settings)
    for file in files:
        uow.files.add(file)
    uow.flush()
    assert [fresh(connection, settings).files.get(file.id) for file in files] == files


def test_many_rows_are_changed_and_removed_each_by_its_own_values(
    connection: Connection, settings: Settings
) -> None:
    uow = fresh(connection, settings)
    for number in range(1, 6):
        uow.lanes.open(number, Reader.THREAD)
        uow.due.put("stale", number, START)
    uow.flush()
    uow = fresh(connection, settings)
    for number in range(1, 6):
        lane = uow.lanes.lane(number, Reader.THREAD)
        assert lane is not None
        lane.position, lane.fault = number * 10, f"fault {number}" if number % 2 else None
        if number > 2:
            uow.due.drop("stale", number)
    uow.flush()
    uow = fresh(connection, settings)
    assert [uow.lanes.lane(number, Reader.THREAD) for number in range(1, 6)] == [
        Lane(number, Reader.THREAD, number * 10, fault=f"fault {number}" if number % 2 else None)
        for number in range(1, 6)
    ]
    assert [number for _, number, _ in uow.due.ripe(START, 10)] == [1, 2]


def test_entries_of_several_conversations_are_read_at_once(
    connection: Connection, settings: Settings
) -> None:
    uow = fresh(connection, settings)
    cases = [
        uow.conversations.start(
            Conversation(0, "main", f"c-{index}", 1, "chat", Stage.OPEN, "support", START, START)
        )
        for index in range(2)
    ]
    for case in cases:
        for index in range(4):
            uow.log.append(case, Draft(Kind.MESSAGE, Author.SHOPPER, text=f"{case.external_id} {index + 1}"))
    first, second = (case.number for case in cases)
    found = uow.log.at([(second, 4), (first, 2), (first, 3), (second, 9)])
    assert [one.text for one in found] == ["c-0 2", "c-0 3", "c-1 4"]
    assert uow.log.at([]) == []


def test_a_lane_that_is_put_off_wakes_nobody(connection: Connection, settings: Settings) -> None:
    uow = fresh(connection, settings)
    for number, put_off in ((1, START + 5), (2, 0.0)):
        uow.lanes.open(number, Reader.THREAD).not_before = put_off
        uow.lanes.wake(number, Reader.THREAD)
    uow.flush()
    assert uow.changes().lanes == {(2, Reader.THREAD)}
