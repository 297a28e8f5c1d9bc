"""Bringing a database up to date, all steps in one transaction.

Alembic is loaded only where there is something to do: a service usually finds its tables there.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from sr.errors import ConfigurationError
from sr.store.migrations import HEAD

__all__ = ["migrate", "version_of"]

_STEPS = Path(__file__).parent / "migrations"
_VERSIONS = "alembic_version"


def version_of(connection: Connection) -> str | None:
    """Return the last step that a database went through, ``None`` for an empty database."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar()  # noqa: S608


def migrate(connection: Connection, to: str = HEAD) -> None:
    """Take a database through the steps that it lacks, in a transaction that writes.

    Args:
        connection: With the lock that a writer takes, so that two processes do not both do it.
        to: The last step; later ones are for another day.

    Raises:
        ConfigurationError: The database is of a later srsign.
    """
    if version_of(connection) == to:
        return
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise ConfigurationError(
            "the database is not one that this srsign knows", hint="was it made by a later one?"
        ) from error
