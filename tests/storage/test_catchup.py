"""After a gap, and the periodic jobs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot import commands, schedule
from bot.arrivals import Arrivals, thread_lane
from bot.catchup import PAUSES, CatchUp
from bot.errors import Busy, PlaceFault
from bot.people import Member, Role
from bot.places import Places
from bot.posts import Action, Heard
from tests.storage.world import ANNA, BEN, LEA, World


def catch_up(world: World) -> tuple[CatchUp, Arrivals]:
    arrivals = Arrivals(world.writer.submit, 5.0)
    return CatchUp(world.reads, arrivals, world.chat, second=0.01), arrivals


def by(world: World, message_id: str, text: str, **rest: Any) -> Heard:
    extra = {"actor": {"name": ANNA.name, "role": "operator"}}
    return world.heard(text, message_id, ANNA, extra=extra, **rest)


async def test_what_was_written_edited_and_removed_meanwhile_is_made_up_for(world: World) -> None:
    number = await world.claimed()
    root = (await world.binding(number)).root
    await world.says(number, "kept", "m1")
    await world.says(number, "edited", "m2")
    await world.says(number, "removed", "m3")
    world.chat.written[root] = [
        by(world, "m1", "kept"), by(world, "m2", "edited!", edited_order="9"), by(world, "m4", "new"),
    ]  # fmt: skip
    for _ in range(2):
        run, _arrivals = catch_up(world)
        await run.run()
        assert await world.to_shopper(number) == ["My lamp broke", "kept", "edited!", "new"]
    assert (await world.kinds(number)).count("deleted") == 1


async def test_a_message_that_came_both_ways_counts_once(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    world.chat.written[place.root] = [by(world, "m1", "hello")]
    run, arrivals = catch_up(world)
    live = arrivals.arrive(
        thread_lane("fake", "C1", place.root), "m1",
        commands.ThreadMessage(place, by(world, "m1", "hello"), ANNA),
    )  # fmt: skip
    await asyncio.gather(run.run(), live)
    assert (await world.to_shopper(number)).count("hello") == 1


async def test_a_late_message_is_not_taken_for_a_removed_one(world: World) -> None:
    """It is older than its place in the log; the history must be read from it on."""
    number = await world.claimed()
    root = (await world.binding(number)).root
    await world.says(number, "second", "m2")
    await world.says(number, "first", "m1")
    world.chat.written[root] = [by(world, "m1", "first"), by(world, "m2", "second")]
    run, _ = catch_up(world)
    await run.run()
    assert await world.to_shopper(number) == ["My lamp broke", "second", "first"]


async def test_an_aside_that_was_sent_after_all_is_not_taken_for_a_removed_message(world: World) -> None:
    number = await world.claimed()
    root = (await world.binding(number)).root
    await world.says(number, "I can help", "m1", actor=BEN)
    seq = (await world.log(number))[-1].seq
    await world.says(number, "One moment", "m2")
    await world.submit(commands.SendAside(number, seq, Action.SEND_AS_ME, BEN))
    world.chat.written[root] = [by(world, "m1", "I can help"), by(world, "m2", "One moment")]
    run, _ = catch_up(world)
    await run.run()
    assert await world.to_shopper(number) == ["My lamp broke", "One moment", "I can help"]


async def test_an_edit_read_from_the_history_is_not_undone_by_an_older_one(world: World) -> None:
    number = await world.claimed()
    root = (await world.binding(number)).root
    world.chat.written[root] = [by(world, "m1", "newest", edited_order="5")]
    run, _ = catch_up(world)
    await run.run()
    await world.edits(number, "older", "m1", "4")
    assert await world.to_shopper(number) == ["My lamp broke", "newest"]


async def test_a_root_that_went_meanwhile_is_noticed(world: World) -> None:
    number = await world.claimed()
    world.chat.gone.add((await world.binding(number)).root)
    run, _ = catch_up(world)
    await run.run()
    await world.settle(5)
    assert len(world.chat.roots()) == 1


async def test_a_thread_that_cannot_be_read_holds_up_no_other_and_no_live_event(world: World) -> None:
    first = await world.claimed()
    second = await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    await world.submit(commands.Claim(second, ANNA))
    await world.settle()
    world.chat.written[(await world.binding(second)).root] = [by(world, "m9", "hello two")]
    world.chat.troubles["history"] = [PlaceFault("down")]
    run, arrivals = catch_up(world)
    await run.run()
    assert (await world.to_shopper(second))[-1] == "hello two"
    place = await world.place(first)
    heard = commands.ThreadMessage(place, by(world, "m1", "live"), ANNA)
    await arrivals.arrive(thread_lane("fake", "C1", place.root), "m1", heard)
    assert (await world.to_shopper(first))[-1] == "live"


# --- the periodic jobs ----------------------------------------------------------------------------------------


class Bus:
    """Passes on what is submitted; `broken` breaks for that case."""

    def __init__(self, world: World, broken: int = 0):
        self._world, self._broken = world, broken
        self.seen: list[Any] = []

    async def submit(self, command: Any) -> Any:
        if not isinstance(
            command, commands.HoldLease
        ):  # one replica at a time: not what these tests are about
            self.seen.append(command)
        if getattr(command, "number", None) == self._broken:
            raise KeyError("no such team")
        return await self._world.writer.submit(command)

    async def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        return await self.submit(command)


def job(world: World, bus: Bus, name: str) -> Any:
    chats = {"fake": world.chat}
    places = Places(world.settings, bus, world.reads, world.clock, chats)
    table = schedule.jobs(world.settings, bus, world.reads, world.clock, chats, places)
    return table[name][1]


async def test_a_tick_runs_what_is_due_and_nothing_else(world: World) -> None:
    number = await world.escalate()
    await job(world, Bus(world), "due rows")()  # whether somebody is there is looked at once
    bus = Bus(world)
    await job(world, bus, "due rows")()
    assert bus.seen == []
    world.clock.advance(60)
    await job(world, bus, "due rows")()
    assert {(command.kind, command.number) for command in bus.seen} == {("card", number), ("nobody", number)}


async def test_one_row_that_breaks_holds_up_none_behind_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await world.escalate()
    world.clock.advance(1)
    fine = await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    world.clock.advance(120)
    bus = Bus(world, broken)
    await job(world, bus, "due rows")()
    cards = [command.number for command in bus.seen if command.kind == "card"]
    assert cards == [broken, fine]
    assert "due row failed" in caplog.text


async def test_the_members_of_a_team_are_who_its_channel_has(world: World) -> None:
    guest = replace(BEN, role=Role.NONE)
    world.chat.people = [Member(ANNA), Member(LEA), Member(guest)]
    await job(world, Bus(world), "team members")()
    team = await world.read(lambda uow: [one.name for one in uow.people.team("support")])
    assert team == ["Anna Berg", "Lea Lind"]


async def test_a_thread_that_could_not_be_read_is_read_again(world: World) -> None:
    number = await world.claimed()
    world.chat.written[(await world.binding(number)).root] = [by(world, "m9", "written in the gap")]
    world.chat.troubles["history"] = [PlaceFault("down"), PlaceFault("still down")]
    run, _ = catch_up(world)
    await run.run()
    assert (await world.to_shopper(number))[-1] == "written in the gap"


async def test_it_goes_on_for_as_long_as_our_own_database_takes_nothing(world: World) -> None:
    number = await world.claimed()
    world.chat.written[(await world.binding(number)).root] = [by(world, "m9", "written in the gap")]
    refusals = len(PAUSES) * 2

    async def submit(command: Any) -> Any:
        nonlocal refusals
        if isinstance(command, commands.ThreadMessage) and (refusals := refusals - 1) > 0:
            raise Busy(1.0)
        return await world.writer.submit(command)

    await CatchUp(world.reads, Arrivals(submit, 5.0), world.chat, second=0.001).run()
    assert (await world.to_shopper(number))[-1] == "written in the gap"
