"""More cases at once than Slack's limits let through: `python -m benchmarks.crowd burst` and `… transcripts FILE`.

`burst`: 1,000 escalations into five channels; for a minute the share of the allowance that is used is measured. In its
middle an operator clicks, and another one later, when the waiting cards show their age anew. `transcripts FILE`: the
conversations of a file of JSON lines (`conversation_id`, `transcript`), escalated over HTTP into five channels, until
every thread stands whole. The fake Slack enforces Slack's limits and calls us over HTTP. Both end by themselves, and
fail with a sentence when something is lost, repeated or out of order.
"""

import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from adapters.slack.allowance import CHANNEL_POSTS, used
from benchmarks.house import House, api_key, escalation, house
from benchmarks.processes import BenchFailed
from benchmarks.wire import Wire
from tests.fakes.slack import Message

CHANNELS = 5
BURST, BURST_SECONDS = 1_000, 60.0
LATER = 85.0
CLICK_PATIENCE = 60.0
LONGEST = 900.0
AT_ONCE = 8
Json = dict[str, Any]


async def escalate(where: House, bodies: Sequence[Json]) -> None:
    """Round the stores, so many at once; a 503 is asked again, as a store would."""
    waiting = iter(enumerate(bodies))

    async def work() -> None:
        wire = await Wire.connect(where.baton.port)
        try:
            for index, body in waiting:
                while (await _handed_over(wire, body, api_key(index % CHANNELS))) == 503:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        finally:
            wire.close()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _handed_over(wire: Wire, body: Json, key: str) -> int:
    status, answer = await wire.post("/v1/escalations", body, key)
    if status not in (202, 503):
        raise BenchFailed(f"An escalation was answered with {status}: {answer[:300]!r}")
    return status


def posts_by_channel(where: House) -> dict[str, list[float]]:
    """When each post was accepted."""
    found: dict[str, list[float]] = {channel: [] for channel in where.channels}
    for call in where.slack.calls_to("chat.postMessage"):
        if not call.error:
            found[call.args["channel"]].append(call.at)
    return found


def refused(where: House) -> int:
    """Calls answered with 429."""
    return sum(call.status == 429 for call in where.slack.calls)


# --- the burst ------------------------------------------------------------------------------------------------


async def burst(folder: Path) -> list[str]:
    """What came of it, in sentences."""
    async with house(folder, "burst", channels=CHANNELS, limits=True, enforce=True, over_http=True) as ours:
        began = ours.slack.clock()
        await escalate(ours, [escalation(f"case-{index:04}", turns=3) for index in range(BURST)])
        took = ours.slack.clock() - began
        await asyncio.sleep(max(0.0, began + BURST_SECONDS / 2 - ours.slack.clock()))
        click = await click_answered(ours, 0)
        await asyncio.sleep(max(0.0, began + BURST_SECONDS - ours.slack.clock()))
        share = min(used(times) for times in posts_by_channel(ours).values())
        await asyncio.sleep(max(0.0, began + LATER - ours.slack.clock()))
        later = await click_answered(ours, 1)
        ours.require_alive()
        return [
            f"{BURST:,} escalations into {CHANNELS} channels, taken in {took:.1f} s",
            f"of the allowance used in {BURST_SECONDS:.0f} s, by the channel that used least: {share:.2f}",
            f"calls refused with 429: {refused(ours)}",
            f"a click after {BURST_SECONDS / 2:.0f} s: {click}",
            f"a click after {LATER:.0f} s, {updates(ours)} updates of cards behind it: {later}",
        ]


def updates(where: House) -> int:
    """Cards that were shown anew."""
    return sum(1 for call in where.slack.calls_to("chat.update") if not call.error)


@dataclass(frozen=True)
class Clicked:
    """Seconds until a click was acknowledged, its thread said who has the case, and its card did."""

    acked: float
    said: float
    shown: float

    def __str__(self) -> str:
        return (
            f"acknowledged after {self.acked:.2f} s, said in the thread after {self.said:.2f} s, shown by the card "
            f"after {self.shown:.2f} s"
        )


async def click_answered(where: House, index: int) -> Clicked:
    """A claim of the newest card of that channel."""
    channel, operator = where.channels[index], where.operators[index]
    root = [one for one in where.slack.messages(channel) if one.bot_id and not one.is_reply][-1]
    if "baton:claim" not in json.dumps(_now(where, channel, root.ts)):
        raise BenchFailed("The newest card cannot be claimed.")
    began = time.perf_counter()
    delivery = await where.slack.click(operator, channel, root.ts, "baton:claim")
    await where.slack.wait_for(lambda: delivery.done)
    acked = time.perf_counter() - began
    if not delivery.acked:
        raise BenchFailed("The click was not acknowledged.")

    async def until(what: Callable[[], bool]) -> float:
        try:
            await where.slack.wait_for(what, CLICK_PATIENCE)
        except TimeoutError:
            raise BenchFailed(f"A click showed nothing within {CLICK_PATIENCE:.0f} s.") from None
        return time.perf_counter() - began

    said, shown = await asyncio.gather(
        until(lambda: _says(where, channel, root.ts, "claimed this")),
        until(lambda: "baton:claim" not in json.dumps(_now(where, channel, root.ts))),
    )
    return Clicked(acked, said, shown)


def _says(where: House, channel: str, root: str, words: str) -> bool:
    posts = where.slack.thread(channel, root)
    return any(words in text for post in posts if post.is_reply for text in texts_of(post))


def _now(where: House, channel: str, ts: str) -> list[Json]:
    return list(where.slack.message(channel, ts).blocks)


# --- conversations that nobody here wrote ---------------------------------------------------------------------


