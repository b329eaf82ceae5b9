"""Every Slack surface, from the click to the case: windows, menu, slash command, Home tab, shortcut, reaction."""

from dataclasses import replace
from typing import Any

from bot.replies import Reply
from tests.fakes.slack import View
from tests.journeys.world import Thread, World, buttons
from tests.waiting import until

PATIENCE = 20.0


async def choose(world: World, thread: Thread, user: str, action: str) -> None:
    """An entry of the card's menu; what has no room there stands behind "More…"."""
    root = world.slack.message(thread.channel, thread.root)
    await world.slack.wait_for(lambda: "menu" in buttons(root), PATIENCE)
    values = _options(root.blocks)
    direct = next((one for one in values if one.startswith(f"{action}|")), None)
    chosen = direct or next(one for one in values if one.startswith("more|"))
    delivery = await world.slack.click(user, thread.channel, thread.root, "baton:menu", chosen)
    await world.slack.wait_for(lambda: delivery.done, PATIENCE)
    assert delivery.acked
    if direct is None:
        view = await window(world, user)
        await world.slack.click_in_view(user, view.id, f"baton:{action}")
        await world.slack.wait_for(lambda: "submit" in view.content, PATIENCE)


def _options(blocks: list[Any]) -> list[str]:
    menus = [one for block in blocks for one in block.get("elements", ()) if one.get("type") == "overflow"]
    return [option["value"] for menu in menus for option in menu["options"]]


async def window(world: World, user: str) -> View:
    """The window somebody looks at, once it waits no more."""

    def there() -> View | None:
        view = world.slack.window(user)
        return view if view and "One moment" not in world.slack.text_of(view) else None

    return await world.slack.wait_for(there, PATIENCE)


async def fill_in(world: World, user: str, **values: Any) -> None:
    """Send the form, and see it close."""
    view = await window(world, user)
    await world.slack.submit(user, view.id, values)
    await world.slack.wait_for(lambda: view.closed or view.errors, PATIENCE)
    assert view.errors == {}
    assert world.slack.bad_answers == []


def option_of(view: View, label: str) -> str:
    """The value of the choice that reads so."""
    fields = [
        one
        for block in view.content["blocks"]
        for one in (block.get("element"), *block.get("elements", ()))
        if one
    ]
    choices = [one for field in fields for one in field.get("options", ())]
    return next(str(one["value"]) for one in choices if label in one["text"]["text"])


async def typed(world: World, user: str, text: str) -> str:
    """What the slash command is answered."""
    before = len(world.slack.ephemerals)
    delivery = await world.slack.command(user, world.channel, "/handoff", text)
    await world.slack.wait_for(lambda: len(world.slack.ephemerals) > before, PATIENCE)
    assert delivery.acked
    shown = world.slack.ephemerals[-1]
    assert shown.user == user
    return world.slack.text_of(shown)


async def home_of(world: World, user: str) -> View:
    await world.slack.open_home(user)
    return await world.slack.wait_for(lambda: world.slack.homes.get(user), PATIENCE)


# The card's menu and its windows


async def is_in_stage(world: World, stage: str) -> bool:
    return bool((await world.case())["stage"] == stage)


async def test_a_lead_assigns_in_a_window(world: World) -> None:
    thread = await world.open_thread()
    await choose(world, thread, world.lena, "assign")
    view = await window(world, world.lena)
    await fill_in(world, world.lena, operator=option_of(view, "Bob Ray"))
    await world.slack.wait_for(lambda: "Bob Ray has it" in thread.card, PATIENCE)
    assert (await world.case())["owner"] == "Bob Ray"


async def test_the_priority_is_set_by_the_menu(world: World) -> None:
    thread = await world.claimed_thread(priority="normal")
    await choose(world, thread, world.dana, "priority")
    await fill_in(world, world.dana, priority="urgent")
    await world.slack.wait_for(lambda: "urgent" in thread.card, PATIENCE)
    assert (await world.case())["priority"] == "urgent"


