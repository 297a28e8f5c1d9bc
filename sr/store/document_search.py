"""Finding documents: what a worklist asks for, counted and a page at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, func, select

from sr.store.documents import Document, DocumentKind, DocumentState, document_from
from sr.store.schema import documents, remarks, users

__all__ = [
    "DocumentOrder",
    "DocumentQuery",
    "Remark",
    "count_documents",
    "display_names",
    "lineage_of",
    "remarks_of",
    "search_documents",
]


class DocumentOrder(StrEnum):
    """What documents are sorted by."""

    CHANGED = "changed"
    PATIENT = "patient"
    TITLE = "title"
    STATE = "state"


_COLUMNS = {
    DocumentOrder.CHANGED: documents.c.changed_at,
    DocumentOrder.PATIENT: documents.c.patient_name,
    DocumentOrder.TITLE: documents.c.title,
    DocumentOrder.STATE: documents.c.state,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """Which documents; what is empty does not restrict."""

    states: tuple[DocumentState, ...] = ()
    kinds: tuple[DocumentKind, ...] = ()
    study_instance_uid: str | None = None
    lineage: str | None = None
    """SOP Instance UID of the first document that they go back to."""
    owner: str | None = None
    not_owner: str | None = None
    not_passed: bool = False
    """Only those whose last verdict is not PASSED."""
    patient: str = ""
    """Part of the name or of the id."""
    title: str = ""
    """Part of the title."""
    since: datetime | None = None
    """Changed then or later."""
    until: datetime | None = None
    """Changed before."""
    order: DocumentOrder = DocumentOrder.CHANGED
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody said about a document."""

    sop_instance_uid: str
    user_id: str
    at: datetime
    text: str


def search_documents(
    connection: Connection, query: DocumentQuery, *, limit: int, offset: int = 0
) -> tuple[Document, ...]:
    """Return documents in the order asked for."""
    column = _COLUMNS[query.order]
    statement = (
        select(documents)
        .where(*_conditions(query))
        .order_by(column.desc() if query.descending else column, documents.c.sop_instance_uid)
    )
    return tuple(map(document_from, connection.execute(statement.limit(limit).offset(offset))))


def count_documents(connection: Connection, query: DocumentQuery) -> int:
    """Return how many documents there are."""
    statement = select(func.count()).select_from(documents).where(*_conditions(query))
    return connection.execute(statement).scalar_one()


def lineage_of(connection: Connection, document: Document) -> tuple[Document, ...]:
    """Return all documents that go back to the same first one, the newest first."""
    query = select(documents).where(documents.c.lineage == document.lineage)
    rows = connection.execute(query.order_by(documents.c.created_at.desc()))
    return tuple(map(document_from, rows))


def remarks_of(connection: Connection, uids: Iterable[str]) -> tuple[Remark, ...]:
    """Return what was said about some documents, oldest first."""
    query = select(*(c for c in remarks.c if c.name != "id"))
    rows = connection.execute(
        query.where(remarks.c.sop_instance_uid.in_(tuple(uids))).order_by(remarks.c.id)
    )
    return tuple(Remark(**row) for row in rows.mappings())


def display_names(connection: Connection, user_ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of some users by id, as people know them."""
    wanted = tuple({each for each in user_ids if each is not None})
    query = select(users.c.id, users.c.display_name).where(users.c.id.in_(wanted))
    return {row.id: row.display_name for row in connection.execute(query)}


def _conditions(query: DocumentQuery) -> tuple[ColumnElement[bool], ...]:
    column = documents.c
    conditions = (
        column.state.in_(query.states) if query.states else None,
        column.kind.in_(query.kinds) if query.kinds else None,
        column.study_instance_uid == query.study_instance_uid
        if query.study_instance_uid is not None
        else None,
        column.lineage == query.lineage if query.lineage is not None else None,
        column.owner == query.owner if query.owner is not None else None,
        column.owner != query.not_owner if query.not_owner is not None else None,
        column.indication != "PASSED" if query.not_passed else None,
        column.patient_name.icontains(query.patient, autoescape=True)
        | column.patient_id.icontains(query.patient, autoescape=True)
        if query.patient
        else None,
        column.title.icontains(query.title, autoescape=True) if query.title else None,
        column.changed_at >= query.since if query.since is not None else None,
        column.changed_at < query.until if query.until is not None else None,
    )
    return tuple(each for each in conditions if each is not None)
