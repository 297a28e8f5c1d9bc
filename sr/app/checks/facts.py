"""Use cases: keep what a check found, before any judgement, as JSON; take it up again.

The record is complete: judged with a policy, trust material and a time it gives the verdict that
the file would give, without the file. It is not signed. Whoever can change it can change what it
says, so it is only judged where the caller says that a file is one (``check --replay``), and never
mistaken for a document; what has to be believed by others belongs in an evidence bundle.

Cites: ETSI EN 319 102-1 5.1.4 (diagnostic data).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.app.files import FileSource, digest_file, guard_output, write_atomically
from sr.app.settings import current_settings
from sr.errors import DatasetError
from sr.findings import Finding
from sr.verification.facts import DocumentFacts
from sr.verification.facts_json import as_json, from_json, schema_of

__all__ = ["FactsRecord", "facts_schema", "is_facts", "read_facts", "record_bytes", "write_facts"]

_TYPE = "srsign-facts"
_SCHEMA_VERSION = 1
_OPENING = b'{\n  "type": "srsign-facts"'


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsRecord:
    """What was found about one file: facts, or why there are none."""

    subject: str
    """File name."""
    facts: DocumentFacts | None
    refusal: Finding | None = None
    """The structural rule that the file breaks, where that left nothing to gather."""
    sha256: str = ""
    """Of the whole file, hexadecimal; empty where it was not asked for."""


def write_facts(record: FactsRecord, path: Path, output: Path) -> None:
    """Write what was found about a file.

    Raises:
        ConfigurationError: A path cannot be read or written.
    """
    guard_output(output, [path], in_place=False)
    write_atomically(output, record_bytes(record, path))


def record_bytes(record: FactsRecord, path: Path) -> bytes:
    """Return the content of a facts file, with the digest of the file they are about.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    members = {
        "type": _TYPE,
        "schema_version": _SCHEMA_VERSION,
        **as_json(record),
        "sha256": digest_file(path).hex(),
    }
    return json.dumps(members, indent=2).encode("ascii") + b"\n"


def read_facts(path: Path) -> FactsRecord:
    """Return a record that ``write_facts`` wrote.

    Raises:
        ConfigurationError: The path cannot be opened.
        DatasetError: It is no such record, or not a whole one; rule ``FACTS_FORMAT``.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    source, most = FileSource(path), current_settings().limits.value_bytes
    if source.size > most:
        raise _refused(f"{path.name} has {source.size} bytes, at most {most} are read")
    try:
        members = json.loads(
            source.read_at(0, source.size), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise _refused(f"{path.name} is not a record of facts: it is not JSON") from error
    if not isinstance(members, dict) or members.pop("type", None) != _TYPE:
        raise _refused(f"{path.name} is not a record of facts")
    if (version := members.pop("schema_version", None)) != _SCHEMA_VERSION:
        raise _refused(f"{path.name} has schema version {version!r}, known is {_SCHEMA_VERSION}")
    record = from_json(FactsRecord, members, where="record")
    if (record.facts is None) is (record.refusal is None):
        raise _refused(f"{path.name} needs either facts or a refusal")
    return record


def is_facts(path: Path) -> bool:
    """Return whether a file begins as ``write_facts`` begins one.

    Raises:
        ConfigurationError: The path cannot be opened.
    """
    return FileSource(path).read_at(0, len(_OPENING)) == _OPENING


def facts_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record of facts.

    Cites: JSON Schema 2020-12.
    """
    schema = schema_of(FactsRecord)
    record = schema["$defs"].pop("FactsRecord")
    head = {"type": {"const": _TYPE}, "schema_version": {"const": _SCHEMA_VERSION}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "srsign facts",
        **record,
        "properties": head | record["properties"],
        "required": [*head, *record["required"]],
        "$defs": schema["$defs"],
    }


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON number")


def _refused(message: str) -> DatasetError:
    return DatasetError(message, rule="FACTS_FORMAT", cites="docs/facts.schema.json")
