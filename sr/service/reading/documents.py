"""Use cases: find documents, read one, its bytes, its versions, what was said about it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.app.views.document_view import title_of
from sr.dicomfile import DICOMFile
from sr.errors import NotFoundError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import event, record
from sr.store.audit import append_rows
from sr.store.document_search import DocumentQuery, Remark, remarks_of, search_documents
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    Version,
    content_of,
    get_document,
    versions_of,
)

__all__ = [
    "described",
    "document_of",
    "document_remarks",
    "document_versions",
    "find_documents",
    "open_document",
]

_CLASS, _INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020


def find_documents(
    context: Context, principal: Principal, query: DocumentQuery, *, limit: int, offset: int = 0
) -> tuple[Document, ...]:
    """Return documents, those that changed last first.

    Args:
        context: The service.
        principal: Who asks.
        query: Which.
        limit: At most so many.
        offset: After so many.

    Raises:
        AccessError: The principal may not read documents.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.read() as connection:
        found = search_documents(connection, query, limit=limit, offset=offset)
    searched = event(context, principal, AuditAction.SEARCHED)
    with context.database.write(brief=True) as connection:
        append_rows(connection, (searched,))
    return found


def open_document(
    context: Context,
    principal: Principal,
    sop_instance_uid: str,
    *,
    kind: DocumentKind | None = None,
    revision: int | None = None,
    action: AuditAction = AuditAction.REPORT_READ,
) -> tuple[Document, Version]:
    """Return a document and its bytes.

    Args:
        context: The service.
        principal: Who asks.
        sop_instance_uid: The document.
        kind: What it has to be; ``None`` for anything.
        revision: Which version; the current one where left out.
        action: What the audit says.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        document = document_of(connection, sop_instance_uid, kind)
        version = content_of(connection, sop_instance_uid, revision or document.revision)
        subject = principal.address if action is AuditAction.EXPORTED else ""
        record(context, connection, principal, action, document=document, subject=subject)
    return document, version


def document_versions(
    context: Context, principal: Principal, sop_instance_uid: str, *, kind: DocumentKind
) -> tuple[Version, ...]:
    """Return every version of a document, oldest first.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        document = document_of(connection, sop_instance_uid, kind)
        found = versions_of(connection, sop_instance_uid)
        record(context, connection, principal, AuditAction.REPORT_READ, document=document)
    return found


def document_remarks(
    context: Context, principal: Principal, sop_instance_uid: str, *, kind: DocumentKind
) -> tuple[Remark, ...]:
    """Return what was said about a document, oldest first.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        document = document_of(connection, sop_instance_uid, kind)
        found = remarks_of(connection, (sop_instance_uid,))
        record(context, connection, principal, AuditAction.REPORT_READ, document=document)
    return found


def document_of(
    connection: Connection, sop_instance_uid: str, kind: DocumentKind | None
) -> Document:
    """Return a document that is of a kind.

    Raises:
        NotFoundError: There is none.
    """
    document = get_document(connection, sop_instance_uid)
    if kind is not None and document.kind is not kind:
        raise NotFoundError(f"there is no such {kind.value}", where="(0008,0018)")
    return document


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
