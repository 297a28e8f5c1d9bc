"""Judging a document: facts, policy and time to one verdict.

A pure function: the same facts judged under another policy, or at another time, are another
verdict. The order of the rules follows EN 319 102-1: format, integrity, constraints, trust, then
what DICOM adds: purpose, verification, coverage, evidence.

Cites: ETSI EN 319 102-1 5; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch

from sr.dicomfile.tags import describe_tag, format_tag
from sr.findings import Finding, Indication, Limitation, LimitationCode, Status, SubIndication
from sr.signature.coverage import APPROVAL_MAY_TOUCH, coverage_class
from sr.signature.documents import is_document, is_structured_report
from sr.signature.profile import Use, check_profile, load_profile
from sr.signature.purpose import known_purpose
from sr.trust import TrustMaterial, TrustPolicy, same_person
from sr.trust.policy import Consequence
from sr.verification.facts import DocumentFacts, ReferenceResult
from sr.verification.identity import observer_findings
from sr.verification.signature_rules import Judgement, judge_signature, profile_subject, weigh
from sr.verification.verdict import (
    Questions,
    ReferenceSummary,
    SignatureVerdict,
    Verdict,
    fold,
)

__all__ = ["Demands", "format_failure_verdict", "judge"]

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
    """Pattern that the subject of every signer must match, e.g. ``*O=Example Hospital*``."""


_NO_DEMANDS = Demands()


def judge(
    facts: DocumentFacts,
    *,
    subject: str,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
    demands: Demands = _NO_DEMANDS,
) -> Verdict:
    """Return the verdict on a document.

    Args:
        facts: From ``gather``.
        subject: What the verdict is about, e.g. the file name.
        policy: What is demanded.
        material: Anchors, intermediates and revocation lists.
        judged_at: The time to judge at.
        demands: Purposes and signers the caller requires.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: ETSI EN 319 102-1 5; PS3.15 A.4, C.4.
    """
    judgements = tuple(
        judge_signature(facts, s, policy=policy, material=material, judged_at=judged_at)
        for s in facts.signatures
    )
    judgements, added = _excuse_later_additions(judgements)
    top = tuple(j for j in judgements if j.facts.at_top_level)
    valid = tuple(j for j in top if _is_valid(j))
    uncovered = _uncovered(facts, valid)
    findings = [
        *facts.findings,
        *_nested_structure(judgements),
        *_lifecycle(facts, top, valid),
        *_four_eyes(top),
        *observer_findings(facts, valid),
        *_coverage_findings(uncovered, valid, policy),
        *_evidence_findings(facts, policy),
        *_demand_findings(top, demands),
    ]
    findings = list(weigh(findings, policy))
    limitations = (
        *(limit for j in top for limit in j.limitations),
        *added,
        *_coverage_limitations(uncovered, valid),
        *_document_limitations(facts, top, policy),
    )
    indication, sub = _indication(facts, top, findings)
    references = ReferenceSummary(
        total=facts.reference_count, items=facts.references, unsecured=len(facts.unsecured)
    )
    return Verdict(
        subject=subject,
        sop_class_uid=facts.sop_class_uid,
        sop_instance_uid=facts.sop_instance_uid,
        indication=indication,
        sub_indication=sub,
        judged_at=judged_at,
        policy=policy.id,
        questions=_questions(facts, top, references),
        signatures=tuple(_signature_verdict(j) for j in judgements),
        findings=tuple(findings),
        limitations=_distinct(limitations),
        uncovered=uncovered,
        references=references,
    )


def format_failure_verdict(
    finding: Finding, *, subject: str, policy: str, judged_at: datetime
) -> Verdict:
    """Return the verdict on bytes that break a structural rule before any signature is read.

    Cites: ETSI EN 319 102-1 5.2.2.
    """
    indication, sub = fold([finding])
    unknown = Questions(unchanged="unknown", signer="unknown", time="unknown", complete="unknown")
    return Verdict(
        subject=subject, sop_class_uid="", sop_instance_uid="", indication=indication,
        sub_indication=sub, judged_at=judged_at, policy=policy, questions=unknown,
        signatures=(), findings=(finding,), limitations=(), uncovered=(),
    )  # fmt: skip


def _is_valid(judgement: Judgement) -> bool:
    """Whether a signature vouches for what it covers, trust in its signer apart."""
    indication, _ = fold(judgement.findings)
    return judgement.facts.integrity.is_intact and indication is not Indication.FAILED


def _is_author_kind(judgement: Judgement) -> bool:
    purpose = known_purpose(judgement.facts.purpose)
    return purpose is None or purpose.value not in _AUTHOR_KIND_EXCLUDES


def _excuse_later_additions(
    judgements: tuple[Judgement, ...],
) -> tuple[tuple[Judgement, ...], tuple[Limitation, ...]]:
    """What approval added, and covers itself, is no fault of the author's signature."""
    top = [j for j in judgements if j.facts.at_top_level]
    excused: list[Limitation] = []
    result = []
    for judgement in judgements:
        others = frozenset(
            tag
            for j in top
            if j is not judgement and _is_valid(j)
            for tag in j.facts.data_elements_signed
        )
        findings = []
        for f in judgement.findings:
            tag = _tag_of(f) if f.rule == "SR_MIN" else None
            if tag in others and _is_author_kind(judgement) and judgement.facts.at_top_level:
                excused.append(
                    Limitation(
                        code=LimitationCode.ADDED_AFTER_SIGNING,
                        message=f"{describe_tag(tag)} was added after the author signed; a later "
                        "signature covers it",
                        where=f.where,
                    )
                )
                f = replace(f, status=Status.NOTICE)
            findings.append(f)
        profile = judgement.profile
        changed = findings != list(judgement.findings)
        conforms = not any(f.rule == "SR_MIN" and f.status is Status.FAIL for f in findings)
        if changed and conforms:
            profile = "structured-report"
        result.append(replace(judgement, findings=tuple(findings), profile=profile))
    return tuple(result), tuple(excused)


