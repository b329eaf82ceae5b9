"""A message of a thread sent after all, by whoever points at it."""

import pytest

from bot import texts
from bot.commands import Claim, Resolve, SendMessage
from bot.errors import NotAllowed, NotFound, Refused
from bot.people import Actor
from bot.posts import Place
from tests.storage.world import ANNA, BEN, GUEST, World, with_team


async def points(world: World, number: int, message_id: str, actor: Actor = ANNA) -> str | None:
    """What whoever points at that message of the thread is told."""
    answer = await world.submit(SendMessage(await world.place(number), message_id, actor))
    whisper: str | None = answer.whisper
    return whisper


async def test_the_owners_note_leaves_once(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "// It ships on Monday", "m1")
    assert await points(world, number, "m1") is None
    assert await points(world, number, "m1") == texts.answers.sent_already()
    assert await world.to_shopper(number) == ["My lamp broke", "It ships on Monday"]


async def test_not_only_the_newest_message_can_be_sent(world: World) -> None:
    number = await world.claimed()
    for index, text in enumerate(("// first", "// second", "// third")):
        await world.says(number, text, f"m{index}")
    await points(world, number, "m1")
    assert (await world.to_shopper(number))[1:] == ["second"]


async def test_a_colleagues_words_leave_under_the_name_of_who_points(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "It ships on Monday", "m1", BEN)
    await points(world, number, "m1", BEN)
    newest = (await world.log(number))[-1]
    assert (newest.text, newest.name) == ("It ships on Monday", "Ben")


async def test_in_an_unclaimed_case_it_claims_and_sends(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.says(number, "Let me look", "m1", BEN)
    await points(world, number, "m1", BEN)
    assert (await world.case(number)).stage == "active"
    assert (await world.to_shopper(number))[1:] == ["Let me look"]


async def test_in_a_resolved_case_it_reopens_and_sends(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.says(number, "One more thing", "m1")
    await points(world, number, "m1")
    assert (await world.case(number)).stage == "active"
    assert (await world.to_shopper(number))[1:] == ["One more thing"]


async def test_a_message_that_has_left_is_not_sent_again(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "It ships on Monday", "m1")
    assert await points(world, number, "m1") == texts.answers.sent_already()
    assert (await world.to_shopper(number))[1:] == ["It ships on Monday"]


async def test_outside_of_our_threads_there_is_nobody_to_send_it_to(world: World) -> None:
    await world.claimed()
    with pytest.raises(NotFound, match="no message of one of"):
        await world.submit(SendMessage(Place("fake", "C1", "lunch"), "m1", ANNA))


async def test_what_nobody_of_the_team_wrote_is_refused(world: World) -> None:
    number = await world.claimed()
    binding = await world.binding(number)
    (ours, *_) = await world.read(lambda uow: uow.lanes.links_of(binding.id, 1))
    with pytest.raises(Refused, match="Only what somebody of the team wrote"):
        await points(world, number, ours.remote_id)


async def test_a_message_that_has_not_arrived_is_said(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotFound, match="Try again"):
        await points(world, number, "m9")


async def test_guests_may_not(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "// a note", "m1")
    with pytest.raises(NotAllowed):
        await points(world, number, "m1", GUEST)


async def test_a_held_message_needs_no_sending(world: World) -> None:
    world.settings.teams["support"] = with_team(world.settings, hold=5.0).teams["support"]
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    await world.settle()
    await world.says(number, "It ships on Monday", "m1")
    with pytest.raises(Refused, match="on its way"):
        await points(world, number, "m1")
