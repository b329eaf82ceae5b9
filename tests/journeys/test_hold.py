"""A team that holds its replies: the operator writes in Slack, thinks again, and the shopper sees what was meant.

Where a test is about taking something back, the hold is longer than any test: nothing leaves by itself.
"""

from tests.journeys.conftest import Begin
from tests.journeys.world import CONVERSATION, Tap, Thread, World

HELD, DELIVERED, INSIDE = "hourglass_flowing_sand", "white_check_mark", "lock"
SHORT, LONG = 1.0, 60.0


async def begun(begin: Begin, hold: float) -> tuple[World, Thread, Tap]:
    """A case of Dana's, with the shopper's window open."""
    world = await begin(hold=hold)
    thread = await world.claimed_thread()
    return world, thread, await world.stream()


async def resolved(world: World, thread: Thread, live: Tap) -> list[str]:
    """What the operators said by the time the case is closed."""
    await thread.press(world.dana, "resolve")
    await live.until(lambda: any(one.get("code") == "resolved" for one in live.entries))
    return live.said()


async def test_a_reply_waits_under_an_hourglass_and_then_leaves(begin: Begin) -> None:
    world, thread, live = await begun(begin, SHORT)
    ts = await thread.write(world.dana, "Your *refund* is on its way")
    await thread.has_reaction(ts, HELD)
    assert live.said() == []
    await live.shows("Your **refund** is on its way")
    assert await world.relayed() == ["Your **refund** is on its way"]
    seq = live.position
    await world.as_shopper("seen", {"delivered": seq, "seen": 0, "hidden": False, "tab": "t1"})
    await thread.has_reaction(ts, DELIVERED)


async def test_replies_leave_in_the_order_they_were_written(begin: Begin) -> None:
    world, thread, live = await begun(begin, SHORT)
    for text in ("one", "two", "three"):
        await thread.write(world.dana, text)
    await live.until(lambda: len(live.said()) == 3)
    assert live.said() == ["one", "two", "three"]


async def test_an_edit_in_time_is_all_the_shopper_ever_sees(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "You are rihgt")
    await thread.has_reaction(ts, HELD)
    await thread.edit(ts, "You are right")
    await world.slack.settled()
    assert await resolved(world, thread, live) == ["You are right"]
    assert b"rihgt" not in live.raw
    assert not any(one["kind"] == "edited" for one in live.entries)


async def test_an_edit_into_a_note_keeps_it_inside(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "She is furious")
    await thread.has_reaction(ts, HELD)
    await thread.edit(ts, "// She is furious")
    await thread.has_reaction(ts, INSIDE)
    assert await resolved(world, thread, live) == []
    assert b"furious" not in live.raw


async def test_a_reply_deleted_in_time_never_leaves(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "oops, wrong thread")
    await thread.has_reaction(ts, HELD)
    await thread.delete(ts)
    await world.slack.settled()
    assert await resolved(world, thread, live) == []
    assert "oops" not in str(await world.shop.conversation(CONVERSATION))


async def test_a_stop_sign_in_time_keeps_it_inside_and_its_author_is_told(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "I should not have said that")
    await thread.has_reaction(ts, HELD)
    await world.slack.react(world.dana, world.channel, ts, "octagonal_sign")
    message = world.slack.message(world.channel, ts)
    await world.slack.wait_for(lambda: set(message.reactions) == {INSIDE, "octagonal_sign"})
    await world.slack.wait_for(lambda: world.slack.ephemerals)
    assert world.slack.ephemerals[0].user == world.dana
    assert "stays inside" in world.slack.ephemerals[0].text
    assert await resolved(world, thread, live) == []


async def test_a_lead_may_stop_it_and_a_colleague_may_not(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    kept = await thread.write(world.dana, "This may leave")
    stopped = await thread.write(world.dana, "This must not")
    await thread.has_reaction(stopped, HELD)
    await world.slack.react(world.bob, world.channel, kept, "octagonal_sign")
    await world.slack.react(world.lena, world.channel, stopped, "octagonal_sign")
    message = world.slack.message(world.channel, stopped)
    await world.slack.wait_for(lambda: INSIDE in message.reactions)
    await world.slack.settled()
    assert await resolved(world, thread, live) == ["This may leave"]


async def test_resolving_lets_what_was_held_go_first(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "Goodbye")
    await thread.has_reaction(ts, HELD)
    assert await resolved(world, thread, live) == ["Goodbye"]
    said = next(one["seq"] for one in live.entries if one.get("text") == "Goodbye")
    closed = next(one["seq"] for one in live.entries if one.get("code") == "resolved")
    assert said < closed


async def test_a_restart_during_the_hold_loses_and_repeats_nothing(begin: Begin) -> None:
    world, thread, _ = await begun(begin, SHORT)
    ts = await thread.write(world.dana, "Still there?")
    await thread.has_reaction(ts, HELD)
    await world.restart()
    live = await world.stream()
    await live.shows("Still there?")
    assert (await world.replay()).said() == ["Still there?"]


async def test_what_was_deleted_while_baton_was_away_never_leaves(begin: Begin) -> None:
    world, thread, _ = await begun(begin, SHORT)
    ts = await thread.write(world.dana, "oops")
    await thread.has_reaction(ts, HELD)
    port = world.baton.web.port
    await world.baton.stop()
    await thread.delete(ts)
    await world.start_baton(port)
    live = await world.stream()
    await thread.write(world.dana, "Hello")
    await live.shows("Hello")
    assert (await world.replay()).said() == ["Hello"]


async def test_a_command_lets_what_was_held_go_first_and_is_answered(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    ts = await thread.write(world.dana, "Goodbye")
    await thread.has_reaction(ts, HELD)
    await thread.write(world.dana, f"<@{world.slack.bot_user_id}> resolve")
    await live.until(lambda: any(one.get("code") == "resolved" for one in live.entries))
    assert live.said() == ["Goodbye"]
    await world.slack.wait_for(lambda: [one.user for one in world.slack.ephemerals] == [world.dana])


async def test_a_command_that_comes_three_times_is_done_once(begin: Begin) -> None:
    world, thread, live = await begun(begin, LONG)
    world.slack.repeat_events(2)
    await thread.write(world.dana, f"<@{world.slack.bot_user_id}> release")
    await world.slack.settled()
    await live.until(lambda: any(one.get("code") == "released" for one in live.entries))
    await world.slack.settled()
    codes = [one.get("code") for one in (await world.replay()).entries]
    assert codes.count("released") == 1
