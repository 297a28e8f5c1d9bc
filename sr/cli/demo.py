"""``srsign demo``: the whole story in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli.command import register
from sr.cli.exit_codes import UNABLE
from sr.cli.shell import Shell, printable

__all__ = ["add_commands"]

_EXAMPLES = """
srsign demo
srsign demo --images study/ --token softhsm --out /tmp/story
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``demo``."""
    register(app, "demo", examples=_EXAMPLES)(demo)


def demo(
    shell: Shell,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for everything.")
    ] = Path("srsign-demo"),
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Your images instead of synthetic ones."),
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="softhsm", help="Sign with a software token.")
    ] = None,
) -> int:
    """Tell the whole story in one folder, from images to interference.

    Seal, report, sign, approve, ship, check; then somebody interferes and is caught.

    Exit code 0 only if every step came out as it should, and every interference was caught.
    """
    from sr import compose
    from sr.app.demonstration.demo import run_demo

    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        if not shell.json:
            shell.print([printable(line)])

    good = run_demo(out, images=images, token=token, tell=tell, ports=compose.ports())
    if shell.json:
        shell.print_object({"folder": str(out), "good": good, "story": said})
    return 0 if good else UNABLE
