"""Two people at once, and buttons that say something which is no longer so."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.commands import Assign, Claim, MoveToTeam, Release, Resolve, SendAside, SetPriority, from_button
from bot.errors import AlreadyClaimed, NotAllowed, Refused
from bot.people import Actor, Role, Standing
from bot.posts import Action
from bot.settings import Settings, TeamPolicy
from tests.storage.world import ANNA, BEN, LEA, World

LEO = Actor("fake", "U-leo", "Leo Lund", Role.LEAD)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    teams = {**settings.teams, "billing": TeamPolicy("billing", "fake", "C2")}
    return replace(settings, teams=teams)


def of(actor: Actor, team: str) -> Actor:
    """The same person where the platform knows teams: in that one, and nobody in any other."""
    return replace(actor, standings=(Standing(team, actor.role),))


async def owner_id(world: World, number: int) -> int:
    found = (await world.case(number)).owner_id
    assert found is not None
    return found


async def owner(world: World, number: int) -> str:
    row = await world.read(lambda uow: uow.people.operator(uow.conversations.get(number).owner_id or 0))  # type: ignore[union-attr]
    assert row is not None
    return row.name


async def aside(world: World, number: int, actor: Actor = BEN) -> int:
    await world.says(number, "I can help", "m1", actor=actor)
    return (await world.log(number))[-1].seq


# --- at once --------------------------------------------------------------------------------------------------


async def test_of_two_leads_who_were_asked_about_the_same_owner_one_wins(world: World) -> None:
    number = await world.claimed()
    anna = await owner_id(world, number)
    clicks = [from_button(Action.STEP_IN, f"{number}:{anna}", one) for one in (LEA, LEO)]
    ended: list[Any] = await asyncio.gather(
        *(world.submit(click) for click in clicks), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["AlreadyClaimed", "Done"]
    (lost,) = [one for one in ended if isinstance(one, AlreadyClaimed)]
    assert lost.facts["owner"] == await owner(world, number)
    assert (await world.kinds(number)).count("claimed") == 2


async def test_the_button_says_whom_it_was_about(world: World) -> None:
    number = await world.claimed()
    await world.settle(5)
    card = world.chat.card((await world.binding(number)).root)
    (step_in,) = [one for one in card.menu if one.action is Action.STEP_IN]
    assert step_in.value == f"{number}:{await owner_id(world, number)}"


async def test_two_offers_pressed_at_once_send_once(world: World) -> None:
    number = await world.claimed()
    seq = await aside(world, number)
    clicks = [SendAside(number, seq, Action.SEND_AS_ME, BEN), SendAside(number, seq, Action.SEND, ANNA)]
    await asyncio.gather(*(world.submit(click) for click in clicks))
    assert (await world.to_shopper(number)).count("I can help") == 1


# --- buttons that stood too long ------------------------------------------------------------------------------


async def test_an_old_hand_over_takes_nobody_elses_case(world: World) -> None:
    """A lead may release anybody's case; this button is about one's own."""
    number = await world.escalate()
    await world.submit(Claim(number, LEA))
    await world.submit(Assign(number, LEA, BEN))
    with pytest.raises(NotAllowed, match="Ben Cho has it"):
        await world.submit(from_button(Action.HAND_OVER, str(number), LEA))
    assert await owner(world, number) == "Ben Cho"
    await world.submit(from_button(Action.HAND_OVER, str(number), BEN))
    assert (await world.case(number)).stage == "waiting"


@pytest.mark.parametrize("action", [Action.SEND_AS_ME, Action.TAKE_OVER, Action.CLAIM_AND_SEND])
async def test_an_old_offer_reopens_nothing(world: World, action: Action) -> None:
    number = await world.claimed()
    seq = await aside(world, number)
    await world.submit(Resolve(number, ANNA))
    with pytest.raises(Refused):
        await world.submit(SendAside(number, seq, action, BEN))
    assert (await world.case(number)).stage == "resolved"
    assert "I can help" not in await world.to_shopper(number)
    await world.submit(SendAside(number, seq, Action.REOPEN_AND_SEND, BEN))
    assert (await world.to_shopper(number))[-1] == "I can help"


async def test_an_old_offer_to_send_claims_nothing(world: World) -> None:
    number = await world.claimed()
    seq = await aside(world, number)
    await world.submit(Release(number, ANNA))
    with pytest.raises(Refused, match="Claim & send"):
        await world.submit(SendAside(number, seq, Action.SEND_AS_ME, BEN))
    assert (await world.case(number)).stage == "waiting"


# --- after a move between teams -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [Action.CLAIM, Action.HAND_BACK, Action.RESOLVE, Action.STEP_IN, Action.RELEASE, Action.HAND_OVER],
)
async def test_the_old_teams_card_gives_its_people_nothing_to_do(world: World, action: Action) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, of(ANNA, "support"), "billing"))
    before = await world.kinds(number)
    for one in (of(BEN, "support"), of(LEA, "support")):
        with pytest.raises(NotAllowed):
            await world.submit(from_button(action, str(number), one))
    assert await world.kinds(number) == before


async def test_nor_do_its_offers_and_forms(world: World) -> None:
    number = await world.claimed()
    seq = await aside(world, number, of(BEN, "support"))
    await world.submit(MoveToTeam(number, of(ANNA, "support"), "billing"))
    for command in (
        SendAside(number, seq, Action.CLAIM_AND_SEND, of(BEN, "support")),
        SetPriority(number, of(LEA, "support"), "urgent"),
        Assign(number, of(LEA, "support"), of(BEN, "support")),
        Assign(number, of(LEO, "billing"), of(BEN, "support")),
    ):
        with pytest.raises(NotAllowed):
            await world.submit(command)
    assert (await world.case(number)).stage == "waiting"
    assert "I can help" not in await world.to_shopper(number)
