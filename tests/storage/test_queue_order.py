"""The queue's order is DESIGN's: priority, target left, age. With one target for all, the latter two are one."""

import random

from bot.boards import Look, View, board_of
from bot.commands import SaidTurn, SetPriority, ShopperFacts
from tests.storage.world import ANNA, World

RANKS = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


async def test_within_a_priority_target_left_and_age_are_the_same_order(world: World) -> None:
    chance = random.Random(5)
    for index in range(12):
        number = await world.escalate(f"c-{index}", shopper=ShopperFacts(f"s-{index}"))
        await world.submit(SetPriority(number, ANNA, chance.choice(list(RANKS))))
        world.clock.advance(chance.choice((0, 1, 50)))
    board = await world.read(lambda uow: board_of(uow, ANNA, Look(View.UNCLAIMED, page=0)))
    second = await world.read(lambda uow: board_of(uow, ANNA, Look(View.UNCLAIMED, page=1)))
    shown = [row.number for row in (*board.rows, *second.rows)]
    cases = {number: await world.case(number) for number in shown}
    target = world.settings.targets.first_reply

    def left(number: int) -> float:
        return (cases[number].waiting_since or 0.0) + target - world.clock()

    assert shown == sorted(shown, key=lambda one: (RANKS[cases[one].priority], left(one), one))
    places = [
        await world.read(lambda uow, one=one: uow.conversations.waiting_before(cases[one])) for one in shown
    ]
    assert places == list(range(12))


async def test_whoever_waits_keeps_their_place_though_the_assistant_spoke_last(world: World) -> None:
    """What the shopper is told and what the team sees is one order."""
    ended = (SaidTurn("shopper", "My lamp broke", "a"), SaidTurn("assistant", "I will get somebody", "b"))
    first = await world.escalate("c-1", transcript=ended)
    world.clock.advance(60)
    second = await world.escalate("c-2", shopper=ShopperFacts("s-2"))
    board = await world.read(lambda uow: board_of(uow, ANNA, Look(View.UNCLAIMED)))
    assert [row.number for row in board.rows] == [first, second]
