"""Documents, their versions as bytes, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from sr.errors import ConflictError, NotFoundError
from sr.store.rows import row_of
from sr.store.schema import documents, remarks, versions

__all__ = [
    "Document",
    "DocumentKind",
    "DocumentState",
    "Version",
    "add_document",
    "add_documents",
    "add_remark",
    "add_version",
    "add_versions",
    "change_document",
    "change_documents",
    "content_of",
    "document_from",
    "get_document",
    "get_documents",
    "get_with_bytes",
    "revised",
    "version_of",
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


_T = TypeVar("_T")
_FIELDS = tuple(each.name for each in fields(Document))
_COLUMNS = tuple(documents.c.keys())
_AS_READ = ("sop_instance_uid", "revision", "state")
_ADD_DOCUMENT, _ADD_VERSION = insert(documents), insert(versions)
_CHANGE_DOCUMENT = update(documents).where(
    *(documents.c[name] == bindparam(f"read_{name}") for name in _AS_READ)
)
_DOCUMENT = select(documents).where(documents.c.sop_instance_uid == bindparam("uid"))
_NAMED = documents.c.sop_instance_uid.in_(bindparam("uids", expanding=True))
_DOCUMENTS = select(documents).where(_NAMED)
_WITH_BYTES = (
    select(documents, versions.c.content)
    .join(
        versions,
        (versions.c.sop_instance_uid == documents.c.sop_instance_uid)
        & (versions.c.revision == documents.c.revision),
    )
    .where(_NAMED)
)
_VERSION = (
    select(versions)
    .where(versions.c.sop_instance_uid == bindparam("uid"))
    .where(versions.c.revision == bindparam("revision"))
)
_WRITERS = (
    select(versions.c.created_by)
    .join(documents, documents.c.sop_instance_uid == versions.c.sop_instance_uid)
    .where(documents.c.lineage.in_(bindparam("lineages", expanding=True)))
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
    add_documents(connection, (document,))
    add_versions(connection, (version_of(document, content, signed=signed, by=by, source=source),))


def add_documents(connection: Connection, new: Sequence[Document]) -> None:
    """Write new documents, whose versions are to follow."""
    connection.execute(_ADD_DOCUMENT, [row_of(each) for each in new])


def add_versions(connection: Connection, new: Sequence[Version]) -> None:
    """Write versions of documents that are there as they are with them."""
    connection.execute(_ADD_VERSION, [row_of(each) for each in new])


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
    changed = replace(revised(document, content, at=at), **(changes or {}))
    change_documents(connection, ((document, changed),))
    add_versions(connection, (version_of(changed, content, signed=signed, by=by, source=source),))
    return changed


def revised(document: Document, content: bytes, *, at: datetime) -> Document:
    """Return a document with a further version as its current one."""
    return replace(
        document,
        revision=document.revision + 1,
        sha256=sha256(content).hexdigest(),
        changed_at=at,
    )


def version_of(
    document: Document,
    content: bytes,
    *,
    signed: bool,
    by: str,
    source: dict[str, Any] | None = None,
) -> Version:
    """Return the current version of a document."""
    return Version(
        sop_instance_uid=document.sop_instance_uid,
        revision=document.revision,
        content=content,
        sha256=document.sha256,
        signed=signed,
        source=source,
        created_at=document.changed_at,
        created_by=by,
    )


def change_document(
    connection: Connection, document: Document, changes: Mapping[str, Any]
) -> Document:
    """Change what the worklist knows of a document as it was read.

    Raises:
        ConflictError: Another version was written since it was read, or its state changed.
    """
    changed = replace(document, **changes)
    change_documents(connection, ((document, changed),))
    return changed


def change_documents(connection: Connection, changes: Sequence[tuple[Document, Document]]) -> None:
    """Change documents, each from what was read to what it is now, in one statement.

    Raises:
        ConflictError: Another version of one was written since it was read, or its state changed.
    """
    names = {"changed_at"} | {
        name for old, new in changes for name in _FIELDS if getattr(old, name) != getattr(new, name)
    }
    rows = [
        {f"read_{name}": getattr(old, name) for name in _AS_READ}
        | {name: getattr(new, name) for name in names}
        for old, new in changes
    ]
    if connection.execute(_CHANGE_DOCUMENT, rows).rowcount != len(rows):
        raise ConflictError("a document was changed meanwhile", hint="load it again")


def get_document(connection: Connection, sop_instance_uid: str) -> Document:
    """Return a document.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_DOCUMENT, {"uid": sop_instance_uid}).one_or_none()
    if row is None:
        raise NotFoundError("there is no such document", where="(0008,0018)")
    return document_from(row)


def get_documents(connection: Connection, uids: Collection[str]) -> tuple[Document, ...]:
    """Return documents by their SOP Instance UIDs, in the order of these.

    Raises:
        NotFoundError: One is not there.
    """
    found = connection.execute(_DOCUMENTS, {"uids": tuple(uids)})
    return _in_order(uids, {each.sop_instance_uid: each for each in map(document_from, found)})


def get_with_bytes(
    connection: Connection, uids: Collection[str]
) -> tuple[tuple[Document, bytes], ...]:
    """Return documents as ``get_documents`` does, each with the bytes of its current version.

    Raises:
        NotFoundError: One is not there.
    """
    rows = connection.execute(_WITH_BYTES, {"uids": tuple(uids)})
    found = {row.sop_instance_uid: (document_from(row), row.content) for row in rows}
    return _in_order(uids, found)


def _in_order(uids: Collection[str], found: Mapping[str, _T]) -> tuple[_T, ...]:
    try:
        return tuple(found[uid] for uid in uids)
    except KeyError:
        raise NotFoundError("there is no such document", where="(0008,0018)") from None


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


def writers_of(connection: Connection, lineages: Collection[str]) -> frozenset[str]:
    """Return the ids of the users who wrote unsigned versions of documents or their forebears."""
    return frozenset(connection.execute(_WRITERS, {"lineages": tuple(lineages)}).scalars())


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


def document_from(row: Row[Any]) -> Document:
    """Return a document as a row that begins with the columns of the table has it."""
    values = dict(zip(_COLUMNS, row, strict=False))
    values["kind"] = DocumentKind(values["kind"])
    values["state"] = DocumentState(values["state"])
    return Document(**values)
