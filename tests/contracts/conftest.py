"""Runs the suite on every harness that has what a test needs: a platform without deletable roots has no such test."""

import pytest

from tests.contracts.team_chats import HARNESSES


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*abilities): what a platform must be able to do, or to suffer")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "harness" not in metafunc.fixturenames:
        return
    needed = {need for mark in metafunc.definition.iter_markers("needs") for need in mark.args}
    able = sorted(name for name, (_, abilities) in HARNESSES.items() if needed <= abilities)
    metafunc.parametrize("harness", able, indirect=True)
