"""One call is one attempt, inside Discord's limits and its deadline, and every failure is one of ours."""

import asyncio
import time

import pytest

from adapters.discord.api import DiscordApi
from bot.deadline import until
from bot.errors import PlaceFault, Unsure
from bot.settings import Discord
from tests.adapters.discord.conftest import Room, line
from tests.fakes.discord import Fault

MESSAGES = "/channels/{channel_id}/messages"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault.http(502), "http_502"), (Fault.drop(), "connection_lost"), (Fault.hang(), "timeout")],
)
async def test_a_read_that_breaks_was_not_made_and_a_post_nobody_knows(
    room: Room, fault: Fault, reason: str
) -> None:
    api = DiscordApi(room.settings, 0.5)
    await api.identity()
    room.discord.faults.add(
        "get_messages", fault, times=2
    )  # a read may be repeated on a connection that broke
    with pytest.raises(PlaceFault, match=reason):
        await api.call("GET", MESSAGES, channel_id=room.channel, repeatable=True)
    room.discord.faults.add("create_message", fault)
    with pytest.raises(Unsure, match=reason):
        await api.call("POST", MESSAGES, channel_id=room.channel, json={"content": "x"})
    await api.close()


async def test_a_discord_that_is_not_there_was_certainly_not_reached(room: Room) -> None:
    api = DiscordApi(Discord("t", "1", "http://127.0.0.1:9/api/v10", "ws://127.0.0.1:9"), 1.0)
    with pytest.raises(PlaceFault, match="unreachable"):
        await api.call("POST", MESSAGES, channel_id="1", json={"content": "x"})
    await api.close()


async def test_a_first_login_that_fails_is_tried_again_by_the_next_call(room: Room) -> None:
    api = DiscordApi(room.settings, 2.0)
    room.discord.faults.add("get_me", Fault.http(503))
    with pytest.raises(PlaceFault):
        await api.call("POST", MESSAGES, channel_id=room.channel, json={"content": "x"})
    assert (await api.call("POST", MESSAGES, channel_id=room.channel, json={"content": "x"}))["id"]
    await api.close()


async def test_a_call_that_is_too_late_does_not_leave(room: Room) -> None:
    """A replica that stood still must not post what another one has posted meanwhile."""
    await room.chat.api.identity()
    with until(time.time() - 1, time.time), pytest.raises(PlaceFault, match="too late"):
        await room.chat.api.call("POST", MESSAGES, channel_id=room.channel, json={"content": "x"})
    assert room.discord.calls_to("create_message") == []


async def test_a_refused_token_is_remembered_until_it_works_again(room: Room) -> None:
    await room.chat.api.identity()
    room.discord.revoke_token()
    with pytest.raises(PlaceFault, match="token_refused"):
        await room.chat.api.identity(fresh=True)
    assert room.chat.api.refused
    room.discord.renew_token()
    room.chat.api.settings = Discord(
        room.discord.token, room.discord.guild_id, room.discord.api_url, room.discord.gateway_url
    )
    await room.chat.api.close()
    await room.chat.api.identity(fresh=True)
    assert not room.chat.api.refused


async def test_limits_are_kept_without_a_refusal_and_without_holding_an_answer_back(room: Room) -> None:
    """Five messages in five seconds: the fifth answers at once, and the sixth is told when to come back."""
    place = await room.thread()
    room.discord.enforce_limits = True
    began = time.monotonic()
    for n in range(5):
        await room.chat.post(place, line(f"n{n}"), f"d-{n}")
    with pytest.raises(PlaceFault, match="allowance") as caught:
        await room.chat.post(place, line("n5"), "d-5")
    assert caught.value.retry_after is not None
    assert 2.0 < caught.value.retry_after <= 5.0
    assert time.monotonic() - began < 2.0
    assert room.discord.invalid_requests == 0


async def test_a_full_bucket_holds_up_no_other_thread(room: Room) -> None:
    places = [await room.thread(f"open-{n}") for n in range(2)]
    room.discord.enforce_limits = True
    for n in range(5):
        await room.chat.post(places[0], line(f"n{n}"), f"d-{n}")
    await asyncio.wait_for(room.chat.post(places[1], line("hello"), "d-9"), 1.0)


async def test_after_a_refusal_that_bucket_rests_as_long_as_discord_says(room: Room) -> None:
    place = await room.thread()
    room.discord.faults.add("create_message", Fault.rate_limit(3))
    with pytest.raises(PlaceFault, match="ratelimited") as first:
        await room.chat.post(place, line("hello"), "d-1")
    asked = len(room.discord.calls_to("create_message"))
    with pytest.raises(PlaceFault, match="allowance") as second:
        await room.chat.post(place, line("hello"), "d-1")
    assert (first.value.retry_after, len(room.discord.calls_to("create_message"))) == (3.0, asked)
    assert second.value.retry_after == pytest.approx(3.0, abs=0.5)


async def test_a_burst_of_calls_shares_what_there_is_and_refuses_nobody(room: Room) -> None:
    room.discord.enforce_limits = True
    place = await room.thread()
    ids = [await room.discord.post(room.anna, room.channel, f"n{n}", place.root) for n in range(6)]
    from bot.posts import Receipt

    marked = [room.chat.mark(place, one, Receipt.SEEN, None) for one in ids]
    ended = await asyncio.gather(*marked, return_exceptions=True)
    assert all(one is None or (isinstance(one, PlaceFault) and one.reason == "allowance") for one in ended)
    assert sum(one is None for one in ended) >= 2
    assert room.discord.invalid_requests == 0
