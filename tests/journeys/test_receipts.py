"""An operator sees in Slack what became of each message, as the shopper's real browser confirms it."""

import pytest

from tests.journeys.world import World

HELD, DELIVERED, SEEN, INSIDE = "hourglass_flowing_sand", "white_check_mark", "eyes", "lock"


async def test_a_message_that_no_window_has_yet_gets_an_hourglass(world: World) -> None:
    thread = await world.claimed_thread()
    ts = await thread.write(world.dana, "Hello?")
    await thread.has_reaction(ts, HELD)


@pytest.mark.usefixtures("chromium")
async def test_the_hourglass_becomes_delivered_with_the_chat_closed_and_seen_once_it_is_opened(
    world: World,
) -> None:
    thread = await world.claimed_thread()
    ts = await thread.write(world.dana, "Hello?")
    await thread.has_reaction(ts, HELD)
    window = await world.window()
    await window.shows("Hello?")
    await thread.has_reaction(ts, SEEN)
    await window.page.keyboard.press("Escape")
    later = await thread.write(world.dana, "Are you there?")
    await thread.has_reaction(later, DELIVERED)
    await window.by("launcher").click()
    await thread.has_reaction(later, SEEN)


@pytest.mark.usefixtures("chromium")
async def test_a_message_seen_at_once_is_marked_seen_and_nothing_else_remains(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    written = [await thread.write(world.dana, text) for text in ("one", "two", "three")]
    await window.shows("three")
    for ts in written:
        await thread.has_reaction(ts, SEEN)


async def test_what_stays_inside_gets_a_lock(world: World) -> None:
    thread = await world.claimed_thread()
    note = await thread.write(world.dana, "note: a regular")
    colleague = await thread.write(world.bob, "he is")
    command = await thread.write(world.dana, f"<@{world.slack.bot_user_id}> what now")
    for ts in (note, colleague, command):
        await thread.has_reaction(ts, INSIDE)


@pytest.mark.usefixtures("chromium")
async def test_a_note_that_is_sent_after_all_changes_its_lock_for_eyes(world: World) -> None:
    thread = await world.claimed_thread()
    await world.window()
    ts = await thread.write(world.dana, "note: it ships on Monday")
    await thread.has_reaction(ts, INSIDE)
    offer = await thread.offer("send")
    await thread.press(world.dana, "send", offer.ts)
    await thread.has_reaction(ts, SEEN)
