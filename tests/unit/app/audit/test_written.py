"""Every action of the audit vocabulary happens somewhere; a code that nothing writes is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from sr.app.audit import AuditAction

SR = Path(__file__).resolve().parents[4] / "sr"
VOCABULARY = {SR / "app" / "audit" / name for name in ("event.py", "message_codes.py")}


def unwritten(names: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Return the actions that no source names."""
    whole = "\n".join(sources)
    return [name for name in names if not re.search(rf"AuditAction\.{name}\b", whole)]


@pytest.fixture(scope="module")
def sources() -> list[str]:
    """Return what could write an event."""
    return [path.read_text("utf-8") for path in SR.rglob("*.py") if path not in VOCABULARY]


def test_every_action_is_written_somewhere(sources: list[str]) -> None:
    """Each action is named where it happens, outside of the vocabulary."""
    assert unwritten(AuditAction.__members__, sources) == []


@pytest.mark.parametrize("name", ["NEVER", "SENT"])
def test_an_action_that_never_happens_is_found(sources: list[str], name: str) -> None:
    """The test before sees a code that nothing writes."""
    assert unwritten([*AuditAction.__members__, name], sources) == [name]
