"""Use cases: the worklist, one document, its bytes."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.app.check import refusal
from sr.app.document_view import title_of
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.errors import DatasetError, NotDICOMError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    Version,
    content_of,
    find_documents,
    get_document,
)
from sr.verification import Verdict, gather, judge
from sr.verification.document import format_failure_verdict

__all__ = ["described", "document_bytes", "open_document", "verdict_on", "worklist"]

_CLASS, _INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020


def worklist(
    context: Context,
    principal: Principal,
    *,
    states: tuple[DocumentState, ...] = (),
    kinds: tuple[DocumentKind, ...] = (),
    mine: bool | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[Document, ...]:
    """Return documents, those that changed last first.

    Args:
        context: The service.
        principal: Who asks.
        states: Only these, all where empty.
        kinds: Only these, all where empty.
        mine: Whether the principal wrote them; ``None`` for either.
        limit: At most so many.
        offset: After so many.

    Raises:
        AccessError: The principal may not read documents.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        found = find_documents(
            connection,
            states=states,
            kinds=kinds,
            owner=principal.user_id if mine else None,
            not_owner=principal.user_id if mine is False else None,
            limit=limit,
            offset=offset,
        )
        record(context, connection, principal, AuditAction.SEARCHED)
    return found


def open_document(
    context: Context, principal: Principal, sop_instance_uid: str
) -> tuple[Document, Version]:
    """Return a document and its bytes as they stand.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        document = get_document(connection, sop_instance_uid)
        version = content_of(connection, sop_instance_uid, document.revision)
        record(context, connection, principal, AuditAction.REPORT_READ, document=document)
    return document, version


def document_bytes(connection: Connection, document: Document) -> bytes:
    """Return the bytes of a document as it was read."""
    return content_of(connection, document.sop_instance_uid, document.revision).content


def described(
    file: DICOMFile,
    *,
    kind: DocumentKind,
    state: DocumentState,
    owner: str,
    at: datetime,
    lineage: str | None = None,
    predecessor: str | None = None,
    template: str | None = None,
) -> Document:
    """Return what the worklist knows of a new document, read from its bytes."""
    dataset = file.dataset
    uid = dataset.text(_INSTANCE)
    return Document(
        sop_instance_uid=uid,
        sop_class_uid=dataset.text(_CLASS),
        study_instance_uid=dataset.text(_STUDY),
        series_instance_uid=dataset.text(_SERIES),
        lineage=lineage or uid,
        predecessor=predecessor,
        kind=kind,
        state=state,
        title=title_of(dataset),
        patient_name=dataset.text(_PATIENT_NAME),
        patient_id=dataset.text(_PATIENT_ID),
        template=template,
        owner=owner,
        sha256=sha256(file.source.read_at(0, file.source.size)).hexdigest(),
        created_at=at,
        changed_at=at,
    )


def verdict_on(context: Context, content: bytes, subject: str) -> Verdict:
    """Return the verdict on some bytes, under the policy and the trust of the service.

    Raises:
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5.
    """
    at = context.ports.now()
    try:
        facts = gather(read(BytesSource(content), limits=context.limits))
    except DatasetError as error:
        if isinstance(error, NotDICOMError):
            raise
        return format_failure_verdict(
            refusal(error), subject=subject, policy=context.policy.id, judged_at=at
        )
    return judge(
        facts,
        subject=subject,
        policy=context.policy,
        material=context.material(),
        judged_at=at,
    )
