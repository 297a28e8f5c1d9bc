"""``srsign config show``: every setting, its value, and where that comes from."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from sr.cli.command import group, register
from sr.cli.shell import Shell, printable

__all__ = ["add_commands"]

_EXAMPLES = """
srsign config show
srsign config show --origin
"""


def add_commands(app: typer.Typer) -> None:
    """Add the group ``config``."""
    config = group("config", "Settings: files, environment, defaults.")
    register(config, "show", examples=_EXAMPLES)(show)
    app.add_typer(config)


def show(
    shell: Shell,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from.")
    ] = False,
) -> None:
    """Print every setting with the value that counts.

    Defaults, then /etc/srsign/config.toml, ~/.config/srsign/config.toml, ./srsign.toml, and
    SRSIGN_SECTION__KEY in the environment; what comes later wins. Secrets are shown as "set".
    """
    from sr.app.settings import effective, setting_files

    found = effective(setting_files(), os.environ)
    if shell.json:
        shell.print_object(
            {
                f"{each.section}.{each.key}": {"value": each.shown, "origin": each.source}
                for each in found
            }
        )
        return
    for each in found:
        line = f"{each.section}.{each.key} = {each.shown}"
        shell.print([printable(f"{line:<60} # {each.source}" if origin else line)])
