"""Who is called, by which rule, and who counts as whom."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapters.slack import directory
from bot.hours import DAYS, Hours, parse_hours
from bot.settings import Targets
from tests.fakes.slack import Message
from tests.journeys.lab import Lab
from tests.journeys.world import CONVERSATION, Thread
from tests.waiting import until

Labs = Callable[..., Awaitable[Lab]]


def pinged(message: Message) -> set[str]:
    """Whom a message calls."""
    return set(re.findall(r"<(?:@|!subteam\^|!)([\w]+)>", message.text + str(message.blocks)))


async def alert(thread: Thread, words: str) -> Message:
    await thread.slack.wait_for(lambda: any(words in str(post.blocks) for post in thread.posts))
    return next(post for post in thread.posts if words in str(post.blocks))


# --- new cases


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_a_team_may_be_called_by_here(lab: Labs) -> None:
    world = await lab(mentions="here")
    thread = await world.open_thread()
    assert pinged(world.slack.message(thread.channel, thread.root)) == {"here"}


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_a_team_may_be_called_by_its_user_group(lab: Labs) -> None:
    world = await lab(mentions="group", group="@care")
    group = world.slack.add_usergroup("care", [world.dana])
    thread = await world.open_thread()
    assert pinged(world.slack.message(thread.channel, thread.root)) == {group}


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_outside_hours_nobody_is_called(lab: Labs) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=2)).weekday()
    world = await lab(hours=parse_hours({DAYS[yesterday]: "09:00-09:01"}))
    thread = await world.open_thread()
    assert pinged(world.slack.message(thread.channel, thread.root)) == set()


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_who_said_they_are_away_is_not_called(lab: Labs) -> None:
    world = await lab()
    await until(lambda: _known(world))
    await world.slack.command(world.dana, world.channel, "/handoff", "away")
    await until(lambda: _is_away(world))
    thread = await world.open_thread()
    assert pinged(world.slack.message(thread.channel, thread.root)) == {world.bob, world.lena}


async def _known(world: Lab) -> bool:
    return len(await world.baton.reads(lambda uow: uow.people.team("support"))) >= 3


async def _is_away(world: Lab) -> bool:
    people = await world.baton.reads(lambda uow: list(uow.people.team("support")))
    return any(one.away_since for one in people if one.external_id == world.dana)


# --- who counts


async def test_a_user_group_makes_the_team_and_the_channel_does_not(lab: Labs) -> None:
    world = await lab(group="@care")
    world.slack.add_usergroup("care", [world.dana])
    thread = await world.open_thread()
    await thread.press(world.bob, "claim")
    await world.slack.wait_for(lambda: world.slack.ephemerals)
    assert "Waiting" in thread.card
    await thread.claim(world.dana)


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_leads_are_those_the_policy_names(lab: Labs) -> None:
    world = await lab(leads=("@bob ray",))
    await until(lambda: _known(world))
    people = await world.baton.reads(lambda uow: list(uow.people.team("support")))
    assert {one.name: str(one.role) for one in people} == {
        "Dana Miller": "operator", "Bob Ray": "lead", "Lena Lead": "operator",
    }  # fmt: skip


@pytest.mark.one_way("who is mentioned, by calls that we make")
async def test_shoppers_read_the_name_the_policy_gives(lab: Labs) -> None:
    world = await lab(names={"@dana miller": "Dee"})
    live_thread = await world.claimed_thread()
    await live_thread.write(world.dana, "Hello")
    await until(lambda: world.relayed())
    entries = (await world.shop.conversation(CONVERSATION))["entries"]
    assert any("Dee is here" in one["text"] for one in entries)
    assert not any("Dana" in str(one) for one in entries if one["kind"] in ("message", "notice"))


async def test_an_owner_who_is_deactivated_loses_the_case_with_a_line(lab: Labs, monkeypatch) -> None:
    monkeypatch.setattr(directory, "PERSON_SECONDS", 0.2)
    monkeypatch.setattr(directory, "PERSON_PACE", 0.0)
    world = await lab()
    thread = await world.claimed_thread()
    world.slack.world.users[world.dana].deleted = True
    await thread.says("Dana Miller is no longer in the team")
    await world.slack.wait_for(lambda: "Waiting" in thread.card)


# --- who must look


async def test_a_late_first_reply_calls_the_lead(lab: Labs) -> None:
    world = await lab(targets=Targets(first_reply=1.0))
    thread = await world.open_thread()
    assert pinged(await alert(thread, "for a first reply")) == {world.lena}


async def test_a_case_nobody_can_take_goes_to_the_fallback_team_and_calls_the_lead(
    lab: Labs, monkeypatch
) -> None:
    monkeypatch.setattr(directory, "PRESENCE_SECONDS", 0.1)
    world = await lab(fallback="billing", others={"billing": {}})
    world.hire_for("billing", "Ben Billing")
    for user in (world.dana, world.bob, world.lena):
        world.slack.set_presence(user, "away")
    await world.escalate()
    await world.slack.wait_for(lambda: world.roots(world.channels["billing"]))
    await until(lambda: _is_in(world, "billing"))
    (alert,) = [one for one in (await world.case())["entries"] if one["kind"] == "alerted"]
    lena = await world.baton.reads(lambda uow: uow.people.operator(alert["data"]["mention"][0]))
    assert (alert["data"]["code"], lena.external_id) == ("nobody_there", world.lena)


async def _is_in(world: Lab, team: str) -> bool:
    return (await world.case())["team"] == team


async def test_a_shopper_who_writes_while_the_owner_is_away_calls_the_others_once(lab: Labs) -> None:
    world = await lab()
    await until(lambda: _known(world))
    thread = await world.claimed_thread()
    await thread.write(world.dana, "Hello")
    await until(lambda: world.relayed())
    await world.slack.command(world.dana, world.channel, "/handoff", "away")
    await until(lambda: _is_away(world))
    for words in ("Are you there?", "Hello?"):
        await world.shopper_writes(words)
    post = await alert(thread, "is away")
    assert pinged(post) == {world.bob, world.lena}
    await thread.says("Hello?")
    assert sum("is away. Who" in str(one.blocks) for one in thread.posts) == 1


# --- the morning


def opened_a_moment_ago() -> Hours:
    now = datetime.now(UTC)
    opens, closes = now - timedelta(minutes=20), now + timedelta(hours=3)
    return parse_hours({DAYS[opens.weekday()]: f"{opens:%H:%M}-{closes:%H:%M}"})


async def test_the_day_begins_with_one_brief_and_a_lead_shares_its_cases_out(lab: Labs) -> None:
    world = await lab(hours=opened_a_moment_ago())
    await until(lambda: _known(world))
    for number in range(3):
        await world.escalate(
            conversation_id=f"c-{number}",
            shopper={"id": f"s-{number}", "name": "<!here> *Sarah*", "tier": "vip"},
        )
    await world.slack.wait_for(lambda: _briefs(world))
    (brief,) = _briefs(world)
    assert pinged(brief) == set()
    denied = await world.slack.click(world.dana, brief.channel, brief.ts, "baton:share_out")
    await world.slack.wait_for(lambda: denied.done and world.slack.ephemerals)
    assert "leads" in world.slack.ephemerals[-1].text + str(world.slack.ephemerals[-1].blocks)
    shared = await world.slack.click(world.lena, brief.channel, brief.ts, "baton:share_out")
    await world.slack.wait_for(lambda: shared.done)
    await until(lambda: _owned(world))
    assert len(_briefs(world)) == 1


def _briefs(world: Lab) -> list[Message]:
    return [one for one in world.roots(world.channel) if "Good morning" in str(one.blocks)]


async def _owned(world: Lab) -> bool:
    _, listed = await world.as_lead("GET", "conversations")
    return any(one["stage"] == "active" for one in listed["conversations"])
