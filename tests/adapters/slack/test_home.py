"""The Home tab: the queue, kept fresh for those who look, within what Slack allows."""

import asyncio
import itertools
import json
from dataclasses import asdict
from typing import Any

import pytest

from adapters.slack import home as home_module
from adapters.slack.home_view import changed, home_view, look_of
from bot.boards import Board, Look, View
from bot.commands import Claim
from bot.errors import AlreadyClaimed, Busy, NotAllowed
from bot.posts import Action, Answer, Button, Row
from tests.adapters.slack.answering import ROW
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import Fault
from tests.fakes.slack import View as Shown
from tests.fakes.slack.blocks import view_problems


def board(look: Look = Look(), rows: tuple[Row, ...] = (ROW,), **more: Any) -> Board:  # noqa: B008
    facts: dict[str, Any] = {
        "counts": {View.MINE: 3, View.UNCLAIMED: 12},
        "tags": ("damaged", "vip"),
        "pages": 3,
    }
    return Board(look, rows, **(facts | more))


def said(view: dict[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False)


def pressable(view: dict[str, Any]) -> list[str]:
    found = [one for block in view["blocks"] for one in block.get("elements", ())]
    return [one["action_id"].removeprefix("baton:") for one in found if "action_id" in one]


def test_views_come_with_their_counts_and_the_one_shown_stands_out() -> None:
    buttons = home_view(board(Look(View.MINE)), 0.0)["blocks"][0]["elements"]
    assert [one["text"]["text"] for one in buttons] == [
        "Mine (3)",
        "Unclaimed (12)",
        "My teams (0)",
        "I'm away",
    ]
    assert [one.get("style") for one in buttons] == ["primary", None, None, None]


def test_filters_show_what_is_chosen_even_a_tag_that_no_case_has_now() -> None:
    look = Look(tag="gone", priority="high", awaiting="operator")
    filters = home_view(board(look), 0.0)["blocks"][1]["elements"]
    assert [one["initial_option"]["value"] for one in filters] == ["gone", "high", "operator"]
    assert view_problems(home_view(board(look), 0.0)) == []


def test_the_filters_block_is_another_when_it_should_show_something_else() -> None:
    """Slack keeps what somebody chose in a block of the same name, whatever we say."""
    names = {home_view(board(Look(tag=tag)), 0.0)["blocks"][1]["block_id"] for tag in ("", "vip", "damaged")}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("page", "offered"),
    [(0, ["look:page:after"]), (1, ["look:page:before", "look:page:after"]), (2, ["look:page:before"])],
)
def test_there_are_pages_before_and_after_where_there_are(page: int, offered: list[str]) -> None:
    view = home_view(board(Look(page=page)), 0.0)
    assert [one for one in pressable(view) if "page" in one] == offered
    assert f"Page {page + 1} of 3" in said(view)


def test_an_empty_view_says_so_and_a_filtered_one_why() -> None:
    assert "Nobody is waiting" in said(home_view(board(rows=()), 0.0))
    assert "Nothing fits these filters" in said(home_view(board(Look(tag="vip"), ()), 0.0))


@pytest.mark.parametrize(("rows", "lines"), [(1, 1), (2, 2), (10, 10)])
def test_a_line_parts_a_case_from_the_next(rows: int, lines: int) -> None:
    view = home_view(board(rows=(ROW,) * rows), 0.0)
    assert [block["type"] for block in view["blocks"]].count("divider") == lines
    assert view_problems(view) == []


def test_who_is_away_is_reminded_and_can_come_back() -> None:
    view = home_view(board(away="You are away until 14:00."), 0.0)
    assert "until 14:00" in said(view)
    assert "back" in pressable(view)
    assert "away" not in pressable(view)


@pytest.mark.parametrize("look", [Look(), Look(View.TEAMS, "vip", "high", "shopper", 4)])
def test_what_is_shown_travels_with_the_tab(look: Look) -> None:
    assert look_of(home_view(board(look, pages=9), 0.0)) == look


@pytest.mark.parametrize("note", ["", "nonsense", "[]", '{"view": "other"}', '{"view": "mine", "page": "x"}'])
def test_a_tab_of_another_version_begins_anew(note: str) -> None:
    assert look_of({"private_metadata": note}) == Look()


def test_another_filter_begins_at_its_first_page() -> None:
    look = Look(View.MINE, "vip", page=3)
    assert changed(look, "look:view:teams", "teams") == Look(View.TEAMS, "vip")
    assert changed(look, "look:tag", "*") == Look(View.MINE)
    assert changed(look, "look:awaiting", "operator") == Look(View.MINE, "vip", awaiting="operator")
    assert changed(look, "look:page:after", "4").page == 4


# Over the wire


async def home(desk: Desk) -> Shown:
    await desk.slack.open_home(desk.anna)
    return await desk.slack.wait_for(lambda: desk.slack.homes.get(desk.anna))


def publishes(desk: Desk) -> list[Any]:
    return desk.slack.calls_to("views.publish")


async def test_opening_it_shows_the_queue(desk: Desk) -> None:
    shown = await home(desk)
    assert "Sarah K." in desk.slack.text_of(shown)
    assert view_problems(shown.content) == []


async def test_another_view_a_filter_and_a_page_are_shown(desk: Desk) -> None:
    desk.answers.pages = 3
    shown = await home(desk)
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:look:view:mine")
    await desk.until(lambda: desk.answers.looks[-1] == Look(View.MINE))
    await desk.slack.wait_for(lambda: look_of(shown.content) == Look(View.MINE))
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:look:tag", "damaged")
    await desk.slack.wait_for(lambda: look_of(shown.content) == Look(View.MINE, "damaged"))
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:look:page:after")
    await desk.slack.wait_for(lambda: look_of(shown.content) == Look(View.MINE, "damaged", page=1))


