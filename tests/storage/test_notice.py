"""Cases somebody must look at, people who leave, the morning's brief, and places in trouble."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.commands import (
    Claim,
    GoAway,
    OpenBrief,
    PlaceMended,
    Release,
    Resolve,
    RunDue,
    ShareOut,
    ShopperFacts,
    TeamMembers,
)
from bot.entries import Reader
from bot.errors import NotAllowed, PlaceFault, Refused
from bot.handlers import HANDLERS
from bot.hours import parse_hours
from bot.people import Actor, Member, Role, Standing
from bot.places import Places
from bot.settings import Settings, TeamPolicy
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, LEA, ManualClock, World, _Bus, make_settings, with_team

CLOSED = parse_hours({"zone": "UTC", "tue": "09:00-18:00"})  # the tests begin on a Monday


def there(*actors: Actor) -> tuple[Member, ...]:
    return tuple(Member(actor, present=True) for actor in actors)


def gone(*actors: Actor) -> tuple[Member, ...]:
    return tuple(Member(actor, present=False) for actor in actors)


async def team_is(world: World, *members: Member, team: str = "support") -> None:
    await world.submit(TeamMembers(team, members))


async def pass_time(world: World, seconds: float) -> None:
    """Let it pass, and act on every row that has become due, as the schedule does."""
    world.clock.advance(seconds)
    for _ in range(10):
        rows = await world.read(lambda uow: uow.due.ripe(world.clock(), 100))
        if not rows:
            return
        for kind, number, due_at in rows:
            await world.submit(RunDue(kind, number, due_at))


async def alerts(world: World, number: int) -> list[tuple[str, set[str]]]:
    """Code, and who was mentioned, of each."""
    found = []
    for entry in await world.log(number):
        if entry.kind == "alerted":
            ids = entry.data["mention"]
            people = [await world.read(lambda uow, one=one: uow.people.operator(one)) for one in ids]
            found.append((entry.data["code"], {one.external_id for one in people if one}))
    return found


Makes = Callable[..., Awaitable[World]]


@pytest.fixture
async def make(database_url: str, clock: ManualClock, chat: FakeChat) -> AsyncIterator[Makes]:
    """A world with another team policy, and with further teams."""
    made: list[World] = []

    async def make_world(*others: TeamPolicy, **policy: Any) -> World:
        settings = with_team(make_settings(database_url), **policy)
        teams = {**settings.teams, **{one.name: one for one in others}}
        world = World(replace(settings, teams=teams), clock, chat)
        world.start()
        made.append(world)
        return world

    yield make_world
    for world in made:
        await world.stop()


BILLING = TeamPolicy("billing", "fake", "C2")

# --- a first reply is late


async def test_the_lead_is_told_of_a_late_first_reply_at_once_and_again_later(world: World) -> None:
    await team_is(world, *there(ANNA, LEA))
    number = await world.escalate()
    await pass_time(world, 89)
    assert await alerts(world, number) == []
    for seconds, count in ((2, 1), (60, 1), (120, 2), (1700, 2), (101, 3)):
        await pass_time(world, seconds)
        assert await alerts(world, number) == [("late", {"U-lea"})] * count


async def test_a_claim_does_not_end_the_target_but_a_reply_does(world: World) -> None:
    await team_is(world, *there(ANNA, LEA))
    number = await world.claimed()
    await pass_time(world, 91)
    assert await alerts(world, number) == [("late", {"U-lea"})]
    await world.says(number, "Hello")
    await pass_time(world, 600)
    assert len(await alerts(world, number)) == 1


async def test_a_case_that_is_over_is_never_late(world: World) -> None:
    await team_is(world, *there(ANNA, LEA))
    number = await world.claimed()
    await world.submit(Release(number, ANNA))
    await world.submit(Resolve(number, ANNA))
    await pass_time(world, 600)
    assert await alerts(world, number) == []


async def test_outside_hours_no_reply_is_late(make: Makes) -> None:
    world = await make(hours=CLOSED)
    await team_is(world, *there(ANNA, LEA))
    number = await world.escalate()
    await pass_time(world, 3600)
    assert await alerts(world, number) == []
    opens = 18 * 3600 + 46 * 60 + 40  # from Monday 14:13:20 to Tuesday 09:00
    await pass_time(world, opens - 3600 + 91)
    assert ("late", {"U-lea"}) in await alerts(world, number)


async def test_where_nobody_leads_those_who_are_there_are_told(world: World) -> None:
    await team_is(world, *there(ANNA), *gone(BEN))
    number = await world.escalate()
    await pass_time(world, 91)
    assert await alerts(world, number) == [("late", {"U-anna"})]


# --- nobody is there


async def test_the_lead_is_told_once_when_nobody_can_take_a_case(world: World) -> None:
    await team_is(world, *gone(ANNA, LEA))
    number = await world.escalate()
    for _ in range(3):
        await pass_time(world, 20)
    assert await alerts(world, number) == [("nobody_there", {"U-lea"})]


async def test_somebody_who_goes_away_while_a_case_waits_is_noticed(world: World) -> None:
    await team_is(world, *there(ANNA), *gone(LEA))
    number = await world.escalate()
    await pass_time(world, 1)
    assert await alerts(world, number) == []
    await world.submit(GoAway(ANNA))
    await pass_time(world, 61)
    assert ("nobody_there", {"U-lea"}) in await alerts(world, number)


async def test_a_team_nobody_has_been_asked_about_is_not_known_to_be_empty(world: World) -> None:
    number = await world.escalate()
    await pass_time(world, 61)
    assert await alerts(world, number) == []


async def test_outside_hours_nobody_need_be_there(make: Makes) -> None:
    world = await make(hours=CLOSED)
    await team_is(world, *gone(ANNA, LEA))
    number = await world.escalate()
    await pass_time(world, 3600)
    assert await alerts(world, number) == []


async def test_a_case_nobody_can_take_goes_to_the_fallback_team_and_never_back(make: Makes) -> None:
    world = await make(replace(BILLING, fallback="support"), fallback="billing")
    await team_is(world, *gone(ANNA, LEA))
    await team_is(world, *gone(BEN), team="billing")
    number = await world.escalate()
    await pass_time(world, 1)
    assert (await world.case(number)).team == "billing"
    await pass_time(world, 61)
    assert (await world.case(number)).team == "billing"
    assert [code for code, _ in await alerts(world, number) if code == "nobody_there"] == ["nobody_there"] * 2


# --- the owner is away


async def test_an_owner_who_said_they_are_away_is_covered_once_per_absence(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await world.says(number, "Hello")
    await world.submit(GoAway(ANNA))
    for text in ("Are you there?", "Hello?"):
        await world.writes(text)
    assert await alerts(world, number) == [("owner_away", {"U-ben"})]
    await world.says(number, "Here I am")
    await world.writes("One more thing")
    assert [code for code, _ in await alerts(world, number)] == ["owner_away"] * 2


async def test_an_owner_whom_the_platform_shows_as_gone_gets_two_minutes(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await world.says(number, "Hello")
    await team_is(world, *gone(ANNA), *there(BEN))
    await world.writes("Are you there?")
    await pass_time(world, 60)
    await world.writes("Hello?")
    assert await alerts(world, number) == []
    await pass_time(world, 61)
    assert await alerts(world, number) == [("owner_away", {"U-ben"})]


async def test_an_owner_who_comes_back_within_two_minutes_is_not_covered(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await world.says(number, "Hello")
    await team_is(world, *gone(ANNA), *there(BEN))
    await world.writes("Are you there?")
    await team_is(world, *there(ANNA, BEN))
    await pass_time(world, 121)
    assert await alerts(world, number) == []


# --- people


async def test_cases_of_an_owner_who_left_return_to_the_queue_with_the_reason(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await pass_time(world, 61)
    await team_is(world, *there(BEN))
    await pass_time(world, 1)
    case = await world.case(number)
    assert (str(case.stage), case.owner_id) == ("waiting", None)
    released = [entry for entry in await world.log(number) if entry.kind == "released"]
    assert [entry.name for entry in released] == ["Baton (Anna Berg is no longer in the team)"]
    anna = await world.read(lambda uow: uow.people.operator_for(ANNA))
    assert (anna.active, anna.present) == (False, False)


async def test_who_claimed_a_moment_ago_may_be_newer_than_the_list(world: World) -> None:
    await team_is(world, *there(BEN))
    number = await world.claimed()
    await team_is(world, *there(BEN))
    await pass_time(world, 1)
    assert str((await world.case(number)).stage) == "active"


async def test_a_list_of_those_who_are_present_takes_nobodys_cases(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await pass_time(world, 61)
    await world.submit(TeamMembers("support", there(BEN), whole=False))
    await pass_time(world, 1)
    assert str((await world.case(number)).stage) == "active"


async def test_an_empty_list_takes_nobodys_cases(world: World) -> None:
    await team_is(world, *there(ANNA, BEN))
    number = await world.claimed()
    await pass_time(world, 61)
    await world.submit(TeamMembers("support", ()))
    await pass_time(world, 1)
    assert str((await world.case(number)).stage) == "active"


async def test_who_comes_back_is_active_again(world: World) -> None:
    for members in (there(ANNA, BEN), there(BEN), there(ANNA, BEN)):
        await team_is(world, *members)
    anna = await world.read(lambda uow: uow.people.operator_for(ANNA))
    assert (anna.active, anna.present) == (True, True)


async def test_an_operator_of_another_team_may_not_claim(make: Makes) -> None:
    world = await make(BILLING)
    number = await world.escalate()
    stranger = replace(ANNA, standings=(Standing("billing", Role.LEAD),))
    with pytest.raises(NotAllowed):
        await world.submit(Claim(number, stranger))
    await world.submit(Claim(number, replace(ANNA, standings=(Standing("support", Role.OPERATOR),))))
    assert str((await world.case(number)).stage) == "active"


async def test_who_is_not_in_the_team_of_a_thread_writes_inside_and_gets_no_offer(make: Makes) -> None:
    world = await make(BILLING)
    number = await world.claimed()
    stranger = replace(ANNA, standings=(Standing("billing", Role.LEAD),))
    await world.says(number, "Let me answer that", actor=stranger)
    aside = (await world.log(number))[-1]
    assert (aside.kind, aside.data) == ("aside", {})


async def test_shoppers_read_the_policys_name(world: World) -> None:
    number = await world.escalate()
    called = replace(ANNA, standings=(Standing("support", Role.OPERATOR, called="Annie"),))
    await world.submit(Claim(number, called))
    notices = [entry.text for entry in await world.log(number) if entry.kind == "notice"]
    assert notices[-1].startswith("Annie is here")


# --- the morning


async def test_the_brief_is_made_once_a_day_with_vips_first(world: World) -> None:
    first = await world.escalate("c-1", body={"summary": {"issue": "Lamp"}})
    world.clock.advance(60)
    vip = await world.escalate("c-2", shopper=ShopperFacts("s-2", "Vera", tier="VIP"))
    made = await world.submit(OpenBrief("support", "2026-09-21"))
    assert [row.number for row in made.rows] == [vip, first]
    assert "2 cases wait" in made.text
    assert await world.submit(OpenBrief("support", "2026-09-21")) is None


async def test_a_morning_without_cases_needs_no_brief(world: World) -> None:
    assert await world.submit(OpenBrief("support", "2026-09-21")) is None


async def test_a_lead_shares_the_waiting_cases_out(world: World) -> None:
    await team_is(world, *there(ANNA, BEN), *gone(LEA))
    numbers = [await world.escalate(f"c-{n}", shopper=ShopperFacts(f"s-{n}", "Sarah")) for n in range(4)]
    await world.submit(ShareOut("support", tuple(numbers), LEA))
    cases = [await world.case(number) for number in numbers]
    assert {str(case.stage) for case in cases} == {"active"}
    owners = [case.owner_id for case in cases]
    assert sorted(owners.count(one) for one in set(owners)) == [2, 2]
    again = await world.submit(ShareOut("support", tuple(numbers), LEA))
    assert "nothing to share out" in again.text


async def test_only_a_lead_shares_out_and_only_to_somebody(world: World) -> None:
    number = await world.escalate()
    with pytest.raises(NotAllowed):
        await world.submit(ShareOut("support", (number,), ANNA))
    await team_is(world, *gone(ANNA, LEA))
    with pytest.raises(Refused):
        await world.submit(ShareOut("support", (number,), LEA))
    assert str((await world.case(number)).stage) == "waiting"


# --- places


def places(world: World) -> Places:
    return Places(world.settings, _Bus(world.writer), world.reads, world.clock, {"fake": world.chat})


async def test_trouble_is_kept_for_readiness_and_the_lead_is_told_once(world: World) -> None:
    await team_is(world, *there(ANNA, LEA))
    watching = places(world)
    world.chat.problems["C1"] = "Baton is not in #support; write /invite @Baton there."
    for _ in range(4):
        await watching.look()
    assert watching.problems == {"support": "Baton is not in #support; write /invite @Baton there."}
    assert [account for account, _ in world.chat.told] == ["U-lea"]
    del world.chat.problems["C1"]
    for _ in range(2):
        await watching.look()
    assert watching.problems == {}
    assert "works again" in world.chat.told[-1][1]
    assert len(world.chat.told) == 2


async def test_two_replicas_tell_the_lead_once(world: World) -> None:
    await team_is(world, *there(LEA))
    world.chat.problems["C1"] = "gone"
    for watching in (places(world), places(world)):
        await watching.look()
        await watching.look()
    assert len(world.chat.told) == 1


async def test_a_passing_trouble_is_not_told(world: World) -> None:
    await team_is(world, *there(LEA))
    watching = places(world)
    world.chat.problems["C1"] = "Slack cannot be reached"
    await watching.look()
    del world.chat.problems["C1"]
    await watching.look()
    assert world.chat.told == []


async def test_without_a_lead_another_team_is_told(make: Makes) -> None:
    world = await make(BILLING)
    watching = places(world)
    world.chat.problems["C1"] = "gone"
    for _ in range(2):
        await watching.look()
    assert [channel for channel, _ in world.chat.announced] == ["C2"]


async def test_a_lane_in_trouble_is_noticed_by_what_it_met(world: World) -> None:
    world.chat.troubles["open"] = [PlaceFault("missing_scope")] * 9
    await world.escalate()
    for _ in range(4):
        await world.settle(60)
    watching = places(world)
    await watching.look()
    assert watching.problems == {"support": "missing_scope"}


async def test_a_mended_place_is_tried_again_at_once_and_nothing_was_given_up(world: World) -> None:
    world.chat.troubles["open"] = [PlaceFault("not_in_channel")] * 6
    number = await world.escalate()
    for _ in range(6):
        await world.settle(60)
    assert (await world.lane(number, Reader.THREAD)).faults == 6
    await world.submit(PlaceMended("support"))
    await world.settle()
    assert len(world.chat.roots()) == 1
    assert await world.dead() == []


async def test_a_channel_that_is_gone_moves_its_cases_to_the_teams_new_one(
    database_url: str, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(make_settings(database_url), clock, chat)
    world.start()
    number = await world.claimed("My lamp broke")
    await world.stop()
    moved: Settings = with_team(world.settings, channel="C9")
    chat.lost.add("C1")
    world = World(moved, clock, chat)
    world.start()
    await places(world).look()
    await pass_time(world, 1)
    await world.settle()
    assert (await world.binding(number)).channel == "C9"
    assert any("My lamp broke" in line for line in await world.thread(number))
    await world.stop()


def test_every_handler_sees_people_as_they_stand_in_the_team() -> None:
    assert all(hasattr(handler, "__wrapped__") for handler in HANDLERS.values())


async def test_a_case_that_is_released_is_not_said_again_to_have_nobody(world: World) -> None:
    await team_is(world, *gone(ANNA, LEA))
    number = await world.escalate()
    await pass_time(world, 1)
    await world.submit(Claim(number, ANNA))
    await world.submit(Release(number, ANNA))
    await pass_time(world, 1)
    assert [code for code, _ in await alerts(world, number)] == ["nobody_there"]
