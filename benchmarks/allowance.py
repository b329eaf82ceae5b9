"""How much of what Slack permits is used when more is to be posted than Slack takes: a short soak in real time."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from adapters.slack.allowance import used
from benchmarks.house import escalated, house
from benchmarks.processes import BenchFailed

CHANNELS = 5


@dataclass(frozen=True)
class Soak:
    """The share of the allowance that was used, of the channel that used least; calls refused with 429."""

    used: float
    refused: int
    posts: int


async def measure(folder: Path, seconds: float) -> Soak:
    """More escalations at once than five channels can be told of in that time; the fake enforces Slack's limits."""
    async with house(folder, "allowance", channels=CHANNELS, limits=True, enforce=True) as ours:
        began = ours.slack.clock()
        await escalated(ours, [f"case-{index:04}" for index in range(int(CHANNELS * (seconds / 2 + 10)))])
        await asyncio.sleep(max(0.0, began + seconds - ours.slack.clock()))
        posts = [call for call in ours.slack.calls_to("chat.postMessage") if not call.error]
        refused = sum(call.status == 429 for call in ours.slack.calls)
        ours.require_alive()
    shares = []
    for channel in ours.channels:
        times = [call.at for call in posts if call.args["channel"] == channel]
        if not times:
            raise BenchFailed("A channel was told of nothing.")
        shares.append(used(times))
    return Soak(min(shares), refused, len(posts))
