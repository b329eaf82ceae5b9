"""After a gap: threads that are over, and messages that were stopped while nobody listened."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot import catchup
from bot.commands import Claim, MoveToTeam, Resolve, ShopperFacts
from bot.errors import PlaceFault
from bot.people import Actor
from bot.settings import Settings, TeamPolicy
from tests.fakes.chat import FakeChat
from tests.storage.test_catchup import by, catch_up
from tests.storage.test_hold import relayed, tick, waiting
from tests.storage.world import ANNA, BEN, LEA, ManualClock, World, with_team

DAY = 24 * 3600.0


async def caught_up(world: World) -> None:
    run, _ = catch_up(world)
    await run.run()


# --- threads that are over ------------------------------------------------------------------------------------


async def resolved(world: World, conversation_id: str = "c-1") -> tuple[int, str]:
    """A case that is over, and the root of its thread, where Anna had written m1 to m3."""
    shopper = ShopperFacts(f"s-{conversation_id}")
    number = await world.escalate(conversation_id, shopper=shopper)
    await world.submit(Claim(number, ANNA))
    await world.settle()
    for index in (1, 2, 3):
        await world.says(number, f"text {index}", f"{conversation_id}m{index}")
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    binding = await world.binding(number)
    assert binding.state == "closed"
    return number, binding.root


def written(world: World, root: str, conversation_id: str = "c-1") -> None:
    """Meanwhile the second was edited, the third removed, and a new one written."""
    world.chat.written[root] = [
        by(world, f"{conversation_id}m1", "text 1"),
        by(world, f"{conversation_id}m2", "text 2, corrected", edited_order="9"),
        by(world, f"{conversation_id}m4", "One more thing"),
    ]


async def test_a_thread_whose_handoff_is_over_gets_its_edits_and_deletes_after_a_gap(world: World) -> None:
    number, root = await resolved(world)
    written(world, root)
    for _ in range(2):
        await caught_up(world)
        assert (await world.to_shopper(number))[1:] == ["text 1", "text 2, corrected"]
    (aside,) = [one for one in await world.log(number) if one.kind == "aside"]
    assert (aside.text, aside.data) == ("One more thing", {"offer": "reopen_and_send"})
    assert (await world.kinds(number)).count("deleted") == 1


async def test_what_is_written_there_meanwhile_is_what_it_would_have_been(world: World) -> None:
    number, root = await resolved(world)
    world.chat.written[root] = [by(world, f"c-1m{index}", f"text {index}") for index in (1, 2, 3)]
    await caught_up(world)
    before = await world.kinds(number)
    await caught_up(world)
    assert await world.kinds(number) == before
    assert str((await world.case(number)).stage) == "resolved"


async def test_a_thread_that_a_case_has_left_is_read_too(
    settings: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    teams = {**settings.teams, "billing": TeamPolicy("billing", "fake", "C2")}
    world = World(replace(settings, teams=teams), clock, chat)
    world.start()
    number = await world.claimed()
    await world.says(number, "text 1", "m1")
    left = await world.binding(number)
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle()
    world.chat.written[left.root] = [by(world, "m1", "text 1, corrected", edited_order="9")]
    await caught_up(world)
    assert (await world.to_shopper(number))[-1] == "text 1, corrected"
    await world.stop()


async def test_only_those_of_the_last_days_are_read_and_only_so_many_newest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "MOST_ENDED", 2)
    roots = []
    for index in range(4):
        roots.append((await resolved(world, f"c-{index}"))[1])
        world.chat.written[roots[-1]] = [by(world, f"c-{index}m{n}", f"text {n}") for n in (1, 2, 3)]
        world.clock.advance(3 * DAY)
    world.chat.calls.clear()
    await caught_up(world)
    asked = [what for op, what in world.chat.calls if op == "history"]
    assert len(asked) == 2
    world.clock.advance(3 * DAY)
    world.chat.calls.clear()
    await caught_up(world)
    assert world.chat.count("history") == 1


async def test_open_threads_are_read_before_those_that_are_over(world: World) -> None:
    _, over = await resolved(world)
    number = await world.escalate("c-2", shopper=ShopperFacts("s-2"))
    await world.settle()
    order: list[str] = []
    history = world.chat.history

    async def remember(place: Any, after: str) -> Any:
        order.append(place.root)
        return await history(place, after)

    world.chat.history = remember  # type: ignore[method-assign]
    await caught_up(world)
    assert order == [(await world.binding(number)).root, over]


# --- stopped meanwhile ----------------------------------------------------------------------------------------


@pytest.fixture
async def holding(settings: Settings, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    world = World(with_team(settings, hold=2.0), clock, chat)
    world.start()
    yield world
    await world.stop()


def stopped(world: World, message_id: str, text: str, *who: Actor) -> Any:
    heard = by(world, message_id, text)
    heard.extra["stopped_by"] = who
    return heard


@pytest.mark.parametrize("who", [ANNA, LEA])
async def test_a_stop_sign_set_while_nobody_listened_keeps_a_held_message_inside(
    holding: World, who: Actor
) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await world.says(number, "Hello", "m2")
    root = (await world.binding(number)).root
    world.chat.written[root] = [stopped(world, "m1", "oops", who), by(world, "m2", "Hello")]
    await tick(world, 3600)
    await caught_up(world)
    assert await relayed(world, number) == ["Hello"]
    assert [one.text for one in await world.log(number) if one.kind == "aside"] == ["oops"]


async def test_a_strangers_stop_sign_stops_nothing(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    world.chat.written[(await world.binding(number)).root] = [stopped(world, "m1", "Hello", BEN)]
    await tick(world, 3600)
    await caught_up(world)
    assert await relayed(world, number) == ["Hello"]


async def test_one_written_and_stopped_while_nobody_listened_never_leaves(holding: World) -> None:
    world = holding
    number = await world.claimed()
    world.chat.written[(await world.binding(number)).root] = [stopped(world, "m1", "oops", ANNA)]
    await caught_up(world)
    await tick(world)
    assert (await relayed(world, number), await waiting(world, number)) == ([], [])


async def test_a_stop_sign_on_what_has_left_says_and_changes_nothing(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    await tick(world)
    world.chat.written[(await world.binding(number)).root] = [stopped(world, "m1", "Hello", ANNA)]
    before = await world.kinds(number)
    await caught_up(world)
    assert await world.kinds(number) == before


async def test_what_is_held_waits_for_its_threads_history_however_long_that_takes(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    root = (await world.binding(number)).root
    reading, go_on = asyncio.Event(), asyncio.Event()
    history = world.chat.history

    async def slow(place: Any, after: str) -> Any:
        reading.set()
        await go_on.wait()
        return await history(place, after)

    world.chat.history = slow  # type: ignore[method-assign]
    world.chat.written[root] = [stopped(world, "m1", "oops", ANNA)]
    running = asyncio.create_task(caught_up(world))
    await reading.wait()
    await tick(world, 20)
    assert await waiting(world, number) == ["oops"]
    go_on.set()
    await running
    assert (await relayed(world, number), await waiting(world, number)) == ([], [])


async def test_what_was_not_stopped_leaves_as_soon_as_the_history_is_read(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    world.chat.written[(await world.binding(number)).root] = [by(world, "m1", "Hello")]
    await tick(world, 3600)
    assert await relayed(world, number) == []
    await caught_up(world)
    assert await relayed(world, number) == ["Hello"]


async def test_a_history_that_cannot_be_read_holds_nothing_back_for_ever(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    world.chat.troubles["history"] = [PlaceFault("down")] * 20
    await tick(world, 3600)
    await caught_up(world)
    assert await relayed(world, number) == []
    await tick(world, world.settings.timing.catch_up_held)
    assert await relayed(world, number) == ["Hello"]
    await tick(world, 1)
    assert await relayed(world, number) == ["Hello"]


async def test_a_reconnect_in_the_middle_of_a_hold_makes_it_no_shorter(holding: World) -> None:
    world = holding
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    world.chat.written[(await world.binding(number)).root] = [by(world, "m1", "Hello")]
    await caught_up(world)
    await tick(world, 1)
    assert await waiting(world, number) == ["Hello"]
    await tick(world, 1)
    assert await relayed(world, number) == ["Hello"]
