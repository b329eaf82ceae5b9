"""The fake's HTTP mode, met by the real Bolt with its own check of signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack


class Shop:
    """A Bolt app behind a request URL."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.heard: list[dict[str, Any]] = []
        self.requests: list[dict[str, str]] = []
        self.failures = 0
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.bolt = AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)
        self.bolt.event("message")(self._hear)
        self.bolt.command("/handoff")(self._command)
        self.bolt.view("close")(self._submit)

    async def _hear(self, event: dict[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("broken")
        self.heard.append(event)

    async def _command(self, ack: Any, command: dict[str, Any]) -> None:
        await ack(f"case {command['text']}")

    async def _submit(self, ack: Any) -> None:
        await ack({"response_action": "clear"})

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(dict(request.headers))
        return await to_aiohttp_response(await self.bolt.async_dispatch(await to_bolt_request(request)))


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with FakeSlack() as slack:
        slack.retry_delays = (0.0, 0.05, 0.1)
        slack.ack_timeout = 0.5
        shop = Shop(slack)
        app = web.Application()
        app.router.add_post("/slack/events", shop.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
        yield shop
        await runner.cleanup()


async def test_bolt_takes_the_signature_and_the_event(shop: Shop) -> None:
    ann = shop.slack.add_user("ann")
    room = shop.slack.add_channel("support", [ann])
    ts = await shop.slack.post(ann, room, "hällo")
    await shop.slack.settled()
    assert [event["text"] for event in shop.heard] == ["hällo"]
    assert shop.slack.delivery_of(ts).acked


async def test_bolt_gives_the_challenge_back(shop: Shop) -> None:
    assert await shop.slack.verify_url()


async def test_a_failure_comes_again_and_says_why(shop: Shop) -> None:
    shop.failures = 1
    ann = shop.slack.add_user("ann")
    ts = await shop.slack.post(ann, shop.slack.add_channel("support", [ann]), "hello")
    await shop.slack.settled()
    attempts = shop.slack.delivery_of(ts).attempts
    assert [attempt.status for attempt in attempts] == [500, 200]
    assert shop.requests[1]["X-Slack-Retry-Num"] == "1"
    assert shop.requests[1]["X-Slack-Retry-Reason"] == "http_error"


@pytest.mark.parametrize("forgery", ["signature", "timestamp"])
async def test_bolt_refuses_forgeries(shop: Shop, forgery: str) -> None:
    shop.slack.forge(forgery)  # type: ignore[arg-type]
    assert not await shop.slack.verify_url()
    assert await shop.slack.verify_url()


async def test_a_command_is_a_form_and_its_answer_is_shown(shop: Shop) -> None:
    ann = shop.slack.add_user("ann")
    room = shop.slack.add_channel("support", [ann])
    delivery = await shop.slack.command(ann, room, "/handoff", "1042")
    await shop.slack.wait_for(lambda: delivery.acked)
    assert delivery.response == {"text": "case 1042"}


async def test_nobody_at_the_address_is_a_lost_event(shop: Shop) -> None:
    shop.slack.deliver_to("http://127.0.0.1:9/slack/events")
    ann = shop.slack.add_user("ann")
    ts = await shop.slack.post(ann, shop.slack.add_channel("support", [ann]), "hello")
    await shop.slack.settled()
    delivery = shop.slack.delivery_of(ts)
    assert delivery.lost
    assert [attempt.reason for attempt in delivery.attempts[1:]] == ["connection_failed"] * 3
