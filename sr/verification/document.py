"""Judging a document: facts, policy and time to one verdict.

A pure function: the same facts judged under another policy, or at another time, are another
verdict. The order of the rules follows EN 319 102-1: format, integrity, constraints, trust, then
what DICOM adds: purpose, verification, coverage, evidence.

Cites: ETSI EN 319 102-1 5; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sr.codes import SignaturePurpose
from sr.dicomfile.tags import describe_tag, format_tag
from sr.findings import Finding, Indication, Limitation, LimitationCode, Status, SubIndication
from sr.signature.purpose import known_purpose
from sr.trust import TrustMaterial, TrustPolicy
from sr.trust.policy import Consequence
from sr.verification.document_rules import (
    Demands,
    coverage_findings,
    coverage_limitations,
    demand_findings,
    evidence_findings,
    is_author_kind,
    is_valid,
    lifecycle,
    uncovered_by_any,
)
from sr.verification.facts import DocumentFacts
from sr.verification.identity import four_eyes, observer_findings, role_findings
from sr.verification.questions import questions
from sr.verification.record import Record, held_against_record, stripped_findings
from sr.verification.reference_rules import judge_references, reference_limitations
from sr.verification.signature_rules import Judgement, judge_signature, weigh
from sr.verification.verdict import (
    Questions,
    ReferenceSummary,
    SignatureVerdict,
    Verdict,
    fold,
)

__all__ = ["Demands", "format_failure_verdict", "judge"]

_NO_DEMANDS = Demands()
_PREDECESSORS = 0x0040A360
_ADDED = format_tag(_PREDECESSORS)


def judge(
    facts: DocumentFacts,
    *,
    subject: str,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
    demands: Demands = _NO_DEMANDS,
    record: Record | None = None,
    proven_at: datetime | None = None,
) -> Verdict:
    """Return the verdict on a document.

    Args:
        facts: From ``gather``.
        subject: What the verdict is about, e.g. the file name.
        policy: What is demanded.
        material: Anchors, intermediates and revocation lists.
        judged_at: The time to judge at.
        demands: Purposes and signers the caller requires.
        record: What was remembered of documents; ``None`` where there is no record.
        proven_at: When something else, such as a bundle, proves that all of it existed.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: ETSI EN 319 102-1 5; PS3.15 A.4, C.4.
    """
    if facts.references is not None:
        compared = judge_references(
            facts.references, policy=policy, material=material, judged_at=judged_at
        )
        facts = replace(facts, references=compared)
    judgements = tuple(
        judge_signature(
            facts, s, policy=policy, material=material, judged_at=judged_at, proven_at=proven_at
        )
        for s in facts.signatures
    )
    judgements = tuple(held_against_record(j, record, policy) for j in judgements)
    judgements, added = _excuse_later_additions(judgements)
    top = tuple(j for j in judgements if j.facts.at_top_level)
    valid = tuple(j for j in top if is_valid(j))
    uncovered = uncovered_by_any(facts, valid)
    findings = [
        *facts.findings,
        *_nested_structure(judgements),
        *lifecycle(facts, top, valid),
        *four_eyes(facts, top, policy.identity),
        *observer_findings(facts, valid, policy.identity),
        *role_findings(top, policy.identity),
        *coverage_findings(uncovered, valid, policy),
        *evidence_findings(facts, policy),
        *demand_findings(top, demands),
        *stripped_findings(facts, record),
    ]
    findings = list(weigh(findings, policy))
    limitations = (
        *(limit for j in top for limit in j.limitations),
        *added,
        *coverage_limitations(uncovered, valid),
        *_document_limitations(facts, top, policy),
    )
    indication, sub = _indication(top, findings)
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
        questions=questions(facts, top, references),
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


def _excuse_later_additions(
    judgements: tuple[Judgement, ...],
) -> tuple[tuple[Judgement, ...], tuple[Limitation, ...]]:
    """A predecessor named at approval, and covered by it, is no fault of the author's signature.

    Nothing else is excused: a signature over part of a report, moved to another report that a
    second person signed as a whole, must not pass for an author's.
    """
    approved = any(
        j.facts.at_top_level
        and is_valid(j)
        and known_purpose(j.facts.purpose) is SignaturePurpose.VERIFICATION
        and _PREDECESSORS in j.facts.data_elements_signed
        for j in judgements
    )
    excused: list[Limitation] = []
    result = []
    for judgement in judgements:
        late = [f for f in judgement.findings if f.rule == "SR_MIN" and f.where == _ADDED]
        if not (late and approved and is_author_kind(judgement) and judgement.facts.at_top_level):
            result.append(judgement)
            continue
        excused.append(
            Limitation(
                code=LimitationCode.ADDED_AFTER_SIGNING,
                message=f"{describe_tag(_PREDECESSORS)} was added after the author signed; the "
                "signature of the approval covers it",
                where=_ADDED,
            )
        )
        findings = tuple(
            replace(f, status=Status.NOTICE) if f in late else f for f in judgement.findings
        )
        short = any(f.rule == "SR_MIN" and f.status is Status.FAIL for f in findings)
        conforms = judgement.profile is not None and not short
        profile = "structured-report" if conforms else judgement.profile
        result.append(replace(judgement, findings=findings, profile=profile))
    return tuple(result), tuple(excused)


def _nested_structure(judgements: tuple[Judgement, ...]) -> Iterator[Finding]:
    """A malformed signature inside an item hides content, whoever it vouches for."""
    for j in judgements:
        if not j.facts.at_top_level:
            yield from (
                f
                for f in j.facts.findings
                if f.status is Status.FAIL and f.sub_indication is SubIndication.FORMAT_FAILURE
            )


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
    yield from reference_limitations(facts.references or ())
    for f in facts.findings:
        if f.rule == "VR_INFERRED":
            yield Limitation(code=LimitationCode.VR_INFERRED, message=f.message, where=f.where)


def _indication(
    top: tuple[Judgement, ...], findings: list[Finding]
) -> tuple[Indication, SubIndication | None]:
    structural = [f for f in findings if f.sub_indication is SubIndication.FORMAT_FAILURE]
    broken = fold(structural)
    if broken[0] is Indication.FAILED:
        return broken
    if not top:
        return Indication.NOT_SIGNED, SubIndication.NO_SIGNATURE
    return fold([*(f for j in top for f in j.findings), *findings])


def _signature_verdict(judgement: Judgement) -> SignatureVerdict:
    facts, trust = judgement.facts, judgement.trust
    indication, sub = fold(judgement.findings)
    return SignatureVerdict(
        digital_signature_uid=facts.digital_signature_uid,
        location=facts.location,
        purpose=facts.purpose,
        signer=trust.chain[0] if trust is not None and trust.chain else None,
        claimed_at=facts.claimed.text,
        proven_at=judgement.proven_at,
        mac_algorithm=facts.mac_algorithm,
        profile=judgement.profile,
        covers=facts.data_elements_signed,
        indication=indication,
        sub_indication=sub,
        findings=judgement.findings,
        chain=trust.chain if trust is not None else (),
    )


def _distinct(limitations: tuple[Limitation, ...]) -> tuple[Limitation, ...]:
    return tuple(dict.fromkeys(limitations))
