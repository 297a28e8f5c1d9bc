"""The verdict: a value with three outcomes, never a bool.

``Verdict.as_dict`` is the object that command line, HTTP and files share; its shape is part of the
public contract.

Cites: ETSI EN 319 102-1 5.1.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from sr.codes import Code
from sr.dicomfile.tags import describe_tag, format_tag
from sr.errors import VerdictError
from sr.findings import Finding, Indication, Limitation, Status, SubIndication
from sr.trust.certificate import CertificateSummary
from sr.verification.facts import Proof, ReferenceFacts, ReferenceResult

__all__ = [
    "DETACHED",
    "Questions",
    "ReferenceSummary",
    "SignatureVerdict",
    "Verdict",
    "fold",
    "indication_of",
]

SCHEMA_VERSION = 1
DETACHED = "detached"
"""In place of a profile, for a signature that stands beside a file and covers all of it."""

_FAILED = (
    SubIndication.FORMAT_FAILURE,
    SubIndication.SIGNED_DATA_NOT_FOUND,
    SubIndication.HASH_FAILURE,
    SubIndication.SIG_CRYPTO_FAILURE,
    SubIndication.REVOKED,
    SubIndication.EXPIRED,
    SubIndication.NOT_YET_VALID,
)
_FAILED_RULES = frozenset({"SR_PURPOSE", "SR_VERIFIED_NEEDS_5", "FOUR_EYES"})
_ORDER = (
    *_FAILED,
    SubIndication.SIG_CONSTRAINTS_FAILURE,
    SubIndication.VR_UNKNOWN,
    SubIndication.PEER_TRUNCATED_STREAM,
    SubIndication.FRAGMENTS_AMBIGUOUS,
    SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    SubIndication.REVOKED_NO_POE,
    SubIndication.REVOKED_CA_NO_POE,
    SubIndication.CHAIN_CONSTRAINTS_FAILURE,
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
    SubIndication.OUT_OF_BOUNDS_NO_POE,
    SubIndication.TIMESTAMP_FAILURE,
    SubIndication.TRY_LATER,
    SubIndication.EVIDENCE_MISMATCH,
    SubIndication.EVIDENCE_MISSING,
    SubIndication.EVIDENCE_UNSECURED,
    SubIndication.EVIDENCE_COVERAGE,
    SubIndication.NO_SIGNATURE,
)
_CONSTRAINTS_LAST = len(_ORDER)


def indication_of(finding: Finding) -> Indication:
    """Return what a finding makes of a verdict.

    A broken constraint is undecided, except where purpose, verification flag and signer contradict
    each other: those are refusals.

    Cites: ETSI EN 319 102-1 5.1.3.
    """
    if finding.status is not Status.FAIL:
        return Indication.PASSED
    constraint = finding.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    if finding.sub_indication in _FAILED or (constraint and finding.rule in _FAILED_RULES):
        return Indication.FAILED
    return Indication.INDETERMINATE


def fold(findings: Iterable[Finding]) -> tuple[Indication, SubIndication | None]:
    """Return the worst indication among findings, and its most telling sub-indication.

    Cites: ETSI EN 319 102-1 5.1.3.
    """
    failing = [f for f in findings if f.status is Status.FAIL]
    for indication in (Indication.FAILED, Indication.INDETERMINATE):
        matching = [f.sub_indication for f in failing if indication_of(f) is indication]
        if matching:
            return indication, min((s for s in matching if s), key=_rank, default=None)
    return Indication.PASSED, None


def _rank(sub: SubIndication) -> int:
    if sub is SubIndication.SIG_CONSTRAINTS_FAILURE:
        return _CONSTRAINTS_LAST
    return _ORDER.index(sub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The four questions people ask, answered in words.

    Cites: PS3.17 Annex W.
    """

    unchanged: str
    """``yes``, ``no`` or ``unknown``."""
    signer: str
    time: str
    complete: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureVerdict:
    """The verdict on one signature.

    Cites: ETSI EN 319 102-1 5.1.4.
    """

    digital_signature_uid: str
    location: str
    purpose: Code | None
    signer: CertificateSummary | None
    claimed_at: str
    proven_at: datetime | None
    mac_algorithm: str
    profile: str | None
    """The most specific profile the signature conforms to."""
    covers: tuple[int, ...]
    indication: Indication
    sub_indication: SubIndication | None
    findings: tuple[Finding, ...]
    chain: tuple[CertificateSummary, ...] = ()
    """Signer first, as far as a path was found."""

    def __bool__(self) -> NoReturn:
        """Refuse: a verdict has three outcomes."""
        raise TypeError("a verdict is not a bool; read its indication")

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract.

        Cites: PS3.3 C.12.1.1.3.
        """
        return {
            "digital_signature_uid": self.digital_signature_uid,
            "location": self.location,
            "purpose": _code(self.purpose),
            "signer": _signer(self.signer),
            "claimed_at": self.claimed_at,
            "proven_at": _moment(self.proven_at),
            "mac_algorithm": self.mac_algorithm,
            "profile": self.profile,
            "covers": [format_tag(tag) for tag in self.covers],
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "findings": [finding_as_dict(f) for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSummary:
    """How the cited instances compare, counted.

    Cites: PS3.15 A.4.
    """

    total: int
    items: tuple[ReferenceFacts, ...] | None
    """``None`` where no evidence was given."""
    unsecured: int = 0
    """References without a proof, whether or not the instance was at hand."""
    unexpected: tuple[str, ...] = ()
    """Files that nothing cites; only a manifest check counts them."""

    def count(self, result: ReferenceResult) -> int:
        """Return how many references came out so.

        Cites: PS3.15 A.4.
        """
        return sum(item.result is result for item in self.items or ())

    @property
    def differs(self) -> bool:
        """Whether the set is not what was signed: altered, missing or unexpected."""
        return bool(
            self.count(ReferenceResult.ALTERED)
            or self.count(ReferenceResult.MISSING)
            or self.unexpected
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract.

        Cites: PS3.15 A.4.
        """
        counts = {result.value: self.count(result) for result in ReferenceResult}
        if self.items is None:
            counts["unsecured"] = self.unsecured
        return {
            "total": self.total,
            **counts,
            "unexpected": len(self.unexpected),
            "items": [
                {
                    "sop_instance_uid": item.sop_instance_uid,
                    "result": item.result.value,
                    "by": [proof.value for proof in item.by if isinstance(proof, Proof)],
                    "file": item.file,
                }
                for item in self.items or ()
            ]
            + [
                {"sop_instance_uid": None, "result": "unexpected", "by": [], "file": file}
                for file in self.unexpected
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one file.

    Cites: ETSI EN 319 102-1 5.1.4.
    """

    subject: str
    sop_class_uid: str
    sop_instance_uid: str
    indication: Indication
    sub_indication: SubIndication | None
    judged_at: datetime
    policy: str
    questions: Questions
    signatures: tuple[SignatureVerdict, ...]
    findings: tuple[Finding, ...]
    limitations: tuple[Limitation, ...]
    uncovered: tuple[int, ...]
    references: ReferenceSummary = field(
        default_factory=lambda: ReferenceSummary(total=0, items=None)
    )

    def __bool__(self) -> NoReturn:
        """Refuse: a verdict has three outcomes."""
        raise TypeError("a verdict is not a bool; read its indication")

    def require_passed(self) -> None:
        """Return only where the document passed.

        Raises:
            VerdictError: It did not; carries the findings.

        Cites: ETSI EN 319 102-1 5.1.3.
        """
        if self.indication is not Indication.PASSED:
            reason = f" / {self.sub_indication.value}" if self.sub_indication else ""
            raise VerdictError(f"{self.subject}: {self.headline}{reason}", findings=self.findings)

    @property
    def headline(self) -> str:
        """The indication as it is shown everywhere, limitations never hidden."""
        if self.indication is Indication.PASSED and self.limitations:
            return "PASSED, with limitations"
        return self.indication.value

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract.

        Cites: PS3.17 Annex W.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "subject": self.subject,
            "sop_class_uid": self.sop_class_uid,
            "sop_instance_uid": self.sop_instance_uid,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "judged_at": _moment(self.judged_at),
            "policy": self.policy,
            "questions": {
                "unchanged": self.questions.unchanged,
                "signer": self.questions.signer,
                "time": self.questions.time,
                "complete": self.questions.complete,
            },
            "signatures": [s.as_dict() for s in self.signatures],
            "findings": [finding_as_dict(f) for f in self.findings],
            "limitations": [
                {"code": limit.code.value, "where": limit.where, "message": limit.message}
                for limit in self.limitations
            ],
            "uncovered": [describe_tag(tag) for tag in self.uncovered],
            "references": self.references.as_dict(),
        }


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """Return the JSON object of a finding.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    return {
        "rule": finding.rule,
        "status": finding.status.value,
        "message": finding.message,
        "where": finding.where,
        "cites": finding.cites,
    }


def _code(code: Code | None) -> dict[str, str] | None:
    if code is None:
        return None
    return {"code": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _signer(summary: CertificateSummary | None) -> dict[str, str] | None:
    if summary is None:
        return None
    return {
        "subject": summary.subject,
        "issuer": summary.issuer,
        "serial": summary.serial,
        "sha256": summary.sha256,
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None
