"""The four questions of a verdict, each with a state that a page can colour.

Cites: PS3.17 Annex W.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sr.app.views.wording import purpose_words
from sr.findings import Indication
from sr.signature.purpose import known_purpose
from sr.verification import Verdict
from sr.verification.render import short_name
from sr.verification.verdict import SignatureVerdict

__all__ = ["Answer", "AnswerState", "answers", "purpose_name", "signer_name"]


_UTC = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z")


class AnswerState(StrEnum):
    """How a question was answered."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question and its answer."""

    question: str
    state: AnswerState
    words: tuple[str, ...]
    """What it rests on, a line each."""


def answers(verdict: Verdict) -> tuple[Answer, ...]:
    """Return the four questions: unchanged, who, when, complete.

    Cites: PS3.17 Annex W.
    """
    said = verdict.questions
    signed = tuple(s for s in verdict.signatures if not s.location)
    unchanged, signer, time = (
        (_unchanged(verdict), _signer(verdict), _time(verdict))
        if signed
        else (AnswerState.NOT_ASKED,) * 3
    )
    return (
        Answer(question="Unchanged since signed?", state=unchanged, words=_words(said.unchanged)),
        Answer(question="Who signed?", state=signer, words=_signers(verdict)),
        Answer(question="When?", state=time, words=_words(said.time)),
        Answer(
            question="Complete?",
            state=_complete(verdict),
            words=_words(said.complete.partition(": ")[2]),
        ),
    )


def _words(text: str) -> tuple[str, ...]:
    plain = {state.value for state in AnswerState}
    text = _UTC.sub(r"\1 \2 UTC", text)
    return tuple(part for part in text.split("; ") if part and part not in plain)


def _signers(verdict: Verdict) -> tuple[str, ...]:
    return tuple(
        f"{signer_name(signature)}: {purpose_name(signature)}"
        + ("" if signature.indication is Indication.PASSED else " (not confirmed)")
        for signature in verdict.signatures
        if not signature.location
    ) or ("nobody",)


def signer_name(signature: SignatureVerdict) -> str:
    """Return how a page calls who signed."""
    signer = signature.signer
    return short_name(signer.subject) if signer else "an unreadable certificate"


def purpose_name(signature: SignatureVerdict) -> str:
    """Return the meaning of CID 7007; the one in the file identifies nothing.

    Cites: PS3.16 CID 7007.
    """
    known = known_purpose(signature.purpose)
    return purpose_words(known) if known is not None else "signature without known purpose"


def _unchanged(verdict: Verdict) -> AnswerState:
    return AnswerState(verdict.questions.unchanged)


def _signer(verdict: Verdict) -> AnswerState:
    found = {s.indication for s in verdict.signatures if not s.location}
    if Indication.FAILED in found:
        return AnswerState.NO
    return AnswerState.YES if found == {Indication.PASSED} else AnswerState.UNKNOWN


def _time(verdict: Verdict) -> AnswerState:
    proven = [s.proven_at is not None for s in verdict.signatures if not s.location]
    return AnswerState.YES if all(proven) else AnswerState.UNKNOWN


def _complete(verdict: Verdict) -> AnswerState:
    word = verdict.questions.complete.partition(":")[0]
    if verdict.references.total and verdict.references.items is None:
        return AnswerState.NOT_ASKED
    return AnswerState(word) if word in set(AnswerState) else AnswerState.NOT_ASKED
