"""What stays inside stays inside: in the stream, live and replayed, in `/v1`, in webhooks, and on the page."""

import json

import pytest
from playwright.async_api import expect

from tests.journeys.world import CONVERSATION, Tap, Thread, World

SECRET = "he lies"
CORRECTED = "he cheats"


async def everything_outside(world: World, live: Tap) -> str:
    """All that the shopper and the store were ever given, up to now."""
    replayed = await world.replay()
    end = replayed.said("shopper")[-1]
    await live.shows(end)
    await world.shop.heard(end)
    store = await world.shop.conversation(CONVERSATION)
    outside = [live.raw, replayed.raw, json.dumps(store).encode(), world.shop.webhook_bytes]
    return b"\n".join(outside).decode()


async def asides(world: World, thread: Thread) -> list[str]:
    """Every way to write something that stays inside, in a claimed case; the posts' ts."""
    return [
        await thread.write(world.dana, f"<@{world.slack.bot_user_id}> note {SECRET}"),
        await thread.write(world.dana, f"<@{world.slack.bot_user_id}> clame {SECRET}"),
        await thread.write(world.dana, f"note: {SECRET}"),
        await thread.write(world.dana, f"NOTE : {SECRET}"),
        await thread.write(world.dana, f"  // {SECRET}"),
        await thread.write(world.dana, f"<@{world.bob}> {SECRET}"),
        await thread.write(world.dana, f"<!here> {SECRET}"),
        await thread.write(world.bob, f"{SECRET}, I think"),
    ]


async def test_notes_commands_and_colleagues_messages_never_leave_nor_do_their_edits(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    written = await asides(world, thread)
    for ts in written:
        text = world.slack.message(thread.channel, ts).text
        await thread.edit(ts, text.replace(SECRET, CORRECTED))
    await thread.write(world.dana, "This one leaves")
    await live.shows("This one leaves")
    await world.slack.settled()
    outside = await everything_outside(world, live)
    assert "This one leaves" in outside
    assert SECRET not in outside
    assert CORRECTED not in outside


async def test_an_edit_never_turns_a_note_outward(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    for ts in await asides(world, thread):
        await thread.edit(ts, f"{CORRECTED} for all to see")
    await world.slack.settled()
    assert CORRECTED not in await everything_outside(world, live)


async def test_nothing_written_before_a_claim_leaves(world: World) -> None:
    thread = await world.open_thread()
    live = await world.stream()
    await thread.write(world.dana, f"{SECRET}, look at his orders")
    await world.slack.settled()
    assert SECRET not in await everything_outside(world, live)


async def test_a_guest_of_the_workspace_and_another_bot_cannot_speak_to_the_shopper(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    guest = world.slack.add_user("Gus Guest", guest=True)
    await thread.write(guest, f"{SECRET} says the guest")
    await world.slack.post_as_app(thread.channel, f"{SECRET} says the bot", thread.root)
    await world.slack.settled()
    assert SECRET not in await everything_outside(world, live)
    assert not thread.offers()


@pytest.mark.usefixtures("chromium")
async def test_nothing_of_it_is_ever_on_the_shoppers_page(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    for ts in await asides(world, thread):
        await thread.edit(ts, f"note: {CORRECTED}")
    await thread.write(world.dana, "This one leaves")
    await window.shows("This one leaves")
    markup = await window.markup()
    assert SECRET not in markup
    assert CORRECTED not in markup
    assert await window.by("message").count() == 4


@pytest.mark.usefixtures("chromium")
async def test_an_edit_that_makes_a_reply_a_note_takes_it_from_the_page_and_is_not_replayed(
    world: World,
) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    window = await world.window()
    ts = await thread.write(world.dana, "Your refund is on its way")
    await window.shows("Your refund is on its way")
    await thread.edit(ts, f"note: {SECRET}")
    await window.shows("Message removed")
    await expect(window.message("refund is on its way")).to_have_count(0)
    assert SECRET not in await everything_outside(world, live)
    assert "on its way" not in (await world.replay()).raw.decode()


@pytest.mark.usefixtures("chromium")
async def test_edits_and_deletes_of_a_reply_reach_the_page_and_the_store(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    first = await thread.write(world.dana, "It ships on *Monday*")
    second = await thread.write(world.dana, "Or never, hahaha")
    await window.shows("Or never")
    await thread.edit(first, "It ships on *Tuesday*")
    await expect(await window.shows("It ships on Tuesday")).to_contain_text("edited")
    await thread.delete(second)
    await window.shows("Message removed")
    await expect(window.message("Or never")).to_have_count(0)
    assert await world.relayed() == ["It ships on **Tuesday**", ""]


async def test_a_deleted_or_edited_text_is_never_given_again(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    first = await thread.write(world.dana, "Wrong address: 5 Elm Street")
    second = await thread.write(world.dana, "The price is 12 EUR")
    await live.shows("The price is 12 EUR")
    await thread.delete(first)
    await thread.edit(second, "The price is 15 EUR")
    await live.until(lambda: {"edited", "deleted"} <= {one["kind"] for one in live.entries})
    given = (await world.replay()).raw.decode() + json.dumps(await world.shop.conversation(CONVERSATION))
    assert "Elm Street" not in given
    assert "12 EUR" not in given
    assert "15 EUR" in given


async def test_a_stream_that_comes_back_after_a_delete_is_told_of_it(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.dana, "Wrong address: 5 Elm Street")
    seq = (await live.shows("Wrong address: 5 Elm Street"))["seq"]
    live.task.cancel()
    await thread.delete(ts)
    await world.slack.settled()
    later = await world.stream(after=seq)
    gone = await later.until(lambda: next((one for one in later.entries if one["kind"] == "deleted"), None))
    assert gone["target"] == seq
    assert "Elm" not in later.raw.decode()


async def test_what_a_reply_becomes_by_its_edits_is_what_the_shopper_has_in_the_end(world: World) -> None:
    """Edits in quick succession, also back and forth."""
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.dana, "one")
    for text in ("two", "three", "two", "four"):
        await thread.edit(ts, text)
    await world.slack.settled()
    await live.until(lambda: live.last.get("text") == "four")
    assert await world.relayed() == ["four"]


async def test_the_apis_answers_do_not_hold_what_the_store_wrote_for_the_team_alone(world: World) -> None:
    """A summary's wording and the reason's detail are the store's; the shopper is told only their own words."""
    await world.open_thread(
        summary={"issue": "Known fraudster", "sentiment": "angry"},
        reason={"trigger": "api", "detail": "watch out"},
    )
    window_sees = (await world.replay()).raw.decode()
    assert "fraudster" not in window_sees
    assert "watch out" not in window_sees
