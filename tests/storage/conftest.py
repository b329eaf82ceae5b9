"""Every test of the storage runs on both databases, unless it is about one of them."""

import pytest

from tests.databases import names_its_database

DATABASES = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite_only: what the test claims is SQLite's alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_open = "database_url" in metafunc.fixturenames and not names_its_database(metafunc)
    if is_open and "sqlite_only" not in metafunc.definition.keywords:
        metafunc.parametrize("database_url", DATABASES, indirect=True)
