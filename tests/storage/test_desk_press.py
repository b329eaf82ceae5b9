"""What a button of a listing is answered: what it did, with the way to the thread, where one goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from bot import answers
from bot.desk import Desk
from bot.errors import Unavailable
from bot.posts import Action
from tests.storage.test_desk_answers import ANNA, BEN, LEA, desk
from tests.storage.world import World

__all__ = ["desk"]


async def test_a_claim_leads_to_the_thread(world: World, desk: Desk) -> None:
    number = await world.escalate()
    await world.settle()
    said = await desk.press(Action.CLAIM, str(number), ANNA)
    assert said.text.endswith("is yours.")
    assert f"[**#{number}**](https://" in said.text


async def test_a_lead_whose_claim_lost_may_take_it_over(world: World, desk: Desk) -> None:
    number = await world.claimed()
    lost = await desk.press(Action.CLAIM, str(number), BEN)
    assert "Anna" in lost.text
    assert lost.buttons == ()
    assert [one.action for one in (await desk.press(Action.CLAIM, str(number), LEA)).buttons] == [
        Action.STEP_IN
    ]


async def test_what_is_done_is_said_to_be_though_the_rest_cannot_be_read(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await world.escalate()

    async def away(read: Callable[..., Any]) -> Any:
        raise Unavailable("the database is away")

    monkeypatch.setattr(desk, "_reads", away)
    assert (await desk.press(Action.CLAIM, str(number), ANNA)).text == "Done."


async def test_every_listing_can_be_asked_for_again(world: World, desk: Desk) -> None:
    number = await world.claimed()
    for words in ("queue", "mine", "find lamp", f"show {number}"):
        first = await desk.ask(words, ANNA)
        if first.rows or first.again:
            again = await desk.press(Action.PAGE, first.again, ANNA)
            assert (again.text, again.rows) == (first.text, first.rows)


async def test_open_cases_are_listed_for_who_is_away_only(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert (await desk.press(Action.PAGE, answers.OPEN_CASES, ANNA)).rows == ()
    listed = await desk.ask("away", ANNA)
    assert [row.number for row in listed.rows] == [number]
    assert (await desk.press(Action.PAGE, listed.again, ANNA)).rows == listed.rows
