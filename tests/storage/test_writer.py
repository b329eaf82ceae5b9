"""The writer: what is promised to a caller, and what one handler's failure does to the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from bot.errors import Busy, NotStored, Refused
from bot.people import Shopper
from bot.ports import Changes, UnitOfWork
from bot.settings import Settings
from storage.engine import reading_engine, writing_engine
from storage.reads import Reads
from storage.writer import BACKGROUND_SHARE, MOST_IN_A_BATCH, Writer
from tests.storage.world import ManualClock, World


@dataclass(frozen=True)
class Do:
    """Runs a function as a handler."""

    what: Callable[[UnitOfWork], Any]


class Watched(Writer):
    """Counts commits; `before` and `behind` run around each."""

    commits = 0
    before: Callable[[], None] = staticmethod(lambda: None)
    behind: Callable[[], None] = staticmethod(lambda: None)

    def _commit(self, connection: Connection) -> None:
        self.before()
        super()._commit(connection)
        self.commits += 1
        self.behind()


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a loaded machine too, what waits together is one batch."""
    monkeypatch.setattr("storage.writer.BATCH_SECONDS", 10.0)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return writing_engine(database_url)


@pytest.fixture
async def writer(engine: Engine, settings: Settings, clock: ManualClock) -> AsyncIterator[Watched]:
    writer = Watched(engine, settings, {Do: lambda uow, command: command.what(uow)}, clock)
    yield writer
    if writer._thread is not None:
        await writer.stop()
    engine.dispose()


@pytest.fixture
async def reads(database_url: str, settings: Settings, clock: ManualClock) -> AsyncIterator[Reads]:
    engine = reading_engine(database_url)
    reads = Reads(engine, settings, clock, threads=1)
    yield reads
    reads.close()
    engine.dispose()


def add(name: str) -> Do:
    return Do(lambda uow: uow.people.add_shopper(Shopper(0, "main", name, 1.0)).external_id)


async def names(reads: Reads, *asked: str) -> list[bool]:
    return [
        await reads(lambda uow, name=name: uow.people.shopper_named("main", name) is not None)  # type: ignore[misc]
        for name in asked
    ]


async def together(writer: Writer, *commands: Do) -> list[Any]:
    """Queued before the writer starts, so that they are one batch."""
    asked = [asyncio.ensure_future(_submit(writer, command)) for command in commands]
    writer._loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    writer.start()
    return await asyncio.gather(*asked, return_exceptions=True)


async def _submit(writer: Writer, command: Do) -> Any:
    return await writer.submit(command)


async def test_an_answer_comes_only_after_the_commit(writer: Watched, reads: Reads) -> None:
    seen: list[bool] = []
    asked: list[asyncio.Future[Any]] = []
    writer.before = lambda: seen.append(asked[0].done())  # type: ignore[method-assign, assignment]
    writer.start()
    asked.append(asyncio.ensure_future(_submit(writer, add("a"))))
    assert await asked[0] == "a"
    assert seen == [False]
    assert await names(reads, "a") == [True]


async def test_a_commit_that_fails_is_no_answer(writer: Watched, reads: Reads) -> None:
    def broken() -> None:
        raise OSError("disk full")

    writer.before = broken  # type: ignore[method-assign, assignment]
    writer.start()
    with pytest.raises(OSError, match="disk full"):
        await writer.submit(add("a"))
    assert await names(reads, "a") == [False]


async def test_waiting_commands_share_one_commit(writer: Watched) -> None:
    assert await together(writer, add("a"), add("b"), add("c")) == ["a", "b", "c"]
    assert writer.commits == 1


async def test_a_refusal_disturbs_nobody(writer: Watched, reads: Reads) -> None:
    def refuse(uow: UnitOfWork) -> None:
        raise Refused("no")

    one, refused, two = await together(writer, add("a"), Do(refuse), add("b"))
    assert (one, two) == ("a", "b")
    assert isinstance(refused, Refused)
    assert writer.commits == 1
    assert await names(reads, "a", "b") == [True, True]


