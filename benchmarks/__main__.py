"""`make bench`: measure everything and print the table. `BENCH_JSON=FILE` writes the figures, `BENCH_QUICK=1` takes a
minute and proves only that everything runs, `BENCH_ONLY=relay,scale` measures a part, `BENCH_DIR` is where the
databases are (a disk, not memory: every message is committed with `synchronous=FULL`)."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from benchmarks import allowance, escalations, guild, machine, outgoing, relay, scale, start, streams
from benchmarks.figures import Board, at_least, at_most, median, percentile
from benchmarks.processes import BenchFailed
from tests import postgres, scratch

DURABLE = ("fsync=on", "synchronous_commit=on", "max_connections=200", "shared_buffers=256MB")


@dataclass(frozen=True)
class Effort:
    """How much is done; seconds, rounds and amounts."""

    replies: relay.Plan
    replies_postgres: relay.Plan
    outgoing_seconds: float
    outgoing_fast: tuple[int, float]
    escalation_seconds: float
    escalation_rounds: int
    streams: int
    streams_seconds: float
    past: scale.Plan
    starts: int
    soak_seconds: float


FULL = Effort(
    replies=relay.Plan(2, 3),
    replies_postgres=relay.Plan(2, 1),
    outgoing_seconds=12,
    outgoing_fast=(300, 3),
    escalation_seconds=2.5,
    escalation_rounds=3,
    streams=5000,
    streams_seconds=8,
    past=scale.Plan(1000, 300_000, 5, 30, 60, 15),
    starts=3,
    soak_seconds=30,
)
QUICK = Effort(
    replies=relay.Plan(0.5, 1, threads=8),
    replies_postgres=relay.Plan(0.5, 1, threads=8),
    outgoing_seconds=2,
    outgoing_fast=(100, 1),
    escalation_seconds=0.5,
    escalation_rounds=1,
    streams=300,
    streams_seconds=1,
    past=scale.Plan(1000, 10_000, 1, 10, 20, 5),
    starts=1,
    soak_seconds=5,
)


class Bench:
    """One run."""

    def __init__(self, folder: Path, effort: Effort) -> None:
        self._folder = folder
        self._effort = effort
        self._floor: dict[str, float] = {}
        self.board = Board()
        self.parts: dict[str, Callable[[], Awaitable[None]]] = {
            "relay": self.relay,
            "http": self.relay_http,
            "outgoing": self.outgoing,
            "escalations": self.escalations,
            "streams": self.streams,
            "scale": self.scale,
            "start": self.start,
            "allowance": self.allowance,
            "postgres": self.postgres,
            "discord": self.discord,
        }

    async def relay(self) -> None:
        """Operator → shopper, Socket Mode."""
        found = await relay.against_floor(self._folder, over_http=False, plan=self._effort.replies)
        floor, ours = relay.summary(found["floor"]), relay.summary(found["ours"])
        self._floor = floor
        self.board.head("An operator's message, Slack → shopper's stream (Socket Mode, SQLite)")
        self._relay_rows("socket", "", floor, ours)
        self.board.note("relay_socket_repeats", found["ours"].repeats)

    async def relay_http(self) -> None:
        """The same over HTTP."""
        found = await relay.against_floor(self._folder, over_http=True, plan=self._effort.replies)
        self.board.head("The same over HTTP")
        self._relay_rows("http", "", relay.summary(found["floor"]), relay.summary(found["ours"]))
        self.board.note("relay_http_repeats", found["ours"].repeats)

    def _relay_rows(self, way: str, suffix: str, floor: dict[str, float], ours: dict[str, float]) -> None:
        board, what = self.board, {"socket": "", "http": "_http", "discord": "_discord"}[way]
        speed = f"{'arrived' if way == 'discord' else 'acknowledged'} messages, {relay.IN_FLIGHT} in flight"
        board.compare(speed, "/s", floor["per_second"], ours["per_second"], name=f"relay_{way}_ratio{suffix}",
                      aim=at_least(0.5))  # fmt: skip
        board.note(f"relay_{way}_per_s{suffix}", ours["per_second"])
        board.note(f"relay_{way}_floor_per_s{suffix}", floor["per_second"])
        for rate in relay.RATES:
            p50, p99 = f"p50_{rate}", f"p99_{rate}"
            name = f"reply_to_shopper_{{}}_ms{what}{'' if rate == relay.RATES[0] else f'_{rate}'}{suffix}"
            at = f"at {rate:,}/s{_unless_sustained(ours['per_second'], rate)}"
            board.add(f"p50 {at}", "ms", ours[p50], name=name.format("p50"), floor=floor[p50])
            board.add(f"p99 {at}", "ms", ours[p99], name=name.format("p99"), floor=floor[p99])
        rate = relay.RATES[-1]
        over = ours[f"p99_{rate}"] - floor[f"p99_{rate}"]
        board.add(f"p99 at {rate:,}/s above the floor's", "ms", over, name=f"p99_over_floor_ms_{rate}{what}{suffix}",
                  aim=at_most(10))  # fmt: skip

    async def outgoing(self) -> None:
        """Shopper → operator."""
        effort, board = self._effort, self.board
        board.head("A shopper's message, POST → Slack")
        delays = await outgoing.within_limits(self._folder, effort.outgoing_seconds)
        board.add("p50 at 1/s in each of 5 channels, limits on", "ms", percentile(delays, 50),
                  name="shopper_to_slack_p50_ms", aim=at_most(50))  # fmt: skip
        board.add("p99", "ms", percentile(delays, 99), name="shopper_to_slack_p99_ms")
        rate, seconds = effort.outgoing_fast
        delays = await outgoing.without_limits(self._folder, rate, seconds)
        board.add(f"p50 at {rate}/s, limits switched OFF on both sides", "ms", percentile(delays, 50),
                  name="shopper_to_slack_no_limits_p50_ms")  # fmt: skip
        board.add("p99", "ms", percentile(delays, 99), name="shopper_to_slack_no_limits_p99_ms")

    async def escalations(self) -> None:
        """A store's backend hands over."""
        effort = self._effort
        found = await escalations.measure(
            self._folder, "sqlite", effort.escalation_seconds, effort.escalation_rounds
        )
        self.board.head("Escalations (POST /v1/escalations)")
        self._escalation_row(found, "")

    def _escalation_row(self, found: list[float], suffix: str) -> None:
        what = f"answered, {escalations.IN_FLIGHT} in flight"
        self.board.add(what, "/s", median(found), name=f"escalations_per_s{suffix}")

    async def streams(self) -> None:
        """Open widgets."""
        found = await streams.measure(self._folder, self._effort.streams, self._effort.streams_seconds)
        self.board.head(f"{found.amount:,} open widgets, each in a conversation of its own")
        self.board.add("memory per stream", "kB", found.kb_each, name="stream_kb", aim=at_most(20))
        self.board.add(
            "processor at rest, of one core", "%", found.cpu_share * 100, name="streams_cpu_percent"
        )
        self.board.add("processor to open one", "ms", found.open_ms, name="stream_open_cpu_ms")
        self.board.note("streams_open", found.amount)

    async def scale(self) -> None:
        """A long past."""
        plan = self._effort.past
        small, large = await scale.measure(self._folder, plan)
        before, after = small.p50(), large.p50()
        self.board.head(f"With {plan.small:,} (left) and {plan.large:,} conversations in the database, p50")
        for what in ("claim", "append", "queue"):
            title = {"claim": "claim", "append": "append a message", "queue": "the queue's first page"}[what]
            self.board.compare(title, "ms", before[what], after[what], name=f"scale_{what}_ratio",
                               aim=at_most(1.2))  # fmt: skip

    async def start(self) -> None:
        """Starting and resting."""
        found = await start.measure(self._folder, self._effort.starts)
        self.board.head("Start and rest (SQLite, Slack configured)")
        self.board.add("spawned → ready", "s", median(found.ready_s), name="ready_s", aim=at_most(1.5))
        self.board.add("the same with an empty database", "s", median(found.fresh_s), name="ready_fresh_s",
                       aim=at_most(1.5))  # fmt: skip
        self.board.add("idle memory", "MB", median(found.idle_mb), name="idle_mb", aim=at_most(150))

    async def allowance(self) -> None:
        """More to post than Slack takes."""
        found = await allowance.measure(self._folder, self._effort.soak_seconds)
        self.board.head(
            f"More to post than Slack takes, for {self._effort.soak_seconds:.0f} s, limits enforced"
        )
        self.board.add("of the allowance used, in the channel that used least", "", found.used,
                       name="allowance_used", aim=at_least(0.85))  # fmt: skip
        self.board.add("calls refused with 429", "", found.refused, name="allowance_refused", aim=at_most(5))

    async def postgres(self) -> None:
        """The same on PostgreSQL with one and two replicas."""
        if not self._floor:
            raise BenchFailed("PostgreSQL is compared with the floor that `relay` measures; run both.")
        effort = self._effort
        with durable_postgres(self._folder) as server:
            for replicas in (1, 2):
                suffix = f"_pg{replicas}"
                url = server.url(server.create_database())
                measured = await relay.on_postgres(self._folder, url, replicas, effort.replies_postgres)
                self.board.head(f"PostgreSQL, {replicas} replica{'s' if replicas > 1 else ''} (Socket Mode)")
                self._relay_rows("socket", suffix, self._floor, relay.summary(measured))
                self.board.note(f"relay_socket_repeats{suffix}", measured.repeats)
                url = server.url(server.create_database())
                found = await escalations.measure(
                    self._folder, f"pg{replicas}", effort.escalation_seconds, 1, url, replicas
                )
                self._escalation_row(found, suffix)

    async def discord(self) -> None:
        """Slack's lines with the teams in Discord."""
        effort, board = self._effort, self.board
        found = await guild.against_floor(self._folder, effort.replies)
        board.head("An operator's message, Discord → shopper's stream (gateway, SQLite)")
        self._relay_rows("discord", "", relay.summary(found["floor"]), relay.summary(found["ours"]))
        board.head("A shopper's message, POST → Discord")
        delays, refused = await guild.outgoing_delays(self._folder, effort.outgoing_seconds)
        board.add("p50 at 1/s in each of 5 channels, limits on", "ms", percentile(delays, 50),
                  name="shopper_to_discord_p50_ms", aim=at_most(50))  # fmt: skip
        board.add("p99", "ms", percentile(delays, 99), name="shopper_to_discord_p99_ms")
        board.add("calls refused with 429", "", refused, name="discord_refused", aim=at_most(5))


