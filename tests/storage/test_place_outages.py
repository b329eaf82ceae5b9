"""A place that breaks and is mended: noticed when the platform says so, and told once each time."""

import pytest

from bot import places as places_module
from bot.commands import PlaceBroken, PlaceMended
from bot.settings import TeamPolicy
from tests.storage.test_notice import LEA, Makes, make, places, team_is, there
from tests.storage.world import World
from tests.waiting import until

__all__ = ["make"]

GONE = "Baton is not in #support; write /invite @Baton there."


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, "REST", 0.05)


async def test_what_the_platform_says_is_looked_at_and_told_at_once(world: World) -> None:
    await team_is(world, *there(LEA))
    watching = places(world)
    world.chat.problems["C1"] = GONE
    watching.changed("fake")
    await until(lambda: _told(world, 1))
    assert watching.problems == {"support": GONE}
    del world.chat.problems["C1"]
    watching.changed("fake")
    await until(lambda: _told(world, 2))
    assert watching.problems == {}
    assert "works again" in world.chat.told[-1][1]
    await watching.stop()


async def _told(world: World, count: int) -> bool:
    return len(world.chat.told) >= count


async def test_each_outage_is_told_once_though_it_is_the_same_one_on_the_same_day(world: World) -> None:
    await team_is(world, *there(LEA))
    watching, other = places(world), places(world)
    for _ in range(2):
        world.chat.problems["C1"] = GONE
        for one in (watching, other):
            await one.look(sure=True)
            await one.look()
        del world.chat.problems["C1"]
        for one in (watching, other):
            await one.look()
    words = [word for _, word in world.chat.told]
    assert [GONE in one for one in words] == [True, False, True, False]


async def test_an_outage_that_ended_while_nobody_ran_is_over_and_told_as_such(world: World) -> None:
    await team_is(world, *there(LEA))
    world.chat.problems["C1"] = GONE
    await places(world).look(sure=True)
    del world.chat.problems["C1"]
    await places(world).look()
    assert "works again" in world.chat.told[-1][1]


async def test_who_could_not_be_told_is_told_as_soon_as_that_works(world: World) -> None:
    """A token that is revoked reaches nobody."""
    watching = places(world)
    world.chat.problems["C1"] = GONE
    await watching.look(sure=True)
    assert world.chat.told == []
    await team_is(world, *there(LEA))
    await watching.look()
    await watching.look()
    assert [GONE in word for _, word in world.chat.told] == [True]


async def test_a_word_about_what_works_on_is_passed_to_that_places_leads_once(world: World) -> None:
    await team_is(world, *there(LEA))
    watching = places(world)
    for _ in range(2):
        watching.changed("fake", world.settings.teams["support"].channel, "It is called #help now.")
        await until(lambda: _rests(watching))
    watching.changed("fake", "#another", "It is called #more now.")
    await until(lambda: _rests(watching))
    assert [word for _, word in world.chat.told] == ["It is called #help now."]
    assert watching.problems == {}
    await watching.stop()


async def _rests(watching: places_module.Places) -> bool:
    return watching._looking is None or watching._looking.done()


async def test_of_two_replicas_one_begins_and_one_ends_an_outage(world: World) -> None:
    assert [await world.submit(PlaceBroken("support")) for _ in range(2)] == [True, False]
    assert [await world.submit(PlaceMended("support")) for _ in range(2)] == [True, False]
    assert await world.submit(PlaceBroken("support"))


async def test_very_many_places_are_looked_at_in_turns_and_those_in_trouble_each_time(
    make: Makes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places_module, "AT_ONCE", 2)
    world = await make(*(TeamPolicy(f"t{number}", "fake", f"C1{number}") for number in range(4)))
    looked: list[str] = []
    watching = places(world)
    seen = world.chat.trouble

    async def trouble(channel: str, met: str = "") -> str | None:
        looked.append(channel)
        return await seen(channel, met)

    monkeypatch.setattr(world.chat, "trouble", trouble)
    for _ in range(3):
        await watching.look()
    assert len(looked) == 6
    assert len(set(looked)) == 5
    ill = looked[0]
    world.chat.problems[ill] = GONE
    for _ in range(3):
        await watching.look()
    looked.clear()
    for _ in range(2):
        await watching.look()
    assert looked.count(ill) == 2
