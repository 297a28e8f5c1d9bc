"""Use case: check the audit trail: every row against the one before, and rows against heads.

Whoever can write the rows can compute a whole new chain, and cut off its end. Against the first
there are heads, signed with a key that is not kept with the rows; against the second only a head
kept elsewhere helps, or one that was left behind. What no head vouches for yet is said.

Cites: PS3.15 A.5; RFC 5652 5; RFC 3161 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sr.app.audit.chain import START, ChainRow, link
from sr.app.audit.event import AuditAction
from sr.app.audit.event_encoding import columns_of, decode_event
from sr.app.audit.head import Head
from sr.app.audit.head_judgement import JudgedHead, judge_head
from sr.app.audit.report import AuditReport, audit_finding, shortened
from sr.app.checks.check import CheckOptions
from sr.errors import DatasetError
from sr.findings import Finding, Status, SubIndication

__all__ = ["check_chain"]

_ANCHORED = f'"action":"{AuditAction.AUDIT_ANCHORED.value}"'.encode()


@dataclass(slots=True)
class _Trail:
    """What has been read of the rows so far."""

    wanted: frozenset[int]
    """Sequence numbers of heads."""
    rows: int = 0
    last: int = 0
    previous: bytes = START
    found: dict[int, bytes] = field(default_factory=dict)
    """Digests at the wanted numbers."""
    named: dict[str, int] = field(default_factory=dict)
    """Fingerprints of heads that rows name, with the number of the row."""


def check_chain(
    rows: Iterable[ChainRow],
    heads: Iterable[Head],
    options: CheckOptions,
    *,
    kept: Iterable[Head] = (),
) -> AuditReport:
    """Return what is wrong with the trail, and how far it is vouched for.

    Args:
        rows: As kept, in the order of their sequence numbers, read once.
        heads: As kept beside the rows, oldest first.
        options: Whom to trust, under which policy, at which time; ``signer`` of heads.
        kept: Heads that were kept elsewhere: they show a trail that was cut off.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.
        ConfigurationError: A file of trust material cannot be read.
        ProfileError: The policy is unknown or malformed.
    """
    stored, elsewhere = tuple(heads), tuple(kept)
    known = tuple(dict.fromkeys((*stored, *elsewhere)))
    trail = _Trail(wanted=frozenset(head.sequence for head in known))
    findings = [*_check_rows(rows, trail)]
    findings += _check_order(stored)
    findings += _check_presence(trail, stored, elsewhere)
    findings += (_mismatch(head, trail) for head in known if not _matches(head, trail))
    best, said = _judge([head for head in known if _matches(head, trail)], trail, options)
    findings += said
    findings += _unanchored(trail, known, best)
    shown, counts = shortened(findings)
    return AuditReport(
        judged_at=options.at,
        rows=trail.rows,
        last_sequence=trail.last,
        heads=len(known),
        anchored_sequence=best.head.sequence if best else 0,
        anchored_at=best.head.at if best else None,
        proven_at=best.proven_at if best else None,
        signer=best.signer if best else None,
        findings=shown,
        counts=counts,
    )


def _check_rows(rows: Iterable[ChainRow], trail: _Trail) -> Iterator[Finding]:
    for row in rows:
        trail.rows += 1
        where = f"row {row.sequence}"
        if row.sequence <= trail.last:
            message = f"{where} stands after row {trail.last}"
            yield audit_finding(
                "AUDIT_ORDER", message, where=where, sub=SubIndication.FORMAT_FAILURE
            )
            continue
        if row.sequence > trail.last + 1:
            gone = f"rows {trail.last + 1} to {row.sequence - 1}"
            if row.sequence == trail.last + 2:
                gone = f"row {trail.last + 1}"
            yield audit_finding(
                "AUDIT_ROW_MISSING", f"{gone}: not there", where=where,
                sub=SubIndication.SIGNED_DATA_NOT_FOUND,
            )  # fmt: skip
        elif link(trail.previous, row.sequence, row.encoded) != row.digest:
            yield audit_finding(
                "AUDIT_ROW_ALTERED",
                f"{where}, or the digest of the row before it, is not what was written",
                where=where, sub=SubIndication.HASH_FAILURE,
            )  # fmt: skip
        elif row.columns is not None or _ANCHORED in row.encoded:
            yield from _check_event(row, trail)
        if row.sequence in trail.wanted:
            trail.found[row.sequence] = row.digest
        trail.last, trail.previous = row.sequence, row.digest


def _check_event(row: ChainRow, trail: _Trail) -> Iterator[Finding]:
    try:
        event = decode_event(row.encoded)
    except DatasetError as error:
        yield audit_finding(
            "AUDIT_ROW_FORMAT", str(error), where=f"row {row.sequence}",
            sub=SubIndication.FORMAT_FAILURE,
        )  # fmt: skip
        return
    if row.columns is not None and row.columns != columns_of(event):
        yield audit_finding(
            "AUDIT_ROW_ALTERED",
            f"what the table repeats of row {row.sequence} is not what its event says",
            where=f"row {row.sequence}", sub=SubIndication.HASH_FAILURE,
        )  # fmt: skip
    if event.action is AuditAction.AUDIT_ANCHORED:
        trail.named[event.subject] = row.sequence


def _check_order(stored: Sequence[Head]) -> Iterator[Finding]:
    """Yield heads that stand where a later one should: an old one put in the place of a new one."""
    for earlier, later in pairwise(stored):
        if later.sequence <= earlier.sequence or later.at < earlier.at:
            yield audit_finding(
                "AUDIT_HEAD_ORDER",
                f"the head of row {later.sequence} stands after that of row {earlier.sequence}, "
                "and is not newer",
                where=_place(later), sub=SubIndication.FORMAT_FAILURE,
            )  # fmt: skip


def _check_presence(
    trail: _Trail, stored: Sequence[Head], elsewhere: Sequence[Head]
) -> Iterator[Finding]:
    here = {head.fingerprint for head in stored}
    for fingerprint, sequence in trail.named.items():
        if fingerprint not in here:
            yield audit_finding(
                "AUDIT_HEAD_MISSING",
                f"the head that row {sequence} names is not there",
                where=f"row {sequence}", sub=SubIndication.SIGNED_DATA_NOT_FOUND,
            )  # fmt: skip
    for head in elsewhere:
        if head.fingerprint not in here and head.fingerprint not in trail.named:
            yield audit_finding(
                "AUDIT_HEAD_MISSING",
                f"the head of row {head.sequence} was kept elsewhere, and the trail knows it not",
                where=_place(head), sub=SubIndication.SIGNED_DATA_NOT_FOUND,
            )  # fmt: skip


def _matches(head: Head, trail: _Trail) -> bool:
    return trail.found.get(head.sequence) == head.digest


def _mismatch(head: Head, trail: _Trail) -> Finding:
    if head.sequence > trail.last:
        return audit_finding(
            "AUDIT_TRUNCATED",
            f"a head was signed for row {head.sequence}, the trail ends at row {trail.last}",
            where=_place(head), sub=SubIndication.SIGNED_DATA_NOT_FOUND,
        )  # fmt: skip
    return audit_finding(
        "AUDIT_HEAD_MISMATCH",
        f"row {head.sequence} is not the one that the head was signed for",
        where=_place(head), sub=SubIndication.HASH_FAILURE,
    )  # fmt: skip


def _judge(
    matching: Sequence[Head], trail: _Trail, options: CheckOptions
) -> tuple[JudgedHead | None, list[Finding]]:
    """Judge heads, newest first; those that a good one covers need no judgement of their own."""
    best: JudgedHead | None = None
    findings: list[Finding] = []
    for head in sorted(matching, key=lambda each: (each.sequence, each.at), reverse=True):
        if best is not None and 0 < trail.named.get(head.fingerprint, 0) <= best.head.sequence:
            continue
        judged = judge_head(head, options, where=_place(head))
        findings += judged.findings
        if best is None and judged.is_good:
            best = judged
    return best, findings


def _unanchored(trail: _Trail, known: Sequence[Head], best: JudgedHead | None) -> Iterator[Finding]:
    if best is None:
        what = "no head that holds" if known else "no head"
        yield audit_finding(
            "AUDIT_NOT_ANCHORED",
            f"there is {what}: whoever could write the rows could have written others",
            sub=SubIndication.NO_SIGNATURE,
        )
    elif best.head.sequence < trail.last:
        yield audit_finding(
            "AUDIT_NOT_ANCHORED",
            f"no head vouches for rows {best.head.sequence + 1} to {trail.last} yet, nor shows "
            "whether more are gone",
            status=Status.NOTICE,
        )


def _place(head: Head) -> str:
    return f"head of row {head.sequence}"
