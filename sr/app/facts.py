"""Use case: keep what a check found, before any judgement, as JSON.

The record is complete: judged with a policy, trust material and a time it gives the same verdict
without the file. Bytes are hexadecimal, tags ``(gggg,eeee)``, times ISO 8601.

Cites: ETSI EN 319 102-1 5.1.4 (diagnostic data).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from sr.app.check import CheckOptions, gather_file
from sr.app.files import guard_output, open_dicom, write_atomically
from sr.dicomfile import format_tag

__all__ = ["facts_as_dict", "write_facts"]

_SCHEMA_VERSION = 1
_TAG_FIELDS = frozenset({"present", "data_elements_signed"})


def write_facts(path: Path, output: Path, options: CheckOptions) -> None:
    """Write the facts about a file.

    Raises:
        ConfigurationError: A path cannot be read or written.
        DatasetError: The file breaks a structural rule, so that there are no facts.
    """
    guard_output(output, [path], in_place=False)
    record = {
        "schema_version": _SCHEMA_VERSION,
        "subject": path.name,
        "facts": facts_as_dict(gather_file(open_dicom(path), options)),
    }
    write_atomically(output, json.dumps(record, indent=2).encode("ascii") + b"\n")


def facts_as_dict(facts: object) -> dict[str, Any]:
    """Return facts, or any value that they consist of, as a JSON object."""
    if not is_dataclass(facts):
        raise TypeError(f"{type(facts).__name__} is no value that facts consist of")
    return {
        field.name: _plain(getattr(facts, field.name), tags=field.name in _TAG_FIELDS)
        for field in fields(facts)
    }


def _plain(value: object, *, tags: bool = False) -> object:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return format_tag(value) if tags else value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner, tags=tags) for inner in value]
    return facts_as_dict(value)
