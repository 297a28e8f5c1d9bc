"""Colour for verdicts on a terminal; the words say everything without it.

Only fixed places of a line are coloured, so that text out of a file can never look like a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

__all__ = ["print_colored", "styled"]

_STYLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), style)
    for pattern, style in (
        (r"^✔ PASSED", "bold green"),
        (r"^✘ FAILED( / \w+)?", "bold red"),
        (r"^\? INDETERMINATE( / \w+)?", "bold yellow"),
        (r"^○ NOT_SIGNED( / \w+)?", "bold cyan"),
        (r"(?<=^✔ PASSED), with limitations", "green"),
        (r"^signature \d+", "bold"),
        (r"^(findings|limitations|references)$", "bold"),
        (r" · ✔ PASSED$", "green"),
        (r" · ✘ FAILED( / \w+)?$", "red"),
        (r" · \? INDETERMINATE( / \w+)?$", "yellow"),
        (r"^  ✘ \w+", "red"),
        (r"^  [!?] \w+", "yellow"),
        (r"^  [A-Z_]+(?=  )", "yellow"),
        (r"^– NOT READ", "bold red"),
        (r"^  [a-z]+(?=  )", "dim"),
    )
)


def print_colored(lines: Iterable[str], stream: TextIO) -> None:
    """Write lines with colour, never folding them."""
    console = Console(file=stream, highlight=False)
    for line in lines:
        console.print(styled(line), soft_wrap=True)


def styled(line: str) -> Text:
    """Return a line with the styles of its fixed places."""
    text = Text(line)
    for pattern, style in _STYLES:
        if match := pattern.search(line):
            text.stylize(style, *match.span())
    return text
