"""Outside hours nobody pretends to be there."""

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.hours import DAYS, parse_hours
from tests.journeys.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def closed(begin) -> World:
    """A team that opens tomorrow at nine, whatever day it is."""
    tomorrow = DAYS[(datetime.now(UTC) + timedelta(days=1)).weekday()]
    return await begin(hours=parse_hours({"zone": "UTC", tomorrow: "09:00-17:00"}))


@pytest.mark.usefixtures("chromium")
async def test_a_shopper_is_told_when_somebody_will_be_there_and_is_not_lost(closed: World) -> None:
    thread = await closed.open_thread()
    window = await closed.window()
    await window.notices("Our team is away right now and will be back tomorrow at 09:00 (UTC)")
    await thread.claim(closed.dana)
    await window.notices("Dana is here and has read your chat")


async def test_a_shopper_who_asks_outside_hours_is_not_told_that_somebody_is_coming(closed: World) -> None:
    assert (await closed.as_shopper("escalate", {"id": "e1"}))[0] == 200
    codes = [one.get("code") for one in (await closed.replay()).entries if one["kind"] == "notice"]
    assert codes == ["hours"]
