"""Baton is killed with SIGKILL at every step of a case's life; afterwards nothing is lost, doubled or out of order.

Steps are: before and behind every commit, before, in the middle of and behind every call to Slack and to the store's
webhook. The fake Slack survives, as Slack would, and commits what had left when Baton died. A twentieth of the real
delays (`SCALE`), so that a lease ends after 1.5 s and a post is believed missing after 0.75 s.
"""

import itertools
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.house import Zygote
from tests.crash.plans import kills
from tests.crash.teller import Teller
from tests.fakes.slack import FakeSlack, Fault

CHUNKS, LATE, DOUBLE = 8, 3, 3
STRIDE = int(os.environ.get("CRASH_STRIDE", "2"))
"""Of the steps, every second is tried in each run of the suite; `CRASH_STRIDE=1` tries them all."""
STEPS, SOME = 190, 10
"""About how many steps a life without a kill has, and how many sampled stories each random test tells."""


@pytest.fixture
def teller(zygote: Zygote, tmp_path: Path, record_property: Callable[[str, Any], None]) -> Teller:
    return Teller(zygote, tmp_path, record_property)


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_kill_at_any_step_loses_doubles_and_moves_nothing(teller: Teller, chunk: int) -> None:
    steps = itertools.count(1 + chunk * STRIDE, CHUNKS * STRIDE)
    verdict = await teller.tell(kills(step) for step in steps)
    assert verdict.problems == []
    assert verdict.kills > STEPS / CHUNKS / STRIDE / 2


@pytest.mark.parametrize("seed", range(DOUBLE))
async def test_a_kill_in_the_recovery_from_a_kill_changes_nothing(teller: Teller, seed: int) -> None:
    rng = random.Random(seed)
    verdict = await teller.tell(kills(rng.randint(1, STEPS), rng.randint(1, 40)) for _ in range(SOME))
    assert verdict.problems == []
    assert verdict.kills > SOME


@pytest.mark.parametrize("seed", range(LATE))
async def test_a_slack_that_commits_late_and_says_nothing_changes_nothing(teller: Teller, seed: int) -> None:
    rng = random.Random(100 + seed)
    verdict = await teller.tell((kills(rng.randint(1, STEPS)) for _ in range(SOME)), _lying)
    assert verdict.problems == []
    assert verdict.kills > SOME / 2


def _lying(slack: FakeSlack) -> None:
    """A quarter of the posts is committed 0.3 s late (6 s at full pace) behind a cut connection; others are committed
    although the answer says otherwise, or never comes."""
    ways = (
        ("chat.postMessage", Fault.late(0.3), 0.25),
        ("chat.postMessage", Fault.http(503, commit=True), 0.08),
        ("chat.postMessage", Fault.drop(commit=True), 0.08),
        ("chat.postMessage", Fault.hang(commit=True), 0.04),
        ("chat.postMessage", Fault.http(503), 0.05),
        ("chat.update", Fault.drop(commit=True), 0.2),
        ("reactions.add", Fault.drop(commit=True), 0.2),
    )
    for method, fault, probability in ways:
        slack.faults.add(method, fault, times=None, probability=probability)
