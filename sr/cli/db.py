"""``srsign db``: the database of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from sr.cli.command import group, register
from sr.cli.service import service_libraries
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_MIGRATE_EXAMPLES = """
srsign db migrate
srsign db migrate --url postgresql://srsign@db.example.org/srsign
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``db migrate``."""
    commands = group("db", "The database of the service.")
    register(commands, "migrate", examples=_MIGRATE_EXAMPLES)(migrate)
    app.add_typer(commands)


def migrate(
    shell: Shell,
    url: Annotated[
        str | None, typer.Option("--url", help="Of the database; the setting store.url without.")
    ] = None,
) -> int:
    """Make the tables of a database, or bring them up to date, all or nothing.

    The service does the same when it starts. Make a backup first.
    """
    from sr.app.settings import current_settings

    with service_libraries():
        from sr.store.database import connect, open_database
        from sr.store.migration import version_of
    address = url or current_settings().store.url
    with connect(address).read() as connection:
        before = version_of(connection)
    with open_database(address).read() as connection:
        after = version_of(connection)
    if shell.json:
        shell.print_object({"before": before, "after": after})
    elif before == after:
        shell.print([f"up to date: step {after}"])
    else:
        shell.print([f"{before or 'empty'} -> {after}"])
    return 0
