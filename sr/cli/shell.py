"""How the command line speaks: data on standard output, talk on standard error.

Everything said is printable, whatever file it came from. With ``--json`` both streams are JSON:
results on standard output, notices and errors as lines with a ``message_type`` on standard error.
"""

from __future__ import annotations

import json as json_format
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from shutil import get_terminal_size
from typing import Any, TextIO

from sr.errors import SRError
from sr.findings import Finding

__all__ = ["Progress", "Shell", "error_as_dict", "printable"]

_PROGRAM = "srsign"
_COLUMNS = (60, 120)
_NOT_A_TERMINAL = (100, 24)


class Progress(StrEnum):
    """How long work shows that it goes on."""

    AUTO = "auto"
    PLAIN = "plain"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What the caller wants to hear, and how."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    progress: Progress = Progress.AUTO

    def print(self, lines: Iterable[str]) -> None:
        """Write lines of text to standard output."""
        if self._colored(sys.stdout):
            from sr.cli.color import print_colored

            print_colored(lines, sys.stdout)
            return
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def print_object(self, value: Mapping[str, Any]) -> None:
        """Write the one JSON object that is the result."""
        sys.stdout.write(json_format.dumps(value, indent=2) + "\n")
        sys.stdout.flush()

    def print_line(self, message_type: str, value: Mapping[str, Any]) -> None:
        """Write one of several JSON objects, on a line of its own."""
        sys.stdout.write(json_format.dumps({"message_type": message_type, **value}) + "\n")
        sys.stdout.flush()

    def tell(self, text: str) -> None:
        """Say what was done, unless told to be quiet or to speak JSON."""
        if not (self.quiet or self.json):
            _say(text)

    def detail(self, text: str) -> None:
        """Say more, where more was asked for."""
        if self.verbose and not self.json:
            _say(text)

    def notice(self, finding: Finding) -> None:
        """Say what the caller should know though it hindered nothing."""
        if self.json:
            _say_json("notice", _finding(finding))
        elif not self.quiet:
            _say(_in_words("notice", finding))

    def error(self, error: SRError, *, exit_code: int) -> None:
        """Say why the job could not be done, and what to do about it."""
        findings: tuple[Finding, ...] = getattr(error, "findings", ())
        if self.json:
            said = error_as_dict(error) | {"exit_code": exit_code}
            _say_json("error", said | {"findings": [_finding(f) for f in findings]})
            return
        _say(f"error: {error}{_place(error.where, str(error))}")
        for finding in findings:
            _say(_in_words("finding", finding))
        if error.hint:
            _say(f"hint: {error.hint}")

    def fault(self, message: str, hint: str, *, code: str, exit_code: int) -> None:
        """Say an error that is none of ours."""
        if self.json:
            said = {"code": code, "message": message, "hint": hint, "exit_code": exit_code}
            _say_json("error", said)
            return
        _say(f"error: {message}")
        _say(f"hint: {hint}")

    @property
    def width(self) -> int:
        """Columns to fold text at."""
        narrowest, widest = _COLUMNS
        return min(max(get_terminal_size(_NOT_A_TERMINAL).columns, narrowest), widest)

    @contextmanager
    def following(self, label: str, total: int) -> Iterator[_Steps]:
        """Show how far long work is; a bar on a terminal, else a line now and then."""
        steps = _Steps(label, total, self._progress())
        try:
            yield steps
        finally:
            steps.close()

    def _progress(self) -> str:
        """Return ``bar``, ``lines`` or ``none``; results on the same terminal are progress too."""
        if self.quiet or self.progress is Progress.NONE:
            return "none"
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        if self.progress is Progress.PLAIN or not terminal:
            return "none" if self.json else "lines"
        return "none" if sys.stdout.isatty() else "bar"

    def _colored(self, stream: TextIO) -> bool:
        unwanted = self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return stream.isatty() and not unwanted


class _Steps:
    """Counts steps and shows the count."""

    _EVERY = 100

    def __init__(self, label: str, total: int, form: str) -> None:
        self._label, self._total, self._form, self._done = label, total, form, 0

    def advance(self) -> None:
        """Count one step."""
        self._done += 1
        if self._form == "bar":
            filled = 30 * self._done // max(self._total, 1)
            bar = f"{'━' * filled}{'╌' * (30 - filled)}"
            sys.stderr.write(f"\r{self._label} {bar} {self._done}/{self._total}")
            sys.stderr.flush()
        elif self._form == "lines" and self._done % self._EVERY == 0:
            _say(f"{self._label}: {self._done} of {self._total}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._form == "bar" and self._done:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def printable(text: str) -> str:
    """Return text in which control and direction characters are escaped, line breaks too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def error_as_dict(error: SRError) -> dict[str, Any]:
    """Return an error as a JSON object."""
    return {
        "code": error.code,
        "message": str(error),
        "where": error.where,
        "hint": error.hint,
        **({"rule": rule} if (rule := getattr(error, "rule", None)) else {}),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "status": finding.status.value,
        "message": finding.message,
        "where": finding.where,
        "cites": finding.cites,
    }


def _in_words(word: str, finding: Finding) -> str:
    return f"{word}: {finding.rule}: {finding.message}{_place(finding.where, finding.message)}"


def _place(where: str | None, message: str) -> str:
    """Return the path of the element to blame, where the message does not name it."""
    return f" [{where}]" if where and where not in message else ""


def _say(text: str) -> None:
    sys.stderr.write(f"{_PROGRAM}: {printable(text)}\n")
    sys.stderr.flush()


def _say_json(message_type: str, value: Mapping[str, Any]) -> None:
    sys.stderr.write(json_format.dumps({"message_type": message_type, **value}) + "\n")
    sys.stderr.flush()
