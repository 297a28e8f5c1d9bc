"""``srsign certs``: a throw-away PKI to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli.command import group, register
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_EXAMPLES = """
srsign certs demo pki/
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``certs demo``."""
    commands = group("certs", "Throw-away certificates, for nobody's patients.")
    register(commands, "demo", examples=_EXAMPLES)(demo)
    app.add_typer(commands)


def demo(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is absent.")],
) -> None:
    """Write a throw-away PKI: root, issuing CA, author, supervisor, archive, time-stamp authority.

    The private keys lie open in the folder. Never use it for real documents.
    """
    from sr.app.demonstration.certificates import DEMO_ENTITIES, make_demo_pki
    from sr.compose import current_time

    pki = make_demo_pki(folder, now=current_time())
    if shell.json:
        entities = {
            name: {"certificate": str(pki.certificate(name)), "key": pki.key_uri(name)}
            for name in DEMO_ENTITIES
        }
        lists = [str(path) for path in pki.revocation_lists]
        shell.print_object({"folder": str(folder), "entities": entities, "crls": lists})
    shell.tell(f"throw-away PKI for {', '.join(DEMO_ENTITIES)} → {folder}")
