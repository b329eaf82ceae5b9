"""The warm process that all of a worker's Batons are forked from, and the one line that sums the crash tests up."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import scratch
from tests.crash.house import Zygote

COUNTS = ("stories", "void", "kills", "pauses", "messages", "lost", "twice", "disorder", "late")
PRINTED = pytest.StashKey[bool]()


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: SIGKILL leaves to the kernel what was written, so that no disk has a part in this."""
    with tempfile.TemporaryDirectory(dir=scratch.folder()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    zygote = Zygote(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Add up what the tests recorded as "crash"; reports carry it from xdist's workers too."""
    if config.stash.get(PRINTED, False):
        return
    config.stash[PRINTED] = True
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ())]
    recorded = [dict(one.user_properties).get("crash") for one in reports if one.when == "call"]
    counts = [json.loads(one) for one in recorded if one]
    if counts:
        total = {name: sum(one[name] for one in counts) for name in COUNTS}
        terminalreporter.write_line(
            "crash: {kills} kills, {pauses} pauses, {messages} messages, lost {lost}, twice {twice}, "
            "out of order {disorder}, marked late {late} "
            "({stories} stories, {void} told again on a machine too busy)".format(**total)
        )
