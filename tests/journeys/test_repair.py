"""Slack's side breaks and is mended: noticed, said, waited for without hammering, and then all of it in order."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from adapters.slack import directory
from bot.entries import Reader
from tests.fakes.slack import Fault
from tests.journeys.lab import BRISK, Lab
from tests.waiting import until

Labs = Callable[..., Awaitable[Lab]]
SAID = [f"still waiting {n}" for n in range(4)]


@pytest_asyncio.fixture(loop_scope="session")
async def world(lab: Labs) -> Lab:
    return await lab(mentions="none")


Act = Callable[[Lab], Awaitable[None]]


async def archive(world: Lab) -> None:
    await world.slack.archive(world.channel)


async def unarchive(world: Lab) -> None:
    await world.slack.unarchive(world.channel)


async def kick(world: Lab) -> None:
    await world.slack.leave(world.channel, world.slack.bot_user_id)


async def invite(world: Lab) -> None:
    await world.slack.join(world.channel, world.slack.bot_user_id)


async def revoke(world: Lab) -> None:
    world.slack.faults.add("*", Fault.error("token_revoked"), times=None)


async def deactivate(world: Lab) -> None:
    world.slack.faults.add("*", Fault.error("account_inactive"), times=None)


async def take_scope(world: Lab) -> None:
    world.slack.faults.add("chat.postMessage", Fault.error("missing_scope"), times=None)


async def give_back(world: Lab) -> None:
    world.slack.faults.clear()


TROUBLES = {
    "archived": (archive, unarchive, "archived"),
    "kicked": (kick, invite, "/invite @Baton"),
    "revoked": (revoke, give_back, "SLACK_BOT_TOKEN"),
    "deactivated": (deactivate, give_back, "SLACK_BOT_TOKEN"),
    "scope": (take_scope, give_back, "missing_scope"),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_what_breaks_is_noticed_and_once_mended_everything_arrives_once_and_in_order(
    world: Lab, name: str
) -> None:
    breaks, mends, sentence = TROUBLES[name]
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    number = (await world.case())["number"]
    await breaks(world)
    for words in SAID:
        await world.shopper_writes(words)
    await world.escalate(conversation_id="c-2", escalation_id="e-2", shopper={"id": "s-2", "name": "Second"})
    problems = await until(lambda: _trouble(world))
    assert sentence in problems
    before = len(world.slack.calls_to("chat.postMessage"))
    await until(lambda: _faults(world, number, 3))
    assert len(world.slack.calls_to("chat.postMessage")) - before < 20, "a tight retry"
    await mends(world)
    await until(lambda: _all_well(world))
    await world.slack.wait_for(lambda: len(world.threads()) == 2, 20)
    await thread.says(SAID[-1])
    told = [line for line in thread.ours.splitlines() if "still waiting" in line]
    assert [one for one in SAID for line in told if one in line] == SAID
    assert len(told) == len(SAID)
    assert await world.baton.reads(lambda uow: list(uow.lanes.dead())) == []


@pytest.mark.parametrize("name", ["archived", "kicked"])
async def test_by_slacks_events_it_is_noticed_told_and_healed_at_once(lab: Labs, name: str) -> None:
    """The look each minute is the net below them: here it comes once, at the start."""
    breaks, mends, sentence = TROUBLES[name]
    world = await lab(mentions="none", timing=replace(BRISK, members_refresh=600.0))
    await until(lambda: _known(world))
    thread = await world.claimed_thread()
    await breaks(world)
    assert sentence in await until(lambda: _trouble(world))
    await until(lambda: any("cannot work" in one for one in world.private_words(world.lena)))
    for words in SAID:
        await world.shopper_writes(words)
    await mends(world)
    await until(lambda: _all_well(world))
    await thread.says(SAID[-1])
    assert [one for line in thread.ours.splitlines() for one in SAID if one in line] == SAID
    await until(lambda: any("works again" in one for one in world.private_words(world.lena)))


async def _trouble(world: Lab) -> str | None:
    return (await world.ready()).get("slack:support")


async def _all_well(world: Lab) -> bool:
    return "slack:support" not in await world.ready()


async def _faults(world: Lab, number: int, count: int) -> bool:
    lane = await world.baton.reads(lambda uow: uow.lanes.lane(number, Reader.THREAD))
    return lane is not None and lane.faults >= count


async def test_a_deleted_channel_that_is_made_again_gets_its_cases_from_the_beginning(
    world: Lab, monkeypatch
) -> None:
    monkeypatch.setattr(directory, "CHANNELS_SECONDS", 0.3)
    await world.claimed_thread()
    members = list(world.slack.world.channels[world.channel].members)
    await world.slack.delete_channel(world.channel)
    await world.shopper_writes(SAID[0])
    assert "#support" in await until(lambda: _trouble(world))
    world.channel = world.slack.add_channel("support", members, bot=False)
    thread = await world.thread()
    await thread.says(SAID[0])
    assert "The lamp from order #4521" in thread.ours
    assert await world.baton.reads(lambda uow: list(uow.lanes.dead())) == []


async def test_other_channels_go_on_and_the_lead_is_told_by_a_private_word(lab: Labs) -> None:
    world = await lab(mentions="none", others={"billing": {}})
    await until(lambda: _known(world))
    await kick(world)
    await until(lambda: any("/invite @Baton" in one for one in world.private_words(world.lena)))
    assert world.private_words(world.dana) == []
    assert await _trouble(world)
    assert "slack:billing" not in await world.ready()
    await world.escalate()
    await world.move("billing")
    await world.slack.wait_for(lambda: world.roots(world.channels["billing"]))
    await invite(world)
    await until(lambda: any("works again" in one for one in world.private_words(world.lena)))
    told = [one for one in world.private_words(world.lena) if "cannot work" in one]
    assert len(told) == 1


async def _known(world: Lab) -> bool:
    return len(await world.baton.reads(lambda uow: uow.people.team("support"))) >= 3


async def test_without_a_lead_another_team_is_told(lab: Labs) -> None:
    world = await lab(mentions="none", leads=("@nobody",), others={"billing": {}})
    await until(lambda: _known(world))
    await kick(world)
    billing = world.channels["billing"]
    await world.slack.wait_for(lambda: any("/invite" in str(one.blocks) for one in world.roots(billing)))
