"""What many suites start from: settings, a clock that tests move, and the core on a fresh SQLite file."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from storage.engine import writing_engine
from storage.migrate import migrate
from tests import engines, scratch
from tests.crash.conftest import pytest_terminal_summary  # noqa: F401 — the line that sums the crash tests up
from tests.fakes.chat import FakeChat
from tests.postgres import Server, server
from tests.storage.world import ManualClock, World, make_settings

engines.share_what_is_compiled()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file; tests copy it, since migrating takes longer than most of them."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    engine = writing_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL with a migrated database to copy."""
    with server() as running:
        engine = writing_engine(running.url("baton"))
        running.create_database("baton")
        migrate(engine)
        engine.dispose()
        yield running


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty database: SQLite, or what the suite asks for (see tests/storage/conftest.py)."""
    if getattr(request, "param", "sqlite") == "postgresql":
        running: Server = request.getfixturevalue("postgres")
        name = running.borrow()
        yield running.url(name)
        running.give_back(name)
        return
    empty: Path = request.getfixturevalue("empty_database")
    with tempfile.TemporaryDirectory(dir=scratch.folder()) as folder:
        yield f"sqlite:///{shutil.copy(empty, Path(folder) / 'baton.db')}"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(database_url)


@pytest.fixture
def chat(clock: ManualClock) -> FakeChat:
    return FakeChat(clock)


@pytest.fixture
async def world(settings: Settings, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    """The started writer with the real handlers, the real courier, and a chat in memory."""
    world = World(settings, clock, chat)
    world.start()
    yield world
    await world.stop()
