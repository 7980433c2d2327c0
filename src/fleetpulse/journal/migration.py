"""The schema's version: a new journal is made whole, an older one is brought up to date, a newer one is refused."""

from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select

from fleetpulse.journal.errors import JournalUnavailableError
from fleetpulse.journal.schema import METADATA, REVISIONS, VERSION


def bring_up_to_date(connection: Connection, path: Path) -> None:
    """Make the tables be those of `schema`, inside the caller's transaction.

    Errors: JournalUnavailableError for another program's database and for a journal from the future.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        METADATA.create_all(connection)
        connection.execute(insert(VERSION).values(version_num=REVISIONS[-1]))
        return
    if VERSION.name not in tables:
        raise JournalUnavailableError(f"journal {path} is another program's database; name another file")
    version = connection.execute(select(VERSION.c.version_num)).scalar()
    if version is not None and version not in REVISIONS:
        raise JournalUnavailableError(
            f"journal {path} has schema {version}, this version of fleetpulse knows up to {REVISIONS[-1]}; "
            "run the newer version, or restore a backup from before it"
        )
    if version != REVISIONS[-1]:
        migrate(connection)


def migrate(connection: Connection) -> None:
    """Run every migration that the journal has not seen, inside the caller's transaction."""
    from alembic import command  # noqa: PLC0415 - takes longer to import than a journal to open, and is seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    command.upgrade(config, "head")
