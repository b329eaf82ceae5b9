"""Replicas on one PostgreSQL: one is killed at every step of its life, or stands still past its lease, while others
serve; afterwards nothing is lost, doubled or out of order.

Steps and checks are those of `test_kills`. Every `CRASH_STRIDE`th step is taken (1: every step). Delays are a tenth of
the real ones, since more processes share the machine. An operator's quick messages may reach different replicas: what
was overtaken is marked late, and counted.
"""

import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Timing
from tests.crash.databases import Shared
from tests.crash.house import Zygote
from tests.crash.plans import NO_TICK, Blow, Plan
from tests.crash.teller import Teller
from tests.postgres import Server

STRIDE = int(os.environ.get("CRASH_STRIDE", "10"))
CHUNKS, SEEDS = 2, 2
STEPS = 150
"""About how many steps the share of one of two replicas in a life has."""
SOME = 2
"""How many sampled stories each random test tells."""
IN_CALLS, IN_TRANSACTIONS, IN_LEASES, IN_JOBS = 12, 32, 20, 60
"""At most so many of its steps are such ones."""
AT_ONCE = 3
"""Stories beside each other in one process: each has several processes."""
ABSENCES = (0.0, 1.0, None)
"""Seconds after which a killed replica is started again, in turn."""
SCALE = 0.1
"""Of the real delays: a lease ends after 3 s, and a post is believed missing after 1.5 s."""
STILL = (Timing().lease + Timing().settle) * SCALE + 0.75
"""A pause that outlives a lease and a settling time, so that the other has had time to do it all itself."""
CALLS = r"(chat\.postMessage|chat\.update|reactions\.add|webhook|conversations\.(history|replies))$"


@pytest.fixture(scope="session")
def warm(zygote: Zygote, postgres: Server) -> None:
    """Its children know PostgreSQL, too."""
    name = postgres.create_database(template="baton")
    zygote.warm_up(postgres.url(name))
    postgres.drop_database(name)


@pytest.fixture
def teller(
    zygote: Zygote, tmp_path: Path, record_property: Callable[[str, Any], None], postgres: Server, warm: None
) -> Teller:
    return Teller(zygote, tmp_path, record_property, lambda: Shared(postgres), AT_ONCE)


def kills_of_one(steps: Iterator[int]) -> Iterator[Plan]:
    """The first of two is killed; the second lives."""
    for number, step in enumerate(steps):
        blow = Blow(step, NO_TICK, ABSENCES[number % len(ABSENCES)])
        yield Plan([[blow], []], stay=number % 2 == 0, scale=SCALE)


def pauses_of_one(at: str, steps: Iterable[int], impatience: float = 1.0) -> Iterator[Plan]:
    """The first of two stands still at such a step; the second goes on."""
    for step in steps:
        yield Plan([[Blow(step, at, STILL, pause=True)], []], impatience=impatience, scale=SCALE)


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_kill_of_one_replica_at_any_step_costs_nothing_while_the_other_serves(
    teller: Teller, chunk: int
) -> None:
    verdict = await teller.tell(kills_of_one(itertools.count(1 + chunk * STRIDE, CHUNKS * STRIDE)))
    assert verdict.problems == []
    assert verdict.kills > STEPS / CHUNKS / STRIDE / 2


async def test_over_http_a_kill_of_one_replica_costs_nothing_while_the_other_serves(teller: Teller) -> None:
    """Slack's requests go to either; one that breaks off in the middle is sent again, by Slack or by whoever clicks."""
    plans = kills_of_one(iter(range(3, STEPS, 3 * STRIDE)))
    verdict = await teller.tell(replace(plan, over_http=True) for plan in plans)
    assert verdict.problems == []
    assert verdict.kills > STEPS / 3 / STRIDE / 2


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_kills_of_two_of_three_replicas_cost_nothing(teller: Teller, seed: int) -> None:
    rng = random.Random(seed)

    def blow() -> Blow:
        return Blow(rng.randint(1, STEPS // 2), NO_TICK, rng.choice(ABSENCES))

    verdict = await teller.tell(Plan([[blow()], [blow()], []], scale=SCALE) for _ in range(SOME))
    assert verdict.problems == []
    assert verdict.kills >= SOME


@pytest.mark.parametrize("moment", ["before", "during", "after"])
async def test_a_replica_that_stands_still_in_a_call_does_no_harm(teller: Teller, moment: str) -> None:
    """Its lease ends meanwhile, and the other makes the call."""
    verdict = await teller.tell(pauses_of_one(f"{moment} {CALLS}", range(1, IN_CALLS, STRIDE)))
    assert verdict.problems == []
    assert verdict.pauses > 0


@pytest.mark.parametrize("impatience", [1.0, 0.1])
async def test_a_replica_that_stands_still_in_a_transaction_does_no_harm(
    teller: Teller, impatience: float
) -> None:
    """It keeps its rows locked: until it goes on, or until the database takes them away from it."""
    steps = range(1, IN_TRANSACTIONS, STRIDE)
    verdict = await teller.tell(pauses_of_one(f"{NO_TICK}before commit ", steps, impatience))
    assert verdict.problems == []
    assert verdict.pauses > 0


async def test_a_replica_that_stands_still_with_leases_in_its_hands_does_no_harm(teller: Teller) -> None:
    verdict = await teller.tell(pauses_of_one("after commit Advance$", range(1, IN_LEASES, STRIDE)))
    assert verdict.problems == []
    assert verdict.pauses > 0


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_replica_that_stands_still_with_the_periodic_jobs_in_its_hands_does_no_harm(
    teller: Teller, moment: str
) -> None:
    steps = range(1, IN_JOBS, 5 * STRIDE)
    verdict = await teller.tell(pauses_of_one(f"{moment} commit HoldLease$", steps))
    assert verdict.problems == []
    assert verdict.pauses > 0
