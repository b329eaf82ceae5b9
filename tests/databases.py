"""Which database a test runs on."""

import pytest


def names_its_database(metafunc: pytest.Metafunc) -> bool:
    """Whether the test itself says on which; then its suite does not."""
    own = metafunc.definition.iter_markers("parametrize")
    return any("database_url" in mark.args[0] for mark in own)
