"""With `BATON_NO_SKIPS=1` a test that is skipped fails: where everything is installed, a skip hides a hole."""

import os
from collections.abc import Iterator
from typing import Any

import pytest


def _refuse(report: Any) -> None:
    """Make a skip a failure that says why it would have been skipped. An expected failure stays what it is."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail") or os.environ.get("BATON_NO_SKIPS") != "1":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"BATON_NO_SKIPS=1, yet: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """A test, or its set-up."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[Any]:
    """A whole module."""
    report = yield
    _refuse(report)
    return report
