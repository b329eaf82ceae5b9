"""The desk at which the adapter is tested: on both transports, unless a test is about one of them."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.slack.desk import Desk
from tests.fakes.slack import FakeSlack


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "transport(name): the one transport that the test is about")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "desk" not in metafunc.fixturenames:
        return
    named = [name for mark in metafunc.definition.iter_markers("transport") for name in mark.args]
    metafunc.parametrize("desk", named or ["socket", "http"], indirect=True)


@pytest.fixture
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with FakeSlack() as slack:
        slack.retry_delays = (0.0, 0.05, 0.1)
        slack.ack_timeout = 1.0
        desk = Desk(slack, request.param)
        await desk.start()
        try:
            yield desk
        finally:
            await desk.stop()
