"""A call that is too late does not leave: another replica may have made it."""

import time

import pytest

from bot.deadline import until
from bot.errors import PlaceFault
from tests.adapters.slack.desk import CARD, Desk


@pytest.mark.transport("socket")
async def test_a_call_past_its_deadline_never_reaches_slack(desk: Desk) -> None:
    before = len(desk.slack.calls_to("chat.postMessage"))
    with until(time.time() - 1, time.time), pytest.raises(PlaceFault):
        await desk.adapter.chat.open_thread("support", CARD, "d-late")
    assert len(desk.slack.calls_to("chat.postMessage")) == before


@pytest.mark.transport("socket")
async def test_a_call_within_its_deadline_is_made(desk: Desk) -> None:
    with until(time.time() + 60, time.time):
        posted = await desk.adapter.chat.open_thread("support", CARD, "d-in-time")
    assert desk.slack.message(posted.channel, posted.remote_id)
