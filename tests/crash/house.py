"""Baton under a supervisor, as in production: whenever it dies, it is started again at once."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage.engine import writing_engine
from storage.migrate import migrate

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


def free_port(address: str) -> int:
    """A port nobody listens on there."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


class House:
    """One Baton, its database and its supervisor. `kills`: the step at which each life ends; then it lives on."""

    def __init__(
        self,
        zygote: Zygote,
        folder: Path,
        number: int,
        environment: dict[str, str],
        kills: Sequence[int],
        scale: float,
    ):
        self._zygote = zygote
        self._kills = list(kills)
        self._scale = scale
        self._supervisor: asyncio.Task[None] | None = None
        self._pid: int | None = None
        self.folder = folder
        self.database = folder / "baton.db"
        shutil.copy(zygote.template, self.database)
        address = own_address(number)
        port = free_port(address)
        self.url = f"http://{address}:{port}"
        (folder / "baton.toml").touch()
        own = {
            "BATON_DATABASE_URL": f"sqlite:///{self.database}",
            "BATON_HOST": address,
            "BATON_PORT": str(port),
            "BATON_CONFIG": str(folder / "baton.toml"),
        }
        self._environment = environment | own
        self.lives = 0
        self.deaths: list[str] = []
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
        while True:
            kill_at = self._kills[self.lives] if self.lives < len(self._kills) else None
            self.lives += 1
            self._pid = self._zygote.fork(self._spec(kill_at))
            await _ended(self._pid)
            pid, self._pid = self._pid, None
            status = self._zygote.status(pid)
            steps = self.steps()
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
                self.broken = f"Baton ended by itself, with status {status}\n{self.log()[-3000:]}"
                return
            self.deaths.append(steps[(kill_at or 0) - 1])

    def _spec(self, kill_at: int | None) -> dict[str, Any]:
        return {
            "environment": self._environment,
            "scale": self._scale,
            "kill_at": kill_at,
            "log": str(self.folder / "log"),
            "steps": str(self._steps_file),
            "attempts": str(self._attempts_file),
        }

    @property
    def _steps_file(self) -> Path:
        return self.folder / f"steps-{self.lives}"

    @property
    def _attempts_file(self) -> Path:
        return self.folder / "attempts"

    def attempts(self) -> dict[str, list[float]]:
        """When each delivery was attempted."""
        found: dict[str, list[float]] = {}
        path = self._attempts_file
        for line in path.read_text().splitlines() if path.exists() else ():
            delivery, at = line.split()
            found.setdefault(delivery, []).append(float(at))
        return found

    def steps(self) -> list[str]:
        """The steps of the present life."""
        return self._steps_file.read_text().splitlines() if self._steps_file.exists() else []

    def log(self) -> str:
        """What all its lives have logged."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def unexpected(self) -> list[str]:
        """Lines of the log that no crash excuses."""
        return [line for line in self.log().splitlines() if any(word in line for word in UNEXPECTED)]


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
