"""Documents, their versions as bytes, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from sr.errors import ConflictError, NotFoundError
from sr.store.rows import row_of
from sr.store.schema import documents, remarks, versions

__all__ = [
    "Document",
    "DocumentKind",
    "DocumentState",
    "Version",
    "add_document",
    "add_remark",
    "add_version",
    "change_document",
    "content_of",
    "document_from",
    "get_document",
    "versions_of",
    "writers_of",
]


class DocumentKind(StrEnum):
    """What a document is for."""

    REPORT = "report"
    KEY_OBJECT = "key-object"
    SEAL = "seal"
    MANIFEST = "manifest"


class DocumentState(StrEnum):
    """Where a document stands in its life."""

    DRAFT = "draft"
    RETURNED = "returned"
    """A supervisor wants it changed."""
    SIGNED = "signed"
    APPROVED = "approved"
    SUPERSEDED = "superseded"
    """Another document took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as the worklist knows it; its bytes are a version of it."""

    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    lineage: str
    """SOP Instance UID of the first document that it goes back to, or its own."""
    predecessor: str | None = None
    kind: DocumentKind
    state: DocumentState
    title: str
    patient_name: str
    patient_id: str
    template: str | None = None
    owner: str
    """Id of the user who wrote it."""
    approver: str | None = None
    revision: int = 1
    sha256: str
    """Of the current version."""
    indication: str | None = None
    """Of its last verdict."""
    sub_indication: str | None = None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The bytes of a document at one point of its life."""

    sop_instance_uid: str
    revision: int
    content: bytes
    sha256: str
    signed: bool
    source: dict[str, Any] | None
    created_at: datetime
    created_by: str


_AS_READ = ("sop_instance_uid", "revision", "state")
_ADD_DOCUMENT, _ADD_VERSION = insert(documents), insert(versions)
_CHANGE_DOCUMENT = update(documents).where(
    *(documents.c[name] == bindparam(f"read_{name}") for name in _AS_READ)
)
_DOCUMENT = select(documents).where(documents.c.sop_instance_uid == bindparam("uid"))
_VERSION = (
    select(versions)
    .where(versions.c.sop_instance_uid == bindparam("uid"))
    .where(versions.c.revision == bindparam("revision"))
)
_WRITERS = (
    select(versions.c.created_by)
    .join(documents, documents.c.sop_instance_uid == versions.c.sop_instance_uid)
    .where(documents.c.lineage == bindparam("lineage"))
    .where(versions.c.signed.is_(False))
)
"""Statements are built once: that takes longer than carrying one out."""


def add_document(
    connection: Connection,
    document: Document,
    content: bytes,
    *,
    signed: bool,
    by: str,
    source: dict[str, Any] | None = None,
) -> None:
    """Write a new document and its first version."""
    connection.execute(_ADD_DOCUMENT, row_of(document))
    _write(connection, document, content, signed=signed, by=by, source=source)


def add_version(
    connection: Connection,
    document: Document,
    content: bytes,
    *,
    signed: bool,
    by: str,
    at: datetime,
    source: dict[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Document:
    """Write a further version of a document as it was read, and return the document as it is now.

    Raises:
        ConflictError: Another version was written since it was read.
    """
    now = {
        "revision": document.revision + 1,
        "sha256": sha256(content).hexdigest(),
        "changed_at": at,
        **(changes or {}),
    }
    changed = change_document(connection, document, now)
    _write(connection, changed, content, signed=signed, by=by, source=source)
    return changed


def change_document(
    connection: Connection, document: Document, changes: Mapping[str, Any]
) -> Document:
    """Change what the worklist knows of a document as it was read.

    Raises:
        ConflictError: Another version was written since it was read, or its state changed.
    """
    as_read = {f"read_{name}": getattr(document, name) for name in _AS_READ}
    found = connection.execute(_CHANGE_DOCUMENT, {**changes, **as_read})
    if found.rowcount != 1:
        raise ConflictError("the document was changed meanwhile", hint="load it again")
    return get_document(connection, document.sop_instance_uid)


def _write(
    connection: Connection,
    document: Document,
    content: bytes,
    *,
    signed: bool,
    by: str,
    source: dict[str, Any] | None,
) -> None:
    connection.execute(
        _ADD_VERSION,
        {
            "sop_instance_uid": document.sop_instance_uid,
            "revision": document.revision,
            "content": content,
            "sha256": document.sha256,
            "signed": signed,
            "source": source,
            "created_at": document.changed_at,
            "created_by": by,
        },
    )


def get_document(connection: Connection, sop_instance_uid: str) -> Document:
    """Return a document.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_DOCUMENT, {"uid": sop_instance_uid}).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such document", where="(0008,0018)")
    return document_from(row)


def content_of(
    connection: Connection, sop_instance_uid: str, revision: int | None = None
) -> Version:
    """Return a version of a document, the current one where none is named.

    Raises:
        NotFoundError: There is none.
    """
    if revision is None:
        revision = get_document(connection, sop_instance_uid).revision
    named = {"uid": sop_instance_uid, "revision": revision}
    row = connection.execute(_VERSION, named).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such version", where="(0008,0018)")
    return Version(**row)


def writers_of(connection: Connection, lineage: str) -> frozenset[str]:
    """Return the ids of the users who wrote unsigned versions of a document or its forebears."""
    return frozenset(connection.execute(_WRITERS, {"lineage": lineage}).scalars())


def add_remark(
    connection: Connection, sop_instance_uid: str, *, by: str, at: datetime, text: str
) -> None:
    """Keep what somebody says about a document."""
    connection.execute(
        insert(remarks).values(sop_instance_uid=sop_instance_uid, user_id=by, at=at, text=text)
    )


def versions_of(connection: Connection, sop_instance_uid: str) -> tuple[Version, ...]:
    """Return every version of a document, oldest first."""
    query = (
        select(versions)
        .where(versions.c.sop_instance_uid == sop_instance_uid)
        .order_by(versions.c.revision)
    )
    return tuple(Version(**row) for row in connection.execute(query).mappings())


def document_from(row: Mapping[Any, Any]) -> Document:
    """Return a document as a row of the table has it."""
    values = dict(row)
    values["kind"] = DocumentKind(values["kind"])
    values["state"] = DocumentState(values["state"])
    return Document(**values)
