"""The four questions in words: unchanged, who, when, complete.

Cites: PS3.17 Annex W.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sr.findings import Indication, Status, SubIndication
from sr.signature.documents import is_document
from sr.signature.purpose import known_purpose
from sr.verification.facts import DocumentFacts, ReferenceResult
from sr.verification.signature_rules import Judgement
from sr.verification.verdict import Questions, ReferenceSummary, fold

__all__ = ["questions"]


def questions(
    facts: DocumentFacts, top: tuple[Judgement, ...], references: ReferenceSummary
) -> Questions:
    """Return the answers to the four questions.

    Cites: PS3.17 Annex W.
    """
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
    claimed, stamp = judgement.facts.claimed, judgement.timestamp
    words = f"unreadable: {claimed.text!r}"
    if claimed.at is not None:
        words = f"claimed {_utc(claimed.at)}"
    if judgement.proven_at is None:
        return f"{words}, not proven"
    own = stamp is not None and stamp.proven_at == judgement.proven_at
    by = stamp.chain[0].subject if stamp is not None and own else "an archive time-stamp"
    return f"{words}, existed by {_utc(judgement.proven_at)} as proven by {by}"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _complete_words(facts: DocumentFacts, references: ReferenceSummary) -> str:
    if not facts.reference_count:
        return "yes: nothing is cited" if is_document(facts.sop_class_uid) else "not applicable"
    if references.items is None:
        return f"unknown: {references.total} cited instances were not checked"
    matched = references.count(ReferenceResult.MATCHED)
    word = "yes" if matched == references.total else "no" if references.differs else "unknown"
    return f"{word}: {matched} of {references.total} cited instances match"
