"""What the trail says of one document, with its place in the chain, for those without the trail.

A stretch of the chain begins with a row about the document and goes on to the next head. Rows about
other things are there as digests only: they are counted and cannot be exchanged, but not read.

Cites: PS3.15 A.5; RFC 6962 2.1 (the idea of a proof of inclusion).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sr.app.audit.chain import LAST_SEQUENCE, START, ChainRow, link_digest
from sr.app.audit.event import AuditEvent
from sr.app.audit.event_encoding import decode_event, encode_event
from sr.app.audit.head import Head
from sr.app.audit.head_judgement import judge_head
from sr.app.audit.report import audit_finding
from sr.app.checks.check import CheckOptions
from sr.errors import DatasetError
from sr.findings import Finding, Status
from sr.verification.facts_json import as_json, from_json

__all__ = ["NO_EXTRACT", "Extract", "ExtractedRow", "Stretch", "extract_for", "judge_extract"]

_TYPE, _VERSION = "srsign-audit-extract", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedRow:
    """A row: its event where it is about the document, else only the digest of the event."""

    event: AuditEvent | None = None
    event_sha256: bytes = b""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the event."""
        if self.event is None:
            return self.event_sha256
        return hashlib.sha256(encode_event(self.event)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows that follow one another, and the head that vouches for the last of them."""

    first: int
    """Sequence number of the first row."""
    previous: bytes
    """Digest of the row before it."""
    rows: tuple[ExtractedRow, ...]
    head: Head | None = None
    """``None`` where none was signed yet."""

    @property
    def digest(self) -> bytes:
        """Digest of the last row."""
        digest = self.previous
        for sequence, row in enumerate(self.rows, self.first):
            digest = link_digest(digest, sequence, row.digest)
        return digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What the trail says of a document."""

    sop_instance_uid: str
    stretches: tuple[Stretch, ...] = ()

    @property
    def events(self) -> tuple[AuditEvent, ...]:
        """The events, oldest first."""
        return tuple(row.event for s in self.stretches for row in s.rows if row.event is not None)


NO_EXTRACT = json.dumps(
    {"events": [], "reason": "no audit trail was named, so there is nothing to extract"}, indent=2
).encode("ascii") + b"\n"  # fmt: skip
"""Stands in a bundle in the place of an extract."""


def extract_for(sop_instance_uid: str, rows: Iterable[ChainRow], heads: Iterable[Head]) -> bytes:
    """Return what the trail says of a document, as JSON.

    Args:
        sop_instance_uid: The document.
        rows: The whole trail, read once.
        heads: All heads.
    """
    extract = Extract(
        sop_instance_uid=sop_instance_uid,
        stretches=tuple(_stretches(sop_instance_uid, rows, {h.sequence: h for h in heads})),
    )
    members = {"type": _TYPE, "v": _VERSION, **as_json(extract)}
    return json.dumps(members, indent=1, ensure_ascii=False).encode() + b"\n"


def judge_extract(data: bytes, sop_instance_uid: str, options: CheckOptions) -> Iterator[Finding]:
    """Yield what an extract is worth; nothing where there is none.

    Args:
        data: Any bytes.
        sop_instance_uid: The document it ought to be about.
        options: Whom to trust; the signer that they may demand is that of the document.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.
    """
    if data == NO_EXTRACT:
        return
    try:
        extract = _read(data)
    except DatasetError as error:
        yield _warned(str(error))
        return
    if extract.sop_instance_uid != sop_instance_uid:
        yield _warned("it is about another document")
    if any(not _is_about(sop_instance_uid, event) for event in extract.events):
        yield _warned("it holds an event that is not about the document")
    for stretch in extract.stretches:
        yield _judge(stretch, replace(options, signer=None))


def _judge(stretch: Stretch, options: CheckOptions) -> Finding:
    last = stretch.first + len(stretch.rows) - 1
    where = f"rows {stretch.first} to {last} of the audit trail"
    head = stretch.head
    if not 1 <= stretch.first <= last <= LAST_SEQUENCE:
        return _warned("there are no such rows", where)
    if head is None:
        return _warned("no head vouches for it yet", where)
    if head.sequence != last or head.digest != stretch.digest:
        return _warned("the rows are not those that the head was signed for", where)
    judged = judge_head(head, options, where=where)
    for finding in judged.findings:
        if finding.status is Status.FAIL:
            return _warned(finding.message, where)
    count = sum(row.event is not None for row in stretch.rows)
    name = judged.signer.subject if judged.signer else "nobody known"
    return audit_finding(
        "AUDIT_EXTRACT",
        f"{count} events about the document, vouched for by {name}",
        where=where, status=Status.NOTICE,
    )  # fmt: skip


def _warned(message: str, where: str = "audit.json") -> Finding:
    return audit_finding(
        "AUDIT_EXTRACT", f"the extract of the audit trail: {message}", where=where,
        status=Status.WARN,
    )  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A stretch that has no head yet."""

    first: int
    previous: bytes
    rows: list[ExtractedRow] = field(default_factory=list)
    needed: int = 0
    """Rows up to the last one about the document."""


def _stretches(uid: str, rows: Iterable[ChainRow], heads: dict[int, Head]) -> Iterator[Stretch]:
    previous, begun = START, None
    for row in rows:
        event = _event_about(uid, row)
        if event is not None and begun is None:
            begun = _Open(first=row.sequence, previous=previous)
        if begun is not None:
            begun.rows.append(
                ExtractedRow(event=event)
                if event is not None
                else ExtractedRow(event_sha256=hashlib.sha256(row.encoded).digest())
            )
            begun.needed = len(begun.rows) if event is not None else begun.needed
            if row.sequence in heads:
                yield Stretch(
                    first=begun.first, previous=begun.previous, rows=tuple(begun.rows),
                    head=heads[row.sequence],
                )  # fmt: skip
                begun = None
        previous = row.digest
    if begun is not None:
        rest = tuple(begun.rows[: begun.needed])
        yield Stretch(first=begun.first, previous=begun.previous, rows=rest)


def _event_about(uid: str, row: ChainRow) -> AuditEvent | None:
    if f'"{uid}"'.encode() not in row.encoded:
        return None
    event = decode_event(row.encoded)
    return event if _is_about(uid, event) else None


def _is_about(uid: str, event: AuditEvent) -> bool:
    return any(each.sop_instance_uid == uid for each in event.instances)


def _read(data: bytes) -> Extract:
    try:
        members = json.loads(data)
        if (members.pop("type"), members.pop("v")) != (_TYPE, _VERSION):
            raise DatasetError("it is of another kind or version", rule="AUDIT_EXTRACT")
        return from_json(Extract, members, where="extract")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DatasetError("it is none", rule="AUDIT_EXTRACT") from error
