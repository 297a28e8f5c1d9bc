"""Records for ``check``: verdicts that were kept, as JSON objects or lines of them.

``srsign check --json`` writes them; the check of a document when it was signed or received is the
record for every later one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sr.app.files import read_bytes
from sr.errors import ConfigurationError
from sr.verification.record import RecordedSignature

__all__ = ["read_records"]


def read_records(paths: tuple[Path, ...]) -> tuple[RecordedSignature, ...] | None:
    """Return the signatures that kept verdicts tell of; ``None`` where no file is given.

    Raises:
        ConfigurationError: A file cannot be read, or holds no verdict.
    """
    if not paths:
        return None
    return tuple(each for path in paths for each in _read(path))


def _read(path: Path) -> Iterator[RecordedSignature]:
    text = read_bytes(path).decode("utf-8", "replace")
    try:
        verdicts: list[object] = [json.loads(text)]
    except (ValueError, RecursionError):  # also a number of more digits than Python reads
        verdicts = [_line(line, path) for line in text.splitlines() if line.strip()]
    told = [v for v in verdicts if isinstance(v, dict) and "signatures" in v]
    if not told:
        raise _no_record(path)
    for verdict in told:
        try:
            yield from _signatures(verdict)
        except (KeyError, TypeError, AttributeError) as error:
            raise _no_record(path) from error


def _line(line: str, path: Path) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _no_record(path) from error


def _signatures(verdict: dict[str, Any]) -> Iterator[RecordedSignature]:
    for signature in verdict["signatures"]:
        if signature["signer"] is not None:
            yield RecordedSignature(
                sop_instance_uid=str(verdict["sop_instance_uid"]),
                digital_signature_uid=str(signature["digital_signature_uid"]),
                certificate=str(signature["signer"]["sha256"]).lower(),
            )


def _no_record(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} holds no verdict", hint="a record is what srsign check --json printed"
    )
