"""The real calls against a Slack that enforces its limits, at ten times the speed: none is refused there, little of
what is permitted goes unused, and one channel's trouble is its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.allowance import CHANNEL_POSTS, TIERS, Allowance, used
from adapters.slack.answers import Answers
from adapters.slack.clicks import Where
from adapters.slack.outbound import SlackChat
from bot.entries import Author
from bot.errors import PlaceFault
from bot.posts import Answer, Card, Place, Post, PostKind, Receipt, Turn
from bot.settings import Slack, Timing
from tests.fakes.slack import Call, FakeSlack, Fault

FASTER = 10.0
CHANNELS = 5
CONVERSATIONS = 8
POSTS = 6
CARD = Card(7, "Refund", "Waiting", "waiting", None)


class Faster:
    """An event loop's clock, sped up."""

    def time(self) -> float:
        return time.monotonic() * FASTER

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Any:
        return asyncio.get_running_loop().call_later(delay / FASTER, callback)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    began = time.time()
    start = time.monotonic()
    async with FakeSlack(clock=lambda: began + (time.monotonic() - start) * FASTER) as fake:
        fake.enforce_limits = True
        yield fake


@pytest.fixture
async def chat(slack: FakeSlack) -> AsyncIterator[SlackChat]:
    settings = Slack(slack.bot_token, slack.app_token, slack.api_url)
    chat = SlackChat(settings, Timing(), Allowance(loop=Faster()))
    yield chat
    await chat.close()


async def until_taken(call: Callable[[], Awaitable[Any]]) -> Any:
    """As a lane does it: sent away, it comes back when it was told to."""
    while True:
        try:
            return await call()
        except PlaceFault as fault:
            if fault.reason != "allowance":
                raise
            await asyncio.sleep((fault.retry_after or 1.0) / FASTER)


def post_of(text: str) -> Post:
    return Post(PostKind.TURNS, turns=(Turn(1, Author.SHOPPER, "Sarah", text, 0.0),))


async def conversation(chat: SlackChat, channel: str, name: str) -> None:
    """A thread is opened and written to; its card and its receipts go on beside that."""
    posted = await until_taken(lambda: chat.open_thread(channel, CARD, f"{name}-open"))
    place = Place("slack", posted.channel, posted.remote_id)

    async def card() -> None:
        for _ in range(2):
            await until_taken(lambda: chat.update_card(place, CARD))

    async def receipts(remote_id: str) -> None:
        await until_taken(lambda: chat.mark(place, remote_id, Receipt.DELIVERED, None))

    beside = [asyncio.create_task(card())]
    for number in range(POSTS):
        said = await until_taken(
            lambda number=number: chat.post(place, post_of(f"{name} {number}"), f"{name}-{number}")
        )
        if number == 0:
            beside.append(asyncio.create_task(receipts(said.remote_id)))
    await asyncio.gather(*beside)


def accepted(slack: FakeSlack, channel: str) -> list[Call]:
    return [
        one for one in slack.calls_to("chat.postMessage") if one.args["channel"] == channel and not one.error
    ]


async def test_no_call_is_refused_by_slack_and_little_is_left_unused(
    slack: FakeSlack, chat: SlackChat
) -> None:
    channels = [slack.add_channel(f"support-{number}") for number in range(CHANNELS)]
    await asyncio.gather(
        *(
            conversation(chat, channel, f"{channel}-{number}")
            for channel in channels
            for number in range(CONVERSATIONS)
        )
    )
    assert [call.method for call in slack.calls if call.status == 429] == []
    for channel in channels:
        calls = accepted(slack, channel)
        assert len(calls) == CONVERSATIONS * (POSTS + 1)
        assert used([call.at for call in calls], CHANNEL_POSTS) >= 0.9
        for number in range(CONVERSATIONS):
            name = f"{channel}-{number}"
            texts = [
                slack.text_of(one) for one in slack.messages(channel) if f"{name} " in slack.text_of(one)
            ]
            assert [text.split()[-1] for text in texts] == [str(one) for one in range(POSTS)]


async def test_a_channel_that_was_told_to_wait_stalls_no_other(slack: FakeSlack, chat: SlackChat) -> None:
    sick, well = slack.add_channel("sick"), slack.add_channel("well")
    slack.faults.add("chat.postMessage", Fault.rate_limit(30), when=lambda args: args["channel"] == sick)
    with pytest.raises(PlaceFault, match="ratelimited"):
        await chat.open_thread(sick, CARD, "d-0")
    told = slack.clock()
    stuck = [
        asyncio.create_task(until_taken(lambda n=n: chat.open_thread(sick, CARD, f"s-{n}")))
        for n in range(30)
    ]
    times = []
    for number in range(10):
        await until_taken(lambda number=number: chat.open_thread(well, CARD, f"w-{number}"))
        times.append(slack.clock() - told)
    assert times[-1] < 12
    assert accepted(slack, sick) == []
    await stuck[0]
    assert slack.clock() - told >= 30
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    assert len([call for call in slack.calls if call.status == 429]) == 1


async def test_a_card_that_somebody_took_goes_before_those_of_a_burst(
    slack: FakeSlack, chat: SlackChat
) -> None:
    room = slack.add_channel("support")
    posted = await chat.open_thread(room, CARD, "d-0")
    place = Place("slack", posted.channel, posted.remote_id)
    places = [
        Place("slack", room, await slack.post(slack.bot_user_id, room, str(number))) for number in range(100)
    ]
    burst = [asyncio.create_task(until_taken(lambda at=at: chat.update_card(at, CARD))) for at in places]
    await slack.wait_for(lambda: len(slack.calls_to("chat.update")) > TIERS[3].burst)
    began = slack.clock()
    await until_taken(lambda: chat.update_card(place, replace(CARD, stage="active")))
    assert slack.clock() - began < 4
    for task in burst:
        task.cancel()
    await asyncio.gather(*burst, return_exceptions=True)
    assert [call.method for call in slack.calls if call.status == 429] == []


async def test_an_answer_to_a_click_does_not_wait_behind_a_burst(slack: FakeSlack, chat: SlackChat) -> None:
    anna = slack.add_user("anna")
    room = slack.add_channel("support", [anna])
    burst = [
        asyncio.create_task(until_taken(lambda n=n: chat.open_thread(room, CARD, f"d-{n}")))
        for n in range(100)
    ]
    await slack.wait_for(lambda: len(accepted(slack, room)) > CHANNEL_POSTS.burst)
    began = time.monotonic()
    Answers(chat.api, asyncio.create_task).tell(Where(anna, channel=room), Answer("It is yours."))
    await slack.wait_for(lambda: slack.ephemerals)
    assert time.monotonic() - began < 0.3
    for task in burst:
        task.cancel()
    await asyncio.gather(*burst, return_exceptions=True)
