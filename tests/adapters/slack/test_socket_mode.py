"""The connection that we open: greeted, dropped, refused, silent, and always back."""

import pytest

from bot.commands import ThreadMessage
from tests.adapters.slack.desk import Desk

pytestmark = pytest.mark.transport("socket")


async def test_the_hook_runs_on_connect_and_reconnect(desk: Desk) -> None:
    await desk.until(lambda: desk.connects == 1)
    assert desk.adapter.connected
    desk.slack.drop_sockets()
    await desk.until(lambda: desk.connects == 2 and desk.adapter.connected)
    await desk.slack.disconnect("refresh_requested")
    await desk.until(lambda: desk.connects == 3 and desk.adapter.connected)
    ts = await desk.say("still there?")
    await desk.slack.settled()
    assert desk.bus.commands(ThreadMessage)[-1].heard.id == ts


async def test_a_refused_handshake_does_not_leave_us_stuck(desk: Desk) -> None:
    """The SDK would try the used-up address for ever."""
    await desk.until(lambda: desk.connects == 1)
    desk.slack.refuse_connections(0.6)
    desk.slack.drop_sockets()
    await desk.until(lambda: desk.connects == 2)
    await desk.until(lambda: desk.slack.connections == 1)


async def test_a_silent_connection_is_replaced(desk: Desk) -> None:
    await desk.until(lambda: desk.connects == 1)
    desk.slack.silence()
    await desk.until(lambda: not desk.adapter.connected)
    desk.slack.silence(False)
    await desk.until(lambda: desk.adapter.connected)
