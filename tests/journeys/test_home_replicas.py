"""A Home tab that several replicas were shown on: one of them keeps it fresh, as its owner left it."""

import asyncio

import pytest

from adapters.slack.home_view import look_of
from bot.boards import Look, View
from tests.journeys.test_slack_surfaces import home_of
from tests.journeys.world import World

pytestmark = pytest.mark.replicas


async def test_one_replica_refreshes_a_tab_and_no_other_undoes_it(world: World) -> None:
    await world.add_replica()
    home = await home_of(world, world.dana)
    for turn in range(8):  # each click goes to either of them
        view = (View.TEAMS, View.MINE)[turn % 2]
        await world.slack.click_in_view(world.dana, home.id, f"baton:look:view:{view}")
        await world.slack.wait_for(lambda view=view: look_of(home.content).view is view)  # type: ignore[misc]
    tabs = [dict(one._platforms[0]._listeners.homes._tabs) for one in (world.baton, *world.replicas)]  # type: ignore[attr-defined]
    await world.slack.click_in_view(world.dana, home.id, "baton:look:view:teams")
    await world.slack.wait_for(lambda: look_of(home.content).view is View.TEAMS)
    before = len(world.slack.calls_to("views.publish"))
    await world.escalate()
    await world.slack.wait_for(lambda: "#1001" in world.slack.text_of(home), 2.0)
    await asyncio.sleep(2.0)
    assert look_of(home.content) == Look(View.TEAMS)
    assert all(world.dana in tab for tab in tabs), "both were shown it"
    after = [one for one in world.slack.calls_to("views.publish")[before:] if not one.error]
    assert {'"view": "teams"' in str(one.args["view"]) for one in after} == {True}
