"""Slack fails in every way it has: nothing is lost, nothing comes twice, all of it in order."""

import asyncio
import json
import re

import pytest

from tests.fakes.slack import Fault
from tests.journeys.world import SAID, Tap, Thread, World

COUNT = 6


async def writes(world: World, thread: Thread, count: int = COUNT) -> list[str]:
    """Dana writes reply 0, reply 1 …; their ts."""
    return [await thread.write(world.dana, f"reply {n}") for n in range(count)]


async def told(live: Tap, count: int = COUNT) -> list[str]:
    """What the shopper has been told once there are so many replies, and a moment for a repeat to show."""
    await live.until(lambda: len(live.said()) >= count)
    return live.said()


REPLIES = [f"reply {n}" for n in range(COUNT)]


# --- events


async def test_events_delivered_three_times_count_once(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.repeat_events(2)
    ts = (await writes(world, thread))[0]
    await thread.edit(ts, "reply 0, edited")
    await thread.delete(await thread.write(world.dana, "gone"))
    await world.slack.settled()
    await live.until(lambda: live.last.get("kind") == "deleted")
    again = await world.replay()
    assert again.said() == ["reply 0, edited", *REPLIES[1:], ""]
    kinds = [one["kind"] for one in live.entries]
    assert (kinds.count("edited"), kinds.count("deleted")) == (1, 1)


async def test_reordered_events_lose_and_repeat_nothing_and_the_newest_edit_wins(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.reorder(0.3)
    first, second, *_ = await writes(world, thread)
    for text in ("a", "b", "c"):
        await thread.edit(first, text)
    await thread.delete(second)
    await world.slack.settled()
    await live.until(lambda: len(live.entries) > COUNT)
    again = await world.replay()
    await again.until(lambda: "c" in again.said())
    assert sorted(text for text in again.said() if text) == ["c", *REPLIES[2:]]


@pytest.mark.by_socket
async def test_messages_that_wait_together_leave_in_the_order_they_were_written(world: World) -> None:
    """They were written while Baton could not take events: then all of them come at once, shuffled."""
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.drop_sockets()
    world.slack.reorder(0.02)
    await writes(world, thread)
    assert await told(live) == REPLIES


@pytest.mark.by_socket
async def test_a_retry_after_an_ack_that_came_too_late_counts_once(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.ack_timeout = 0.001
    written = await writes(world, thread)
    await world.slack.settled()
    assert all(len(world.slack.delivery_of(ts).attempts) > 1 for ts in written)
    assert await told(live) == REPLIES
    assert (await world.replay()).said() == REPLIES


@pytest.mark.by_socket
async def test_an_event_whose_socket_broke_before_the_ack_is_taken_at_its_retry(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    for n in range(3):
        await thread.write(world.dana, f"reply {n}")
        world.slack.drop_sockets()
        await world.slack.connected()
    assert await told(live, 3) == REPLIES[:3]


@pytest.mark.parametrize("attempts", [(), (0.0,)])
@pytest.mark.by_socket
async def test_what_operators_did_while_the_socket_was_down_is_caught_up_with(
    world: World, attempts: tuple[float, ...]
) -> None:
    """Every delivery is lost: only the thread's history knows."""
    thread = await world.claimed_thread()
    live = await world.stream()
    kept, edited, deleted = await writes(world, thread, 3)
    await told(live, 3)
    world.slack.retry_delays = attempts
    world.slack.refuse_connections(60)
    world.slack.drop_sockets()
    await thread.edit(edited, "reply 1, edited")
    await thread.delete(deleted)
    await thread.write(world.dana, "reply 3")
    await thread.edit(await thread.write(world.dana, "reply 4"), "reply 4, edited")
    await thread.delete(await thread.write(world.dana, "reply 5"))
    await thread.write(world.dana, "note: he lies")
    await world.slack.settled()
    assert all(one.lost for one in world.slack.deliveries[-8:])
    world.slack.refuse_connections(0)
    await world.slack.connected()
    await live.shows("reply 4, edited")
    await live.until(lambda: {"edited", "deleted"} <= {one["kind"] for one in live.entries})
    again = await world.replay()
    assert again.said() == ["reply 0", "reply 1, edited", "", "reply 3", "reply 4, edited"]
    assert b"he lies" not in live.raw + again.raw
    assert kept


@pytest.mark.by_socket
async def test_a_click_while_baton_is_away_tells_the_operator_so_and_works_afterwards(world: World) -> None:
    thread = await world.open_thread()
    world.slack.refuse_connections(60)
    world.slack.drop_sockets()
    click = await world.slack.click(world.dana, thread.channel, thread.root, "baton:claim")
    await world.slack.wait_for(lambda: click.done)
    assert click.lost
    world.slack.refuse_connections(0)
    await world.slack.connected()
    await thread.claim(world.dana)


@pytest.mark.by_socket
async def test_slack_asking_to_reconnect_loses_nothing(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    for n in range(3):
        await thread.write(world.dana, f"reply {n}")
        await world.slack.disconnect("refresh_requested", grace=0.05)
    assert await told(live, 3) == REPLIES[:3]


# --- posts


FAULTS = {
    "committed, then the line is cut": Fault.drop(commit=True),
    "cut before": Fault.drop(),
    "committed half a second later": Fault.late(0.5),
    "503 although committed": Fault.http(503, commit=True),
    "500": Fault.http(500),
    "fatal_error although committed": Fault.error("fatal_error", commit=True),
    "429": Fault.rate_limit(1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_shoppers_messages_reach_the_thread_once_and_in_order_although_posting_fails(
    world: World, fault: Fault
) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    rule = world.slack.faults.add("chat.postMessage", fault, times=2, after=1)
    for n in range(COUNT):
        await world.shopper_writes(f"line {n}")
        await world.slack.wait_for(lambda n=n: n > 2 or len(world.slack.calls_to("chat.postMessage")) > n)
    await thread.says(f"line {COUNT - 1}")
    assert re.findall(r"line \d", thread.ours) == [f"line {n}" for n in range(COUNT)]
    assert rule.hits == 2


async def test_a_thread_opens_once_although_its_first_post_was_committed_and_cut(world: World) -> None:
    world.slack.faults.add("chat.postMessage", Fault.drop(commit=True), times=1)
    thread = await world.open_thread()
    await thread.says(SAID)
    assert len(world.threads()) == 1


async def test_429_is_obeyed(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    posts = world.slack.calls_to("chat.postMessage")
    world.slack.faults.add("chat.postMessage", Fault.rate_limit(1))
    await world.shopper_writes("patience")
    await thread.says("patience")
    refused, served = world.slack.calls_to("chat.postMessage")[len(posts) :]
    assert served.at - refused.at >= 1.0


async def test_one_channels_rate_limit_does_not_hold_up_the_shoppers_screen(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.faults.add("chat.postMessage", Fault.rate_limit(30), times=None)
    world.slack.faults.add("reactions.add", Fault.rate_limit(30), times=None)
    await world.shopper_writes("hello?")
    await thread.write(world.dana, "here")
    await live.shows("here")


async def test_slack_being_down_for_a_while_loses_nothing_either_way(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    live = await world.stream()
    port = world.slack.port
    await world.slack.stop()
    for n in range(4):
        await world.shopper_writes(f"line {n}")
    await world.slack.start(port)
    await thread.says("line 3")
    assert re.findall(r"line \d", thread.ours) == [f"line {n}" for n in range(4)]
    await world.connected()
    await writes(world, thread, 2)
    assert await told(live, 2) == REPLIES[:2]


async def test_a_case_that_escalates_while_slack_is_down_gets_its_thread_later(world: World) -> None:
    port = world.slack.port
    await world.slack.stop()
    await world.escalate()
    await world.shopper_writes("is anybody there?")
    await world.slack.start(port)
    thread = await world.thread()
    await thread.says(SAID)
    await thread.says("is anybody there?")
    assert len(world.threads()) == 1


async def test_baton_restarted_while_both_sides_write_loses_nothing(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    await world.shopper_writes("line 0")
    port = world.baton.web.port
    await world.baton.stop()
    await writes(world, thread, 3)
    await world.start_baton(port)
    live = await world.stream()
    assert await told(live, 3) == REPLIES[:3]
    await world.shopper_writes("line 1")
    await thread.says("line 1")
    assert re.findall(r"line \d", thread.ours) == ["line 0", "line 1"]


# --- the thread's root


async def test_a_deleted_root_gets_a_new_thread_with_the_whole_story_and_goes_on_there(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.dana, "reply 0")
    await live.shows("reply 0")
    await thread.delete(thread.root)
    await world.slack.wait_for(lambda: world.threads() and world.threads()[0].root != thread.root)
    new = await world.thread()
    await new.says(SAID)
    await new.says("reply 0")
    await world.shopper_writes("still here")
    await new.says("still here")
    await new.write(world.dana, "reply 1")
    await live.shows("reply 1")
    assert live.said() == ["reply 0", "reply 1"]


async def test_a_deleted_root_that_nobody_told_of_leaves_no_stray_in_the_channel(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    say, world.slack.world.emit = world.slack.world.emit, lambda event: None
    await thread.delete(thread.root)
    world.slack.world.emit = say
    await world.shopper_writes("does this get lost?")
    await world.slack.wait_for(lambda: world.threads() and "does this get lost?" in world.threads()[-1].ours)
    new = world.threads()[-1]
    in_channel = [one for one in world.slack.messages(world.channel) if not one.is_reply and one.bot_id]
    assert [one.ts for one in in_channel] == [new.root]
    assert new.ours.count("does this get lost?") == 1


async def test_a_reply_in_the_thread_of_a_deleted_root_still_reaches_the_shopper(world: World) -> None:
    """Whoever still has the old thread open writes on in it."""
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.delete(thread.root)
    await world.slack.wait_for(lambda: world.threads() and world.threads()[0].root != thread.root)
    message = world.slack.world.post(thread.channel, world.dana, "from the old thread")
    message.thread_ts = thread.root
    world.slack.emit_event({**world.slack.world.json(message), "type": "message", "channel": thread.channel})
    await live.shows("from the old thread")


# --- all at once


@pytest.mark.by_socket
async def test_through_all_of_it_at_once_every_message_arrives_exactly_once(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.repeat_events(1)
    world.slack.reorder(0.05)
    world.slack.faults.add("chat.postMessage", Fault.drop(commit=True), times=4, probability=0.5)
    world.slack.faults.add("chat.postMessage", Fault.http(503), times=4, probability=0.5)

    async def shopper() -> None:
        for n in range(12):
            await world.shopper_writes(f"line {n:02}")

    async def operator() -> None:
        for n in range(12):
            await thread.write(world.dana, f"reply {n:02}")
            if n % 4 == 3:
                world.slack.drop_sockets()
                await world.slack.connected()

    await asyncio.gather(shopper(), operator())
    await live.until(lambda: len(set(live.said())) == 12)
    await thread.says("line 11")
    assert re.findall(r"line \d\d", thread.ours) == [f"line {n:02}" for n in range(12)]
    assert sorted((await world.replay()).said()) == [f"reply {n:02}" for n in range(12)]
    assert json.dumps(live.entries).count("reply 07") == 1
