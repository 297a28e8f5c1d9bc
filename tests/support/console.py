"""Runs the command line inside the test process and returns what it wrote and how it ended."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from sr.cli.main import main
from tests.support.canary import is_asked_to_show, leaks

__all__ = ["Ended", "srsign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    raw: bytes
    """Standard output."""
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.raw.decode("utf-8")

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        return json.loads(self.out)  # type: ignore[no-any-return]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


def srsign(*arguments: object) -> Ended:
    """Run ``srsign`` with some arguments; neither stream is a terminal.

    Whatever the test is about, nothing that is said may hold a secret or name a patient.
    """
    data = io.BytesIO()
    out = io.TextIOWrapper(data, encoding="utf-8", newline="\n", write_through=True)
    err = io.StringIO()
    code: object = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
    out.flush()
    assert isinstance(code, int), err.getvalue()
    shown = "" if is_asked_to_show(arguments) else data.getvalue().decode("utf-8", "replace")
    found = leaks(shown, err.getvalue())
    assert not found, f"{arguments[0]} shows {found}"
    return Ended(code=code, raw=data.getvalue(), err=err.getvalue())
