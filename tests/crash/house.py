"""Baton under a supervisor, as in production: one process, or several replicas on one database. Whichever dies is
started again."""

import asyncio
import contextlib
import itertools
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage.engine import writing_engine
from storage.migrate import migrate
from tests.crash.databases import Database
from tests.crash.plans import Blow, Plan

ROOT = Path(__file__).parents[2]
UNEXPECTED = (
    "Traceback",
    "handler failed",
    "lane failed",
    "call broke",
    "job failed",
    "catching up failed",
    "error ",
)
EXCUSED = ("place in trouble", "place still in trouble", "Discord cannot be reached (timeout)")
"""A call that timed out: the machine was busy, and the times are a twentieth of the real ones."""
LOOK = 0.01
"""Seconds between two looks whether a replica has stopped itself."""


class Zygote:
    """The warm process that children are forked from, and the empty database they get a copy of."""

    def __init__(self, folder: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.child"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.template = folder / "template.db"
        engine = writing_engine(f"sqlite:///{self.template}")
        migrate(engine)
        engine.dispose()
        self.warm_up(f"sqlite:///{shutil.copy(self.template, folder / 'warm.db')}")

    def warm_up(self, url: str) -> None:
        """Let it live once on such a database, so that its children need not compile what they ask of it."""
        self._ask({"warm": url})

    def fork(self, spec: dict[str, Any]) -> int:
        """The pid of a new Baton."""
        return self._ask(spec)

    def status(self, pid: int) -> int:
        """How a child ended; waits until it has."""
        return self._ask({"wait": pid})

    def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """It ends with its input."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(10)


def own_address(number: int) -> str:
    """A loopback address that no other test of this machine uses, so that a restart finds its port free."""
    pid = os.getpid()
    return f"127.{1 + (pid >> 8) % 250}.{pid & 0xFF}.{1 + number % 250}"


def free_ports(address: str, count: int) -> list[int]:
    """Ports nobody listens on there, each another."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((address, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class Replica:
    """One Baton and its supervisor. `blows`: what ends each of its lives, or stops it for a while; behind the last it
    lives on. `common` is the part of its orders that all replicas of a house share."""

    def __init__(self, zygote: Zygote, folder: Path, url: str, common: dict[str, Any], blows: Sequence[Blow]):
        self._zygote = zygote
        self._folder = folder
        self._blows = blows
        self._common = common
        self._supervisor: asyncio.Task[None] | None = None
        self._pid: int | None = None
        self.url = url
        self.lives = 0
        self.deaths: list[str] = []
        self.pauses: list[tuple[float, float]] = []
        self.stands_still = False
        self.broken = ""

    def start(self) -> None:
        """Let it live, and die, and live."""
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """The end, whatever it is doing."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._zygote.status(self._pid)
            self._pid = None

    async def _supervise(self) -> None:
        for life in itertools.count():
            blow = self._blows[life] if life < len(self._blows) else None
            self.lives = life + 1
            self._pid = self._zygote.fork(self._spec(blow))
            if blow is not None and blow.pause:
                await self._stand_still(self._pid, blow)
            await _ended(self._pid)
            pid, self._pid = self._pid, None
            status = self._zygote.status(pid)
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL or blow is None:
                self.broken = f"Baton ended by itself, with status {status}"
                return
            self.deaths.append(self._struck(blow))
            if blow.seconds is None:
                return
            await asyncio.sleep(blow.seconds)

    async def _stand_still(self, pid: int, blow: Blow) -> None:
        """Wait until it has stopped itself, and wake it in time."""
        while not _is_stopped(pid):  # noqa: ASYNC110 — it cannot tell us
            await asyncio.sleep(LOOK)
        began = time.time()
        self.stands_still = True
        self.pauses.append((began, math.inf))
        await asyncio.sleep(blow.seconds or 0.0)
        os.kill(pid, signal.SIGCONT)
        self.pauses[-1] = began, time.time()
        self.stands_still = False

    @property
    def is_gone(self) -> bool:
        """For good."""
        return self._supervisor is None or self._supervisor.done()

    def _struck(self, blow: Blow) -> str:
        """The step it was at."""
        return [step for step in self.steps() if re.match(blow.at, step)][blow.step - 1]

    def _spec(self, blow: Blow | None) -> dict[str, Any]:
        return self._common | {
            "environment": self._common["environment"] | {"BATON_PORT": self.url.rpartition(":")[2]},
            "blow": None if blow is None else asdict(blow),
            "log": str(self._folder / "log"),
            "steps": str(self._steps_file),
            "attempts": str(self._attempts_file),
        }

    @property
    def _steps_file(self) -> Path:
        return self._folder / f"steps-{self.lives}"

    @property
    def _attempts_file(self) -> Path:
        return self._folder / "attempts"

    def attempts(self) -> list[tuple[str, float]]:
        """Which delivery was attempted, and when."""
        path = self._attempts_file
        lines = path.read_text().splitlines() if path.exists() else ()
        return [(delivery, float(at)) for delivery, _, at in (line.partition(" ") for line in lines)]

    def steps(self) -> list[str]:
        """The steps of the present life."""
        return self._steps_file.read_text().splitlines() if self._steps_file.exists() else []

    def log(self) -> str:
        """What all its lives have logged."""
        path = self._folder / "log"
        return path.read_text() if path.exists() else ""


class House:
    """One Baton, or several replicas, on one database, each with what the plan has for it."""

    def __init__(
        self,
        zygote: Zygote,
        folder: Path,
        number: int,
        environment: dict[str, str],
        plan: Plan,
        database: Database,
    ):
        self.database = database
        address = own_address(number)
        (folder / "baton.toml").touch()
        own = {
            "BATON_DATABASE_URL": database.url,
            "BATON_HOST": address,
            "BATON_CONFIG": str(folder / "baton.toml"),
        }
        common = {"environment": environment | own, "scale": plan.scale, "impatience": plan.impatience}
        self.replicas: list[Replica] = []
        for blows, port in zip(plan.blows, free_ports(address, len(plan.blows)), strict=True):
            home = folder / f"replica-{len(self.replicas)}"
            home.mkdir()
            self.replicas.append(Replica(zygote, home, f"http://{address}:{port}", common, blows))
        self.urls = [replica.url for replica in self.replicas]
        self.url = self.urls[0]

    def start(self) -> None:
        """All of them."""
        for replica in self.replicas:
            replica.start()

    async def stop(self) -> None:
        """The end of all of them."""
        for replica in self.replicas:
            await replica.stop()

    @property
    def deaths(self) -> list[str]:
        """The steps at which a replica was killed."""
        return [step for replica in self.replicas for step in replica.deaths]

    @property
    def pauses(self) -> list[tuple[float, float]]:
        """From when to when a replica stood still."""
        return [pause for replica in self.replicas for pause in replica.pauses]

    @property
    def broken(self) -> str:
        """Why the story cannot go on; empty while it can."""
        found = next((replica for replica in self.replicas if replica.broken), None)
        return f"{found.broken}\n{found.log()[-3000:]}" if found else ""

    def attempts(self) -> dict[str, list[float]]:
        """When each delivery was attempted."""
        found: dict[str, list[float]] = {}
        for replica in self.replicas:
            for delivery, at in replica.attempts():
                found.setdefault(delivery, []).append(at)
        return found

    def log(self) -> str:
        """What all of them have logged."""
        return "".join(replica.log() for replica in self.replicas)

    def unexpected(self) -> list[str]:
        """Lines of the log that no crash excuses."""
        lines = (line for line in self.log().splitlines() if not any(word in line for word in EXCUSED))
        return [line for line in lines if any(word in line for word in UNEXPECTED)]


def _is_stopped(pid: int) -> bool:
    """By SIGSTOP."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def _ended(pid: int) -> None:
    """Wait for a process that need not be our own child."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    descriptor = os.pidfd_open(pid)

    def note() -> None:
        loop.remove_reader(descriptor)
        ended.set_result(None)

    loop.add_reader(descriptor, note)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