async def test_a_note_stays_in_the_team(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await choose(world, thread, world.dana, "note")
    await fill_in(world, world.dana, text="She sent a photo by mail.")
    await thread.says("She sent a photo by mail.")
    await thread.write(world.dana, "Thank you for the photo")
    await live.shows("Thank you for the photo")
    assert b"by mail" not in live.raw


async def test_a_case_is_put_off_in_a_window(world: World) -> None:
    thread = await world.claimed_thread()
    await choose(world, thread, world.dana, "snooze")
    await fill_in(world, world.dana, time="2h")
    await world.slack.wait_for(lambda: "Snoozed" in thread.card, PATIENCE)


async def test_a_wrong_time_is_said_beside_its_field(world: World) -> None:
    thread = await world.claimed_thread()
    await choose(world, thread, world.dana, "snooze")
    view = await window(world, world.dana)
    await world.slack.submit(world.dana, view.id, {"time": "whenever"})
    await world.slack.wait_for(lambda: view.errors, PATIENCE)
    assert list(view.errors) == ["field:time"]
    assert not view.closed


async def test_a_saved_reply_is_picked_read_over_and_sent(world: World) -> None:
    settings = world._settings
    reply = Reply("On its way", "Hi {first_name}, it ships today.")
    world._settings = lambda port: replace(settings(port), replies=(reply,))  # type: ignore[method-assign]
    await world.restart()
    thread = await world.claimed_thread()
    live = await world.stream()
    await choose(world, thread, world.dana, "saved_reply")
    view = await window(world, world.dana)
    await world.slack.click_in_view(world.dana, view.id, "baton:next", option_of(view, "On its way"))
    await world.slack.wait_for(lambda: "field:text" in str(view.content), PATIENCE)
    assert "Hi Sarah, it ships today." in str(view.content)
    await fill_in(world, world.dana, text="Hi Sarah, it ships today!")
    await live.shows("Hi Sarah, it ships today!")
    await thread.says("Hi Sarah, it ships today!")


# The slash command


async def test_the_queue_is_listed_and_a_case_claimed_from_anywhere(world: World) -> None:
    thread = await world.open_thread()
    number = (await world.case())["number"]
    assert f"#{number}" in await typed(world, world.dana, "queue")
    await typed(world, world.dana, f"claim {number}")
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card, PATIENCE)
    assert f"#{number}" in await typed(world, world.dana, "mine")


async def test_a_row_of_the_queue_is_claimed_with_its_button(world: World) -> None:
    thread = await world.open_thread()
    await typed(world, world.dana, "queue")
    listing = world.slack.ephemerals[-1]
    await world.slack.click(world.dana, world.channel, listing.ts, "baton:claim")
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card, PATIENCE)


async def test_a_misspelt_verb_is_answered_with_what_was_meant(world: World) -> None:
    await world.open_thread()
    assert "claim" in await typed(world, world.dana, "clame 1042")
    assert (await world.case())["owner"] is None


async def test_somebody_is_assigned_by_a_mention(world: World) -> None:
    thread = await world.open_thread()
    number = (await world.case())["number"]
    await typed(world, world.lena, f"assign {number} <@{world.bob}|bob ray>")
    await world.slack.wait_for(lambda: "Bob Ray has it" in thread.card, PATIENCE)


async def test_a_command_in_the_channel_must_name_its_case(world: World) -> None:
    await world.open_thread()
    await typed(world, world.dana, "release")
    assert (await world.case())["stage"] == "waiting"


# The shortcut and the reaction


async def test_the_shortcut_sends_a_message_that_stayed_inside(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.dana, "// It ships on Monday")
    await world.slack.settled()
    await world.slack.shortcut(world.dana, "baton:send_to_shopper", thread.channel, ts)
    await live.shows("It ships on Monday")
    delivery = await world.slack.shortcut(world.dana, "baton:send_to_shopper", thread.channel, ts)
    await world.slack.wait_for(lambda: delivery.done and world.slack.ephemerals, PATIENCE)
    assert "already" in world.slack.ephemerals[-1].text
    await world.replay()
    assert live.said() == ["It ships on Monday"]


