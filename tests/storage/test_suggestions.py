"""What may be meant while somebody types; and what an adapter keeps between two starts."""

from dataclasses import replace

import pytest

from bot.commands import Claim, Keep, SetTags, ShopperFacts, TeamMembers
from bot.desk import Desk
from bot.people import Actor, Member, Role, Standing
from bot.posts import Place
from bot.replies import Reply
from bot.settings import Settings, TeamPolicy
from bot.suggestions import MOST, Sought
from tests.storage.world import ANNA, BEN, GUEST, World, make_settings

REPLIES = (
    Reply("Hello", "Hello {first_name}"),
    Reply("Order", "Order {order.id}"),
    Reply("Bill", "…", "billing"),
)
IN_BILLING = Actor("fake", "U9", "Bill Ing", Role.OPERATOR, (Standing("billing", Role.OPERATOR),))


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = make_settings(database_url, replies=REPLIES)
    return replace(made, teams={**made.teams, "billing": TeamPolicy("billing", "fake", "C2")})


@pytest.fixture
def desk(world: World, settings: Settings) -> Desk:
    return Desk(settings, world.courier._bus, world.reads, world.clock)


async def values(
    desk: Desk, sought: Sought, typed: str, actor: Actor = ANNA, number: int | None = None
) -> list[str]:
    return [one.value for one in await desk.suggest(sought, typed, actor, number)]


async def test_cases_are_found_by_number_name_and_issue(world: World, desk: Desk) -> None:
    first = await world.escalate(
        "c-1", shopper=ShopperFacts(name="Sarah Konnor"), body={"summary": {"issue": "Lamp"}}
    )
    second = await world.escalate(
        "c-2", shopper=ShopperFacts(name="Ada"), body={"summary": {"issue": "Chair"}}
    )
    assert await values(desk, Sought.CASE, "sar") == [str(first)]
    assert await values(desk, Sought.CASE, "chair") == [str(second)]
    assert (await values(desk, Sought.CASE, f"#{second}"))[0] == str(second)
    assert set(await values(desk, Sought.CASE, "")) == {str(first), str(second)}


async def test_one_s_own_cases_come_first(world: World, desk: Desk) -> None:
    await world.escalate("c-1")
    mine = await world.escalate("c-2")
    await world.submit(Claim(mine, ANNA))
    assert (await values(desk, Sought.CASE, ""))[0] == str(mine)


async def test_another_team_s_cases_are_not_suggested(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    assert await values(desk, Sought.CASE, "", IN_BILLING) == []
    assert await values(desk, Sought.CASE, str(number), IN_BILLING) == []


@pytest.mark.parametrize("sought", list(Sought))
async def test_a_guest_is_suggested_nothing(world: World, desk: Desk, sought: Sought) -> None:
    number = await world.escalate("c-1")
    assert await values(desk, sought, "", GUEST, number) == []


async def test_no_more_are_suggested_than_can_be_shown(world: World, desk: Desk) -> None:
    for index in range(MOST + 5):
        await world.escalate(f"c-{index}")
    assert len(await values(desk, Sought.CASE, "")) == MOST


async def test_people_of_the_case_s_team_are_suggested_by_their_account(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    await world.submit(TeamMembers("support", (Member(ANNA), Member(BEN))))
    assert await values(desk, Sought.PERSON, "cho", number=number) == [BEN.id]
    assert await values(desk, Sought.PERSON, "be", number=number) == [BEN.id, ANNA.id]
    assert set(await values(desk, Sought.PERSON, "@", number=number)) == {ANNA.id, BEN.id}


async def test_all_teams_but_the_case_s_own_are_suggested(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    assert await values(desk, Sought.TEAM, "", number=number) == ["billing"]


async def test_the_last_of_several_tags_is_suggested_and_the_others_stay(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    await world.submit(SetTags(number, ANNA, ("damaged", "fragile")))
    assert await values(desk, Sought.TAG, "fra") == ["fragile"]
    assert await values(desk, Sought.TAG, "fragile, dam") == ["fragile, damaged"]
    assert await values(desk, Sought.TAG, "fragile, fra") == []


async def test_saved_replies_of_the_case_s_team_are_suggested(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    assert await values(desk, Sought.REPLY, "", number=number) == ["Hello", "Order"]
    assert await values(desk, Sought.REPLY, "ord", number=number) == ["Order"]
    assert await values(desk, Sought.REPLY, "") == []


async def test_a_thread_s_case_is_known_by_its_place(world: World, desk: Desk) -> None:
    number = await world.escalate("c-1")
    await world.settle()
    binding = await world.reads(lambda uow: uow.lanes.latest_binding(number))
    assert binding is not None
    assert await desk.case_at(Place(binding.platform, binding.channel, binding.root)) == number
    assert await desk.case_at(Place(binding.platform, binding.channel, "elsewhere")) is None


async def test_what_is_kept_is_changed_only_by_who_knows_what_it_was(world: World) -> None:
    assert await world.submit(Keep("board")) == ""
    assert await world.submit(Keep("board", "1")) == "1"
    assert await world.submit(Keep("board", "2")) == "1"
    assert await world.submit(Keep("board", "2", instead_of="1")) == "2"
    assert await world.submit(Keep("board")) == "2"
