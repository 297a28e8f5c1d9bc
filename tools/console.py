"""Run the terminal sessions that the documentation shows.

A fenced block whose info string is ``console runs`` holds commands (lines that start with ``$ ``)
and the output that follows each. All blocks of a page run in one folder, which holds the products
of ``srsign demo`` in ``srsign-demo/``, and the files that the page shows: a fenced block with
``file=NAME`` in its info string is that file. A line ``…`` stands for any number of lines; UIDs,
times, digests and durations may differ. A command that does not exit 0 is followed by
``$ echo $?``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ran", "Step", "blocks", "files", "matches", "run", "steps", "write_files"]

WIDTH = 100
_FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:^| )file=(?P<name>\S+)")
_VARIABLE = (
    (re.compile(r"\b\d+(?:\.\d+){5,}…?"), "<uid>"),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "<date>"),
    (re.compile(r"\b[0-9a-fA-F]{16,}…?"), "<hex>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|ms|seconds)\b"), "<duration>"),
    (re.compile(r"\bat byte \d+\b"), "at byte <offset>"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command and the lines that should follow it."""

    command: str
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a step did."""

    step: Step
    output: tuple[str, ...]
    exit_code: int


def blocks(markdown: str, info: str) -> Iterator[str]:
    """Yield the text of the fenced blocks with exactly that info string."""
    for match in _FENCE.finditer(markdown):
        if match["info"].strip() == info:
            yield match["text"]


def files(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of the files that a page shows."""
    for match in _FENCE.finditer(markdown):
        if named := _FILE.search(match["info"]):
            yield named["name"], match["text"]


def write_files(markdown: str, folder: Path) -> None:
    """Write the files that a page shows into a folder, none outside of it."""
    for name, text in files(markdown):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{name} is not in the folder of the page")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def steps(block: str) -> tuple[Step, ...]:
    """Return the commands of a block with their output; a final backslash continues a command."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif found and not found[-1][1] and found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line)
    return tuple(Step(command=command, expected=tuple(lines)) for command, lines in found)


def run(session: tuple[Step, ...], folder: Path) -> Iterator[Ran]:
    """Run the steps in the folder, each knowing the exit code of the one before."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "COLUMNS": str(WIDTH),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - the default place, not ours
    }
    previous = 0
    for step in session:
        ran = subprocess.run(
            ["/bin/bash", "-c", f"(exit {previous})\n{step.command}"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        previous = ran.returncode
        output = tuple(line.rstrip() for line in ran.stdout.splitlines())
        yield Ran(step=step, output=output, exit_code=ran.returncode)


def matches(expected: tuple[str, ...], output: tuple[str, ...]) -> bool:
    """Tell whether the output is the expected one, but for what differs from run to run."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "…" else re.escape(_steady(line)) + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{_steady(line)}\n" for line in output)) is not None


def _steady(line: str) -> str:
    for variable, name in _VARIABLE:
        line = variable.sub(name, line)
    return line.strip()
