"""The real Bolt against a local Slack, by both ways in: nothing is acknowledged that was not stored."""

import asyncio
import logging

import pytest

from bot.commands import Claim, RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage
from bot.errors import AlreadyClaimed, Busy, NotAllowed
from bot.people import Role
from bot.posts import Post, PostKind
from bot.settings import Timing
from tests.adapters.slack.desk import Desk, Transport
from tests.fakes.slack import FakeSlack, Fault


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
    desk.slack.retry_delays = (0.0, 1.2)
    desk.slack.faults.add("users.info", Fault.rate_limit(1))
    ts = await desk.say("on it")
    await desk.slack.settled()
    assert len(desk.slack.delivery_of(ts).attempts) > 1
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


async def test_two_clicks_are_two_commands_also_where_answers_fail(desk: Desk) -> None:
    desk.bus.failures += [RuntimeError("broken"), AlreadyClaimed("Bert has it.")]
    for _ in range(3):
        delivery = await desk.slack.click(desk.anna, desk.room, desk.place.root, "baton:claim")
        await desk.slack.wait_for(lambda: delivery.done)
    assert len(desk.bus.submitted) == 1
    assert [len(one.attempts) for one in desk.slack.deliveries if one.kind == "interactive"] == [1, 1, 1]


async def test_events_out_of_order_keep_their_own_order(desk: Desk) -> None:
    desk.slack.reorder(0.3)
    said = [await desk.say(str(number)) for number in range(20)]
    await desk.slack.settled()
    arrived = {order: command.heard.text for _, order, command in desk.bus.arrived}
    assert [arrived[ts] for ts in said] == [str(number) for number in range(20)]


# Starting, stopping, logging


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_slack_being_down_does_not_keep_us_from_starting(transport: Transport) -> None:
    async with FakeSlack() as slack:
        port = slack.port
        await slack.stop()
        desk = Desk(slack, transport, Timing(socket_watch=0.6, call_timeout=0.3))
        await desk.listen()
        try:
            assert not desk.adapter.connected
            await slack.start(port)
            await desk.until(lambda: desk.connects == 1)
            assert desk.adapter.connected
        finally:
            await desk.stop()


async def test_no_log_line_holds_a_token_or_a_customers_text(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.bus.failures.append(RuntimeError("parameters: my card is 4111"))
    await desk.say("my card is 4111")
    await desk.slack.settled()
    if desk.transport == "socket":
        desk.slack.drop_sockets()
        desk.slack.refuse_connections(0.2)
    else:
        desk.slack.forge("signature")
        await desk.say("my card is 4111")
        desk.hook_fails = 1
    await desk.until(lambda: desk.connects >= 2)
    ours = [record for record in caplog.records if not record.name.startswith(("asyncio", "aiohttp"))]
    text = "\n".join(str(record.__dict__) + record.getMessage() for record in ours)
    for secret in (
        "card is 4111",
        desk.slack.bot_token,
        desk.slack.app_token,
        "ticket=",
        desk.slack.signing_secret,
        "v0=",
    ):
        assert secret not in text


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_stopped_adapter_leaves_nothing_running(transport: Transport) -> None:
    async with FakeSlack() as slack:
        desk = Desk(slack, transport)
        before = asyncio.all_tasks()
        await desk.start()
        await desk.stop()
        await asyncio.sleep(0.1)
        names = {str(task.get_coro()) for task in asyncio.all_tasks() - before}
        assert not [name for name in names if "slack_sdk" in name or "adapters" in name or "Socket" in name]
