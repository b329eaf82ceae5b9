"""Home tabs grow old by themselves, and several replicas may have been shown to the same person."""

import asyncio

import pytest

from adapters.slack import home as home_module
from adapters.slack.home_view import look_of
from bot.boards import Look, View
from bot.posts import Row
from tests.adapters.slack.answering import FakeDesk
from tests.adapters.slack.desk import Desk
from tests.adapters.slack.test_home import home, publishes


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "RENEW_TICK", 0.02)
    monkeypatch.setattr(home_module, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(home_module, "BETWEEN", 0.05)


@pytest.mark.usefixtures("quick")
async def test_waits_are_renewed_though_nothing_changes(desk: Desk) -> None:
    shown = await home(desk)
    desk.answers.rows = (Row(7, "waits 4 min"),)
    await desk.slack.wait_for(lambda: "waits 4 min" in desk.slack.text_of(shown), 2.0)


@pytest.mark.usefixtures("quick")
async def test_a_renewal_that_shows_nothing_new_costs_no_call_and_one_look(desk: Desk) -> None:
    await home(desk)
    looked = len(desk.answers.looks)
    await asyncio.sleep(0.5)
    assert len(publishes(desk)) == 1
    assert 1 <= len(desk.answers.looks) - looked <= 3


@pytest.mark.usefixtures("quick")
async def test_with_many_tabs_each_is_renewed_less_often(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "RENEWED_A_MINUTE", 0.05)
    await home(desk)
    looked = len(desk.answers.looks)
    await asyncio.sleep(0.6)
    assert len(desk.answers.looks) == looked


@pytest.mark.usefixtures("quick")
async def test_what_nobody_looks_at_any_more_is_not_renewed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "OPEN_SECONDS", 0.1)
    await home(desk)
    await asyncio.sleep(0.15)
    looked = len(desk.answers.looks)
    await asyncio.sleep(0.4)
    assert len(desk.answers.looks) == looked


def replica_of(desk: Desk) -> tuple[home_module.Homes, FakeDesk]:
    """Another process on the same database and workspace."""
    ours = desk.adapter._listeners
    assert ours is not None
    answers = FakeDesk()
    made = home_module.Homes(
        desk.adapter._chat.api, answers, ours._actor, lambda work: asyncio.create_task(work), desk.bus
    )
    return made, answers


@pytest.mark.usefixtures("quick")
async def test_the_replica_that_was_asked_last_keeps_the_tab_and_the_other_lets_go(desk: Desk) -> None:
    shown = await home(desk)
    other, theirs = replica_of(desk)
    other.show(desk.anna, Look(View.MINE))
    await desk.slack.wait_for(lambda: look_of(shown.content) == Look(View.MINE))
    theirs.rows = (Row(9, "**#9** Ann"),)
    for replica in (desk.adapter._listeners.homes, other):  # type: ignore[union-attr]
        replica.changed(_Touched())
    await desk.slack.wait_for(lambda: "Ann" in desk.slack.text_of(shown), 2.0)
    assert look_of(shown.content) == Look(View.MINE)
    before = len(publishes(desk))
    desk.answers.rows = (Row(10, "**#10** from the first replica"),)
    desk.wakeup.committed(10)
    await asyncio.sleep(0.3)
    assert len(publishes(desk)) == before
    await desk.slack.click_in_view(desk.anna, shown.id, "baton:look:view:teams")
    await desk.slack.wait_for(lambda: "from the first replica" in desk.slack.text_of(shown), 2.0)


class _Touched:
    touched = frozenset({9})
    appended: dict[int, list[object]] = {}  # noqa: RUF012
    lanes: frozenset[object] = frozenset()
    typing: list[object] = []  # noqa: RUF012
