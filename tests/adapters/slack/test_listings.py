"""A listing that only one person sees shows how things stand after they pressed something in it."""

import asyncio

import pytest

from adapters.slack.clicks import Where
from adapters.slack.modal_views import form_view
from adapters.slack.rendering import render_answer
from bot.answers import OPEN_CASES
from bot.commands import Claim
from bot.errors import AlreadyClaimed, Busy
from bot.posts import Action, Answer, Button, Row
from tests.adapters.slack.answering import NOTE_FORM, ROW
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import Ephemeral
from tests.fakes.slack.blocks import problems, view_problems

QUEUE = Answer("**Unclaimed**: 1", (ROW,), again="queue:0")
EMPTY = Answer("Nobody is waiting to be claimed.")


async def listing(desk: Desk, answer: Answer = QUEUE, channel: str = "") -> Ephemeral:
    desk.answers.answer = answer
    await desk.slack.command(desk.anna, channel or desk.room, "/handoff", "queue")
    return await desk.slack.wait_for(lambda: desk.slack.ephemerals[-1] if desk.slack.ephemerals else None)


async def only(desk: Desk, *words: str) -> None:
    """Wait until one whisper stands, with these words."""

    def stands() -> bool:
        shown = [desk.slack.text_of(one) for one in desk.slack.ephemerals]
        return len(shown) == 1 and all(word in shown[0] for word in words)

    await desk.slack.wait_for(stands)


async def test_a_claimed_row_goes_and_what_was_done_stands_above(desk: Desk) -> None:
    shown = await listing(desk)
    desk.answers.answer = EMPTY
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await only(desk, "#7 is yours.", "Nobody is waiting")
    assert desk.bus.submitted == [Claim(7, desk.bus.submitted[0].actor)]
    assert desk.answers.pressed[-1][:2] == (Action.PAGE, "queue:0")


async def test_a_lost_claim_is_said_in_the_listing_without_the_row(desk: Desk) -> None:
    shown = await listing(desk)
    desk.answers.answer = EMPTY
    desk.bus.failures.append(AlreadyClaimed("Bert claimed this just now."))
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await only(desk, "Bert claimed this just now.", "Nobody is waiting")


async def test_a_listing_that_cannot_be_made_anew_still_gets_its_answer(desk: Desk) -> None:
    shown = await listing(desk)
    desk.answers.failure, desk.answers.failing = Busy(1.0), (Action.PAGE,)
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await desk.slack.wait_for(lambda: any("#7 is yours." in one.text for one in desk.slack.ephemerals))
    assert len(desk.slack.ephemerals) == 2


async def test_a_page_that_was_turned_to_is_the_one_shown_again(desk: Desk) -> None:
    shown = await listing(
        desk, Answer("Page 1", (ROW,), (Button(Action.PAGE, "Next", "queue:1"),), "queue:0")
    )
    desk.answers.answer = Answer("Page 2", (ROW,), again="queue:1")
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:page")
    await only(desk, "Page 2")
    await desk.slack.click(desk.anna, desk.room, desk.slack.ephemerals[0].ts, "baton:claim")
    await only(desk, "#7 is yours.", "Page 2")
    assert desk.answers.pressed[-1][:2] == (Action.PAGE, "queue:1")


async def test_a_whole_case_is_shown_anew_after_its_button(desk: Desk) -> None:
    details = Answer("#7 waits", buttons=(Button(Action.CLAIM, "Claim", "7"),), again="show 7")
    shown = await listing(desk, details)
    desk.answers.answer = Answer("#7 is active", again="show 7")
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await only(desk, "#7 is yours.", "#7 is active")


async def test_what_a_window_did_is_shown_in_the_listing_that_opened_it(desk: Desk) -> None:
    """Also where the bot is no member and cannot whisper."""
    elsewhere = desk.slack.add_channel("random", [desk.anna], bot=False)
    row = Row(7, "#7 Sarah", (Button(Action.NOTE, "Note", "7"),))
    shown = await listing(desk, Answer("Mine", (row,), again="mine:0"), elsewhere)
    await desk.slack.click(desk.anna, elsewhere, shown.ts, "baton:note")
    window = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    await desk.slack.wait_for(lambda: "Add a note" in desk.slack.text_of(window))
    desk.answers.answer = Answer("Mine, as it is now", (row,), again="mine:0")
    await desk.slack.submit(desk.anna, window.id, {"text": "she called"})
    await only(desk, "Noted.", "Mine, as it is now")


async def test_a_listing_without_its_words_is_answered_beside(desk: Desk) -> None:
    shown = await listing(desk, Answer("Old", (ROW,)))
    desk.bus.failures.append(AlreadyClaimed("Bert claimed this just now."))
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await desk.slack.wait_for(lambda: len(desk.slack.ephemerals) == 2)


async def test_what_a_window_of_the_home_tab_did_stands_above_the_queue(desk: Desk) -> None:
    desk.answers.rows = (Row(7, "#7", (Button(Action.NOTE, "Note", "7"),)),)
    await desk.slack.open_home(desk.anna)
    home = await desk.slack.wait_for(lambda: desk.slack.homes.get(desk.anna))
    await desk.slack.click_in_view(desk.anna, home.id, "baton:note")
    window = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    await desk.slack.wait_for(lambda: "Add a note" in desk.slack.text_of(window))
    await desk.slack.submit(desk.anna, window.id, {"text": "she called"})
    await desk.slack.wait_for(lambda: "Noted." in desk.slack.text_of(home))


# Going away in a thread


async def test_who_goes_away_in_a_thread_is_shown_what_is_open_to_hand_over(desk: Desk) -> None:
    hand_over = Row(7, "#7 Sarah", (Button(Action.HAND_OVER, "Back to the queue", "7"),))
    desk.bus.answer = {"whisper": "You are away."}
    desk.answers.answer = Answer("", (hand_over,), again=OPEN_CASES)
    await desk.say(f"<@{desk.slack.bot_user_id}> away until 14:00")
    await only(desk, "You are away.", "#7 Sarah", "Back to the queue")
    (shown,) = desk.slack.ephemerals
    assert shown.thread_ts == desk.place.root
    assert desk.answers.pressed == [(Action.PAGE, OPEN_CASES, desk.answers.pressed[0][2])]


async def test_another_verb_in_a_thread_lists_nothing(desk: Desk) -> None:
    desk.bus.answer = {"whisper": "#7 is yours."}
    await desk.say(f"<@{desk.slack.bot_user_id}> claim")
    await only(desk, "#7 is yours.")
    await asyncio.sleep(0.05)
    assert desk.answers.pressed == []


# Limits


@pytest.mark.parametrize("words", ["queue:0", "find:0:" + "w" * 200, "find:0:" + "👩‍👩‍👧‍👦" * 40])
def test_the_words_of_a_listing_fit_or_are_left_out(words: str) -> None:
    assert problems(render_answer(Answer("", (ROW,) * 12, again=words)).blocks) == []


def test_a_window_carries_them_within_its_limit() -> None:
    url = "https://hooks.slack.com/actions/" + "x" * 200
    where = Where("U1", "", "C1", "1.0", response_url=url, ephemeral=True, again="find:0:" + "ü" * 230)
    view = form_view(NOTE_FORM, where)
    assert view_problems(view) == []
    assert url in view["private_metadata"]
