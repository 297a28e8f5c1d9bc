"""Colour and progress: only where somebody looks, only where it is safe."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from sr.cli.color import styled
from sr.cli.shell import Progress, Shell


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def capable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let terminals show colours unless a test says otherwise."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def _printed(shell: Shell, line: str = "✔ PASSED · report.dcm") -> str:
    screen = _Terminal()
    with redirect_stdout(screen):
        shell.print([line])
    return screen.getvalue()


def test_a_terminal_has_colour() -> None:
    """On a terminal the headline is coloured, and its text stays."""
    assert "\x1b[" in _printed(Shell())
    assert "PASSED" in _printed(Shell())


@pytest.mark.parametrize(
    ("variable", "value"), [("NO_COLOR", "1"), ("NO_COLOR", "0"), ("TERM", "dumb")]
)
def test_the_environment_refuses_colour(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """NO_COLOR with any value, and a dumb terminal, get none."""
    monkeypatch.setenv(variable, value)
    assert _printed(Shell()) == "✔ PASSED · report.dcm\n"


def test_the_caller_refuses_colour() -> None:
    """--no-color gets none."""
    assert "\x1b" not in _printed(Shell(no_color=True))


def test_json_has_no_colour() -> None:
    """JSON on a terminal is JSON."""
    screen = _Terminal()
    with redirect_stdout(screen):
        Shell(json=True).print_object({"indication": "PASSED"})
    assert "\x1b" not in screen.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "✘ FAILED / HASH_FAILURE · report.dcm",
        "? INDETERMINATE / TRY_LATER · report.dcm",
        "○ NOT_SIGNED / NO_SIGNATURE · report.dcm",
        "signature 1: Author's Signature (1) · ✔ PASSED",
        "  ✘ MAC_VALUE             the message",
        "  REVOCATION_UNKNOWN      the message",
        "limitations",
    ],
)
def test_fixed_places_are_coloured(line: str) -> None:
    """Headlines, outcomes, rules and titles have a style."""
    assert styled(line).spans


@pytest.mark.parametrize(
    "line",
    [
        "                          ✔ PASSED",
        "text with ✔ PASSED in it",
        "2.25.1  ✘ FAILED",
        "not the word limitations",
    ],
)
def test_other_places_are_not(line: str) -> None:
    """Text out of a file cannot take the colour of a verdict."""
    assert not styled(line).spans


def _followed(shell: Shell, out: io.StringIO, err: io.StringIO, *, steps: int = 250) -> str:
    """Return what standard error says while some steps are done."""
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        shell.following("checking", steps) as progress,
    ):
        for _ in range(steps):
            progress.advance()
    return err.getvalue()


def test_a_bar_on_a_terminal() -> None:
    """With results going elsewhere the terminal shows a bar, and is left clean."""
    said = _followed(Shell(), io.StringIO(), _Terminal())
    assert "250/250" in said
    assert said.endswith("\r\x1b[K")


def test_no_bar_between_results() -> None:
    """Results on the same terminal are progress enough."""
    assert not _followed(Shell(), _Terminal(), _Terminal())


@pytest.mark.parametrize(
    "shell", [Shell(quiet=True), Shell(progress=Progress.NONE), Shell(json=True)]
)
def test_no_progress(shell: Shell) -> None:
    """Progress is not shown where it was refused, nor as text between JSON lines."""
    assert not _followed(shell, io.StringIO(), io.StringIO())


@pytest.mark.parametrize(("steps", "lines"), [(0, 0), (99, 0), (100, 1), (250, 2)])
def test_lines_in_a_log(steps: int, lines: int) -> None:
    """Without a terminal long work says a line now and then, short work none."""
    said = _followed(Shell(), io.StringIO(), io.StringIO(), steps=steps)
    assert said.count("\n") == lines


def test_plain_progress_on_a_terminal() -> None:
    """--progress plain has lines on a terminal too."""
    said = _followed(Shell(progress=Progress.PLAIN), io.StringIO(), _Terminal())
    assert (said.count("\n"), said.count("\r")) == (2, 0)


@pytest.mark.parametrize(("columns", "width"), [("20", 60), ("80", 80), ("500", 120)])
def test_the_width_is_that_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    """Text is folded at the width of the terminal, within reason."""
    monkeypatch.setenv("COLUMNS", columns)
    assert Shell().width == width
