"""Bring a database to the schema of this release, and check that it is there (Alembic, one history)."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from headend.storage import sqlite, tables


def upgrade(path: Path) -> None:
    """Create or upgrade the database at `path`; the file is readable by its owner only."""
    sqlite.create_private(path)
    engine = sqlite.writer_engine(path)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    """What the tables on disk and in tables.py disagree about; empty when the migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))
