"""The database is full, locked or away in the middle of a case: it is said, nothing is lost, and nobody restarts us."""

from typing import Any

import pytest

from tests.ailments import Away, FullDisk, LockedFile
from tests.journeys.world import CONVERSATION, World
from tests.waiting import until

LONG = "What about this? " * 200
AILMENTS = [
    pytest.param("sqlite", FullDisk, id="full"),
    pytest.param("sqlite", LockedFile, id="locked"),
    pytest.param("postgresql", Away, id="away"),
]
each_ailment = pytest.mark.parametrize(("database_url", "ailment"), AILMENTS, indirect=["database_url"])


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine.BUSY_SECONDS", 0.2)
    monkeypatch.setattr("storage.writer.PROBE_SECONDS", 0.3)


async def fall_ill(world: World, ailment: Any) -> Any:
    ill = ailment(world.baton._engine)
    ill.begin()
    return ill


async def readiness(world: World) -> tuple[int, dict[str, Any]]:
    async with world.shop.http.get(f"{world.url}/readyz") as response:
        return response.status, await response.json()


async def is_ready(world: World) -> bool:
    return (await readiness(world))[0] == 200


async def is_stored(world: World, token: str, message_id: str) -> bool:
    return (await post(world, token, message_id))[0] == 200


async def is_relayed(world: World, said: str) -> bool:
    return said in await world.relayed()


async def until_refused(world: World, token: str) -> Any:
    """The shopper's messages until one cannot be stored: the last one's id."""
    for number in range(50):
        status, headers, body = await post(world, token, f"w{number}")
        if status == 503:
            assert body["error"]["code"] in {"unavailable", "busy"}
            assert int(headers["Retry-After"]) >= 1
            return f"w{number}"
    raise AssertionError("everything was stored")


async def post(world: World, token: str, message_id: str) -> tuple[int, Any, Any]:
    async with world.shop.http.post(
        f"{world.url}/widget/v1/messages",
        json={"id": message_id, "text": f"{message_id} {LONG}"},
        headers={"Authorization": f"Bearer {token}", "Origin": world.shop.url},
    ) as response:
        return response.status, response.headers, await response.json()


@each_ailment
async def test_the_shopper_is_asked_to_come_back_and_readiness_says_why(world: World, ailment: Any) -> None:
    await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    ill = await fall_ill(world, ailment)
    try:
        await until_refused(world, token)
        status, body = await readiness(world)
    finally:
        ill.cure()
    assert status == 503
    assert ill.cure_says in body["problems"]["database"]


@each_ailment
async def test_once_it_is_cured_what_was_said_meanwhile_arrives_once_on_both_sides(
    world: World, ailment: Any
) -> None:
    thread = await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    ill = await fall_ill(world, ailment)
    try:
        refused = await until_refused(world, token)
        said = f"said while it was ill {LONG}".strip()
        await thread.write(world.dana, said)
    finally:
        ill.cure()
    await until(lambda: is_stored(world, token, refused))
    await until(lambda: is_ready(world))
    await until(lambda: is_relayed(world, said))
    await thread.says(f"{refused} What about")
    again = await world.replay()
    assert again.said().count(said) == 1
    assert sum(text.startswith(f"{refused} ") for text in again.said("shopper")) == 1


@each_ailment
async def test_what_slack_gave_up_on_is_read_back(world: World, ailment: Any) -> None:
    """Slack tries three more times, and here never again: only reading the thread brings it."""
    world.slack.retry_delays = ()
    thread = await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    world.slack.ack_timeout = 0.5
    ill = await fall_ill(world, ailment)
    try:
        await until_refused(world, token)
        said = f"given up {LONG}".strip()
        await thread.write(world.dana, said)
        await world.slack.settled()
    finally:
        ill.cure()
    await until(lambda: is_relayed(world, said), 20)
    assert (await world.relayed()).count(said) == 1
