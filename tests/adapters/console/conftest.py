"""A console on a real port, with a stand-in for the core."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from console_stub import Bus, Console, Reads, Start, Wakeup, World, errors, settings

from adapters.console import ConsoleAdapter


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a console; `open_on_loopback` as in the demo, anything else changes the settings."""
    running: list[tuple[web.AppRunner, Console]] = []

    async def begin(*, open_on_loopback: bool = False, **changes: Any) -> Console:
        given = settings(**changes)
        world, wakeup = World(given), Wakeup()
        bus = Bus(world, wakeup)
        adapter = ConsoleAdapter(
            given, bus, Reads(world), wakeup, lambda: world.now, open_on_loopback=open_on_loopback
        )
        app = web.Application(middlewares=[errors])
        adapter.mount(app)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        console = Console(adapter, world, bus, wakeup, ClientSession(), f"http://127.0.0.1:{port}")
        running.append((runner, console))
        return console

    yield begin
    for runner, console in running:
        await console.adapter.close()
        await console.http.close()
        await runner.cleanup()


@pytest.fixture
async def console(start: Start) -> Console:
    """A console with one waiting case, #1042."""
    running = await start()
    running.world.add_case(1042, category="refund", packet={"issue": "Refund for #4521"})
    return running
