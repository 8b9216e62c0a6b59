"""Bring a database to the schema of this release, and check that it is there (Alembic, one history)."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from headend.storage import sqlite, tables


def upgrade(path: Path) -> None:
    """Create or upgrade the database at `path`; the file is readable by its owner only. Raises StorageRefused for one
    that a newer release wrote."""
    sqlite.create_private(path)
    engine = sqlite.writer_engine(path)
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        found = _number(connection)
        # Alembic commits only what it has begun.
        connection.rollback()
        if found is not None and found not in {one.revision for one in _history().walk_revisions()}:
            raise sqlite.StorageRefused(
                f"{path}: schema {found} is of a newer release of Guelta: install that release; nothing was changed"
            )
        command.upgrade(config, "head")
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    """What the database and this release disagree about: schema number, then tables; empty if nothing."""
    found, wanted = _number(connection), _history().get_current_head()
    numbers = [] if found == wanted else [f"schema {found or 'none'}, and this release's is {wanted}"]
    return numbers + list(compare_metadata(MigrationContext.configure(connection), tables.metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _history() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _number(connection: Connection) -> str | None:
    """The last migration that the database went through; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()
