"""Replies typed into the console are held like those of the thread, and can be taken back there."""

from collections.abc import AsyncIterator

import pytest

from bot import views
from bot.commands import OperatorWrites, Release, Resolve, TakeBack
from bot.errors import NotAllowed, Refused
from bot.people import Actor
from bot.settings import Settings
from tests.fakes.chat import FakeChat
from tests.storage.test_gap import caught_up
from tests.storage.test_hold import SECONDS, messages, relayed, tick, waiting
from tests.storage.world import ANNA, BEN, LEA, ManualClock, World, with_team


@pytest.fixture
async def world(settings: Settings, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    world = World(with_team(settings, hold=SECONDS), clock, chat)
    world.start()
    yield world
    await world.stop()


async def types(world: World, number: int, text: str, name: str = "o1", actor: Actor = ANNA) -> None:
    await world.submit(OperatorWrites(number, actor, text, name))


async def test_it_waits_like_a_reply_in_the_thread(world: World) -> None:
    number = await world.claimed()
    for _ in range(2):
        await types(world, number, "Hello")
    assert (await waiting(world, number), await relayed(world, number)) == (["Hello"], [])
    await tick(world)
    await types(world, number, "Hello")
    (entry,) = await messages(world, number)
    assert (entry.text, entry.name, entry.source, entry.external_id) == ("Hello", "Anna", "console", "o1")
    assert await waiting(world, number) == []
    await world.settle()
    assert any("Hello" in text for text in await world.thread(number))  # colleagues read it there


async def test_both_ways_leave_in_the_order_they_were_written(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "one", "m1")
    await types(world, number, "two", "o9")
    await types(world, number, "three", "o1")
    await world.says(number, "four", "m2")
    await tick(world)
    assert await relayed(world, number) == ["one", "two", "three", "four"]
    assert [one.late for one in await messages(world, number)] == [False] * 4


async def test_what_ends_the_handoff_lets_it_go_first(world: World) -> None:
    number = await world.claimed()
    await types(world, number, "Bye")
    await world.submit(Resolve(number, ANNA))
    assert await relayed(world, number) == ["Bye"]


async def test_a_note_and_a_colleagues_words_are_not_held(world: World) -> None:
    number = await world.claimed()
    await types(world, number, "note: hm", "o1")
    await types(world, number, "hm", "o2", BEN)
    assert await waiting(world, number) == []


@pytest.mark.parametrize("who", [ANNA, LEA])
async def test_its_author_or_a_lead_takes_it_back_and_it_stays_inside(world: World, who: Actor) -> None:
    number = await world.claimed()
    await types(world, number, "oops")
    await world.submit(TakeBack(number, who, "o1"))
    await tick(world)
    assert await relayed(world, number) == []
    aside = (await world.log(number))[-1]
    assert (aside.kind, aside.text, aside.data) == ("aside", "oops", {"offer": "send"})


async def test_nobody_else_takes_it_back_and_nobody_what_has_left(world: World) -> None:
    number = await world.claimed()
    await types(world, number, "Hello")
    with pytest.raises(NotAllowed):
        await world.submit(TakeBack(number, BEN, "o1"))
    await tick(world)
    with pytest.raises(Refused, match="not held any more"):
        await world.submit(TakeBack(number, ANNA, "o1"))
    assert await relayed(world, number) == ["Hello"]


async def test_the_page_shows_what_is_held_and_what_can_be_taken_back_there(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "from the thread", "m1")
    await types(world, number, "from here")
    case = await world.read(lambda uow: views.console_case(uow, uow.conversations.get(number)))  # type: ignore[arg-type]
    assert [(one["text"], one["name"], one["id"]) for one in case["held"]] == [
        ("from the thread", "Anna", None),
        ("from here", "Anna", "o1"),
    ]
    await world.submit(Release(number, ANNA))
    case = await world.read(lambda uow: views.console_case(uow, uow.conversations.get(number)))  # type: ignore[arg-type]
    assert case["held"] == []


async def test_after_an_absence_it_waits_for_no_history(world: World) -> None:
    number = await world.claimed()
    await types(world, number, "Hello")
    await tick(world, 3600)
    assert await relayed(world, number) == ["Hello"]
    await caught_up(world)
    assert await relayed(world, number) == ["Hello"]
