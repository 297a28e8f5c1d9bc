"""Judging a set of files against a list of their digests.

The list is worth what its detached signature is worth. A list without any says at most that
nothing was damaged by accident: whoever changed a file can have changed the list.

Cites: ETSI EN 319 102-1 5; PS3.17 Annex W, case 2 (the same question about instances).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sr.findings import Finding, Indication, Limitation, Status, SubIndication
from sr.verification.detached import JudgedDetached
from sr.verification.facts import ReferenceFacts, ReferenceResult
from sr.verification.verdict import Questions, ReferenceSummary, Verdict, fold

__all__ = ["judge_file_set"]

_RULES = {
    ReferenceResult.ALTERED: ("EVIDENCE_MISMATCH", SubIndication.EVIDENCE_MISMATCH),
    ReferenceResult.MISSING: ("EVIDENCE_MISSING", SubIndication.EVIDENCE_MISSING),
}
_CITES = "ETSI EN 319 102-1 5"


def judge_file_set(
    items: tuple[ReferenceFacts, ...],
    unexpected: tuple[str, ...],
    *,
    subject: str,
    signature: JudgedDetached | None,
    of_others: bool = False,
    limitations: tuple[Limitation, ...] = (),
    policy: str,
    judged_at: datetime,
) -> Verdict:
    """Return the verdict on some files and the list they came with.

    Args:
        items: One comparison for each file listed.
        unexpected: Files that are not listed.
        subject: Name of the list.
        signature: The signature over the list, judged; ``None`` where there is none.
        of_others: Whether the list is of a kind that nobody signs: then it is undecided, where our
            own list without signature is not signed.
        limitations: What else the verdict does not vouch for.
        policy: Id of the policy that the signature was judged under.
        judged_at: When.

    Cites: ETSI EN 319 102-1 5.1.3.
    """
    references = ReferenceSummary(total=len(items), items=items, unexpected=unexpected)
    findings = tuple(_findings(items, unexpected, unsigned=signature is None))
    judged = (signature.verdict,) if signature is not None else ()
    indication, sub = fold([*(f for s in judged for f in s.findings), *findings])
    if signature is None and not of_others:
        indication, sub = Indication.NOT_SIGNED, SubIndication.NO_SIGNATURE
    return Verdict(
        subject=subject,
        sop_class_uid="",
        sop_instance_uid="",
        indication=indication,
        sub_indication=sub,
        judged_at=judged_at,
        policy=policy,
        questions=_questions(signature, references),
        signatures=judged,
        findings=findings,
        limitations=(*(signature.limitations if signature else ()), *limitations),
        uncovered=(),
        references=references,
    )


def _findings(
    items: tuple[ReferenceFacts, ...], unexpected: tuple[str, ...], *, unsigned: bool
) -> Iterator[Finding]:
    if unsigned:
        yield Finding(
            rule="ORIGIN_UNKNOWN", status=Status.FAIL,
            message="nobody signed the list: what matches was not damaged by accident, but who "
            "changed a file can have changed the list",
            cites=_CITES, sub_indication=SubIndication.NO_SIGNATURE,
        )  # fmt: skip
    for item in items:
        if item.result in _RULES:
            rule, sub = _RULES[item.result]
            yield Finding(
                rule=rule, status=Status.FAIL, message=f"{item.where} is {item.result}",
                where=item.where, cites=_CITES, sub_indication=sub,
            )  # fmt: skip
        yield from item.findings
    for file in unexpected:
        yield Finding(
            rule="EVIDENCE_UNEXPECTED", status=Status.FAIL, message=f"{file} is not listed",
            where=file, cites=_CITES, sub_indication=SubIndication.EVIDENCE_MISMATCH,
        )  # fmt: skip


def _questions(signature: JudgedDetached | None, references: ReferenceSummary) -> Questions:
    matched = references.count(ReferenceResult.MATCHED)
    whole = matched == references.total and not references.unexpected
    intact = signature is not None and signature.is_intact
    altered = references.count(ReferenceResult.ALTERED) > 0
    word = "yes" if whole else "no"
    return Questions(
        unchanged="no"
        if altered
        else "yes"
        if intact and matched == references.total
        else "unknown",
        signer=_signer(signature),
        time=_time(signature),
        complete=f"{word}: {matched} of {references.total} listed files match",
    )


def _signer(signature: JudgedDetached | None) -> str:
    if signature is None:
        return "nobody"
    signer = signature.verdict.signer
    name = signer.subject if signer is not None else "unreadable certificate"
    confirmed = signature.verdict.indication is Indication.PASSED
    return name if confirmed else f"{name} (not confirmed)"


def _time(signature: JudgedDetached | None) -> str:
    if signature is None or not signature.verdict.claimed_at:
        return "unknown"
    proven = signature.verdict.proven_at
    if proven is not None:
        return f"proven {proven.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"claimed {signature.verdict.claimed_at}, not proven"
