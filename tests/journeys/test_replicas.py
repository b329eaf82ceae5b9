"""Two and three Batons on one PostgreSQL: whoever takes an event, every window sees it, and nothing is said twice."""

import asyncio

import pytest

from bot.wiring import Baton
from tests.journeys.world import CONVERSATION, World
from tests.waiting import until

pytestmark = pytest.mark.replicas
COUNT = 12


async def test_what_is_written_through_one_replica_is_at_once_in_a_stream_of_another(world: World) -> None:
    other = await world.add_replica()
    thread = await world.claimed_thread()
    live = await world.stream(at=other)
    await thread.write(world.dana, "The refund is on its way.")
    await live.shows("The refund is on its way.")


async def test_messages_taken_by_three_replicas_are_in_the_thread_once_and_in_order(world: World) -> None:
    urls = [world.url, await world.add_replica(), await world.add_replica()]
    thread = await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    for n in range(COUNT):
        sent = {"id": f"w{n}", "text": f"shopper line {n:02}"}
        await world.post_to(urls[n % 3], token, sent)
    await thread.says(f"shopper line {COUNT - 1:02}")
    ours = thread.ours
    assert [ours.count(f"shopper line {n:02}") for n in range(COUNT)] == [1] * COUNT
    assert sorted(range(COUNT), key=lambda n: ours.index(f"shopper line {n:02}")) == list(range(COUNT))


async def test_the_same_message_sent_to_two_replicas_at_once_counts_once(world: World) -> None:
    urls = [world.url, await world.add_replica()]
    thread = await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    twice = {"id": "w1", "text": "only once, please"}
    answers = await asyncio.gather(*(world.post_to(url, token, twice) for url in urls * 3))
    await thread.says("only once, please")
    assert len({answer["seq"] for answer in answers}) == 1


async def test_a_claim_raced_through_two_replicas_has_one_winner(world: World) -> None:
    other = await world.add_replica()
    case = await world.escalate()
    path = f"/console/api/conversations/{case['number']}/claim"
    urls = [world.url, other] * 4
    statuses = await asyncio.gather(
        *(world.claim_at(url + path, f"Operator {n}") for n, url in enumerate(urls))
    )
    assert sorted(statuses) == [200] + [409] * (len(urls) - 1)


async def test_a_replica_that_stops_leaves_its_work_to_the_others(world: World) -> None:
    await world.add_replica()
    thread = await world.claimed_thread()
    token = await world.shop.token(CONVERSATION)
    for n in range(4):
        await world.post_to(world.url, token, {"id": f"w{n}", "text": f"before it stops {n}"})
    await world.replicas.pop().stop()
    for n in range(4):
        await thread.says(f"before it stops {n}")


async def test_each_replica_takes_its_part_of_slacks_allowance_and_the_last_one_all_of_it(
    world: World,
) -> None:
    await world.add_replica()
    (other,) = world.replicas
    await until(lambda: (drawn_by(world.baton), drawn_by(other)) == (2, 2))
    await world.replicas.pop().stop()
    await until(lambda: drawn_by(world.baton) == 1)


def drawn_by(baton: Baton) -> int:
    """Among how many that process divides what Slack allows."""
    return int(baton._platforms[0].chat.api._allowance._replicas())  # type: ignore[attr-defined]
