"""Brings a database up to date; called at every start, and by `baton migrate`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> bool:
    """Run what is missing, in one transaction. True if there was anything to do."""
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return False
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
