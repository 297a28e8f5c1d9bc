"""Gather, then judge: facts about a file, and the one verdict they amount to."""

from sr.verification.document import Demands, judge
from sr.verification.facts import DocumentFacts, ReferenceFacts, SignatureFacts
from sr.verification.gather import gather
from sr.verification.references import Candidate, compare_references
from sr.verification.verdict import SignatureVerdict, Verdict

__all__ = [
    "Candidate",
    "Demands",
    "DocumentFacts",
    "ReferenceFacts",
    "SignatureFacts",
    "SignatureVerdict",
    "Verdict",
    "compare_references",
    "gather",
    "judge",
]
