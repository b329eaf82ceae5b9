"""A database that is full, locked, away or read-only: everybody is told, nothing is lost, and it heals by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.errors import Busy, Unavailable
from bot.handlers.hints import Hints
from bot.people import Shopper
from bot.ports import UnitOfWork
from bot.settings import Settings
from storage.engine import reading_engine, writing_engine
from storage.reads import Reads
from storage.unit_of_work import UnitOfWork as StoredUnitOfWork
from storage.writer import Writer
from tests.ailments import Away, FullDisk, HeldRows, LockedFile, ReadOnly, Restarted
from tests.storage.world import ManualClock, World
from tests.waiting import until

SQLITE, POSTGRESQL = "sqlite", "postgresql"
LONG = "x" * 40_000
"""More than the pages that are there have room for."""


@dataclass(frozen=True)
class Do:
    """Runs a function as a handler; `number` is the conversation it is about."""

    what: Callable[[UnitOfWork], Any]
    number: int | None = None


def hinted(commands: Any) -> Hints:
    return Hints(numbers={command.number for command in commands if command.number})


def add(name: str) -> Do:
    return Do(lambda uow: uow.people.add_shopper(Shopper(0, "main", name, 1.0, name=LONG)).external_id)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine.BUSY_SECONDS", 0.2)
    monkeypatch.setattr("storage.engine.LOCK_MS", 200)
    monkeypatch.setattr("storage.writer.PROBE_SECONDS", 0.05)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return writing_engine(database_url)


@pytest.fixture
async def writer(engine: Engine, settings: Settings, clock: ManualClock) -> AsyncIterator[Writer]:
    patient = replace(settings, queue_seconds=60.0)
    writer = Writer(engine, patient, {Do: lambda uow, command: command.what(uow)}, clock, hinted)
    writer.start()
    yield writer
    await writer.stop()
    engine.dispose()


async def _submit(writer: Writer, command: Do) -> Any:
    return await writer.submit(command)


def is_there(engine: Engine, settings: Settings, clock: ManualClock, name: str) -> bool:
    with engine.connect() as connection:
        uow = StoredUnitOfWork(connection, settings, clock())
        return uow.people.shopper_named("main", name) is not None


AILMENTS = [
    pytest.param(SQLITE, FullDisk, id="full"),
    pytest.param(SQLITE, LockedFile, id="locked"),
    pytest.param(POSTGRESQL, Away, id="away"),
    pytest.param(POSTGRESQL, ReadOnly, id="read-only"),
]
each_ailment = pytest.mark.parametrize(("database_url", "ailment"), AILMENTS, indirect=["database_url"])


@each_ailment
async def test_who_asks_is_told_to_come_back_and_readiness_says_the_cure(
    writer: Writer, engine: Engine, ailment: Any
) -> None:
    ill = ailment(engine)
    ill.begin()
    try:
        with pytest.raises(Unavailable) as told:
            await writer.submit(add("a"))
        assert ill.cure_says in told.value.cure
        assert ill.cure_says in (
            writer.trouble or ill.cure_says
        )  # a small write may go through on a full disk
    finally:
        ill.cure()


@each_ailment
async def test_it_goes_on_without_a_restart(
    writer: Writer, engine: Engine, settings: Settings, clock: ManualClock, ailment: Any
) -> None:
    ill = ailment(engine)
    ill.begin()
    try:
        with pytest.raises(Unavailable):
            await writer.submit(add("a"))
    finally:
        ill.cure()
    await until(lambda: writer.trouble is None)
    assert await writer.submit(add("a")) == "a"
    assert is_there(engine, settings, clock, "a")


@pytest.mark.parametrize("database_url", [SQLITE], indirect=True)
async def test_all_who_wait_are_told_at_once_instead_of_each_waiting_for_the_lock(
    writer: Writer, engine: Engine
) -> None:
    ill = LockedFile(engine)
    ill.begin()
    attempts: list[int] = []
    attempt = writer._attempt
    writer._attempt = lambda jobs, **how: attempts.append(len(jobs)) or attempt(jobs, **how)  # type: ignore[method-assign]
    try:
        answers = await asyncio.gather(
            *(_submit(writer, add(str(n))) for n in range(40)), return_exceptions=True
        )
    finally:
        ill.cure()
    assert {type(answer) for answer in answers} == {Unavailable}
    assert len(attempts) <= 2


@pytest.mark.parametrize("database_url", [SQLITE], indirect=True)
async def test_while_it_is_ill_nobody_waits_for_it(writer: Writer, engine: Engine) -> None:
    ill = LockedFile(engine)
    ill.begin()
    try:
        with pytest.raises(Unavailable):
            await writer.submit(add("a"))
        asked = asyncio.ensure_future(_submit(writer, add("b")))
        await asyncio.sleep(0)
        assert asked.done()
        assert isinstance(asked.exception(), Unavailable)
    finally:
        ill.cure()


@pytest.mark.parametrize("database_url", [SQLITE], indirect=True)
async def test_a_batch_that_stands_still_makes_newcomers_come_back_later(
    engine: Engine, settings: Settings, clock: ManualClock
) -> None:
    writer = Writer(
        engine, replace(settings, queue_seconds=0.02), {Do: lambda uow, command: command.what(uow)}, clock
    )
    writer.start()
    ill = LockedFile(engine)
    ill.begin()
    try:
        first = asyncio.ensure_future(_submit(writer, add("a")))
        await until(lambda: writer._stuck() > 0.02)
        with pytest.raises(Busy):
            await writer.submit(add("b"))
        with pytest.raises(Unavailable):
            await first
    finally:
        ill.cure()
    await writer.stop()
    engine.dispose()


@pytest.mark.parametrize("database_url", [SQLITE], indirect=True)
async def test_it_is_logged_once_when_it_begins_and_once_when_it_ends(
    writer: Writer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    ill = LockedFile(engine)
    ill.begin()
    try:
        for name in ("a", "b", "c"):
            with pytest.raises(Unavailable):
                await writer.submit(add(name))
    finally:
        ill.cure()
    await until(lambda: writer.trouble is None)
    said = [record.getMessage() for record in caplog.records if record.name == "baton.writer"]
    assert said == ["nothing can be stored", "the database takes what is written again"]
    assert LONG not in caplog.text


@pytest.mark.parametrize("database_url", [SQLITE], indirect=True)
async def test_it_can_be_stopped_while_it_is_ill(
    engine: Engine, settings: Settings, clock: ManualClock
) -> None:
    writer = Writer(engine, settings, {Do: lambda uow, command: command.what(uow)}, clock)
    writer.start()
    ill = LockedFile(engine)
    ill.begin()
    try:
        with pytest.raises(Unavailable):
            await writer.submit(add("a"))
        async with asyncio.timeout(5):
            await writer.stop()
    finally:
        ill.cure()
    engine.dispose()


@pytest.mark.parametrize("database_url", [POSTGRESQL], indirect=True)
async def test_connections_lost_between_two_commands_are_noticed_by_nobody(
    writer: Writer, engine: Engine
) -> None:
    assert await writer.submit(add("a")) == "a"
    Restarted(engine).begin()
    assert await writer.submit(add("b")) == "b"
    assert writer.trouble is None


@pytest.mark.parametrize("database_url", [POSTGRESQL], indirect=True)
async def test_a_connection_lost_in_the_middle_is_replaced_and_its_commands_run_again(
    writer: Writer, engine: Engine, settings: Settings, clock: ManualClock
) -> None:
    broken = Restarted(engine)
    times: list[int] = []

    def interrupted(uow: UnitOfWork) -> str:
        times.append(1)
        if len(times) == 1:
            broken.begin()
        return uow.people.add_shopper(Shopper(0, "main", "mid", 1.0)).external_id

    assert await writer.submit(Do(interrupted)) == "mid"
    assert is_there(engine, settings, clock, "mid")
    assert writer.trouble is None


@pytest.mark.parametrize("database_url", [POSTGRESQL], indirect=True)
async def test_reads_survive_a_lost_connection(
    database_url: str, settings: Settings, clock: ManualClock
) -> None:
    engine = reading_engine(database_url)
    reads = Reads(engine, settings, clock)
    broken = Restarted(engine)
    times: list[int] = []

    def read(uow: UnitOfWork) -> Any:
        times.append(1)
        uow.conversations.stages()
        if len(times) == 1:
            broken.begin()
        return uow.conversations.stages()

    assert await reads(read) is not None
    assert len(times) == 2
    reads.close()
    engine.dispose()


@pytest.mark.parametrize("database_url", [POSTGRESQL], indirect=True)
async def test_reads_say_that_the_database_is_away(
    database_url: str, settings: Settings, clock: ManualClock
) -> None:
    engine = reading_engine(database_url)
    reads = Reads(engine, settings, clock)
    ill = Away(engine)
    ill.begin()
    try:
        with pytest.raises(Unavailable) as told:
            await reads(lambda uow: uow.conversations.stages())
        assert ill.cure_says in told.value.cure
    finally:
        ill.cure()
    reads.close()
    engine.dispose()


@pytest.mark.parametrize("database_url", [POSTGRESQL], indirect=True)
async def test_rows_that_a_stopped_replica_holds_keep_back_their_own_commands_only(
    world: World, settings: Settings, clock: ManualClock, database_url: str
) -> None:
    held, free = await world.escalate("held"), await world.escalate("free")
    engine = writing_engine(database_url)
    handlers = {Do: lambda uow, command: uow.conversations.get(command.number).number}
    writer = Writer(engine, replace(settings, queue_seconds=60.0), handlers, clock, hinted)
    elsewhere = HeldRows(engine, held)
    try:
        asked = [
            asyncio.ensure_future(_submit(writer, Do(lambda _: None, number))) for number in (held, free)
        ]
        writer._loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        writer.start()
        kept, served = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(kept, Unavailable)
        assert served == free
        assert writer.trouble is None
    finally:
        elsewhere.cure()
    assert await writer.submit(Do(lambda _: None, held)) == held
    await writer.stop()
    engine.dispose()