@pytest.mark.parametrize("error", [Refused("too late"), ValueError("a bug")])
async def test_a_failure_after_a_write_rolls_back_only_itself(
    writer: Watched, reads: Reads, error: Exception
) -> None:
    def half(uow: UnitOfWork) -> None:
        uow.people.add_shopper(Shopper(0, "main", "half", 1.0))
        raise error

    one, failed, two = await together(writer, add("a"), Do(half), add("b"))
    assert (one, two) == ("a", "b")
    assert type(failed) is type(error)
    assert str(failed) == str(error)
    assert await names(reads, "a", "half", "b") == [True, False, True]


async def test_a_failure_of_the_database_is_the_failure_of_its_own_command(
    writer: Watched, reads: Reads
) -> None:
    one, twin, two = await together(writer, add("a"), add("a"), add("b"))
    assert (one, two) == ("a", "b")
    assert isinstance(twin, NotStored)
    assert await names(reads, "a", "b") == [True, True]


async def test_a_handler_sees_what_those_before_it_wrote(writer: Watched) -> None:
    look = Do(lambda uow: uow.people.shopper_named("main", "a") is not None)
    assert await together(writer, look, add("a"), look) == [False, "a", True]


async def test_commands_are_handled_in_the_order_they_came_over_many_batches(writer: Watched) -> None:
    order: list[int] = []
    commands = [Do(lambda uow, n=n: order.append(n)) for n in range(3 * MOST_IN_A_BATCH)]  # type: ignore[misc]
    await together(writer, *commands)
    assert order == sorted(order)
    assert writer.commits >= 3


