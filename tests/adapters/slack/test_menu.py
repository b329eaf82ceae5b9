"""A card's buttons and menu, and what pressing them asks for."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.blocks import rest_of_menu
from adapters.slack.clicks import Where, click
from adapters.slack.modal_views import answer_view, dealt_with
from adapters.slack.rendering import render_answer, render_card
from bot.commands import Claim, Release, RetryDead, SendMessage, Withdraw, from_button
from bot.errors import Busy, NotFound
from bot.people import Actor, Role
from bot.posts import Action, Answer, Button, Card, Place, Row
from tests.adapters.slack.answering import ROW
from tests.adapters.slack.desk import Desk
from tests.fakes.slack.blocks import problems

WHO = Actor("slack", "U1", "Anna Berg", Role.LEAD)
SEVEN = tuple(
    Button(action, f"{action.value.title()}…", "1042")
    for action in (
        Action.ASSIGN, Action.MOVE, Action.PRIORITY, Action.SNOOZE, Action.TAG, Action.NOTE, Action.OUTCOME,
    )
)  # fmt: skip
CARD = Card(
    1042, "Refund", "Dana has it", "active", None, buttons=(Button(Action.RESOLVE, "Resolve", "1042"),)
)


def elements(card: Card) -> list[dict[str, Any]]:
    return [
        one for block in render_card(card).blocks for one in block.get("elements", ()) if "action_id" in one
    ]


def test_up_to_five_entries_stand_in_an_overflow_menu() -> None:
    menu = elements(replace(CARD, menu=SEVEN[:5]))[-1]
    assert menu["type"] == "overflow"
    assert [one["value"] for one in menu["options"]] == [
        "assign|1042",
        "move|1042",
        "priority|1042",
        "snooze|1042",
        "tag|1042",
    ]


@pytest.mark.parametrize("count", range(1, 8))
def test_every_entry_of_a_menu_is_reachable(count: int) -> None:
    card = replace(CARD, menu=SEVEN[:count])
    assert problems(render_card(card).blocks) == []
    options = elements(card)[-1]["options"]
    direct = [one["value"].split("|")[0] for one in options if not one["value"].startswith("more|")]
    more = [one["value"].removeprefix("more|") for one in options if one["value"].startswith("more|")]
    behind = [one.action for value in more for one in rest_of_menu(value)]
    assert [*direct, *behind] == [one.action.value for one in SEVEN[:count]]


def test_what_asks_before_it_acts_is_a_button_since_a_menus_entry_cannot() -> None:
    step_in = Button(Action.STEP_IN, "Take over", "1042", confirm="Take it from Dana?")
    found = elements(replace(CARD, menu=(step_in, *SEVEN[:2])))
    assert [one["action_id"] for one in found] == ["baton:resolve", "baton:step_in", "baton:menu"]
    assert found[1]["confirm"]["text"]["text"] == "Take it from Dana?"


def test_a_button_with_more_in_its_value_keeps_nothing_out_of_the_menu() -> None:
    """Taking over says from whom, so that an old card takes nobody by surprise."""
    step_in = Button(Action.STEP_IN, "Take over", "1042:3", confirm="Take it from Dana?")
    found = elements(replace(CARD, menu=(step_in, *SEVEN)))
    assert [one["action_id"] for one in found] == ["baton:resolve", "baton:step_in", "baton:menu"]


def test_more_than_twenty_five_buttons_stand_in_several_rows() -> None:
    buttons = tuple(Button(Action.SHOW, f"Show {number}", str(number)) for number in range(60))
    blocks = render_answer(Answer("All", buttons=buttons)).blocks
    assert problems(blocks) == []
    assert sum(len(block.get("elements", ())) for block in blocks) == 60


@pytest.mark.parametrize(("rows", "lines"), [(1, 1), (10, 10), (20, 0)])
def test_a_line_parts_a_case_from_the_next_where_there_is_room(rows: int, lines: int) -> None:
    found = tuple(
        Row(number, f"#{number}", (Button(Action.CLAIM, "Claim", str(number)),)) for number in range(rows)
    )
    blocks = render_answer(Answer("The queue", found)).blocks
    assert problems(blocks) == []
    assert [block["type"] for block in blocks].count("divider") == lines


def test_a_case_that_is_dealt_with_takes_its_line_along() -> None:
    found = tuple(
        Row(number, f"#{number}", (Button(Action.CLAIM, "Claim", str(number)),)) for number in (7, 8)
    )
    view = answer_view(Answer("Mine", found), Where("U1"))
    left = dealt_with(view, 8, "Done", Where("U1"))["blocks"]
    assert [block["type"] for block in left].count("divider") == 1


def test_a_listing_that_is_too_long_says_how_much_is_left_out() -> None:
    rows = tuple(
        Row(number, f"#{number} Sarah", (Button(Action.CLAIM, "Claim", str(number)),)) for number in range(60)
    )
    blocks = render_answer(Answer("The queue", rows)).blocks
    assert problems(blocks) == []
    shown = sum(block["type"] == "actions" for block in blocks)
    assert f"and {60 - shown} more" in blocks[-1]["elements"][0]["text"]


@pytest.mark.parametrize(
    ("button", "command"),
    [
        (Button(Action.RETRY, "Retry", "d-17"), RetryDead("d-17", WHO)),
        (Button(Action.HAND_OVER, "Hand over", "7"), Release(7, WHO, own=True)),
        (Button(Action.STEP_IN, "Take over", "7"), Claim(7, WHO, take_over=True)),
    ],
)
def test_a_button_is_its_command(button: Button, command: Any) -> None:
    assert from_button(button.action, button.value, WHO) == command


@pytest.mark.parametrize("action", [Action.SHOW, Action.NOTE, Action.PAGE])
def test_a_button_that_only_asks_or_shows_is_no_command(action: Action) -> None:
    with pytest.raises(ValueError):
        from_button(action, "7", WHO)


def test_a_menus_option_is_the_click_it_stands_for() -> None:
    pressed = click(
        {
            "user": {"id": "U1", "name": "anna"},
            "container": {"channel_id": "C1", "message_ts": "1.0"},
            "actions": [{"action_id": "baton:menu", "selected_option": {"value": "release|7"}}],
        }
    )
    assert pressed is not None
    assert pressed.command(WHO) == Release(7, WHO)


# Over the wire


async def whispered(desk: Desk) -> Any:
    return await desk.slack.wait_for(lambda: desk.slack.ephemerals[-1] if desk.slack.ephemerals else None)


async def test_showing_a_case_asks_the_desk_and_whispers_with_buttons(desk: Desk) -> None:
    card = replace(CARD, buttons=(Button(Action.SHOW, "Show", "7"),))
    posted = await desk.adapter.chat.open_thread("support", card, "d-1")
    await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:show")
    shown = await whispered(desk)
    assert desk.answers.asked[0].text == "show 7"
    assert "The queue" in desk.slack.text_of(shown)
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await desk.until(lambda: desk.bus.submitted)
    assert desk.bus.submitted == [Claim(7, desk.bus.submitted[0].actor)]


async def test_another_page_takes_the_place_of_the_one_before(desk: Desk) -> None:
    desk.answers.answer = Answer("Page 1", (ROW,), (Button(Action.PAGE, "Next", "queue:2"),))
    await desk.slack.command(desk.anna, desk.room, "/handoff", "queue")
    first = await whispered(desk)
    desk.answers.answer = Answer("Page 2")
    await desk.slack.click(desk.anna, desk.room, first.ts, "baton:page")
    await desk.slack.wait_for(lambda: [one.text for one in desk.slack.ephemerals] == ["Page 2"])
    assert desk.answers.asked[-1].text == "queue:2"


async def test_pressing_show_while_the_house_is_busy_is_answered(desk: Desk) -> None:
    desk.answers.failure = Busy(1.0)
    card = replace(CARD, buttons=(Button(Action.SHOW, "Show", "7"),))
    posted = await desk.adapter.chat.open_thread("support", card, "d-1")
    delivery = await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:show")
    shown = await whispered(desk)
    assert delivery.acked
    assert "did not work" in shown.text


# The shortcut, the reaction, a mention in the channel


async def test_the_shortcut_sends_that_message(desk: Desk) -> None:
    ts = await desk.say("let me look")
    await desk.slack.settled()
    delivery = await desk.slack.shortcut(desk.anna, "baton:send_to_shopper", desk.room, ts)
    await desk.slack.wait_for(lambda: delivery.done)
    (command,) = desk.bus.submitted
    assert command == SendMessage(desk.place, ts, command.actor)
    assert delivery.acked


async def test_the_shortcut_outside_of_a_thread_says_so(desk: Desk) -> None:
    ts = await desk.slack.post(desk.anna, desk.room, "lunch?")
    await desk.slack.shortcut(desk.anna, "baton:send_to_shopper", desk.room, ts)
    assert "no message of one of Baton's threads" in (await whispered(desk)).text
    assert desk.bus.submitted == []


async def test_the_shortcut_is_answered_where_the_bot_is_no_member(desk: Desk) -> None:
    elsewhere = desk.slack.add_channel("random", [desk.anna], bot=False)
    root = await desk.slack.post(desk.anna, elsewhere, "lunch?")
    ts = await desk.slack.post(desk.anna, elsewhere, "yes", root)
    desk.bus.failures.append(NotFound("This is none of our threads."))
    await desk.slack.shortcut(desk.anna, "baton:send_to_shopper", elsewhere, ts)
    await desk.slack.wait_for(lambda: desk.slack.responses)
    assert desk.slack.responses[0].body["text"] == "This is none of our threads."


async def test_a_stop_sign_on_a_threads_message_withdraws_it(desk: Desk) -> None:
    ts = await desk.say("wrong window")
    await desk.slack.settled()
    await desk.slack.react(desk.anna, desk.room, ts, "octagonal_sign")
    await desk.slack.settled()
    (command,) = desk.bus.submitted
    assert command == Withdraw(Place("slack", desk.room, desk.place.root), ts, command.actor)
    assert command.actor.name == "Anna Berg"


async def test_other_reactions_and_those_outside_of_threads_cost_nothing(desk: Desk) -> None:
    ts = await desk.say("on it")
    lunch = await desk.slack.post(desk.anna, desk.room, "lunch?")
    await desk.slack.react(desk.anna, desk.room, ts, "tada")
    await desk.slack.react(desk.anna, desk.room, lunch, "octagonal_sign")
    await desk.slack.settled()
    assert desk.bus.submitted == []
    assert all(delivery.acked for delivery in desk.slack.deliveries)


async def test_a_withdrawal_that_was_not_stored_comes_again(desk: Desk) -> None:
    ts = await desk.say("wrong window")
    await desk.slack.settled()
    desk.bus.failures.append(Busy(1.0))
    await desk.slack.react(desk.anna, desk.room, ts, "octagonal_sign")
    await desk.slack.settled()
    assert len(desk.bus.submitted) == 1


async def test_a_mention_in_the_channel_is_answered_with_what_can_be_done(desk: Desk) -> None:
    desk.answers.answer = Answer("Try `/handoff queue`.")
    await desk.slack.post(desk.anna, desk.room, f"<@{desk.slack.bot_user_id}> hello?")
    shown = await whispered(desk)
    assert (shown.user, shown.thread_ts) == (desk.anna, None)
    assert [one.text for one in desk.answers.asked] == ["help"]


async def test_a_verb_in_a_thread_arrives_with_its_people(desk: Desk) -> None:
    bert = desk.slack.add_user("bert ray")
    await desk.say(f"<@{desk.slack.bot_user_id}> assign <@{bert}> please")
    await desk.slack.settled()
    ((_, _, command),) = desk.bus.arrived
    assert command.heard.extra["command"] == "assign @1 please"
    assert [one.id for one in command.heard.extra["people"]] == [bert]
    assert desk.answers.asked == []
