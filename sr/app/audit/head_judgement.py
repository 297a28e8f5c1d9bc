"""Judging a head: its signature as any detached one, its time-stamp, and who signed it.

Cites: RFC 5652 5.6; RFC 3161 2.4; ETSI EN 319 102-1 5.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sr.app.audit.head import Head, head_content
from sr.app.audit.report import audit_finding
from sr.app.checks.check import CheckOptions
from sr.errors import TrustEvidenceError
from sr.findings import Finding, Indication, Status, SubIndication
from sr.trust import CertificateSummary, evaluate_timestamp
from sr.trust.timestamp import read_timestamp
from sr.verification.detached import judge_detached

__all__ = ["JudgedHead", "judge_head"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedHead:
    """A head and what it is worth."""

    head: Head
    signer: CertificateSummary | None
    proven_at: datetime | None
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Whether its signature holds and is by somebody trusted for it."""
        return not any(f.status is Status.FAIL for f in self.findings)


def judge_head(head: Head, options: CheckOptions, *, where: str) -> JudgedHead:
    """Return what a head is worth.

    Args:
        head: Whatever it says.
        options: Whom to trust, and ``signer``: whose heads to accept.
        where: Its place in findings.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.
    """
    stamped = _timestamp(head, options, where)
    proven_at = stamped if isinstance(stamped, datetime) else None
    content = head_content(head.sequence, head.digest, head.at)
    verdict = judge_detached(
        head.signature,
        lambda algorithm: hashlib.new(
            algorithm.value.lower(), content, usedforsecurity=False
        ).digest(),
        where=where,
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
        proven_at=proven_at,
    ).verdict
    findings = [stamped] if isinstance(stamped, Finding) else []
    if verdict.indication is not Indication.PASSED:
        reason = next(f.message for f in verdict.findings if f.status is Status.FAIL)
        findings.append(
            audit_finding("AUDIT_HEAD_SIGNATURE", reason, where=where, sub=verdict.sub_indication)
        )
    findings.append(_signer(verdict.signer, options.signer, where))
    return JudgedHead(
        head=head, signer=verdict.signer, proven_at=proven_at, findings=tuple(findings)
    )


def _signer(signer: CertificateSummary | None, wanted: str | None, where: str) -> Finding:
    name = signer.subject if signer else "nobody known"
    if wanted is None:
        return audit_finding(
            "AUDIT_HEAD_SIGNER",
            f"signed by {name}; nobody was named who has to sign heads, so anybody you trust may",
            where=where, status=Status.NOTICE,
        )  # fmt: skip
    if signer is not None and signer.matches(wanted):
        return audit_finding(
            "AUDIT_HEAD_SIGNER", f"signed by {name}", where=where, status=Status.PASS
        )
    return audit_finding(
        "AUDIT_HEAD_SIGNER", f"the signer {name!r} does not match {wanted!r}", where=where,
        sub=SubIndication.SIG_CONSTRAINTS_FAILURE,
    )  # fmt: skip


def _timestamp(head: Head, options: CheckOptions, where: str) -> datetime | Finding | None:
    """Return the time that is proven, or why none is; nothing where there is no time-stamp."""
    if head.timestamp is None:
        return None
    try:
        token = read_timestamp(head.timestamp)
    except TrustEvidenceError as error:
        return _bad_timestamp(str(error), where)
    if not token.stamps(head.signature):
        return _bad_timestamp("the time-stamp is not about the signature of the head", where)
    trust = evaluate_timestamp(
        token, judged_at=options.at, material=options.material, policy=options.trust_policy
    )
    for finding in trust.findings:
        if finding.status is Status.FAIL:
            return _bad_timestamp(finding.message, where)
    if trust.proven_at is None:
        message = "nobody you trust vouches for the time-stamp"
        return audit_finding("AUDIT_HEAD_TIMESTAMP", message, where=where, status=Status.WARN)
    return trust.proven_at


def _bad_timestamp(message: str, where: str) -> Finding:
    return audit_finding(
        "AUDIT_HEAD_TIMESTAMP", message, where=where, sub=SubIndication.TIMESTAMP_FAILURE
    )