async def test_a_batch_ends_when_its_time_is_over_and_the_rest_keeps_its_order(
    writer: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr("storage.writer.BATCH_SECONDS", 0.005)

    order: list[str] = []

    def slow(uow: UnitOfWork) -> None:
        time.sleep(0.006)
        monkeypatch.setattr(
            "storage.writer.BATCH_SECONDS", 10.0
        )  # the rest is one batch, however slow we are
        order.append("slow")

    await together(writer, Do(slow), *(Do(lambda uow, n=n: order.append(n)) for n in "abc"))  # type: ignore[misc]
    assert order == ["slow", "a", "b", "c"]
    assert writer.commits == 2


async def test_busy_when_the_queue_is_longer_than_a_second(writer: Watched) -> None:
    writer._loop = asyncio.get_running_loop()
    writer._seconds_each = 11.0
    waiting = [asyncio.ensure_future(_submit(writer, add(str(n)))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await writer.submit(add("more"))
    assert refused.value.retry_after >= 1.0
    assert writer.waiting == 3
    writer.start()
    assert await asyncio.gather(*waiting) == ["0", "1", "2"]


async def test_stop_finishes_what_was_taken_and_takes_no_more(writer: Watched) -> None:
    writer.start()
    waiting = [asyncio.ensure_future(_submit(writer, add(str(n)))) for n in range(5)]
    await asyncio.sleep(0)
    await writer.stop()
    assert await asyncio.gather(*waiting) == ["0", "1", "2", "3", "4"]
    with pytest.raises(Busy):
        await writer.submit(add("late"))


async def test_a_caller_that_goes_away_does_not_undo_what_was_committed(
    writer: Watched, reads: Reads
) -> None:
    writer.start()
    asked = asyncio.ensure_future(_submit(writer, add("a")))
    await asyncio.sleep(0)
    asked.cancel()
    assert await writer.submit(add("b")) == "b"
    assert await names(reads, "a") == [True]


async def test_an_unknown_command_is_refused_at_once(writer: Watched) -> None:
    writer.start()
    with pytest.raises(TypeError, match="no handler for str"):
        await writer.submit("hello")


async def test_the_waiting_are_told_after_the_commit_and_not_of_what_was_rolled_back(world: World) -> None:
    told: list[Changes] = []
    stop = world.writer.subscribe(told.append)
    number = await world.escalate("c-1", "helo")
    assert [entry.kind for entry in told[-1].appended[number]] == ["message", "escalated", "notice"]
    assert number in told[-1].touched
    before = len(told)
    with pytest.raises(Refused):
        await world.writes("x", window=world.window(shopper="s-9"))
    assert len(told) == before
    stop()
    await world.writes("hello")
    assert len(told) == before


async def test_what_is_told_is_the_newest_text(world: World) -> None:
    from bot import commands

    told: list[Changes] = []
    number = await world.escalate()
    world.writer.subscribe(told.append)
    commands_ = (
        commands.ShopperWrites(world.window(), "w1", "helo"),
        commands.EditTurn("main", "c-1", "w1", "hello", "1"),
        commands.ShopperWrites(world.window(), "w2", "4111"),
        commands.DeleteTurn("main", "c-1", "w2"),
    )
    with world.writer._ready:  # the writer's thread takes none before all are there: one batch
        asked = [asyncio.ensure_future(world.submit(command)) for command in commands_]
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert [entry.text for entry in told[0].appended[number] if entry.kind == "message"] == ["hello", ""]


async def test_typing_is_told_and_not_stored(world: World) -> None:
    from bot import commands

    number = await world.escalate()
    head = (await world.case(number)).head
    told: list[Changes] = []
    world.writer.subscribe(told.append)
    await world.submit(commands.Typing(world.window()))
    assert [one for changes in told for one in changes.typing] == [(number, "shopper", None)]
    assert (await world.case(number)).head == head


async def test_all_of_a_batch_has_one_time(writer: Watched, clock: ManualClock) -> None:
    def now(uow: UnitOfWork) -> float:
        clock.advance(1)
        return uow.now

    times = await together(writer, Do(now), Do(now))
    assert times[0] == times[1]


async def test_reads_see_commits_and_cannot_write(writer: Watched, reads: Reads) -> None:
    writer.start()
    await writer.submit(add("a"))

    def change(uow: UnitOfWork) -> str:
        shopper = uow.people.shopper_named("main", "a")
        assert shopper is not None
        shopper.name = "changed"
        return "done"

    assert await reads(change) == "done"
    found = await reads(lambda uow: uow.people.shopper_named("main", "a"))
    assert found is not None
    assert found.name is None


async def test_settings_reach_the_handlers(engine: Engine, settings: Settings, clock: ManualClock) -> None:
    changed = replace(settings, queue_seconds=7.0)
    writer = Watched(engine, changed, {Do: lambda uow, command: command.what(uow)}, clock)
    writer.start()
    assert await writer.submit(Do(lambda uow: uow.settings.queue_seconds)) == 7.0
    await writer.stop()
    engine.dispose()


async def test_a_database_fault_is_told_without_what_people_wrote(
    writer: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    writer.start()
    await writer.submit(add("4111-secret"))
    with pytest.raises(NotStored, match="IntegrityError") as failed:
        await writer.submit(add("4111-secret"))
    assert "4111" not in str(failed.value)
    assert "4111" not in caplog.text


# --- commands for which nobody waits --------------------------------------------------------------------------


@dataclass(frozen=True)
class Later(Do):
    """The same, in the background."""


@pytest.fixture
async def two_kinds(engine: Engine, settings: Settings, clock: ManualClock) -> AsyncIterator[Watched]:
    def run(uow: UnitOfWork, command: Do) -> Any:
        return command.what(uow)

    writer = Watched(engine, settings, {Do: run, Later: run}, clock, background={Later})
    yield writer
    await writer.stop()
    engine.dispose()


async def test_those_for_whom_somebody_waits_come_first(two_kinds: Watched) -> None:
    order: list[str] = []
    later = [Later(lambda uow: order.append("later")) for _ in range(200)]
    await together(two_kinds, *later, *(Do(lambda uow: order.append("now")) for _ in range(20)))
    assert "now" in order[: BACKGROUND_SHARE + 1]
    assert order.index("later", 30) > max(i for i, one in enumerate(order) if one == "now")


async def test_the_background_goes_on_however_many_are_in_front_of_it(
    two_kinds: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when each batch ends after its first command."""
    monkeypatch.setattr("storage.writer.BATCH_SECONDS", 0.0)
    order: list[str] = []
    now = [Do(lambda uow: order.append("now")) for _ in range(60)]
    await together(two_kinds, *now, Later(lambda uow: order.append("later")))
    assert order.index("later") < 5


async def test_the_background_is_never_refused_for_being_much(
    engine: Engine, settings: Settings, clock: ManualClock
) -> None:
    writer = Watched(
        engine,
        replace(settings, queue_seconds=0.0),
        {Later: lambda uow, one: one.what(uow)},
        clock,
        background={Later},
    )
    answers = await together(writer, *(Later(lambda uow, n=n: n) for n in range(100)))  # type: ignore[misc]
    assert answers == list(range(100))
    await writer.stop()
    engine.dispose()
