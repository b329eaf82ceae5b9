"""What somebody is in the team of a case counts for everybody in a command, whoever asks."""

from dataclasses import replace

import pytest

from bot.commands import Assign
from bot.errors import NotAllowed
from bot.people import Actor, Role, Standing
from tests.storage.world import ANNA, BEN, World

AT_THE_CONSOLE = Actor("console", "maya", "Maya", Role.LEAD)


@pytest.mark.parametrize("by", [AT_THE_CONSOLE, replace(ANNA, standings=(Standing("support", Role.LEAD),))])
async def test_a_case_is_assigned_to_nobody_who_is_not_in_its_team(world: World, by: Actor) -> None:
    number = await world.escalate()
    stranger = replace(BEN, standings=(Standing("billing", Role.LEAD),))
    with pytest.raises(NotAllowed):
        await world.submit(Assign(number, by, stranger))
    assert (await world.case(number)).stage == "waiting"
    await world.submit(Assign(number, by, replace(BEN, standings=(Standing("support", Role.OPERATOR),))))
    assert (await world.case(number)).stage == "active"
