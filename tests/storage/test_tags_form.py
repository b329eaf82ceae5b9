"""The tags form adds and takes away; it does not undo what a colleague does while it is open."""

import pytest

from bot.commands import SetTags
from bot.desk import Desk
from bot.errors import Refused
from bot.posts import Action
from tests.storage.test_desk_answers import fill, form
from tests.storage.world import ANNA, BEN, World


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world.settings, world.courier._bus, world.reads, world.clock)


async def opened(world: World, desk: Desk, *tags: str) -> tuple[int, str]:
    """A case with these tags, and what the form calls the field that shows them."""
    number = await world.claimed()
    await world.submit(SetTags(number, ANNA, tags))
    fields = (await form(desk, Action.TAG, number)).fields
    return number, next(one.name for one in fields if one.value or one.options)


async def test_what_a_colleague_added_meanwhile_stays(world: World, desk: Desk) -> None:
    number, shown = await opened(world, desk, "damaged", "vip")
    await world.submit(SetTags(number, BEN, ("damaged", "vip", "photo")))
    await world.says(number, "and the log goes on")
    said = await fill(desk, Action.TAG, number, {shown: "vip", "new": "express"})
    assert (await world.case(number)).tags == ["vip", "photo", "express"]
    assert said == f"#{number} is tagged vip, photo, express."


async def test_what_a_colleague_took_away_meanwhile_is_not_put_back(world: World, desk: Desk) -> None:
    number, shown = await opened(world, desk, "damaged", "vip")
    await world.submit(SetTags(number, BEN, ("damaged",)))
    await fill(desk, Action.TAG, number, {shown: "damaged,vip", "new": ""})
    assert (await world.case(number)).tags == ["damaged"]


async def test_both_may_do_the_same(world: World, desk: Desk) -> None:
    number, shown = await opened(world, desk, "damaged", "vip")
    await world.submit(SetTags(number, BEN, ("vip", "photo")))
    await fill(desk, Action.TAG, number, {shown: "vip", "new": "photo"})
    assert (await world.case(number)).tags == ["vip", "photo"]


async def test_a_form_that_showed_none_only_adds(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert [one.name for one in (await form(desk, Action.TAG, number)).fields] == ["new"]
    await world.submit(SetTags(number, BEN, ("damaged",)))
    await fill(desk, Action.TAG, number, {"new": "vip"})
    assert (await world.case(number)).tags == ["damaged", "vip"]


async def test_together_they_may_be_too_many_and_the_form_says_so(world: World, desk: Desk) -> None:
    number, shown = await opened(world, desk, *(f"t{n}" for n in range(11)))
    chosen = ",".join(f"t{n}" for n in range(11))
    await world.submit(SetTags(number, BEN, tuple(f"t{n}" for n in range(12))))
    with pytest.raises(Refused) as refused:
        await fill(desk, Action.TAG, number, {shown: chosen, "new": "one more"})
    assert refused.value.field == shown
    assert len((await world.case(number)).tags) == 12


async def test_a_field_of_nobodys_making_changes_nothing(world: World, desk: Desk) -> None:
    number, _ = await opened(world, desk, "vip")
    with pytest.raises(Refused, match="out of date"):
        await fill(desk, Action.TAG, number, {"tags@x": "damaged"})
    assert (await world.case(number)).tags == ["vip"]
