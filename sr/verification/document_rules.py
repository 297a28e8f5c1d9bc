"""The rules on a document as a whole: verification, four eyes, coverage, evidence, demands.

Each yields findings or limitations; ``document`` brings them together.

Cites: PS3.15 A.4, C.4; PS3.3 C.17.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sr.codes import SignaturePurpose
from sr.dicomfile.tags import describe_tag, format_tag
from sr.findings import Finding, Indication, Limitation, LimitationCode, Status, SubIndication
from sr.signature.coverage import APPROVAL_MAY_TOUCH, coverage_class
from sr.signature.documents import is_structured_report
from sr.signature.profile import Use, check_profile, load_profile
from sr.signature.purpose import known_purpose
from sr.trust import TrustPolicy
from sr.trust.policy import Consequence
from sr.verification.facts import DocumentFacts, ReferenceResult
from sr.verification.signature_rules import Judgement, profile_subject
from sr.verification.verdict import fold

__all__ = [
    "Demands",
    "coverage_findings",
    "coverage_limitations",
    "demand_findings",
    "evidence_findings",
    "is_author_kind",
    "is_valid",
    "lifecycle",
    "uncovered_by_any",
]

_VERIFICATION_FLAG, _VERIFYING_OBSERVERS = 0x0040A493, 0x0040A073
_AUTHOR_KIND_EXCLUDES = frozenset({"5", "6", "13", "14"})
_COVERAGE_RULES = {
    LimitationCode.IDENTITY_NOT_COVERED: "COV_IDENTITY",
    LimitationCode.CHARSET_NOT_COVERED: "COV_CHARSET",
    LimitationCode.CONTENT_NOT_COVERED: "COV_CONTENT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What the caller asks beyond the policy.

    Cites: PS3.16 CID 7007.
    """

    purposes: tuple[str, ...] = ()
    """Purpose codes that a passing signature must carry."""
    signer: str | None = None
    """Pattern that the subject of every signer must match, e.g. ``*O=Example Hospital*``; or
    ``sha256:`` and the fingerprint of the certificate."""


def is_valid(judgement: Judgement) -> bool:
    """Return whether a signature vouches for what it covers, trust in its signer apart.

    Cites: ETSI EN 319 102-1 5.2.7.
    """
    indication, _ = fold(judgement.findings)
    return judgement.facts.integrity.is_intact and indication is not Indication.FAILED


def _is_undecided(judgement: Judgement) -> bool:
    """Whether a signature is neither valid nor contradicted.

    Such as one that dcmsign made and left something out of, or whose MAC cannot be computed since
    a value representation was lost.
    """
    indication, _ = fold(judgement.findings)
    return not judgement.facts.integrity.is_intact and indication is not Indication.FAILED


def is_author_kind(judgement: Judgement) -> bool:
    """Return whether a signature leaves room for approval.

    Cites: PS3.15 C.4.
    """
    purpose = known_purpose(judgement.facts.purpose)
    return purpose is None or purpose.value not in _AUTHOR_KIND_EXCLUDES


