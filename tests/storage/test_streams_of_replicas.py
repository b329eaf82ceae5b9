"""A shopper's open stream shows all that another replica committed, once and in order, though nobody notified this one:
the other was killed between its COMMIT and its NOTIFY (PostgreSQL)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.storefront.stream import StreamHub, last_event_id
from adapters.storefront.tokens import Ticket
from bot.commands import ShopperWrites, Window
from bot.settings import Settings
from tests.adapters.storefront.stub import EventReader
from tests.storage.test_bell_order import Slow, Watch, escalation, other, watch
from tests.storage.world import ManualClock, World
from tests.waiting import until

__all__ = ["other", "watch"]
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
LATE = 45.0


class Page:
    """A server whose only address is the stream of the conversation named."""

    def __init__(self, hub: StreamHub, server: TestServer):
        self.hub, self._server = hub, server
        self._stack = AsyncExitStack()

    async def open(self, name: str = "c-1", after: int = 0) -> EventReader:
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        address = self._server.make_url(f"/{name}")
        answer = await self._stack.enter_async_context(
            session.get(address, headers={"Last-Event-ID": str(after)})
        )
        reader = EventReader(answer)
        await reader.next("state")
        return reader

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def page(world: World, settings: Settings, clock: ManualClock) -> AsyncIterator[Page]:
    hub = StreamHub(world.reads, world.writer, clock, settings.timing)

    async def serve(request: web.Request) -> web.StreamResponse:
        window = Window("main", "s-1", request.match_info["name"])
        return await hub.serve(request, Ticket(window, clock.now + 1e6, guest=False), last_event_id(request))

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:
        page = Page(hub, server)
        yield page
        await hub.close()
        await page.close()


def message(name: str, text: str) -> ShopperWrites:
    return ShopperWrites(Window("main", "s-1", name), text, text)


async def texts(reader: EventReader, amount: int) -> list[str]:
    """Of so many messages that come next."""
    found: list[str] = []
    while len(found) < amount:
        entry = (await reader.next("entry")).data
        if entry["kind"] == "message":
            found.append(entry["text"])
    return found


async def test_what_was_never_notified_is_shown_after_the_next_look(
    watch: Watch, other: Slow, page: Page
) -> None:
    await other.submit(escalation("c-1"))
    reader = await page.open()
    assert await texts(reader, 1) == ["0"]
    await other.submit(message("c-1", "hello"))
    await watch.look()
    assert await texts(reader, 1) == ["hello"]


async def test_a_commit_that_is_seen_long_after_it_began_is_shown(
    watch: Watch, other: Slow, page: Page
) -> None:
    await other.submit(escalation("c-1"))
    reader = await page.open()
    assert await texts(reader, 1) == ["0"]
    await watch.look()
    other.gate.clear()
    submitted = other.enqueue(message("c-1", "slow"))
    await until(lambda: other.is_waiting)
    watch.clock.advance(LATE)
    assert await watch.look() == set()
    other.gate.set()
    await submitted
    await watch.look()
    assert await texts(reader, 1) == ["slow"]


async def test_a_stream_that_opens_while_a_commit_is_under_way_shows_it(
    watch: Watch, other: Slow, page: Page
) -> None:
    """Its first read came before, its own time is older than what the looks have passed."""
    await other.submit(escalation("c-1"))
    other.gate.clear()
    submitted = other.enqueue(message("c-1", "slow"))
    await until(lambda: other.is_waiting)
    watch.clock.advance(LATE)
    await watch.look()
    reader = await page.open()
    assert await texts(reader, 1) == ["0"]
    other.gate.set()
    await submitted
    await watch.look()
    assert await texts(reader, 1) == ["slow"]


async def test_whatever_two_replicas_write_is_shown_once_and_in_the_logs_order(
    watch: Watch, other: Slow, page: Page, world: World
) -> None:
    chance = random.Random(7)
    names = [f"c-{index}" for index in range(4)]
    readers = {}
    for name in names:
        await other.submit(escalation(name))
        readers[name] = await page.open(name)
        assert await texts(readers[name], 1) == ["0"]
    wrote: dict[str, int] = dict.fromkeys(names, 0)
    for number in range(60):
        name = chance.choice(names)
        wrote[name] += 1
        writer = chance.choice([other, world.writer])
        submitted = [writer.enqueue(message(name, f"m{number}"))]
        if chance.random() < 0.3:
            wrote[name] += 1
            submitted.append(
                (world.writer if writer is other else other).enqueue(message(name, f"x{number}"))
            )
        await asyncio.gather(*submitted)
        if chance.random() < 0.3:
            await watch.look()
    await watch.look()
    for name, reader in readers.items():
        number = (await world.read(lambda uow, name=name: uow.conversations.named("main", name))).number
        logged = [entry.text for entry in await world.log(number) if entry.kind == "message"][1:]
        assert len(logged) == wrote[name]
        assert await texts(reader, wrote[name]) == logged


async def test_what_comes_after_one_that_was_missed_brings_it_along(
    other: Slow, page: Page, world: World
) -> None:
    await other.submit(escalation("c-1"))
    reader = await page.open()
    assert await texts(reader, 1) == ["0"]
    await other.submit(message("c-1", "missed"))
    await world.submit(message("c-1", "here"))
    assert await texts(reader, 2) == ["missed", "here"]


async def test_one_who_is_told_of_a_commit_and_fails_keeps_no_stream_from_it(
    world: World, page: Page, settings: Settings, clock: ManualClock
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    world.writer._subscribers.insert(0, broken)
    await world.submit(escalation("c-1"))
    reader = await page.open()
    assert await texts(reader, 1) == ["0"]
    await world.submit(message("c-1", "hello"))
    assert await texts(reader, 1) == ["hello"]