async def test_a_change_is_shown_within_two_seconds(desk: Desk) -> None:
    shown = await home(desk)
    desk.answers.rows = (Row(8, "**#8** Tom"),)
    desk.wakeup.committed(8)
    await desk.slack.wait_for(lambda: "Tom" in desk.slack.text_of(shown), 2.0)


async def test_many_changes_are_few_calls(desk: Desk) -> None:
    shown = await home(desk)
    before = len(publishes(desk))
    for number in range(30):
        desk.answers.rows = (Row(8, f"**#8** Tom, {number} unread"),)
        desk.wakeup.committed(8)
        await asyncio.sleep(0.05)
    await desk.slack.wait_for(lambda: "29 unread" in desk.slack.text_of(shown), 3.0)
    assert len(publishes(desk)) - before <= 2
    times = [one.at for one in publishes(desk)]
    assert all(later - earlier >= home_module.BETWEEN * 0.95 for earlier, later in itertools.pairwise(times))


async def test_a_change_that_shows_nothing_new_costs_no_call(desk: Desk) -> None:
    await home(desk)
    looked = len(desk.answers.looks)
    desk.wakeup.committed(8)
    await desk.until(lambda: len(desk.answers.looks) > looked)
    desk.wakeup.committed()
    await asyncio.sleep(0.1)
    assert len(publishes(desk)) == 1


async def test_who_opened_it_long_ago_is_not_kept_fresh(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "OPEN_SECONDS", 0.1)
    await home(desk)
    await asyncio.sleep(0.15)
    looked = len(desk.answers.looks)
    desk.wakeup.committed(8)
    await asyncio.sleep(0.1)
    assert len(desk.answers.looks) == looked


async def test_a_workspace_without_home_tabs_is_not_asked_again(desk: Desk) -> None:
    desk.slack.home_enabled = False
    await desk.slack.open_home(desk.anna)
    await desk.slack.wait_for(lambda: publishes(desk))
    desk.wakeup.committed(8)
    await asyncio.sleep(0.2)
    assert [one.error for one in publishes(desk)] == ["not_enabled"]


async def test_a_rate_limit_is_waited_for_and_the_newest_shown(desk: Desk) -> None:
    desk.slack.faults.add("views.publish", Fault.rate_limit(1))
    await desk.slack.open_home(desk.anna)
    await desk.slack.wait_for(lambda: publishes(desk))
    desk.answers.rows = (Row(8, "**#8** Tom"),)
    desk.wakeup.committed(8)
    shown = await desk.slack.wait_for(lambda: desk.slack.homes.get(desk.anna))
    assert "Tom" in desk.slack.text_of(shown)


async def test_a_queue_that_cannot_be_read_comes_back_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "AFTER_FAULT", 0.3)
    desk.answers.failure = Busy(1.0)
    shown = await home(desk)
    assert "comes back here by itself" in desk.slack.text_of(shown)
    desk.answers.failure = None
    await desk.slack.wait_for(lambda: "Sarah K." in desk.slack.text_of(shown), 4.0)


async def test_a_guest_is_told_why_there_is_nothing(desk: Desk) -> None:
    desk.answers.failure = NotAllowed("Only members of a team have a queue.")
    assert "Only members" in desk.slack.text_of(await home(desk))


async def test_a_claim_from_the_tab_is_done_and_its_answer_stands_above(desk: Desk) -> None:
    shown = await home(desk)
    desk.bus.failures.append(AlreadyClaimed("Bert claimed this just now."))
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:claim", "7")
    await desk.slack.wait_for(lambda: "Bert claimed this" in desk.slack.text_of(shown))
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:claim", "7")
    await desk.until(lambda: desk.bus.submitted)
    assert desk.bus.submitted == [Claim(7, desk.bus.submitted[0].actor)]


async def test_a_whole_case_opens_in_a_window(desk: Desk) -> None:
    shown = await home(desk)
    desk.answers.answer = Answer("All about #7")
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:show", "7")
    window = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    await desk.slack.wait_for(lambda: "All about #7" in desk.slack.text_of(window))
    assert desk.answers.asked[0].text == "show 7"


async def test_a_form_opens_from_the_tab(desk: Desk) -> None:
    desk.answers.rows = (Row(7, "#7", (Button(Action.NOTE, "Note", "7"),)),)
    shown = await home(desk)
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:note")
    window = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    await desk.slack.wait_for(lambda: "Add a note" in desk.slack.text_of(window))
    await desk.slack.submit(desk.anna, window.id, {"text": "she called"})
    await desk.slack.wait_for(lambda: window.closed)
    assert desk.answers.submitted[0][2] == {"text": "she called"}


async def test_the_messages_tab_is_not_the_queue(desk: Desk) -> None:
    desk.slack.emit_event({"type": "app_home_opened", "user": desk.anna, "tab": "messages"})
    await desk.slack.settled()
    assert publishes(desk) == []


def test_the_metadata_of_the_longest_look_fits() -> None:
    look = Look(View.UNCLAIMED, "t" * 150, "urgent", "operator", 9999)
    assert len(json.dumps(asdict(look))) < 3000
    assert view_problems(home_view(board(look, pages=10_000), 0.0)) == []
