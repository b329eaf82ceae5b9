"""The machine a run was made on: cores, memory, Python, and how long its disk takes to promise something."""

import os
import platform
import statistics
import time
from pathlib import Path

SYNCS = 200
PAGE = 4096


def described(folder: Path) -> str:
    """One line; `folder` is where the databases are."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}, "
        f"fdatasync of a page {sync_ms(folder):.2f} ms (median of {SYNCS})"
    )


def sync_ms(folder: Path) -> float:
    """How long the disk takes to keep a page."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(b"x" * PAGE)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000