async def test_the_shortcut_outside_of_a_case_says_so(world: World) -> None:
    lunch = await world.slack.post(world.dana, world.channel, "lunch?")
    reply = await world.slack.post(world.bob, world.channel, "yes", lunch)
    await world.slack.shortcut(world.bob, "baton:send_to_shopper", world.channel, reply)
    await world.slack.wait_for(lambda: world.slack.ephemerals, PATIENCE)
    assert "no message of one of Baton's threads" in world.slack.ephemerals[-1].text


async def test_a_stop_sign_keeps_a_held_message_inside(begin: Any) -> None:
    world: World = await begin(hold=30.0)
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.dana, "wrong window")
    await world.slack.settled()
    await world.slack.react(world.dana, thread.channel, ts, "octagonal_sign")
    await world.slack.wait_for(
        lambda: any("Stopped in time" in one.text for one in world.slack.ephemerals), PATIENCE
    )
    await world.replay()
    assert live.said() == []


# The Home tab


async def test_home_shows_the_queue_and_a_new_case_within_two_seconds(world: World) -> None:
    await world.open_thread()
    home = await home_of(world, world.dana)
    first = (await world.case())["number"]
    await world.slack.wait_for(lambda: f"#{first}" in world.slack.text_of(home), PATIENCE)
    await world.escalate(conversation_id="c-1002")
    await world.slack.wait_for(lambda: f"#{first + 1}" in world.slack.text_of(home), PATIENCE)


async def test_a_case_is_claimed_on_home_and_moves_to_mine(world: World) -> None:
    thread = await world.open_thread()
    number = (await world.case())["number"]
    home = await home_of(world, world.dana)
    await world.slack.wait_for(lambda: f"#{number}" in world.slack.text_of(home), PATIENCE)
    await world.slack.click_in_view(world.dana, home.id, "baton:claim", str(number))
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card, PATIENCE)
    await world.slack.click_in_view(world.dana, home.id, "baton:look:view:mine")
    await world.slack.wait_for(
        lambda: f"#{number}" in world.slack.text_of(home) and "Mine (1)" in world.slack.text_of(home),
        PATIENCE,
    )


async def test_a_stranger_to_the_team_sees_no_queue_and_may_do_nothing(world: World) -> None:
    thread = await world.open_thread()
    number = (await world.case())["number"]
    stranger = world.slack.add_user("Stan Ger")
    await typed_by_stranger(world, stranger, f"claim {number}")
    home = await home_of(world, stranger)
    assert f"#{number}" not in world.slack.text_of(home)
    assert "Waiting" in thread.card


async def typed_by_stranger(world: World, user: str, text: str) -> None:
    elsewhere = world.slack.add_channel("random", [user], bot=False)
    delivery = await world.slack.command(user, elsewhere, "/handoff", text)
    await world.slack.wait_for(lambda: delivery.done and world.slack.ephemerals, PATIENCE)


async def test_who_goes_away_is_shown_what_is_open(world: World) -> None:
    await world.claimed_thread()
    number = (await world.case())["number"]
    home = await home_of(world, world.dana)
    await world.slack.click_in_view(world.dana, home.id, "baton:away")
    view = await window(world, world.dana)
    assert f"#{number}" in world.slack.text_of(view)
    await world.slack.click_in_view(world.dana, view.id, "baton:hand_over", str(number))
    await world.slack.wait_for(lambda: "baton:back" in str(home.content), PATIENCE)
    await world.slack.wait_for(lambda: f"#{number}" in world.slack.text_of(view), PATIENCE)
    await until(lambda: is_in_stage(world, "waiting"))
