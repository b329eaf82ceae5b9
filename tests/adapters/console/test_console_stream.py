"""Pages hear of changes, and an open page is a present operator."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientResponse
from console_stub import Changed, Console, Start, settings, text_until

from adapters.console import api
from adapters.console.access import SESSION_SECONDS
from bot import commands
from bot.people import Actor, Member, Role


@asynccontextmanager
async def opened(console: Console, token: str) -> AsyncIterator[ClientResponse]:
    headers = {"Authorization": f"Bearer {token}"}
    async with console.http.get(f"{console.url}/console/api/stream", headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        await text_until(answer, ": live")
        yield answer


async def until(true: Callable[[], object]) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not come true in 4 s")


async def test_many_changes_are_told_at_once_and_each_number_once(console: Console) -> None:
    async with opened(console, await console.sign_in()) as page:
        console.wakeup.tell(Changed(1042))
        await text_until(page, '{"numbers": [1042]}')
        for number in [3, 1, 2, 3, 3]:
            console.wakeup.tell(Changed(number))
        said = await text_until(page, "}")
        assert said == f"event: changed\ndata: {json.dumps({'numbers': [1, 2, 3]})}\n\n"


async def test_a_page_is_written_to_at_most_four_times_a_second(console: Console) -> None:
    async with opened(console, await console.sign_in()) as page:
        said: list[bytes] = []

        async def listen() -> None:
            async for chunk in page.content.iter_any():
                said.append(chunk)

        listening = asyncio.create_task(listen())
        for number in range(100):
            console.wakeup.tell(Changed(number))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.4)
        listening.cancel()
        assert 3 <= len(said) <= 7
        told = [
            json.loads(line[6:])["numbers"]
            for line in b"".join(said).decode().splitlines()
            if line[:4] == "data"
        ]
        assert sorted(number for numbers in told for number in numbers) == list(range(100))


async def test_typing_is_told(console: Console) -> None:
    async with opened(console, await console.sign_in()) as page:
        console.wakeup.tell(Changed(typing=[(1042, "shopper", "Sarah")]))
        said = await text_until(page, "}")
        assert said == 'event: typing\ndata: {"number": 1042, "author": "shopper", "name": "Sarah"}\n\n'


async def test_a_commit_that_concerns_no_case_wakes_nobody(start: Start) -> None:
    console = await start(timing=replace(settings().timing, stream_ping=0.2))
    async with opened(console, await console.sign_in()) as page:
        console.wakeup.tell(Changed())
        assert await text_until(page, "\n\n") == ": ping\n\n"


async def test_an_open_page_is_a_present_operator(console: Console) -> None:
    token = await console.sign_in("Maya Rao")
    maya = Member(Actor("console", "maya-rao", "Maya Rao", Role.LEAD), present=True)
    assert await console.adapter.chat.members("console") == []
    async with opened(console, token), opened(console, token):
        assert await console.adapter.chat.members("console") == [maya]
    await until(lambda: not console.wakeup.subscribers)
    assert await console.adapter.chat.members("console") == []


async def test_the_core_is_told_who_is_there(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PRESENCE_SETTLE", 0.05)
    token = await console.sign_in("Maya Rao")
    maya = Member(Actor("console", "maya-rao", "Maya Rao", Role.LEAD), present=True)
    async with opened(console, token):
        await until(lambda: console.asked(commands.TeamMembers))
    await until(lambda: len(console.asked(commands.TeamMembers)) == 2)
    assert console.bus.asked == [
        commands.TeamMembers("support", (maya,), whole=False),
        commands.TeamMembers("support", (), whole=False),
    ]


async def test_a_stream_ends_with_its_session(start: Start) -> None:
    console = await start(timing=replace(settings().timing, stream_ping=0.05))
    async with opened(console, await console.sign_in()) as page:
        console.world.now += SESSION_SECONDS + 1
        await asyncio.wait_for(page.content.read(), 3)


async def test_closing_ends_the_streams_at_once(console: Console) -> None:
    async with opened(console, await console.sign_in()) as page:
        await console.adapter.close()
        await asyncio.wait_for(page.content.read(), 3)
        await until(lambda: not console.wakeup.subscribers)