def lifecycle(
    facts: DocumentFacts, top: tuple[Judgement, ...], valid: tuple[Judgement, ...]
) -> Iterator[Finding]:
    """Yield where flags and signatures contradict each other.

    Cites: PS3.15 C.4; PS3.3 C.17.2.
    """
    if not _claims_verification(facts):
        return
    named = facts.observers.get("verifying", ())
    present = _VERIFYING_OBSERVERS in facts.present
    if present and (len(named) != 1 or not named[0].strip(" ^=")):
        yield Finding(
            rule="SR_ONE_VERIFYING_OBSERVER", status=Status.FAIL,
            message=f"VerifyingObserverSequence (0040,A073) has {len(named)} items, expected one "
            "that names a person",
            where="(0040,A073)", cites="PS3.15 C.4",
            sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip
    if facts.values.get("CompletionFlag") != "COMPLETE":
        yield Finding(
            rule="SR_VERIFIED_NOT_COMPLETE", status=Status.FAIL,
            message="the report says that it was approved, but CompletionFlag (0040,A491) is not "
            "COMPLETE",
            where="(0040,A491)", cites="PS3.3 C.17.2",
            sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip
    profile = load_profile("structured-report-verification")
    for judgement in (*valid, *(j for j in top if _is_undecided(j))):
        purpose = known_purpose(judgement.facts.purpose)
        subject = profile_subject(facts, judgement.facts)
        short = [f for f in check_profile(profile, subject, Use.ACCEPT) if f.rule == "SR_MIN"]
        if purpose is SignaturePurpose.VERIFICATION and not short:
            return
    if top:
        yield Finding(
            rule="SR_VERIFIED_NEEDS_5", status=Status.FAIL,
            message="the report says that it was approved, but no valid signature of an approval "
            "(purpose 5) covers VerificationFlag (0040,A493), VerifyingObserverSequence "
            "(0040,A073) and SOPInstanceUID (0008,0018)",
            where="(0040,A493)", cites="PS3.15 C.4",
            sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _claims_verification(facts: DocumentFacts) -> bool:
    """Whether a reader could take the report for verified.

    Anything but UNVERIFIED counts: readers differ on blanks, case and further values.
    """
    if not is_structured_report(facts.sop_class_uid):
        return False
    flagged = _VERIFICATION_FLAG in facts.present
    unverified = facts.values.get("VerificationFlag") == "UNVERIFIED"
    return (flagged and not unverified) or _VERIFYING_OBSERVERS in facts.present


def uncovered_by_any(facts: DocumentFacts, valid: tuple[Judgement, ...]) -> tuple[int, ...]:
    """Return the top-level tags that no valid signature covers.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    if not valid:
        return ()
    covered = frozenset(tag for j in valid for tag in j.facts.data_elements_signed)
    return tuple(
        tag for tag in facts.present if tag not in covered and tag not in (0xFFFCFFFC, 0x00080001)
    )


def coverage_limitations(
    uncovered: tuple[int, ...], valid: tuple[Judgement, ...]
) -> Iterator[Limitation]:
    """Yield one limitation for each tag that is not covered.

    Cites: PS3.15 C.4.
    """
    approved = any(not is_author_kind(j) for j in valid)
    for tag in uncovered:
        waits = tag in APPROVAL_MAY_TOUCH and not approved
        yield Limitation(
            code=coverage_class(tag),
            message=f"{describe_tag(tag)} is not covered by a signature"
            + (", until approval covers it" if waits else ""),
            where=format_tag(tag),
        )


def coverage_findings(
    uncovered: tuple[int, ...], valid: tuple[Judgement, ...], policy: TrustPolicy
) -> Iterator[Finding]:
    """Yield what the policy does not accept uncovered.

    Cites: PS3.15 C.4.
    """
    consequence = {
        LimitationCode.IDENTITY_NOT_COVERED: policy.uncovered_identity,
        LimitationCode.CHARSET_NOT_COVERED: policy.uncovered_charset,
        LimitationCode.CONTENT_NOT_COVERED: policy.uncovered_content,
    }
    for tag in uncovered if valid else ():
        code = coverage_class(tag)
        if consequence.get(code) is Consequence.FAIL:
            yield Finding(
                rule=_COVERAGE_RULES[code], status=Status.FAIL,
                message=f"{describe_tag(tag)} could be changed without breaking a signature",
                where=format_tag(tag), cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )  # fmt: skip


_RESULT_RULES = {
    ReferenceResult.ALTERED: ("EVIDENCE_MISMATCH", SubIndication.EVIDENCE_MISMATCH),
    ReferenceResult.MISSING: ("EVIDENCE_MISSING", SubIndication.EVIDENCE_MISSING),
}


def evidence_findings(facts: DocumentFacts, policy: TrustPolicy) -> Iterator[Finding]:
    """Yield what is wrong with the cited instances.

    Cites: PS3.15 A.4.
    """
    for where in facts.unsecured:
        fails = policy.evidence_unsecured is Consequence.FAIL
        yield Finding(
            rule="EVIDENCE_UNSECURED", status=Status.FAIL if fails else Status.WARN,
            message="a referenced instance carries no proof",
            where=where, cites="PS3.15 A.4 b",
            sub_indication=SubIndication.EVIDENCE_UNSECURED,
        )  # fmt: skip
    for reference in facts.references or ():
        rule = _RESULT_RULES.get(reference.result)
        if rule is not None:
            yield Finding(
                rule=rule[0], status=Status.FAIL,
                message=f"the cited instance {reference.sop_instance_uid} is {reference.result}",
                where=reference.where, cites="PS3.15 A.4", sub_indication=rule[1],
            )  # fmt: skip
        yield from reference.findings


def demand_findings(top: tuple[Judgement, ...], demands: Demands) -> Iterator[Finding]:
    """Yield the demands of the caller that are not met.

    Cites: PS3.16 CID 7007.
    """
    held = {
        p.value
        for j in top
        if (p := known_purpose(j.facts.purpose)) and fold(j.findings)[0] is Indication.PASSED
    }
    for code in demands.purposes:
        if code not in held:
            yield Finding(
                rule="REQUIRED_PURPOSE", status=Status.FAIL,
                message=f"no signature of purpose {code} passes",
                where="(FFFA,FFFA)", cites="PS3.16 CID 7007",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )  # fmt: skip
    if demands.signer is None:
        return
    for j in top:
        chain = j.trust.chain if j.trust is not None else ()
        if not chain or not chain[0].matches(demands.signer):
            name = chain[0].subject if chain else ""
            yield Finding(
                rule="REQUIRED_SIGNER", status=Status.FAIL,
                message=f"the signer {name!r} does not match {demands.signer!r}",
                where=j.facts.where, cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )  # fmt: skip
