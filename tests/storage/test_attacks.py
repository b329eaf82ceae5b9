"""What an attacker of the desk has found once, and must not find again."""

from dataclasses import replace
from typing import Any

import pytest

from bot import texts
from bot.arrivals import Arrivals
from bot.catchup import CatchUp
from bot.commands import Claim, Perform, RetryDead, TeamMembers
from bot.errors import EntryFault, NotAllowed
from bot.people import Actor, Member, Role, Standing
from bot.settings import Settings, TeamPolicy
from tests.storage.world import ANNA, World, make_settings

BILLING = TeamPolicy("billing", "fake", "C2")
HELPER = Actor(
    "fake", "U-ben", "Benjamin Cho", Role.OPERATOR, (Standing("support", Role.OPERATOR, "Helper"),), "Helper"
)
LEAD = Actor("fake", "U-anna", "Anna Berg", Role.OPERATOR, (Standing("support", Role.LEAD),))
STRANGER = Actor("fake", "U-zoe", "Zoe Fox", Role.OPERATOR, (Standing("billing", Role.OPERATOR),))


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = make_settings(database_url)
    support = replace(made.teams["support"], names={"U-ben": "Helper"})
    return replace(made, teams={"support": support, "billing": BILLING})


async def command(world: World, number: int, words: str, message_id: str) -> Any:
    return await world.says(number, words, message_id, addressed="bot", extra={"command": words})


async def test_a_command_may_be_edited_again_and_again(world: World) -> None:
    number = await world.claimed()
    await command(world, number, "hlep", "m-1")
    await world.edits(number, "help m", "m-1", "1", addressed="bot")
    await world.edits(number, "help me", "m-1", "2", addressed="bot")
    assert [entry.text for entry in await world.log(number) if entry.kind == "aside"] == ["help me"]


async def test_a_message_behind_one_that_breaks_is_caught_up_with(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    extra = {"actor": {"name": "Anna Berg", "role": "operator"}}
    world.chat.written[place.root] = [
        world.heard("breaks", "m-1", extra=extra),
        world.heard("your parcel is on its way", "m-2", extra=extra),
    ]

    async def submit(asked: Any) -> Any:
        if getattr(asked, "heard", None) is not None and asked.heard.text == "breaks":
            raise ValueError("a bug")
        return await world.submit(asked)

    await CatchUp(world.reads, Arrivals(submit, 1.0), world.chat, second=0.001).run()
    assert (await world.to_shopper(number))[-1] == "your parcel is on its way"


async def test_who_is_given_a_case_by_name_is_called_by_the_policys_name(world: World) -> None:
    number = await world.escalate()
    await world.submit(TeamMembers("support", (Member(HELPER, True), Member(LEAD, True))))
    await world.submit(Perform(f"assign {number} Benjamin", LEAD, id="a"))
    said = [
        one.text for one in await world.log(number) if one.kind == "notice" and one.data["code"] == "claimed"
    ]
    assert said == [texts.shopper.claimed("Helper")]


async def test_a_name_for_shoppers_survives_the_other_teams_list(world: World) -> None:
    standings = (*(HELPER.standings or ()), Standing("billing", Role.OPERATOR))
    both = replace(HELPER, standings=standings)
    number = await world.escalate()
    await world.submit(Claim(number, both))
    await world.submit(TeamMembers("billing", (Member(both.in_team("billing"), True),)))
    owner = await world.read(lambda uow: uow.people.known(both))
    assert owner is not None
    assert owner.first_name == "Helper"


@pytest.mark.parametrize("words", ["snooze 3 days", "snooze 1 hour", "snooze 30 minutes", "snooze 2 h"])
async def test_a_time_with_a_space_is_no_case_number(world: World, words: str) -> None:
    number = await world.claimed()
    await command(world, number, words, "m-1")
    assert (await world.case(number)).snoozed_until is not None


async def test_another_teams_failure_is_not_ones_own_to_retry(world: World) -> None:
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    await world.settle()
    world.chat.troubles["post"] = [EntryFault("no")]
    await world.writes("hello")
    await world.settle()
    (dead,) = await world.dead()
    with pytest.raises(NotAllowed):
        await world.submit(RetryDead(dead.id, STRANGER))


@pytest.mark.parametrize("taken_back", ["edited into a note", "deleted"])
async def test_a_shopper_whose_only_answer_was_taken_back_waits_again(world: World, taken_back: str) -> None:
    number = await world.claimed()
    await world.says(number, "secret", "m-1")
    if taken_back == "deleted":
        await world.deletes(number, "m-1")
    else:
        await world.edits(number, "note: secret", "m-1", "1")
    assert (await world.case(number)).awaiting == "operator"