def _unless_sustained(speed: float, rate: float) -> str:
    """A queue that only grows has no percentile worth the name; the table says so."""
    return "" if speed >= rate else " (more than it takes: the queue grows)"


@contextmanager
def durable_postgres(folder: Path) -> Iterator[postgres.Server]:
    """The tests' server, but on a disk, and flushing to it."""
    with (
        patch.object(postgres, "OPTIONS", DURABLE),
        patch.object(scratch, "folder", lambda: folder),
        postgres.server() as server,
    ):
        yield server


async def run(bench: Bench, chosen: list[str]) -> None:
    """The chosen parts, one after the other."""
    for name in chosen:
        began = time.perf_counter()
        await bench.parts[name]()
        print(f"  {name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    """The exit code: 0 if everything was measured and nothing was lost, whatever the figures are."""
    quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
    parts = list(Bench(Path(), QUICK).parts)
    chosen = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name] or parts
    if not set(chosen) <= set(parts):
        print(f"bench: BENCH_ONLY: write one or several of {','.join(parts)}.", file=sys.stderr)
        return 1
    signal.signal(
        signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT)
    )  # which ends what we started
    began = time.perf_counter()
    failure = ""
    with tempfile.TemporaryDirectory(prefix="baton-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        bench = Bench(folder, QUICK if quick else FULL)
        print(f"Baton's benchmarks on {machine.described(folder)}\n", flush=True)
        try:
            asyncio.run(run(bench, chosen))
        except BenchFailed as error:
            failure = str(error)
        except KeyboardInterrupt:
            return 130
    if quick:
        print("QUICK RUN: too short to be figures; it shows that everything runs.\n")
    print(f"{bench.board.table()}\n")
    if failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    missed = bench.board.missed()
    verdict = f"{len(missed)} aims missed" if missed else "All aims met"
    print(f"{verdict}; nothing lost, repeated or out of order; {time.perf_counter() - began:.0f} s.")
    if path := os.environ.get("BENCH_JSON"):
        bench.board.write(Path(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
