"""What a check of the audit trail found: findings by rule, counted, and how far heads vouch.

Cites: ETSI EN 319 102-1 5.1.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sr.findings import Finding, Indication, Status, SubIndication
from sr.trust import CertificateSummary
from sr.verification.verdict import finding_as_dict, fold

__all__ = ["AuditReport", "audit_finding", "shortened"]

_SHOWN = 100
"""Findings of one rule that are kept; all are counted."""
_CITES = "PS3.15 A.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was found."""

    judged_at: datetime
    rows: int
    last_sequence: int
    heads: int
    anchored_sequence: int
    """The last row that a good head vouches for; 0 for none."""
    anchored_at: datetime | None
    """When that head was signed, as it says."""
    proven_at: datetime | None
    """When a time-stamp proves that it was."""
    signer: CertificateSummary | None
    """Whose head it is."""
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    """Findings by rule, those that are not listed included."""

    def __bool__(self) -> NoReturn:
        """Refuse: a report has three outcomes."""
        raise TypeError("a report is not a bool; read its indication")

    @property
    def indication(self) -> Indication:
        """PASSED, INDETERMINATE or FAILED."""
        return fold(self.findings)[0]

    @property
    def sub_indication(self) -> SubIndication | None:
        """Why it is not PASSED."""
        return fold(self.findings)[1]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        sub = self.sub_indication
        return {
            "schema_version": 1,
            "indication": self.indication.value,
            "sub_indication": sub.value if sub else None,
            "judged_at": self.judged_at.isoformat(),
            "rows": self.rows,
            "last_sequence": self.last_sequence,
            "heads": self.heads,
            "anchored_sequence": self.anchored_sequence,
            "anchored_at": self.anchored_at.isoformat() if self.anchored_at else None,
            "proven_at": self.proven_at.isoformat() if self.proven_at else None,
            "signer": self.signer.as_dict() if self.signer else None,
            "findings": [finding_as_dict(f) for f in self.findings],
            "counts": self.counts,
        }


def audit_finding(
    rule: str,
    message: str,
    *,
    where: str | None = None,
    sub: SubIndication | None = None,
    status: Status = Status.FAIL,
) -> Finding:
    """Return a finding about the trail; ``sub`` is what it leads to."""
    return Finding(
        rule=rule, status=status, message=message, where=where, cites=_CITES, sub_indication=sub
    )


def shortened(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], dict[str, int]]:
    """Return the first findings of each rule, and how many there are of each."""
    counts: Counter[str] = Counter()
    kept = []
    for finding in findings:
        counts[finding.rule] += 1
        if counts[finding.rule] <= _SHOWN:
            kept.append(finding)
    return tuple(kept), dict(sorted(counts.items()))
