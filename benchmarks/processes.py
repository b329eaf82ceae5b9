"""The processes under test: started, watched, and ended by their pid whatever happens."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wire import Wire

ROOT = Path(__file__).parents[1]
READY_SECONDS = 30.0
END_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_LIBC = ctypes.CDLL(None, use_errno=True)


class BenchFailed(Exception):
    """Something is not right, or was not done. The message is a sentence for whoever ran the bench."""


@dataclass
class Process:
    """A running server. `spawned_at` and `ready_at` by `time.perf_counter`."""

    name: str
    pid: int
    port: int
    log: Path
    spawned_at: float
    handle: "subprocess.Popen[bytes]"
    ready_at: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def resident_kb(self) -> int:
        """Resident memory in kB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def cpu_seconds(self) -> float:
        """Processor time used so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def require_alive(self) -> None:
        """`BenchFailed` with the end of its log if it has ended by itself."""
        if self.handle.poll() is not None:
            raise BenchFailed(
                f"{self.name} ended by itself with status {self.handle.returncode}:\n{self.log.read_text()[-2000:]}"
            )

    def complaints(self) -> list[str]:
        """Lines of its log that say that something broke."""
        words = ("Traceback", "handler failed", "lane failed", "call broke", "job failed", " ERROR ")
        return [line for line in self.log.read_text().splitlines() if any(word in line for word in words)]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(
    name: str,
    arguments: Sequence[str],
    port: int,
    folder: Path,
    environment: Mapping[str, str],
    ready: str = "/readyz",
) -> AsyncIterator[Process]:
    """Start `python ARGUMENTS` in `folder`, wait until GET `ready` answers 200, and end it afterwards."""
    log = folder / f"{name}.log"
    clean = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
    spawned_at = time.perf_counter()
    with log.open("ab") as output:
        handle = subprocess.Popen(  # noqa: ASYNC220 - a few ms, before anything is measured
            [sys.executable, *arguments],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads hold locks that the child needs
        )
    process = Process(name, handle.pid, port, log, spawned_at, handle)
    try:
        await _until_ready(process, ready)
        process.ready_at = time.perf_counter()
        yield process
    finally:
        await _end(handle)


def _die_with_parent() -> None:
    """No server outlives the bench, however that ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _until_ready(process: Process, path: str) -> None:
    until = time.perf_counter() + READY_SECONDS
    while time.perf_counter() < until:
        process.require_alive()
        try:
            wire = await Wire.connect(process.port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        try:
            status, _ = await wire.get(path)
        except ConnectionError:
            status = 0
        finally:
            wire.close()
        if status == 200:
            return
        await asyncio.sleep(0.01)
    raise BenchFailed(f"{process.name} was not ready after {READY_SECONDS:.0f} s; its log is {process.log}.")


async def _end(handle: "subprocess.Popen[bytes]") -> None:
    if handle.poll() is None:
        handle.terminate()
    try:
        await asyncio.to_thread(handle.wait, END_SECONDS)
    except subprocess.TimeoutExpired:
        handle.kill()
        await asyncio.to_thread(handle.wait)


async def calm(processes: Sequence[Process], share: float = 0.05, patience: float = 3.0) -> None:
    """Wait until these use less than `share` of a core, so that what one round left behind is not measured in the
    next one; `patience` seconds at most."""
    until = time.perf_counter() + patience
    quiet = 0
    while quiet < 2 and time.perf_counter() < until:
        before = sum(one.cpu_seconds() for one in processes)
        await asyncio.sleep(0.25)
        used = sum(one.cpu_seconds() for one in processes) - before
        quiet = quiet + 1 if used / 0.25 <= share else 0
