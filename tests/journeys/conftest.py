"""Worlds to journey in. One browser serves all tests of a process; each person in it has a context of their own."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.databases import names_its_database
from tests.journeys.guild import Guild
from tests.journeys.lab import Lab
from tests.journeys.screens import CHROMIUM, FLAGS
from tests.journeys.world import World

expect.set_options(timeout=25_000)

Begin = Callable[..., Awaitable[World]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of a process's journeys run in one event loop, which is the browser's too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


HOUSES = {"sqlite": "socket", "postgresql": "http"}
"""On which database, and with that how Slack reaches us: every journey is made both ways."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`BATON_JOURNEYS=sqlite` makes them one way only, `BATON_JOURNEYS="sqlite postgresql"` each of them both ways.
    Replicas can share one database only; some claims are about the socket; and a test may name its database."""
    if "begin" not in metafunc.fixturenames or names_its_database(metafunc):
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    asked = os.environ.get("BATON_JOURNEYS", "").split()
    houses = [(HOUSES[name], name) for name in asked or HOUSES]
    if "one_way" in marks and not asked:
        houses = [houses[crc32(metafunc.definition.name.encode()) % len(houses)]]
    if "by_socket" in marks:
        houses = [("socket", "sqlite")]
    if "replicas" in marks:
        houses = [("socket", "postgresql")]
    if "everywhere" in marks and "sqlite" in (asked or HOUSES):
        houses.append(("discord", "sqlite"))
    names = [f"{database}-{transport}" for transport, database in houses]
    metafunc.parametrize(("transport", "database_url"), houses, indirect=True, ids=names)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "replicas: several Batons share one database")
    config.addinivalue_line(
        "markers", "one_way(why): neither the database nor Slack's transport has a part in the claim; in a run of the "
        "suite about half of such journeys are made each way"
    )  # fmt: skip
    config.addinivalue_line("markers", "everywhere: the same claim, word for word, with the team in Discord")
    config.addinivalue_line("markers", "by_socket: the claim is about Socket Mode's connections")


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """How Slack reaches us: by "socket", or over "http"; or "discord", with the team there."""
    return str(getattr(request, "param", "socket"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser, started by the first test that needs one."""
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: there is no Chromium on this machine (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser | None:
    """For a test that uses `chromium`; the others do not wait for one."""
    return request.getfixturevalue("chromium") if "chromium" in request.fixturenames else None


@pytest_asyncio.fixture(loop_scope="session")
async def begin(browser: Browser | None, database_url: str, transport: str) -> AsyncIterator[Begin]:
    """Begins a world; `slack=False` for a team without chat, `timing=`, and any field of the team's policy."""
    worlds: list[World] = []

    async def begin_world(**policy: Any) -> World:
        world: World
        if transport == "discord":
            world = Guild(database_url, browser, **policy)
        else:
            world = World(database_url, browser, transport=transport, **policy)
        worlds.append(world)
        await world.start()
        return world

    yield begin_world
    for world in worlds:
        wrong = world.wrong()
        await world.stop()
        assert wrong == []


@pytest_asyncio.fixture(loop_scope="session")
async def world(begin: Begin) -> World:
    """A team of three in Slack (Lena may assign), a store, nobody in the queue."""
    return await begin()


@pytest_asyncio.fixture(loop_scope="session")
async def lab(
    begin: Begin, database_url: str, transport: str
) -> AsyncIterator[Callable[..., Awaitable[Lab]]]:
    """Begins a world with further teams, targets, or another pace (`begin` says on which database and transport)."""
    labs: list[Lab] = []

    async def begin_lab(**policy: Any) -> Lab:
        made = Lab(database_url, transport, **policy)
        labs.append(made)
        await made.start()
        return made

    yield begin_lab
    for made in labs:
        await made.stop()
