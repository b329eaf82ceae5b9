"""A long run at a steady pace while processes are killed: `make soak MINUTES=20`. It stops by itself.

Two replicas on one PostgreSQL, Slack over HTTP (over a socket it lets nobody connect more than once a minute), its
limits on both sides. Operators write 96 messages a second, shoppers 4, in 24
cases of 8 channels. One replica is killed (SIGKILL) at random moments and started again at once; the other lives from
the first minute to the last, and its memory and open files are what grows if anything does. Half of the shoppers'
streams are open at each and come back to either. At the end every message is where it belongs, once, and in order.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import machine
from benchmarks.__main__ import durable_postgres
from benchmarks.crowd import texts_of
from benchmarks.figures import percentile
from benchmarks.house import Case, House, claimed, escalated, house
from benchmarks.load import PATIENCE, Event, Line, Thread, Told
from benchmarks.lost import Missed, Notes, report
from benchmarks.processes import BenchFailed, Process, free_port, running
from benchmarks.wire import Wire

CASES, CHANNELS = 24, 8
OPERATORS_PER_S, SHOPPERS_PER_S = 96, 4
WARM_SECONDS = 20.0
"""After which memory and open files are looked at for the first time."""
LIVES = (15.0, 45.0)
"""Seconds that the mortal replica lives, between these."""
LONGEST_PAUSE = 10.0
"""Seconds before an event that was refused is sent again; Slack takes its time, too."""
DRAIN_SECONDS = 180.0
SLOW_MS = 1_000


@dataclass
class Health:
    """Of the process that lives on: resident memory in MB, and open files; how many of those are connections that
    others hold open to it (streams, the generator's requests)."""

    memory: float
    files: int
    callers: int

    @classmethod
    def of(cls, process: Process) -> "Health":
        """Now."""
        files = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        return cls(process.resident_kb() / 1024, files, _callers(process.port))

    def __str__(self) -> str:
        return f"{self.memory:.0f} MB, {self.files} open files, {self.callers} of them callers' connections"


def _callers(port: int) -> int:
    """Established connections to that port of this machine, from the kernel's table."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01")


class Operators(Line):
    """Sends without rounds, to either replica; a request that dies with its process is repeated, as by Slack."""

    def __init__(self, where: House, threads: list[Thread]) -> None:
        super().__init__(where.slack, threads, where.baton.port)
        self._where = where
        self._pools: dict[int, list[Wire]] = {}
        self._tried: set[int] = set()
        self.notes = Notes()
        self.told = self._told = Told()
        self.by_thread: dict[int, list[int]] = {}
        self.written: dict[int, tuple[str, str]] = {}

    async def open(self, wires: int = 0) -> None:
        """The streams are the shoppers'."""
        self._template = await self._pattern()

    def hear(self, index: int, number: int) -> None:
        """A shopper was shown that."""
        self._hears(index)(number, time.perf_counter())

    async def say(self, index: int) -> None:
        """One message in that thread, until it is acknowledged."""
        event = self._event(index)
        thread = self._threads[index]
        message = self._slack.world.channels[thread.channel].threads[thread.root][-1]
        self.written[event.number] = message.ts, thread.root
        self.by_thread.setdefault(index, []).append(event.number)
        await self._send(event)

    async def _request(self, event: Event) -> bool:
        pool = self._pools.setdefault(port := random.choice(self._where.batons).port, [])
        try:
            while pool and pool[-1].is_closed:  # with the process it led to
                pool.pop()
            wire = pool.pop() if pool else await Wire.connect(port)
        except OSError:  # nobody listens there any more
            self.notes.tried(event.number, port, "nobody there")
            await asyncio.sleep(0.02)
            return False
        try:
            status, body = await asyncio.wait_for(wire.send(self._marked(event)), PATIENCE)
        except (OSError, TimeoutError) as error:
            wire.close()
            self.notes.tried(event.number, port, type(error).__name__)
            self._tried.add(event.number)
            return False
        pool.append(wire)
        self.notes.tried(event.number, port, str(status))
        if status in (500, 503):
            self._tried.add(event.number)
            tries = len(self.notes.tries[event.number])
            await asyncio.sleep(random.uniform(0.5, 1.0) * min(2.0 ** (tries - 1), LONGEST_PAUSE))
        elif status != 200:
            raise BenchFailed(f"An event was answered with {status}: {body[:200]!r}")
        return status == 200

    def _marked(self, event: Event) -> bytes:
        """Slack says when it sends something again."""
        if event.number not in self._tried:
            return event.request
        again = b"\r\nX-Slack-Retry-Num: 1\r\nX-Slack-Retry-Reason: http_error\r\n"
        return event.request.replace(b"\r\n", again, 1)


@dataclass
class Shopper:
    """A window: a stream that comes back with its position, and messages that are sent until they are taken."""

    case: Case
    index: int
    session: aiohttp.ClientSession
    house: House
    operators: Operators
    last: int = 0
    wrote: list[str] = field(default_factory=list)
    resumed: int = 0
    problems: list[str] = field(default_factory=list)

    def _replica(self) -> Process:
        return random.choice(self.house.batons)

    async def listen(self) -> None:
        """Until cancelled."""
        headers = {"Authorization": f"Bearer {self.case.token}"}
        patience = aiohttp.ClientTimeout(total=None, sock_connect=1.0, sock_read=40.0)
        while True:
            replica = self._replica()
            self.operators.notes.opened(self.index, replica.port, self.last)
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self.session.get(
                    f"{replica.url}/widget/v1/stream",
                    headers={**headers, "Last-Event-ID": str(self.last)},
                    timeout=patience,
                ) as answer:
                    async for line in answer.content:
                        self._take(line)
            self.resumed += 1
            await asyncio.sleep(0.1)

    def _take(self, line: bytes) -> None:
        if not line.startswith(b"data: ") or b'"seq"' not in line:
            return
        entry = json.loads(line[6:])
        if entry["seq"] <= self.last:
            self.problems.append(f"{self.case.name}: entry {entry['seq']} came after {self.last}")
        self.last = max(self.last, entry["seq"])
        if entry["kind"] == "message" and entry["author"] == "operator" and "(n" in entry["text"]:
            self.operators.hear(self.index, int(entry["text"].rpartition("(n")[2].rstrip(")")))

    async def write(self, text: str) -> None:
        """One message."""
        self.wrote.append(text)
        body = {"id": text, "text": f"[{text}]"}
        headers = {"Authorization": f"Bearer {self.case.token}"}
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self.session.post(
                    f"{self._replica().url}/widget/v1/messages",
                    json=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(total=5.0),
                ) as answer:
                    if answer.status == 200:
                        return
                    if answer.status not in (429, 500, 503):
                        raise BenchFailed(f"A shopper's message was answered with {answer.status}.")
            await asyncio.sleep(0.2)


class Mortal:
    """The replica that is killed and started again."""

    lives = LIVES

    def __init__(self, where: House, folder: Path, notes: Notes) -> None:
        self._house, self._folder, self._notes = where, folder, notes

    @property
    def kills(self) -> int:
        return len(self._notes.kills)

    async def live(self, until: float) -> None:
        """Life after life, until that time; the last one ends in peace."""
        port = free_port()
        while time.monotonic() < until:
            async with running(
                "mortal", ["-m", "bot", "run"], port, self._folder, self._house.environment(port)
            ) as process:
                self._house.batons[1:] = [process]
                await asyncio.sleep(min(random.uniform(*self.lives), max(0.0, until - time.monotonic())))
                if time.monotonic() < until:
                    process.handle.kill()
                    process.handle.wait()
                    self._notes.kills.append((time.perf_counter(), port))
        self._house.batons[1:] = []


async def soak(folder: Path, seconds: float) -> list[str]:
    """What came of it, in sentences; `BenchFailed` if a message is lost, repeated or out of order."""
    with durable_postgres(folder) as server:
        url = server.url(server.create_database())
        async with (
            house(
                folder, "soak", channels=CHANNELS, database=url, limits=True, enforce=True, over_http=True
            ) as ours,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            cases = await escalated(ours, [f"case-{index:04}" for index in range(CASES)])
            roots = await claimed(ours, cases)
            threads = [_thread(ours, case, roots[case.name]) for case in cases]
            operators = Operators(ours, threads)
            await operators.open()
            shoppers = [Shopper(case, index, session, ours, operators) for index, case in enumerate(cases)]
            return await _run(folder, seconds, ours, operators, shoppers, roots)


def _thread(where: House, case: Case, root: str) -> Thread:
    channel, operator = where.channels[case.store], where.operators[case.store]
    return Thread(channel, root, operator, case.stream(), where.baton.port)


async def _run(
    folder: Path,
    seconds: float,
    ours: House,
    operators: Operators,
    shoppers: list[Shopper],
    roots: dict[str, str],
) -> list[str]:
    mortal = Mortal(ours, folder / "soak", operators.notes)
    until = time.monotonic() + seconds
    living = asyncio.create_task(mortal.live(until))
    while len(ours.batons) < 2 and not living.done():  # noqa: ASYNC110 - a second, before anything is measured
        await asyncio.sleep(0.05)
    async with _beside([one.listen() for one in shoppers]):
        start: list[Health] = []
        asyncio.get_running_loop().call_later(WARM_SECONDS, lambda: start.append(Health.of(ours.baton)))
        await _talk(operators, shoppers, until)
        await living
        await _until_there(ours, operators, shoppers, roots)
        end = Health.of(ours.baton)
    await _explain_missing(ours, operators, shoppers)
    ours.require_alive()
    operators.told.check("soak", operators.by_thread)
    problems = [what for one in shoppers for what in one.problems] + _thread_problems(ours, shoppers, roots)
    if problems:
        raise BenchFailed(f"{len(problems)} problems; the first: {problems[0]}")
    delays = operators.told.delays_ms()
    written = sum(len(one.wrote) for one in shoppers)
    return [
        f"{len(delays):,} operators' messages at {OPERATORS_PER_S}/s and {written:,} shoppers' at {SHOPPERS_PER_S}/s "
        f"in {seconds / 60:.1f} minutes: nothing lost, repeated or out of order",
        f"{mortal.kills} kills of one of two replicas; {operators.told.repeats} events that Slack sent again, "
        f"{sum(one.resumed for one in shoppers)} streams that came back",
        f"from Slack's event to the shopper: p50 {percentile(delays, 50):.0f} ms, p99 {percentile(delays, 99):.0f} ms, "
        f"longest {max(delays):,.0f} ms; {sum(one > SLOW_MS for one in delays)} took more than a second",
        f"calls refused with 429: {sum(call.status == 429 for call in ours.slack.calls)}",
        f"the other replica after {WARM_SECONDS:.0f} s: {start[0]}; at the end: {end}",
    ]


@asynccontextmanager
async def _beside(works: list[Any]) -> AsyncIterator[None]:
    """`BenchFailed` if one of them ended before it was told to."""
    tasks = [asyncio.ensure_future(one) for one in works]
    try:
        yield
        for task in tasks:
            if task.done():
                raise BenchFailed(f"A shopper's window broke: {task.exception()!r}")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _talk(operators: Operators, shoppers: list[Shopper], until: float) -> None:
    """At that pace, whether what came before was answered or not."""
    per_second = OPERATORS_PER_S + SHOPPERS_PER_S
    every = per_second // SHOPPERS_PER_S
    began, number = time.monotonic(), 0
    under_way: set[asyncio.Task[None]] = set()
    while (now := time.monotonic()) < until:
        due = began + number / per_second
        if due > now:
            await asyncio.sleep(due - now)
        number += 1
        index = random.randrange(len(shoppers))
        work = operators.say(index) if number % every else shoppers[index].write(f"s{number}")
        task = asyncio.create_task(work)
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.gather(*under_way)
    except TimeoutError:
        raise BenchFailed(f"After {DRAIN_SECONDS:.0f} s more not every message was acknowledged.") from None


async def _explain_missing(ours: House, operators: Operators, shoppers: list[Shopper]) -> None:
    """All there is to know of what never arrived, while the replicas still live."""
    told = operators.told
    of = {number: index for index, numbers in operators.by_thread.items() for number in numbers}
    missed = []
    for number in sorted(told.sent.keys() - told.arrived.keys())[:5]:
        one, (ts, root) = shoppers[of[number]], operators.written[number]
        missed.append(Missed(number, one.case.number, one.index, ts, root, one.case.token))
    if missed:
        last = {one.index: one.last for one in shoppers}
        live = [(one.port, one.url) for one in ours.batons]
        print(
            "\n".join(await report(ours.database, operators.notes, missed, last, live)),
            file=sys.stderr,
            flush=True,
        )


async def _until_there(
    ours: House, operators: Operators, shoppers: list[Shopper], roots: dict[str, str]
) -> None:
    """All of it, or as long as that may take."""
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        told = operators.told
        if told.sent.keys() <= told.arrived.keys() and not _thread_problems(ours, shoppers, roots):
            return
        await asyncio.sleep(1.0)


def _thread_problems(ours: House, shoppers: list[Shopper], roots: dict[str, str]) -> list[str]:
    """What a shopper wrote stands in their thread, each message once. (Those written at the same moment to two
    replicas may pass each other.)"""
    problems = []
    for one in shoppers:
        channel = ours.channels[one.case.store]
        posts = ours.slack.thread(channel, roots[one.case.name])
        there = "\n".join(text for post in posts if post.bot_id for text in texts_of(post))
        for text in one.wrote:
            if there.count(f"[{text}]") != 1:
                problems.append(f"{one.case.name}: {text} is {there.count(f'[{text}]')} times in the thread")
    return problems


def main(arguments: list[str]) -> int:
    """The exit code."""
    minutes = float(arguments[0]) if arguments else 20.0
    if len(arguments) > 1:  # longest life in seconds
        Mortal.lives = (float(arguments[1]) / 3, float(arguments[1]))
    with tempfile.TemporaryDirectory(prefix="baton-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        print(f"A soak of {minutes:g} minutes on {machine.described(folder)}", flush=True)
        try:
            lines = asyncio.run(soak(folder, minutes * 60))
        except BenchFailed as error:
            print(f"soak: {error}", file=sys.stderr)
            return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
