"""Brings a database up to date; called at every start, and by `baton migrate`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from bot.settings import SettingsError
from storage.faults import fault_of


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> bool:
    """Run what is missing, in one transaction. True if there was anything to do. `SettingsError` for a database that
    cannot be opened."""
    missing = folder_missing(engine)
    if missing:
        raise SettingsError(missing)
    try:
        return _migrate(engine)
    except DBAPIError as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise SettingsError(_said(fault.cure)) from error


def folder_missing(engine: Engine) -> str | None:
    """SQLite makes the file, not its folder, and does not say which of them is at fault."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    folder = Path(engine.url.database).parent
    return (
        None
        if folder.is_dir()
        else f"BATON_DATABASE_URL: there is no folder {folder}; make it, or name another."
    )


def _said(cure: str) -> str:
    return f"BATON_DATABASE_URL: {cure}{'' if cure.endswith('?') else '.'}"


def trouble(engine: Engine) -> str | None:
    """Why a database cannot be used, with the cure. Nothing is made: an SQLite file that is not there yet is none."""
    missing = folder_missing(engine)
    path = engine.url.database or ""
    if missing or (engine.dialect.name == "sqlite" and not Path(path).exists()):
        return missing
    try:
        with engine.connect():
            return None
    except DBAPIError as error:
        fault = fault_of(error)
        return _said(fault.cure if fault else "it cannot be opened: is it a database of Baton's?")
    finally:
        engine.dispose()


def _migrate(engine: Engine) -> bool:
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return False
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
