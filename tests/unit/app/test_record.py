"""Kept verdicts as files: whatever is in them, they are read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.checks.record import read_records
from sr.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "1" * 5_000,
        "[" * 100_000,
        '{"signatures": ' + "[" * 100_000,
        '{"signatures": [], "sop_instance_uid": "2.25.1"}\n' + "1" * 5_000,
        '{"signatures": [{"signer": 1}]}',
    ],
    ids=["empty", "list", "object", "long number", "deep", "deep inside", "second line", "signer"],
)
def test_what_is_no_kept_verdict_is_refused(tmp_path: Path, text: str) -> None:
    """Text that holds no verdict, or is made to exhaust the reader, is an error."""
    path = tmp_path / "kept.json"
    path.write_text(text, encoding="ascii")
    with pytest.raises(ConfigurationError):
        read_records((path,))


def test_a_verdict_without_signatures_is_a_record_of_none(tmp_path: Path) -> None:
    """A kept verdict that tells of no signature is read, and tells of none."""
    path = tmp_path / "kept.json"
    path.write_text('{"signatures": []}', encoding="ascii")
    assert read_records((path,)) == ()
