"""Documents and verdicts as JSON objects, as several resources show them.

Cites: ETSI EN 319 102-1 5.1.4.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from sr.store.documents import Document, DocumentKind, DocumentState
from sr.verification import Verdict
from sr.web.guard.bodies import View
from sr.web.parameters import entity_tag

__all__ = [
    "DocumentList",
    "DocumentView",
    "VerdictView",
    "document_headers",
    "document_view",
    "verdict_view",
]


class DocumentView(View):
    """What the worklist knows of a document; its bytes are at ``…/file``."""

    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    lineage: str
    """SOP Instance UID of the first document that it goes back to, or its own."""
    predecessor: str | None
    kind: DocumentKind
    state: DocumentState
    title: str
    patient_name: str
    patient_id: str
    template: str | None
    owner: str
    approver: str | None
    revision: int
    sha256: str
    """Of its bytes, lower-case hexadecimal; its ETag, and what a signing session is given."""
    indication: str | None
    sub_indication: str | None
    created_at: datetime
    changed_at: datetime


class DocumentList(View):
    """Some documents, those that changed last first."""

    items: list[DocumentView]
    next_offset: int | None
    """Where the next page begins; ``null`` where this is the last."""


class _Closed(View):
    model_config = ConfigDict(extra="forbid")


class CodeView(_Closed):
    """A coded concept."""

    code: str
    scheme: str
    meaning: str


class SignerView(_Closed):
    """A certificate, in short."""

    subject: str
    issuer: str
    serial: str
    sha256: str


class FindingView(_Closed):
    """The outcome of one rule."""

    rule: str
    status: Literal["FAIL", "WARN", "NOTICE", "PASS", "NOT_APPLICABLE"]
    message: str
    where: str | None
    cites: str


class LimitationView(_Closed):
    """Something that a verdict does not vouch for."""

    code: str
    where: str | None
    message: str


class QuestionsView(_Closed):
    """The four questions that people ask."""

    unchanged: str
    signer: str
    time: str
    complete: str


class SignatureVerdictView(_Closed):
    """The verdict on one signature."""

    digital_signature_uid: str
    location: str
    """Item of a sequence that it is in; empty for the document itself."""
    purpose: CodeView | None
    signer: SignerView | None
    claimed_at: str | None
    """As in the file (DICOM DT), not checked for being a time."""
    proven_at: str | None
    """Time of a valid time-stamp, RFC 3339."""
    mac_algorithm: str | None
    profile: str | None
    covers: list[str]
    """Tags of the data elements that it covers."""
    indication: Literal["PASSED", "INDETERMINATE", "FAILED"]
    sub_indication: str | None
    findings: list[FindingView]


class ReferenceView(_Closed):
    """How one cited instance compares with its proof."""

    sop_instance_uid: str | None
    result: Literal["matched", "altered", "missing", "unsecured", "undecided", "unexpected"]
    by: list[str]
    file: str | None


class ReferencesView(_Closed):
    """How the cited instances compare, counted."""

    total: int
    matched: int
    altered: int
    missing: int
    unsecured: int
    undecided: int
    unexpected: int
    items: list[ReferenceView]


class VerdictView(_Closed):
    """The verdict on one file: the same object as ``srsign check --json`` prints."""

    schema_version: Literal[1]
    subject: str
    """What was judged: the name of a file, or a SOP Instance UID."""
    sop_class_uid: str
    sop_instance_uid: str
    indication: Literal["PASSED", "INDETERMINATE", "FAILED", "NOT_SIGNED"]
    sub_indication: str | None
    """Why, in the words of EN 319 102-1 where one fits; none where it is PASSED."""
    judged_at: str
    policy: str
    """Id of the policy."""
    questions: QuestionsView
    signatures: list[SignatureVerdictView]
    findings: list[FindingView]
    """About the document; those about a signature are with it."""
    limitations: list[LimitationView]
    """What the verdict does not vouch for, also where it is PASSED."""
    uncovered: list[str]
    """Attributes that no signature covers."""
    references: ReferencesView
    """How the cited instances compare with those that were at hand."""


def document_view(document: Document) -> DocumentView:
    """Return a document as a JSON object."""
    return DocumentView.model_validate(document)


def document_headers(document: Document, place: str | None = None) -> dict[str, str]:
    """Return the headers of an answer about a document, with its address where it is new."""
    headers = {"ETag": entity_tag(document.sha256)}
    if place is not None:
        headers["Location"] = f"/api/v1/{place}/{document.sop_instance_uid}"
    return headers


def verdict_view(verdict: Verdict) -> VerdictView:
    """Return a verdict as a JSON object."""
    return VerdictView.model_validate(verdict.as_dict())
