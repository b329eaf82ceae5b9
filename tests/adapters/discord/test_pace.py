"""Discord takes fifty calls a second of a bot, whatever they are for, and tells so in no header."""

import asyncio

import pytest

from adapters.discord import limits
from adapters.discord.api import DiscordApi
from adapters.discord.limits import Pace
from bot.errors import PlaceFault
from tests.adapters.discord.conftest import Room

CALLS = 100
FEW = 10


async def _ask(api: DiscordApi, **options: float) -> str:
    """Something that no bucket holds up."""
    try:
        await api.call("GET", "/users/@me", repeatable=True, **options)  # type: ignore[arg-type]
    except PlaceFault as fault:
        return fault.reason
    return "answered"


async def test_a_rush_of_calls_of_all_kinds_is_spread_and_none_is_refused(room: Room) -> None:
    await room.chat.directory.identity()
    room.discord.enforce_limits = True
    ended = await asyncio.gather(*(_ask(room.chat.api, wait=5.0, timeout=8.0) for _ in range(CALLS)))
    assert ended == ["answered"] * CALLS
    assert room.discord.invalid_requests == 0


async def test_who_would_wait_too_long_is_told_when_to_come_back(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_A_SECOND", FEW)
    await room.chat.directory.identity()
    ended = await asyncio.gather(*(_ask(room.chat.api, wait=0.0) for _ in range(2 * FEW)))
    assert set(ended) == {"answered", "allowance"}
    assert ended.count("answered") <= FEW


async def test_a_click_is_answered_though_everything_else_waits(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord counts those answers apart."""
    await room.chat.directory.identity()
    monkeypatch.setattr(limits, "MOST_A_SECOND", 1)
    path = "/interactions/{interaction_id}/{interaction_token}/callback"
    for _ in range(3):
        answered = room.chat.api.call(
            "POST", path, json={"type": 6}, unless={10062}, interaction_id="1", interaction_token="t"
        )
        assert (await asyncio.wait_for(answered, 0.8)) == {"code": 10062}


async def test_a_turn_is_free_again_a_second_after_its_answer_and_replicas_share_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_A_SECOND", FEW)
    monkeypatch.setattr(limits, "SECOND", 0.1)
    pace, loop = Pace(lambda: 2), asyncio.get_running_loop()
    limits.patience.set(0.0)
    for _ in range(FEW // 2):
        await pace.turn()
    with pytest.raises(PlaceFault, match="allowance"):
        await pace.turn()
    limits.patience.set(5.0)
    began = loop.time()
    loop.call_later(0.1, pace.ended)
    await pace.turn()
    assert loop.time() - began >= 0.19


async def test_who_stops_waiting_takes_no_turn_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_A_SECOND", 1)
    monkeypatch.setattr(limits, "SECOND", 0.01)
    pace = Pace()
    limits.patience.set(5.0)
    await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    pace.ended()
    await asyncio.wait_for(waiting[1], 1.0)
    pace.ended()
    await asyncio.wait_for(waiting[2], 1.0)
