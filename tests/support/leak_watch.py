"""Searches everything that a test says for planted strings; a plugin of pytest.

Seen are standard output, standard error and log as pytest captures them, what ``capsys`` and
``capfd`` hand out, every error of srsign with hint and findings, every verdict as JSON, answers of
our HTTP service that are errors, and both streams of children that run our Python. What was called
before is called now; only what it said is read.

A test that shows a patient or a secret on purpose says so, with a reason::

    @pytest.mark.shows("patient", reason="the page of a report is for who reads it")
"""

from __future__ import annotations

import functools
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from sr.errors import ProfileViolationError, SRError, VerdictError
from sr.verification import Verdict
from tests.support.canary import PATIENTS, SECRETS, leaks

__all__ = ["LeakWatch"]

_KINDS = {"patient": PATIENTS, "secret": SECRETS}
_MARKER = 'shows(what, reason): shows a planted "patient" or "secret" on purpose, and why'


class LeakWatch:
    """What was found since somebody last asked."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._restore: list[Callable[[], None]] = []

    def see(self, where: str, said: object) -> None:
        """Search something that was said; bytes as text."""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said or "")
        for kind, canaries in _KINDS.items():
            for canary in leaks(text, among=canaries):
                self._found[kind, canary] = where

    def take(self, allowed: set[str]) -> list[str]:
        """Return what was found and is not allowed, and forget everything."""
        found, self._found = self._found, {}
        return [
            f"{where} shows the {kind} {canary!r}"
            for (kind, canary), where in found.items()
            if kind not in allowed
        ]

    def pytest_configure(self, config: pytest.Config) -> None:
        """Begin to watch."""
        config.addinivalue_line("markers", _MARKER)
        logging.getLogger("sr").setLevel(logging.DEBUG)
        for kind in (SRError, ProfileViolationError, VerdictError):
            self._after(kind, "__init__", self._error)
        self._after(Verdict, "as_dict", self._verdict)
        self._after(subprocess.Popen, "communicate", self._child)
        self._after(pytest.CaptureFixture, "readouterr", self._handed_out)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Watch the client of our HTTP service, where a test uses one."""
        testing = sys.modules.get("starlette.testclient")
        if testing is not None:
            self._after(testing.TestClient, "request", self._answer)

    def pytest_unconfigure(self) -> None:
        """Watch no more."""
        while self._restore:
            self._restore.pop()()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Refuse a marker without kind or reason."""
        for marker in item.iter_markers("shows"):
            reason = marker.kwargs.get("reason")
            if len(marker.args) != 1 or marker.args[0] not in _KINDS or not reason:
                raise pytest.UsageError(f"{item.nodeid}: {_MARKER}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a test fail that showed something planted."""
        report = yield
        for title, content in report.sections:
            if title.endswith(report.when or ""):
                self.see(title, content)
        found = self.take({marker.args[0] for marker in item.iter_markers("shows")})
        if found and report.outcome != "failed":
            report.outcome, report.longrepr = "failed", "\n".join(found)
        return report

    def _after(self, owner: Any, name: str, look: Callable[..., None]) -> None:
        """Have a function look at each call of a method, its result first, then its arguments."""
        original = owner.__dict__.get(name)
        called = getattr(owner, name)

        @functools.wraps(called)
        def watched(*arguments: Any, **options: Any) -> Any:
            result = called(*arguments, **options)
            look(result, *arguments, **options)
            return result

        setattr(owner, name, watched)
        self._restore.append(
            lambda: delattr(owner, name) if original is None else setattr(owner, name, original)
        )

    def _error(self, _: None, error: SRError, message: object = "", **options: object) -> None:
        where = f"an error of the kind {type(error).__name__}"
        self.see(where, " ".join(map(str, (message, *options.values()))))

    def _verdict(self, said: dict[str, Any], *_: object, **__: object) -> None:
        self.see("a verdict as JSON", json.dumps(said, ensure_ascii=False))

    def _child(
        self, said: tuple[Any, Any], child: subprocess.Popen[Any], *_: Any, **__: Any
    ) -> None:
        program = child.args if isinstance(child.args, str | Path) else next(iter(child.args))
        if Path(str(program)).parent == Path(sys.executable).parent:
            for stream, text in zip(("output", "error"), said, strict=True):
                self.see(f"a child's standard {stream}", text)

    def _handed_out(self, said: tuple[Any, Any], *_: object) -> None:
        for stream, text in zip(("output", "error"), said, strict=True):
            self.see(f"standard {stream}", text)

    def _answer(self, response: Any, *_: object, **__: object) -> None:
        if response.status_code >= 400:
            self.see(f"an answer {response.status_code}", response.content)