async def transcripts(folder: Path, said: Sequence[Json]) -> list[str]:
    """What came of it, in sentences."""
    bodies = [_body(one) for one in said]
    async with house(
        folder, "transcripts", channels=CHANNELS, limits=True, enforce=True, over_http=True
    ) as ours:
        began = ours.slack.clock()
        await escalate(ours, bodies)
        taken = ours.slack.clock() - began
        await _until_whole(ours, said)
        ours.require_alive()
        problems = await _problems(ours, said)
        by_channel = posts_by_channel(ours)
        last = max(max(times) for times in by_channel.values()) - began
        most = max(len(times) for times in by_channel.values())
        floor = (most - CHANNEL_POSTS.burst) / CHANNEL_POSTS.per_second
        if problems:
            raise BenchFailed(f"{len(problems)} problems; the first: {problems[0]}")
        turns = sum(len(one["transcript"]) for one in said)
        return [
            f"{len(said)} conversations with {turns:,} turns, handed over in {taken:.1f} s; nothing lost, repeated or "
            "out of order",
            f"{sum(map(len, by_channel.values()))} posts; the last one after {last:.0f} s, where the allowance permits "
            f"{floor:.0f} s for the {most} of the fullest channel",
            f"calls refused with 429: {refused(ours)}",
        ]


def _body(one: Json) -> Json:
    named = [{"id": f"m{index}", **turn} for index, turn in enumerate(one["transcript"])]
    shopper = {"id": f"s-{one['conversation_id']}", "name": "Shopper"}
    summary = {"issue": f"Case ({one['conversation_id']})"}
    return {
        "conversation_id": one["conversation_id"],
        "channel": one["channel"],
        "shopper": shopper,
        "summary": summary,
        "transcript": named,
    }


async def _until_whole(where: House, said: Sequence[Json]) -> None:
    """Until each thread holds its last turn, and nothing has been posted for a while."""
    until, posts, still = time.monotonic() + LONGEST, -1, 0
    while still < 4:
        await asyncio.sleep(1.0)
        now = sum(map(len, posts_by_channel(where).values()))
        complete = sum(1 for root in _roots(where).values() if root[1]) == len(said)
        still, posts = (still + 1 if complete and now == posts else 0), now
        if time.monotonic() > until:
            raise BenchFailed(f"After {LONGEST:.0f} s not every thread stood.")


def _roots(where: House) -> dict[str, tuple[int, list[Message]]]:
    """By conversation: the store it came to, and what stands below its card."""
    found: dict[str, tuple[int, list[Message]]] = {}
    by_root: dict[str, list[Message]] = {}
    for index, channel in enumerate(where.channels):
        for message in where.slack.messages(channel):
            if message.is_reply:
                by_root.setdefault(str(message.thread_ts), []).append(message)
            elif message.bot_id and (named := re.search(r"Case \((\S+)\)", where.slack.text_of(message))):
                if named[1] in found:
                    raise BenchFailed(f"{named[1]} has two threads.")
                found[named[1]] = index, by_root.setdefault(message.ts, [])
    return found


async def _problems(where: House, said: Sequence[Json]) -> list[str]:
    """Each turn of each conversation stands in its own thread once, behind the one before it; and so it is in the
    log."""
    problems: list[str] = []
    roots = _roots(where)
    wire = await Wire.connect(where.baton.port)
    for index, one in enumerate(said):
        name, turns = one["conversation_id"], [turn["text"] for turn in one["transcript"]]
        store, posts = roots.get(name, (-1, []))
        if store != index % CHANNELS:
            problems.append(f"{name} has no thread in its channel")
            continue
        problems += [f"{name}: {what}" for what in _thread_problems(posts, turns)]
        status, answer = await wire.get(f"/v1/conversations/{name}?limit=500", api_key(store))
        logged = [entry["text"] for entry in json.loads(answer)["entries"] if entry["kind"] == "message"]
        if status != 200 or logged != turns:
            problems.append(f"{name}: the log has {len(logged)} messages, not its {len(turns)}")
    wire.close()
    return problems


def _thread_problems(posts: Sequence[Message], turns: Sequence[str]) -> list[str]:
    there = "".join(_letters(text) for post in posts for text in texts_of(post))
    wanted = [_letters(turn) for turn in turns]
    problems, at = [], 0
    for turn in wanted:
        found = there.find(turn, at)
        if found < 0:
            problems.append(f"lost or out of order: {turn[:40]!r}")
            continue
        at = found + len(turn)
    whole = "|".join(wanted)
    problems += [
        f"{there.count(turn)} times instead of {whole.count(turn)}: {turn[:40]!r}"
        for turn in set(wanted)
        if len(turn) >= 12
        and there.count(turn) != whole.count(turn)  # shorter ones stand in other words, too
    ]
    return problems


def texts_of(post: Message) -> list[str]:
    """Its blocks; its own text repeats them for notifications."""
    found = []
    for block in post.blocks:
        parts = [block.get("text"), *block.get("elements", ())]
        found += [
            part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
    return found


def _letters(text: str) -> str:
    """Without what escaping and markup may change."""
    return "".join(one for one in unescape(text) if one.isalnum())


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(prefix="baton-crowd-") as name:
        match arguments:
            case ["burst"]:
                work = burst(Path(name))
            case ["transcripts", path]:
                said = [json.loads(line) for line in Path(path).read_text().splitlines()]
                work = transcripts(Path(name), said)
            case _:
                print("crowd: write `burst`, or `transcripts FILE`.", file=sys.stderr)
                return 2
        try:
            lines = asyncio.run(work)
        except BenchFailed as error:
            print(f"crowd: {error}", file=sys.stderr)
            return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
