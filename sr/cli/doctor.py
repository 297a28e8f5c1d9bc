"""``srsign doctor``: what this installation can and cannot do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from sr.cli.command import register
from sr.cli.exit_codes import UNABLE
from sr.cli.shell import Shell, printable

if TYPE_CHECKING:
    from sr.app.doctor import Diagnosis

__all__ = ["add_commands"]

_EXAMPLES = """
srsign doctor
srsign doctor --json
"""
_MARKS = {"good": "✔", "absent": "–", "broken": "✘"}


def add_commands(app: typer.Typer) -> None:
    """Add ``doctor``."""
    register(app, "doctor", examples=_EXAMPLES)(doctor)


def doctor(shell: Shell) -> int:
    """Say what this installation can and cannot do.

    Exit code 1 where something is broken; what is only not installed is no fault.
    """
    from sr.app.doctor import Condition, diagnose
    from sr.compose import diagnosed_service

    found = (*diagnose(dict(os.environ)), *diagnosed_service(dict(os.environ)))
    if shell.json:
        shell.print_object({"checks": [_as_dict(diagnosis) for diagnosis in found]})
    else:
        shell.print(printable(_line(diagnosis)) for diagnosis in found)
    return UNABLE if any(d.condition is Condition.BROKEN for d in found) else 0


def _line(diagnosis: Diagnosis) -> str:
    return f"{_MARKS[diagnosis.condition.value]} {diagnosis.subject:<24} {diagnosis.message}"


def _as_dict(diagnosis: Diagnosis) -> dict[str, str]:
    return {
        "subject": diagnosis.subject,
        "condition": diagnosis.condition.value,
        "message": diagnosis.message,
    }
