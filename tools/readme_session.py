"""Rewrite the terminal session in README.md with the real output of its commands.

The commands stand in the block itself, between the two session comments; change them there and
run ``make session``. ``tests/architecture/test_docs.py`` runs the same block.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.console import Ran, blocks, run, steps

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- session:begin -->", "<!-- session:end -->"


def shown(ran: Ran) -> str:
    """Return command and output as the block shows them."""
    return "\n".join([f"$ {ran.step.command}", *ran.output])


def rewritten(readme: str, folder: Path) -> str:
    """Return the README with the output of its session renewed."""
    before, rest = readme.split(BEGIN)
    session, after = rest.split(END)
    (block,) = blocks(session, "console runs")
    real = "\n".join(shown(ran) for ran in run(steps(block), folder))
    return f"{before}{BEGIN}\n\n```console runs\n{real}\n```\n\n{END}{after}"


def main() -> int:
    """Rewrite README.md and say so."""
    with tempfile.TemporaryDirectory() as folder:
        text = rewritten(README.read_text(encoding="utf-8"), Path(folder))
    README.write_text(text, encoding="utf-8")
    print(f"{README.name}: session rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
