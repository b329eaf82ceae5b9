"""A card that waits for its platform's allowance: what is shown when its turn comes, and when that is."""

from collections.abc import Callable

import pytest

from bot.commands import Claim, Release, Resolve, RunDue
from bot.conversation import Stage
from bot.delivering import ALLOWANCE
from bot.errors import PlaceFault
from bot.handlers.handoff import CARD
from bot.posts import Card
from tests.storage.world import ANNA, BEN, World

AWAY = 15.0
AGE = 61.0
"""Seconds after which a waiting card shows its age anew."""


async def card(world: World, number: int) -> Card:
    root = (await world.binding(number)).root
    found = world.chat._message(root).content
    assert isinstance(found, Card)
    return found


def cards_sent(world: World) -> int:
    return sum(1 for op, _ in world.chat.calls if op == "card")


async def age(world: World, number: int) -> None:
    """Time passes until the card would show it."""
    world.clock.advance(AGE)
    for kind, of, due_at in await world.read(lambda uow: uow.due.ripe(uow.now, 100)):
        if kind == CARD and of == number:
            await world.submit(RunDue(kind, of, due_at))


async def held_back(world: World) -> int:
    """A waiting case whose card would show its age, and was sent away for a while."""
    number = await world.escalate()
    await world.settle()
    world.chat.troubles["card"] = [PlaceFault(ALLOWANCE, AWAY)]
    await age(world, number)
    await world.settle()
    assert cards_sent(world) == 1
    return number


async def test_a_thread_that_shows_its_case_as_it_is_needs_no_second_card(world: World) -> None:
    await world.escalate()
    await world.settle()
    await world.settle(30)
    assert len(world.chat.roots()) == 1
    assert cards_sent(world) == 0


async def test_a_case_claimed_before_its_thread_could_open_opens_as_claimed(world: World) -> None:
    world.chat.troubles["open"] = [PlaceFault(ALLOWANCE, AWAY)]
    number = await world.escalate()
    await world.settle()
    await world.submit(Claim(number, ANNA))
    await world.settle(AWAY)
    assert (await card(world, number)).stage == Stage.ACTIVE
    assert cards_sent(world) == 0


async def test_a_claimed_card_does_not_wait_as_long_as_the_waiting_one_had_to(world: World) -> None:
    number = await held_back(world)
    await world.submit(Claim(number, ANNA))
    await world.settle()
    assert (await card(world, number)).stage == Stage.ACTIVE


async def test_a_card_that_waited_shows_the_newest_state_and_nothing_before_it(world: World) -> None:
    """What it would have said when it was planned is not said first."""
    number = await held_back(world)
    await world.submit(Claim(number, ANNA))
    await world.settle()
    assert cards_sent(world) == 2
    await world.settle(60)
    assert cards_sent(world) == 2


@pytest.mark.parametrize(
    ("act", "stage"),
    [
        (lambda number: Release(number, ANNA), Stage.WAITING),
        (lambda number: Resolve(number, ANNA), Stage.RESOLVED),
        (lambda number: Claim(number, BEN), Stage.ACTIVE),
    ],
)
async def test_what_is_pressed_next_is_shown_soon_too(
    world: World, act: Callable[[int], object], stage: Stage
) -> None:
    number = await held_back(world)
    if stage is not Stage.ACTIVE:
        await world.submit(Claim(number, ANNA))
        world.chat.troubles["card"] = [PlaceFault(ALLOWANCE, AWAY)]
        await world.settle()
    await world.submit(act(number))
    await world.settle()
    assert (await card(world, number)).stage == stage


async def test_a_place_that_is_at_fault_is_left_alone_all_the_same(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    world.chat.troubles["card"] = [PlaceFault("unreachable", AWAY)]
    await age(world, number)
    await world.settle()
    await world.submit(Claim(number, ANNA))
    await world.settle()
    assert cards_sent(world) == 1
    await world.settle(2 * AWAY)
    assert (await card(world, number)).stage == Stage.ACTIVE