def _tag_of(finding: Finding) -> int:
    where = finding.where or ""
    return int(where[1:5] + where[6:10], 16)


def _nested_structure(judgements: tuple[Judgement, ...]) -> Iterator[Finding]:
    """A malformed signature inside an item hides content, whoever it vouches for."""
    for j in judgements:
        if not j.facts.at_top_level:
            yield from (
                f
                for f in j.facts.findings
                if f.status is Status.FAIL and f.sub_indication is SubIndication.FORMAT_FAILURE
            )


def _lifecycle(
    facts: DocumentFacts, top: tuple[Judgement, ...], valid: tuple[Judgement, ...]
) -> Iterator[Finding]:
    if facts.values.get("VerificationFlag") != "VERIFIED" or not is_structured_report(
        facts.sop_class_uid
    ):
        return
    if facts.values.get("CompletionFlag") != "COMPLETE":
        yield Finding(
            rule="SR_VERIFIED_NOT_COMPLETE", status=Status.FAIL,
            message="VerificationFlag (0040,A493) is VERIFIED but CompletionFlag (0040,A491) is "
            "not COMPLETE",
            where="(0040,A491)", cites="PS3.3 C.17.2",
            sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip
    profile = load_profile("structured-report-verification")
    for judgement in valid:
        purpose = known_purpose(judgement.facts.purpose)
        subject = profile_subject(facts, judgement.facts)
        short = [f for f in check_profile(profile, subject, Use.ACCEPT) if f.rule == "SR_MIN"]
        if purpose is not None and purpose.value == "5" and not short:
            return
    if top:
        yield Finding(
            rule="SR_VERIFIED_NEEDS_5", status=Status.FAIL,
            message="VerificationFlag (0040,A493) is VERIFIED, but no valid verification signature "
            "(purpose 5) covers flag, observer and SOPInstanceUID (0008,0018)",
            where="(0040,A493)", cites="PS3.15 C.4",
            sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _four_eyes(top: tuple[Judgement, ...]) -> Iterator[Finding]:
    def by(*codes: str) -> list[Judgement]:
        return [
            j
            for j in top
            if (p := known_purpose(j.facts.purpose)) and p.value in codes and j.facts.key
        ]

    for approval in by("5", "6"):
        for author in by("1"):
            if same_person(approval.facts.certificate, author.facts.certificate):
                yield Finding(
                    rule="FOUR_EYES", status=Status.FAIL,
                    message="the verification signature was made by the author",
                    where=approval.facts.where, cites="PS3.15 C.4",
                    sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
                )  # fmt: skip


def _uncovered(facts: DocumentFacts, valid: tuple[Judgement, ...]) -> tuple[int, ...]:
    if not valid:
        return ()
    covered = frozenset(tag for j in valid for tag in j.facts.data_elements_signed)
    return tuple(
        tag for tag in facts.present if tag not in covered and tag not in (0xFFFCFFFC, 0x00080001)
    )


def _coverage_limitations(
    uncovered: tuple[int, ...], valid: tuple[Judgement, ...]
) -> Iterator[Limitation]:
    approved = any(not _is_author_kind(j) for j in valid)
    for tag in uncovered:
        waits = tag in APPROVAL_MAY_TOUCH and not approved
        yield Limitation(
            code=coverage_class(tag),
            message=f"{describe_tag(tag)} is not covered by a signature"
            + (", until approval covers it" if waits else ""),
            where=format_tag(tag),
        )


def _coverage_findings(
    uncovered: tuple[int, ...], valid: tuple[Judgement, ...], policy: TrustPolicy
) -> Iterator[Finding]:
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


def _evidence_findings(facts: DocumentFacts, policy: TrustPolicy) -> Iterator[Finding]:
    for where in facts.unsecured:
        fails = policy.evidence_unsecured is Consequence.FAIL
        yield Finding(
            rule="EVIDENCE_UNSECURED", status=Status.FAIL if fails else Status.WARN,
            message="a referenced instance carries no usable proof",
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


def _demand_findings(top: tuple[Judgement, ...], demands: Demands) -> Iterator[Finding]:
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
        name = j.trust.chain[0].subject if j.trust is not None and j.trust.chain else ""
        if not fnmatch(name.casefold(), demands.signer.casefold()):
            yield Finding(
                rule="REQUIRED_SIGNER", status=Status.FAIL,
                message=f"the signer {name!r} does not match {demands.signer!r}",
                where=j.facts.where, cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )  # fmt: skip


def _document_limitations(
    facts: DocumentFacts, top: tuple[Judgement, ...], policy: TrustPolicy
) -> Iterator[Limitation]:
    if facts.signatures and not top:
        yield Limitation(
            code=LimitationCode.NESTED_ONLY,
            message="only items inside the document are signed, not the document",
        )
    if facts.reference_count and facts.references is None:
        yield Limitation(
            code=LimitationCode.EVIDENCE_NOT_AVAILABLE,
            message="the cited instances were not checked: no evidence was given",
            where="(0040,A375)",
        )
    if facts.unsecured and policy.evidence_unsecured is Consequence.LIMITATION:
        yield Limitation(
            code=LimitationCode.OTHER_NOT_COVERED,
            message=f"{len(facts.unsecured)} cited instances carry no proof and could be exchanged",
            where=facts.unsecured[0],
        )
    for f in facts.findings:
        if f.rule == "VR_INFERRED":
            yield Limitation(code=LimitationCode.VR_INFERRED, message=f.message, where=f.where)


def _indication(
    facts: DocumentFacts, top: tuple[Judgement, ...], findings: list[Finding]
) -> tuple[Indication, SubIndication | None]:
    structural = [f for f in findings if f.sub_indication is SubIndication.FORMAT_FAILURE]
    broken = fold(structural)
    if broken[0] is Indication.FAILED and (facts.signatures or not top):
        return broken
    if not top:
        return Indication.NOT_SIGNED, SubIndication.NO_SIGNATURE
    return fold([*(f for j in top for f in j.findings), *findings])


def _questions(
    facts: DocumentFacts, top: tuple[Judgement, ...], references: ReferenceSummary
) -> Questions:
    return Questions(
        unchanged=_unchanged(top),
        signer="; ".join(_signer_words(j) for j in top) or "nobody",
        time="; ".join(_time_words(j) for j in top) or "unknown",
        complete=_complete_words(facts, references),
    )


def _unchanged(top: tuple[Judgement, ...]) -> str:
    subs = {f.sub_indication for j in top for f in j.findings if f.status is Status.FAIL}
    if SubIndication.HASH_FAILURE in subs or SubIndication.SIGNED_DATA_NOT_FOUND in subs:
        return "no"
    return "yes" if top and all(j.facts.integrity.is_intact for j in top) else "unknown"


def _signer_words(judgement: Judgement) -> str:
    purpose = known_purpose(judgement.facts.purpose)
    role = purpose.code.meaning if purpose is not None else "Signature without known purpose"
    chain = judgement.trust.chain if judgement.trust is not None else ()
    name = chain[0].subject if chain else "unreadable certificate"
    trusted = fold(judgement.findings)[0] is Indication.PASSED
    return f"{role}: {name}" + ("" if trusted else " (not confirmed)")


def _time_words(judgement: Judgement) -> str:
    at = judgement.facts.claimed.at
    if at is None:
        return f"unreadable: {judgement.facts.claimed.text!r}"
    return f"claimed {at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}, not proven"


def _complete_words(facts: DocumentFacts, references: ReferenceSummary) -> str:
    if not facts.reference_count:
        return "yes: nothing is cited" if is_document(facts.sop_class_uid) else "not applicable"
    if references.items is None:
        return f"unknown: {references.total} cited instances were not checked"
    matched = references.count(ReferenceResult.MATCHED)
    word = "yes" if matched == references.total else "no" if references.differs else "unknown"
    return f"{word}: {matched} of {references.total} cited instances match"


def _signature_verdict(judgement: Judgement) -> SignatureVerdict:
    facts, trust = judgement.facts, judgement.trust
    indication, sub = fold(judgement.findings)
    return SignatureVerdict(
        digital_signature_uid=facts.digital_signature_uid,
        location=facts.location,
        purpose=facts.purpose,
        signer=trust.chain[0] if trust is not None and trust.chain else None,
        claimed_at=facts.claimed.text,
        proven_at=None,
        mac_algorithm=facts.mac_algorithm,
        profile=judgement.profile,
        covers=facts.data_elements_signed,
        indication=indication,
        sub_indication=sub,
        findings=judgement.findings,
    )


def _distinct(limitations: tuple[Limitation, ...]) -> tuple[Limitation, ...]:
    return tuple(dict.fromkeys(limitations))
