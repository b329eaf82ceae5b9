"""The real Bolt and the real Socket Mode client against a local Slack: nothing is acknowledged that was not stored."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.slack.app import SlackAdapter
from bot.commands import Claim, RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage
from bot.errors import AlreadyClaimed, Busy, NotAllowed
from bot.people import Role
from bot.posts import Action, Button, Card, Place, Post, PostKind
from bot.settings import Slack, Timing
from tests.fakes.slack import FakeSlack, Fault

CARD = Card(7, "Refund", "Waiting", "waiting", None, buttons=(Button(Action.CLAIM, "Claim", "7"),))


class FakeBus:
    """Takes commands; `failures` are raised first, one per call."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, str, Any]] = []
        self.submitted: list[Any] = []
        self.failures: list[Exception] = []
        self.answer: Any = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def arrive(self, lane: str, order: str, command: Any) -> Any:
        await self._fail_or_wait()
        self.arrived.append((lane, order, command))
        return self.answer

    async def submit(self, command: Any) -> Any:
        await self._fail_or_wait()
        self.submitted.append(command)
        return self.answer

    async def _fail_or_wait(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        await self.gate.wait()

    def commands(self, kind: type) -> list[Any]:
        return [command for _, _, command in self.arrived if isinstance(command, kind)]


class Desk:
    """Slack, the adapter connected to it, and a case's thread with an operator in the channel."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.bus = FakeBus()
        self.anna = slack.add_user("anna berg")
        self.room = slack.add_channel("support", [self.anna])
        self.connects = 0
        settings = Slack(slack.bot_token, slack.app_token, slack.api_url)
        self.adapter = SlackAdapter(settings, Timing(socket_watch=1.5, call_timeout=3.0))
        self.place = Place("slack", self.room)

    async def on_connected(self) -> None:
        self.connects += 1

    async def start(self) -> None:
        await self.adapter.start(self.bus, self.on_connected)
        posted = await self.adapter.chat.open_thread("support", CARD, "d-0")
        self.place = Place("slack", posted.channel, posted.remote_id)

    async def say(self, text: str) -> str:
        return await self.slack.post(self.anna, self.room, text, self.place.root)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(8):
            while not condition():  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with FakeSlack() as slack:
        slack.retry_delays = (0.0, 0.05, 0.1)
        slack.ack_timeout = 1.0
        desk = Desk(slack)
        await desk.start()
        try:
            yield desk
        finally:
            await desk.adapter.stop()


async def test_a_reply_reaches_the_bus_in_its_threads_lane(desk: Desk) -> None:
    ts = await desk.say("on it :tada: &amp; done, <@" + desk.anna + ">")
    await desk.slack.settled()
    ((lane, order, command),) = desk.bus.arrived
    assert (lane, order) == (f"slack:{desk.room}:{desk.place.root}", ts)
    assert command.heard.text == "on it 🎉 & done, @Anna"
    assert (command.actor.name, command.actor.role) == ("Anna Berg", Role.OPERATOR)


async def test_nothing_is_acknowledged_before_the_commit(desk: Desk) -> None:
    desk.bus.gate.clear()
    ts = await desk.say("on it")
    await asyncio.sleep(0.2)
    assert not desk.slack.delivery_of(ts).acked
    desk.bus.gate.set()
    await desk.slack.settled()
    assert desk.slack.delivery_of(ts).acked


@pytest.mark.parametrize("failure", [Busy(1.0), RuntimeError("the disk is full: customer text")])
async def test_what_the_bus_did_not_take_comes_again(
    desk: Desk, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk.bus.failures.append(failure)
    ts = await desk.say("on it")
    await desk.slack.settled()
    delivery = desk.slack.delivery_of(ts)
    assert (delivery.acked, len(delivery.attempts)) == (True, 2)
    assert [command.heard.id for command in desk.bus.commands(ThreadMessage)] == [ts]
    assert "customer text" not in caplog.text


async def test_an_event_that_comes_twice_has_the_same_id(desk: Desk) -> None:
    desk.slack.repeat_events(1)
    ts = await desk.say("on it")
    await desk.slack.settled()
    await desk.until(lambda: len(desk.bus.arrived) == 2)
    assert {command.heard.id for command in desk.bus.commands(ThreadMessage)} == {ts}


async def test_a_mention_of_the_bot_is_one_command(desk: Desk) -> None:
    await desk.say(f"<@{desk.slack.bot_user_id}> resolve")
    await desk.slack.settled()
    (command,) = desk.bus.commands(ThreadMessage)
    assert (command.heard.addressed, command.heard.text) == ("bot", "resolve")
    assert all(delivery.acked for delivery in desk.slack.deliveries)


async def test_edits_and_deletes_reach_the_bus_and_previews_do_not(desk: Desk) -> None:
    ts = await desk.say("one pair")
    await desk.slack.unfurl(desk.room, ts)
    await desk.slack.edit(desk.room, ts, "two pairs")
    await desk.slack.edit(desk.room, ts, "three pairs")
    await desk.slack.delete(desk.room, ts)
    await desk.slack.settled()
    edits = sorted(desk.bus.commands(ThreadEdit), key=lambda command: command.heard.edited_order)
    assert [edit.heard.text for edit in edits] == ["two pairs", "three pairs"]
    assert edits[0].heard.edited_order != edits[1].heard.edited_order
    assert [command.message_id for command in desk.bus.commands(ThreadDelete)] == [ts]


@pytest.mark.parametrize("replied", [True, False])
async def test_somebody_deleting_our_card_is_noticed(desk: Desk, replied: bool) -> None:
    if replied:
        await desk.say("on it")
    await desk.slack.delete(desk.room, desk.place.root)
    await desk.slack.settled()
    assert desk.bus.commands(RootDeleted) == [RootDeleted(desk.place)]


async def test_what_we_do_ourselves_is_acknowledged_and_ignored(desk: Desk) -> None:
    chat = desk.adapter.chat
    posted = await chat.post(desk.place, Post(PostKind.LINE, text="claimed"), "d-1")
    await chat.amend(desk.place, posted.remote_id, Post(PostKind.LINE, text="released"))
    await chat.retract(desk.place, posted.remote_id)
    await desk.slack.post(desk.anna, desk.room, "lunch?")
    await desk.slack.settled()
    assert desk.bus.arrived == []
    assert all(delivery.acked for delivery in desk.slack.deliveries)


async def test_no_event_costs_a_call_once_its_author_is_known(desk: Desk) -> None:
    await desk.say("one")
    await desk.slack.settled()
    before = len(desk.slack.calls)
    await desk.say("two")
    await desk.slack.settled()
    assert [call.method for call in desk.slack.calls[before:]] == []


async def test_an_unknown_author_is_not_guessed(desk: Desk) -> None:
    """A guest must not pass for an operator because Slack was slow for a moment."""
    desk.slack.faults.add("users.info", Fault.rate_limit(1))
    ts = await desk.say("on it")
    await desk.slack.settled()
    assert len(desk.slack.delivery_of(ts).attempts) == 2
    assert [command.actor.name for command in desk.bus.commands(ThreadMessage)] == ["Anna Berg"]


# Buttons


async def test_a_click_is_a_command_and_its_answer_is_whispered(desk: Desk) -> None:
    desk.bus.answer = {"whisper": "It is yours."}
    delivery = await desk.slack.click(desk.anna, desk.room, desk.place.root, "baton:claim")
    await desk.slack.wait_for(lambda: delivery.acked and desk.slack.ephemerals)
    assert desk.bus.submitted == [Claim(7, desk.bus.submitted[0].actor)]
    (whisper,) = desk.slack.ephemerals
    assert (whisper.user, whisper.text) == (desk.anna, "It is yours.")


@pytest.mark.parametrize("refusal", [AlreadyClaimed("Bert has it."), NotAllowed("Bert has it.")])
async def test_a_refused_click_is_answered_not_failed(desk: Desk, refusal: Exception) -> None:
    desk.bus.failures.append(refusal)
    delivery = await desk.slack.click(desk.anna, desk.room, desk.place.root, "baton:claim")
    await desk.slack.wait_for(lambda: delivery.acked and desk.slack.ephemerals)
    assert desk.slack.ephemerals[0].text == "Bert has it."


async def test_a_click_that_was_not_stored_is_not_acknowledged(desk: Desk) -> None:
    desk.bus.failures.append(Busy(1.0))
    delivery = await desk.slack.click(desk.anna, desk.room, desk.place.root, "baton:claim")
    await desk.slack.wait_for(lambda: delivery.done)
    assert not delivery.acked


async def test_a_whisper_that_fails_costs_nothing(desk: Desk) -> None:
    desk.bus.answer = {"whisper": "It is yours."}
    desk.slack.faults.add("chat.postEphemeral", Fault.http(503))
    delivery = await desk.slack.click(desk.anna, desk.room, desk.place.root, "baton:claim")
    await desk.slack.wait_for(lambda: delivery.acked and desk.slack.calls_to("chat.postEphemeral"))


# The connection


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


async def test_slack_being_down_does_not_keep_us_from_starting() -> None:
    async with FakeSlack() as slack:
        desk = Desk(slack)
        port = slack.port
        await slack.stop()
        desk.adapter = SlackAdapter(
            Slack(slack.bot_token, slack.app_token, slack.api_url), Timing(socket_watch=0.6, call_timeout=0.3)
        )
        await desk.adapter.start(desk.bus, desk.on_connected)
        try:
            assert not desk.adapter.connected
            await slack.start(port)
            await desk.until(lambda: desk.connects == 1)
        finally:
            await desk.adapter.stop()


async def test_no_log_line_holds_a_token_or_a_customers_text(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.bus.failures.append(RuntimeError("parameters: my card is 4111"))
    await desk.say("my card is 4111")
    await desk.slack.settled()
    desk.slack.drop_sockets()
    desk.slack.refuse_connections(0.2)
    await desk.until(lambda: desk.connects >= 2)
    ours = [record for record in caplog.records if not record.name.startswith(("asyncio", "aiohttp"))]
    text = "\n".join(str(record.__dict__) + record.getMessage() for record in ours)
    for secret in ("4111", desk.slack.bot_token, desk.slack.app_token, "ticket="):
        assert secret not in text


async def test_a_stopped_adapter_leaves_nothing_running() -> None:
    async with FakeSlack() as slack:
        desk = Desk(slack)
        before = asyncio.all_tasks()
        await desk.start()
        await desk.adapter.stop()
        await asyncio.sleep(0.1)
        names = {str(task.get_coro()) for task in asyncio.all_tasks() - before}
        assert not [name for name in names if "slack_sdk" in name or "adapters" in name or "Socket" in name]
