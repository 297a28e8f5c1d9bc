"""The audit trail as files: JSON lines that can be checked again, or DICOM audit messages.

JSON lines hold rows as they were chained, and the heads; whoever gets them can check the chain
without the database. DICOM messages are one XML document a line.

Cites: PS3.15 A.5.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sr.app.audit.chain import LAST_SEQUENCE, ChainRow
from sr.app.audit.event import AuditEvent
from sr.app.audit.event_encoding import decode_event, encode_event
from sr.app.audit.head import Head, decode_head, encode_head
from sr.app.audit.message import AuditSource, audit_message
from sr.errors import ConfigurationError, DatasetError

__all__ = ["AuditFormat", "as_lines", "events_since", "read_lines"]


class AuditFormat(StrEnum):
    """What an export is made of."""

    DICOM = "dicom"
    JSONL = "jsonl"


def events_since(
    rows: Iterable[ChainRow], since: datetime | None
) -> Iterator[tuple[ChainRow, AuditEvent]]:
    """Yield rows with their events, those before a time left out.

    Raises:
        DatasetError: A row is no event; rule ``AUDIT_EVENT``.
    """
    for row in rows:
        try:
            event = decode_event(row.encoded)
        except DatasetError as error:
            raise DatasetError(
                f"row {row.sequence}: {error}", rule=error.rule, cites=error.cites,
                hint="srsign audit check says what else is wrong",
            ) from error  # fmt: skip
        if since is None or event.at >= since:
            yield row, event


def as_lines(
    rows: Iterable[tuple[ChainRow, AuditEvent]],
    heads: Iterable[Head],
    wanted: AuditFormat,
    source: AuditSource,
) -> Iterator[bytes]:
    """Yield an export, line by line.

    Args:
        rows: From ``events_since``.
        heads: Those go along in JSON lines; in DICOM there is no place for them.
        wanted: The format.
        source: Who reports, in DICOM messages.
    """
    if wanted is AuditFormat.DICOM:
        for _, event in rows:
            yield audit_message(event, source).replace(b"?>\n", b"?>", 1) + b"\n"
        return
    for row, event in rows:
        yield _json_line(row, event)
    yield from map(encode_head, heads)


def read_lines(path: Path) -> tuple[Iterator[ChainRow], tuple[Head, ...]]:
    """Return rows, to be read once, and heads of an export as JSON lines.

    Raises:
        ConfigurationError: The file cannot be read.
        DatasetError: A line, now or when rows are read, is neither row nor head; rule
            ``AUDIT_FILE`` or ``AUDIT_HEAD``.
    """
    heads = tuple(decode_head(line) for line in _lines(path) if _is_head(line))
    return (_row(line) for line in _lines(path) if not _is_head(line)), heads


def _json_line(row: ChainRow, event: AuditEvent) -> bytes:
    digest = row.digest.hex().encode("ascii")
    encoded = encode_event(event)
    return b'{"digest":"%b","event":%b,"sequence":%d}\n' % (digest, encoded, row.sequence)


def _is_head(line: bytes) -> bool:
    return b'"type":"srsign-audit-head"' in line[-128:]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def _row(line: bytes) -> ChainRow:
    try:
        match json.loads(line):
            case {"sequence": int(sequence), "digest": str(digest), "event": event, **rest}:
                encoded = json.dumps(
                    event, ensure_ascii=False, sort_keys=True, separators=(",", ":")
                ).encode()
                if not rest and abs(sequence) <= LAST_SEQUENCE:
                    return ChainRow(
                        sequence=sequence, encoded=encoded, digest=bytes.fromhex(digest)
                    )
    except (ValueError, RecursionError) as error:
        raise _refused() from error
    raise _refused()


def _refused() -> DatasetError:
    return DatasetError("a line is no row of an audit trail", rule="AUDIT_FILE", cites="PS3.15 A.5")
