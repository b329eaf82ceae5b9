"""What the writer's short cuts must not cost: attempts to make it forget, repeat, mix up or stand still."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.arrivals import Arrivals, thread_lane
from bot.commands import Claim, ThreadMessage
from bot.conversation import Conversation, Stage
from bot.entries import Reader
from bot.errors import Busy, Refused
from bot.handlers.hints import Hints
from bot.lanes import Binding, BindingState
from bot.people import Actor
from bot.ports import UnitOfWork
from bot.settings import Settings
from storage.engine import writing_engine
from storage.writer import Writer
from tests.storage.world import ANNA, BEN, START, ManualClock, World

STORAGE = Path(__file__).parents[2] / "storage"
OLD, NEW = ("fake", "C1", "1.1"), ("fake", "C1", "2.2")


@dataclass(frozen=True)
class Do:
    """Runs a function as a handler; `place` as the commands of a thread have it."""

    what: Callable[[UnitOfWork], Any]
    hints: Hints | None = None


def new_writer(url: str, settings: Settings, clock: ManualClock) -> Writer:
    def hints_of(commands: Any) -> Hints:
        found = Hints()
        for one in commands:
            if one.hints is not None:
                found.threads |= one.hints.threads
                found.accounts |= one.hints.accounts
        return found

    return Writer(writing_engine(url), settings, {Do: lambda uow, do: do.what(uow)}, clock, hints_of)


@pytest.fixture
async def writer(database_url: str, settings: Settings, clock: ManualClock) -> AsyncIterator[Writer]:
    writer = new_writer(database_url, settings, clock)
    writer.start()
    yield writer
    await writer.stop()
    writer._engine.dispose()


def open_case(uow: UnitOfWork, name: str = "c-1", **rest: Any) -> Conversation:
    case = Conversation(0, "main", name, 1, "chat", Stage.ACTIVE, "support", START, START, **rest)
    return uow.conversations.start(case)


def bind(uow: UnitOfWork, number: int, thread: tuple[str, str, str]) -> int:
    binding = Binding(
        0, number, 1, *thread, state=BindingState.OPEN, first_seq=1, last_seq=1, created_at=START
    )
    return uow.lanes.add_binding(binding).id


# --- after the commit -----------------------------------------------------------------------------------------


@pytest.mark.sqlite_only
async def test_what_was_committed_is_not_done_again_because_it_could_not_be_remembered(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer._memory is not None
    await writer.submit(Do(lambda uow: uow.due.put("stale", 1, START)))
    done: list[float | None] = []

    def break_once() -> None:
        monkeypatch.undo()
        raise RuntimeError("broken")

    monkeypatch.setattr(writer._memory, "committed", break_once)

    def take(uow: UnitOfWork) -> bool:
        done.append(uow.due.at("stale", 1))
        return uow.due.take("stale", 1, START)

    assert await writer.submit(Do(take)) is True
    assert done == [START]
    assert await writer.submit(Do(lambda uow: uow.due.at("stale", 1))) is None


async def test_a_handler_that_ends_by_stop_iteration_holds_up_nobody(writer: Writer) -> None:
    """Such an error cannot be handed to a future; a `next` without a default raises it."""
    empty: list[int] = []
    broken = asyncio.ensure_future(writer.submit(Do(lambda _: next(iter(empty)))))
    good = asyncio.ensure_future(writer.submit(Do(lambda _: "good")))
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(broken, 5)
    assert await asyncio.wait_for(good, 5) == "good"


async def test_a_clock_too_coarse_to_measure_work_does_not_end_the_writer(writer: Writer) -> None:
    writer._work_each = 0.0
    assert await asyncio.wait_for(writer.submit(Do(lambda _: "done")), 5) == "done"


# --- what is kept ---------------------------------------------------------------------------------------------


@pytest.mark.sqlite_only
async def test_a_thread_whose_bindings_id_was_given_to_another_case_leads_to_nobody(writer: Writer) -> None:
    """SQLite gives the highest id again once its row is gone."""
    first = await writer.submit(Do(lambda uow: bind(uow, open_case(uow).number, OLD)))
    look = Hints(threads={OLD})

    def give_again(uow: UnitOfWork) -> int:
        uow.lanes.bound.remove(uow.lanes.binding(first))  # type: ignore[attr-defined]
        uow.flush()  # type: ignore[attr-defined]
        return bind(uow, open_case(uow, "c-2").number, NEW)

    assert await writer.submit(Do(give_again)) == first
    assert await writer.submit(Do(lambda uow: uow.lanes.binding_at(*OLD), look)) is None
    found = await writer.submit(Do(lambda uow: uow.lanes.binding_at(*NEW), Hints(threads={NEW})))
    assert found.id == first


@pytest.mark.sqlite_only
async def test_an_account_whose_id_was_given_to_another_person_is_not_taken_for_them(writer: Writer) -> None:
    first = await writer.submit(Do(lambda uow: uow.people.operator_for(ANNA).id))

    def give_again(uow: UnitOfWork) -> int:
        uow.people.operators.remove(uow.people.operator(first))  # type: ignore[attr-defined]
        uow.flush()  # type: ignore[attr-defined]
        return uow.people.operator_for(BEN).id

    assert await writer.submit(Do(give_again)) == first
    assert await writer.submit(Do(lambda uow: uow.people.known(ANNA))) is None


async def test_json_of_a_new_row_is_seen_as_the_database_gives_it_back(writer: Writer) -> None:
    number = await writer.submit(Do(lambda uow: open_case(uow, packet={"tried": ("a", "b")}).number))
    packet = await writer.submit(Do(lambda uow: uow.conversations.get(number).packet))
    assert packet == {"tried": ["a", "b"]}


def test_statements_past_the_rows_are_ones_that_the_memory_notices() -> None:
    """`exec_driver_sql` is not told to `Memory`: only the rows' own statements and the engine's may go by it."""
    past = re.compile(r"exec_driver_sql|\.cursor\(|raw_connection|dbapi_connection")
    using = {
        path.name
        for path in STORAGE.rglob("*.py")
        if "migrations" not in path.parts and past.search(path.read_text())
    }
    assert using <= {"prepared.py", "engine.py", "memory.py", "bell.py"}


@pytest.mark.sqlite_only
async def test_a_shell_that_writes_between_two_batches_is_believed(writer: Writer, database_url: str) -> None:
    number = await writer.submit(Do(lambda uow: open_case(uow).number))
    other = writing_engine(database_url)
    for round in range(5):
        with other.begin() as connection:
            connection.execute(text(f"UPDATE conversation SET team = 't{round}'"))
        assert await writer.submit(Do(lambda uow: uow.conversations.get(number).team)) == f"t{round}"
    other.dispose()


@pytest.mark.sqlite_only
async def test_what_another_process_erased_does_not_live_on_behind_the_next_batch(
    writer: Writer, database_url: str
) -> None:
    number = await writer.submit(Do(lambda uow: open_case(uow, packet={"issue": "my secret"}).number))
    await writer.submit(Do(lambda uow: uow.conversations.get(number)))
    assert writer._memory is not None
    assert "my secret" in str(writer._memory.tables)
    other = writing_engine(database_url)
    with other.begin() as connection:
        connection.execute(text("UPDATE conversation SET packet = '{}'"))
    other.dispose()
    await writer.submit(Do(lambda uow: uow.leases.hold("periodic jobs", "me", 5.0)))
    assert "my secret" not in str(writer._memory.tables)


async def test_two_processes_that_count_on_the_same_row_lose_nothing(
    database_url: str, settings: Settings, clock: ManualClock, writer: Writer
) -> None:
    other = new_writer(database_url, settings, clock)
    other.start()

    def begin(uow: UnitOfWork) -> int:
        number = open_case(uow).number
        uow.lanes.open(number, Reader.THREAD)
        return number

    number = await writer.submit(Do(begin))

    def count(uow: UnitOfWork) -> None:
        uow.conversations.prefetch({number}, ())  # type: ignore[attr-defined]
        lane = uow.lanes.lane(number, Reader.THREAD)
        assert lane is not None
        lane.position += 1

    async def many(one: Writer) -> None:
        for _ in range(15):
            await asyncio.gather(*(one.submit(Do(count)) for _ in range(3)))

    await asyncio.gather(many(writer), many(other))
    await other.stop()
    other._engine.dispose()
    assert await writer.submit(Do(lambda uow: uow.lanes.lane(number, Reader.THREAD).position)) == 90


# --- what people do -------------------------------------------------------------------------------------------


async def test_a_message_repeated_while_the_first_waits_is_said_once(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    arrivals = Arrivals(world.writer.enqueue, 1.0)
    lane = thread_lane(place.platform, place.channel, place.root)
    heard = ThreadMessage(place, world.heard("Hello", "m1"), ANNA)
    same = [arrivals.arrive(lane, "m1", heard) for _ in range(3)]
    same.append(arrivals.arrive(lane, "m1", heard, live=False))
    await asyncio.gather(*same)
    assert (await world.to_shopper(number)).count("Hello") == 1


async def test_whoever_waits_may_go_away_and_each_message_is_said_once_and_in_order(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    arrivals = Arrivals(world.writer.enqueue, 1.0)
    lane = thread_lane(place.platform, place.channel, place.root)

    async def say(index: int) -> None:
        heard = ThreadMessage(place, world.heard(f"word {index}", f"m{index}"), ANNA)
        await arrivals.arrive(lane, f"m{index}", heard)

    waiting = [asyncio.create_task(say(index)) for index in range(1, 9)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*(say(index) for index in range(1, 9)))  # the platform sends all of it again
    said = [one for one in await world.to_shopper(number) if one.startswith("word")]
    assert said == [f"word {index}" for index in range(1, 9)]


async def test_two_who_claim_in_one_batch_or_in_the_next_are_told_who_was_first(world: World) -> None:
    number = await world.escalate()
    everybody = [Actor("fake", f"U-{index}", f"Op {index}") for index in range(6)]
    answers = await asyncio.gather(
        *(world.submit(Claim(number, one)) for one in everybody), return_exceptions=True
    )
    answers += await asyncio.gather(
        *(world.submit(Claim(number, one)) for one in everybody[1:]), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in answers) == 1
    assert all(isinstance(one, Refused) for one in answers[1:])
    assert (await world.kinds(number)).count("claimed") == 1


async def test_a_full_queue_refuses_an_event_and_its_repeat_is_taken(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    arrivals = Arrivals(world.writer.enqueue, 1.0)
    lane = thread_lane(place.platform, place.channel, place.root)
    heard = ThreadMessage(place, world.heard("Hello", "m1"), ANNA)
    seconds, world.writer._settings = world.writer._settings, _without_a_queue(world.settings)
    with pytest.raises(Busy):
        await arrivals.arrive(lane, "m1", heard)
    world.writer._settings = seconds
    await asyncio.wait_for(arrivals.arrive(lane, "m1", heard), 5)
    assert (await world.to_shopper(number)).count("Hello") == 1


def _without_a_queue(settings: Settings) -> Settings:
    return replace(settings, queue_seconds=-1.0)


async def test_stopping_in_the_midst_answers_everybody_and_keeps_what_was_answered(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    arrivals = Arrivals(world.writer.enqueue, 1.0)
    lane = thread_lane(place.platform, place.channel, place.root)

    async def say(index: int) -> bool:
        heard = ThreadMessage(place, world.heard(f"word {index}", f"m{index:03d}"), ANNA)
        try:
            await arrivals.arrive(lane, f"m{index:03d}", heard)
        except Busy:
            return False
        return True

    waiting = []
    for index in range(60):
        waiting.append(asyncio.create_task(say(index)))
        if index % 10 == 0:
            await asyncio.sleep(0)
    await world.writer.stop()
    told = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    said = [one for one in await world.to_shopper(number) if one.startswith("word")]
    assert said == [f"word {index}" for index in range(60) if told[index]]
