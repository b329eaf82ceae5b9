"""The kills of `test_kills` with the team on Discord: the real discord.py, its gateway and its REST API.

Discord sends an event once and keeps no id of ours with a message. So what came while Baton was dead is read back from
the threads, and a post of which nobody knows is recognised by its nonce, its order and what it says.
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
from tests.fakes.discord import FakeDiscord, Fault

STRIDE = int(os.environ.get("CRASH_STRIDE", "20"))
"""Of the steps, every twentieth is tried in each run of the suite; `CRASH_STRIDE=1` tries them all."""
STEPS = 260
"""About how many steps a life without a kill has."""
SOME = 4
"""How many sampled stories each random test tells."""


@pytest.fixture
def teller(zygote: Zygote, tmp_path: Path, record_property: Callable[[str, Any], None]) -> Teller:
    return Teller(zygote, tmp_path, record_property)


@pytest.mark.timeout(900)  # all steps, one after the other
async def test_on_discord_a_kill_at_any_step_loses_doubles_and_moves_nothing(teller: Teller) -> None:
    verdict = await teller.tell(kills(step, chat="discord") for step in itertools.count(1, STRIDE))
    assert verdict.problems == []
    assert verdict.kills > STEPS / STRIDE / 2


async def test_a_discord_that_commits_late_and_says_nothing_changes_nothing(teller: Teller) -> None:
    rng = random.Random(200)
    plans = (kills(rng.randint(1, STEPS), rng.randint(1, 40), chat="discord") for _ in range(SOME))
    verdict = await teller.tell(plans, _lying)
    assert verdict.problems == []
    assert verdict.kills > SOME / 2


def _lying(discord: FakeDiscord) -> None:
    """Posts are committed late behind a cut connection, or although the answer says otherwise or never comes."""
    ways = (
        ("create_message", Fault.late(0.3), 0.25),
        ("create_message", Fault.http(503, commit=True), 0.08),
        ("create_message", Fault.drop(commit=True), 0.08),
        ("create_message", Fault.hang(commit=True), 0.04),
        ("create_message", Fault.http(502), 0.05),
        ("create_message", Fault.rate_limit(0.05), 0.1),
        ("execute_webhook", Fault.late(0.3), 0.25),
        ("execute_webhook", Fault.http(503, commit=True), 0.1),
        ("execute_webhook", Fault.drop(commit=True), 0.1),
        ("start_thread", Fault.drop(commit=True), 0.3),
        ("edit_message", Fault.drop(commit=True), 0.2),
        ("create_reaction", Fault.drop(commit=True), 0.2),
    )
    for method, fault, probability in ways:
        discord.faults.add(method, fault, times=None, probability=probability)
