"""Global options and errors, on a command line made for the purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from sr.cli.command import accept_global_options, register
from sr.cli.shell import Progress, Shell
from sr.errors import ConfigurationError, PINError, ProfileViolationError, SRError
from sr.findings import Finding, Status
from tests.support.canary import PATIENT_CANARY, leaks

FINDING = Finding(
    rule="PEER_WILL_TRUNCATE",
    status=Status.NOTICE,
    message="the message",
    cites="PS3.15 C.1",
    where="(0040,A375)",
)


def _run(
    function: Callable[[Shell], int | None], *arguments: str
) -> tuple[int, str, str, BaseException | None]:
    def act(shell: Shell, word: Annotated[str, typer.Option("--word")] = "") -> int | None:
        """Act."""
        return function(shell)

    app = typer.Typer(rich_markup_mode=None)
    accept_global_options(app, lambda _wanted: None)
    register(app, "act", examples="srsign act")(act)
    register(app, "idle")(lambda shell: None)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr, result.exception


def _shell_of(*arguments: str) -> Shell:
    seen: list[Shell] = []
    code, _, err, _ = _run(seen.append, *arguments)  # type: ignore[arg-type]
    assert code == 0, err
    return seen[0]


@pytest.mark.parametrize("arguments", [["--json", "act"], ["act", "--json"]])
def test_json_is_understood_before_and_after_the_command(arguments: list[str]) -> None:
    """The option may stand on either side of the command's name."""
    assert _shell_of(*arguments).json


def test_options_of_both_sides_are_joined() -> None:
    """What is said before the command is not forgotten because something is said after it."""
    shell = _shell_of("-q", "--progress", "plain", "act", "--json")
    assert (shell.quiet, shell.json, shell.progress) == (True, True, Progress.PLAIN)


def test_what_is_said_last_counts() -> None:
    """An option after the command overrides the one before it."""
    assert _shell_of("--progress", "plain", "act", "--progress", "none").progress is Progress.NONE


def test_nothing_said_is_the_default() -> None:
    """Without options there is text, not JSON, and progress where it makes sense."""
    assert _shell_of("act") == Shell()


@pytest.mark.parametrize(
    ("error", "expected"),
    [(PINError("x"), 21), (ConfigurationError("x"), 2), (SRError("x"), 1)],
)
def test_an_error_ends_the_command(error: SRError, expected: int) -> None:
    """An error of ours becomes one line and a code, on standard error, never a traceback."""

    def fail(_shell: Shell) -> None:
        raise error

    code, out, err, _ = _run(fail, "act")
    assert (code, out) == (expected, "")
    assert err.startswith("srsign: error: ")
    assert "Traceback" not in err


def test_a_hint_follows_the_error() -> None:
    """A hint stands on a line of its own."""

    def fail(_shell: Shell) -> None:
        raise SRError("x", hint="y")

    assert _run(fail, "act")[2].splitlines()[1].startswith("srsign: hint: ")


def test_findings_of_a_refusal_are_shown() -> None:
    """A refusal names each rule that it rests on."""

    def refuse(_shell: Shell) -> None:
        raise ProfileViolationError("x", findings=(FINDING,))

    assert "PEER_WILL_TRUNCATE" in _run(refuse, "act")[2]


def test_an_error_in_json() -> None:
    """With --json an error is one JSON line on standard error."""

    def fail(_shell: Shell) -> None:
        raise PINError("x", hint="y", where="(0008,0016)")

    code, out, err, _ = _run(fail, "act", "--json")
    said = json.loads(err)
    assert (code, out) == (21, "")
    assert (said["message_type"], said["code"], said["exit_code"]) == ("error", "pin", 21)
    assert (said["hint"], said["where"]) == ("y", "(0008,0016)")


@pytest.mark.parametrize("json_wanted", [False, True])
def test_a_notice_names_its_rule_on_standard_error(json_wanted: bool) -> None:
    """Notices are talk, with the rule id, whatever the form."""
    arguments = ["act", "--json"] if json_wanted else ["act"]
    code, out, err, _ = _run(lambda shell: shell.notice(FINDING), *arguments)
    assert (code, out) == (0, "")
    assert "PEER_WILL_TRUNCATE" in err
    assert json_wanted or err.startswith("srsign: notice: ")


def test_quiet_silences_talk_but_no_error() -> None:
    """-q leaves errors only."""

    def talk(shell: Shell) -> None:
        shell.tell("done")
        shell.notice(FINDING)
        raise SRError("x")

    assert _run(talk, "act", "-q")[2].count("\n") == 1


def test_an_interruption_is_130() -> None:
    """Ctrl-C ends with the code that shells use for it."""

    def interrupt(_shell: Shell) -> None:
        raise KeyboardInterrupt

    code, out, err, _ = _run(interrupt, "act")
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_a_fault_of_ours_is_short() -> None:
    """An unexpected exception is one line and a hint, not a traceback, and code 1."""

    def fail(_shell: Shell) -> None:
        raise ZeroDivisionError("x")

    code, _, err, _ = _run(fail, "act")
    assert code == 1
    assert [line.split(":")[1] for line in err.splitlines()] == [" error", " hint"]


def test_a_fault_of_ours_is_long_where_asked_for() -> None:
    """With -v the place is shown too, but never what the exception says: it may quote a patient."""
    secret = PATIENT_CANARY

    def fail(_shell: Shell) -> None:
        raise ZeroDivisionError(secret)

    code, _, err, _ = _run(fail, "act", "-v")
    assert code == 1
    assert "in fail" in err
    assert not leaks(err)


def test_what_is_said_cannot_steer_the_terminal() -> None:
    """Control and direction characters of a message are escaped, and it stays on its line."""

    def fail(_shell: Shell) -> None:
        raise SRError("a\x1b[2Jb\nsrsign: done\u202e\x9b1m")

    err = _run(fail, "act")[2]
    assert err.isascii()
    assert err.rstrip("\n").isprintable()


@pytest.mark.parametrize(("returned", "expected"), [(None, 0), (0, 0), (13, 13)])
def test_a_command_returns_its_exit_code(returned: int | None, expected: int) -> None:
    """What a command returns is how the program ends; nothing is 0."""
    assert _run(lambda _shell: returned, "act")[0] == expected


def test_examples_stand_in_the_help_text() -> None:
    """Example lines are shown as they are written."""
    assert "\n    srsign act\n" in _run(lambda _shell: None, "act", "--help")[1]
