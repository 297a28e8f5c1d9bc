"""Finding signatures: by signer, purpose, time, algorithm, how good they are, what runs out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from sr.store.documents import DocumentState
from sr.store.schema import documents, signatures

__all__ = ["FoundSignature", "SignatureQuery", "limited_documents", "search_signatures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureQuery:
    """Which signatures; what is empty does not restrict."""

    signer: str = ""
    """Part of the subject of the certificate."""
    purposes: tuple[str, ...] = ()
    """Codes of CID 7007."""
    since: datetime | None = None
    """Claimed to be made then or later."""
    until: datetime | None = None
    """Claimed to be made before."""
    indications: tuple[str, ...] = ()
    states: tuple[DocumentState, ...] = ()
    """Of the document."""
    mac_algorithm: str | None = None
    expires_before: datetime | None = None
    """The certificate runs out before."""
    sop_instance_uid: str | None = None
    certificate_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSignature:
    """A signature, and the document that it is in."""

    digital_signature_uid: str
    sop_instance_uid: str
    purpose: str
    user_id: str | None
    signer_subject: str
    signer_issuer: str
    signer_serial: str
    certificate_sha256: str
    certificate_not_after: datetime
    mac_algorithm: str
    claimed_at: datetime | None
    proven_at: datetime | None
    indication: str
    sub_indication: str | None
    document_kind: str
    document_state: str
    limited: bool
    """Whether the verdict on the document, when it was made, had limitations."""


_LIMITED = func.json_array_length(signatures.c.verdict["limitations"]) > 0
_COLUMNS = (
    *(signatures.c[name] for name in FoundSignature.__slots__ if name in signatures.c),
    documents.c.kind.label("document_kind"),
    documents.c.state.label("document_state"),
    _LIMITED.label("limited"),
)


def search_signatures(
    connection: Connection, query: SignatureQuery, *, limit: int, offset: int = 0
) -> tuple[FoundSignature, ...]:
    """Return signatures, those that were written last first."""
    statement = (
        select(*_COLUMNS)
        .join(documents, documents.c.sop_instance_uid == signatures.c.sop_instance_uid)
        .where(*_conditions(query))
        .order_by(signatures.c.id.desc())
    )
    rows = connection.execute(statement.limit(limit).offset(offset)).mappings()
    return tuple(FoundSignature(**row) for row in rows)


def limited_documents(connection: Connection, uids: Iterable[str]) -> frozenset[str]:
    """Return those whose last verdict had limitations."""
    last = (
        select(func.max(signatures.c.id))
        .where(signatures.c.sop_instance_uid.in_(tuple(uids)))
        .group_by(signatures.c.sop_instance_uid)
    )
    found = select(signatures.c.sop_instance_uid).where(signatures.c.id.in_(last), _LIMITED)
    return frozenset(connection.execute(found).scalars())


def _conditions(query: SignatureQuery) -> tuple[ColumnElement[bool], ...]:
    column = signatures.c
    conditions = (
        column.signer_subject.icontains(query.signer, autoescape=True) if query.signer else None,
        column.purpose.in_(query.purposes) if query.purposes else None,
        column.claimed_at >= query.since if query.since is not None else None,
        column.claimed_at < query.until if query.until is not None else None,
        column.indication.in_(query.indications) if query.indications else None,
        documents.c.state.in_(query.states) if query.states else None,
        _equals(column.mac_algorithm, query.mac_algorithm),
        column.certificate_not_after < query.expires_before
        if query.expires_before is not None
        else None,
        _equals(column.sop_instance_uid, query.sop_instance_uid),
        _equals(column.certificate_sha256, query.certificate_sha256),
    )
    return tuple(condition for condition in conditions if condition is not None)


def _equals(column: ColumnElement[str], value: str | None) -> ColumnElement[bool] | None:
    return None if value is None else column == value
