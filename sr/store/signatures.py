"""Signatures that are in documents: the inventory, and the record that knows of stripped ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from sr.errors import ConflictError
from sr.store.rows import row_of
from sr.store.schema import documents, signatures

__all__ = ["SignatureRow", "add_signature", "signatures_of", "signers_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """One signature in one document."""

    digital_signature_uid: str
    sop_instance_uid: str
    purpose: str
    user_id: str | None
    """Who signed here; nobody for what came with the document."""
    signer_subject: str
    signer_issuer: str
    signer_serial: str
    certificate_sha256: str
    certificate_not_after: datetime
    mac_algorithm: str
    content_sha256: str
    """Of the document before it was signed."""
    claimed_at: datetime | None
    proven_at: datetime | None = None
    indication: str
    sub_indication: str | None = None
    verdict: dict[str, Any]
    """On the document, when the signature was made."""


_ADD = insert(signatures)
_SIGNERS = (
    select(signatures.c.user_id)
    .join(documents, documents.c.sop_instance_uid == signatures.c.sop_instance_uid)
    .where(documents.c.lineage == bindparam("lineage"))
    .where(signatures.c.purpose.in_(bindparam("purposes", expanding=True)))
)


def add_signature(connection: Connection, row: SignatureRow) -> None:
    """Write a signature.

    Raises:
        ConflictError: The same content was signed by that certificate for that purpose already.
    """
    try:
        connection.execute(_ADD, row_of(row))
    except IntegrityError as error:
        raise ConflictError(
            "this content is already signed with that certificate for that purpose",
            where="(FFFA,FFFA)",
        ) from error


def signatures_of(connection: Connection, sop_instance_uid: str) -> tuple[SignatureRow, ...]:
    """Return the signatures of a document, in order of their making."""
    query = select(*(c for c in signatures.c if c.name != "id"))
    rows = connection.execute(
        query.where(signatures.c.sop_instance_uid == sop_instance_uid).order_by(signatures.c.id)
    )
    return tuple(SignatureRow(**row) for row in rows.mappings())


def signers_of(
    connection: Connection, lineage: str, purposes: Collection[str]
) -> frozenset[str | None]:
    """Return the ids of the users who signed a document or its forebears for some purposes."""
    of = {"lineage": lineage, "purposes": tuple(purposes)}
    return frozenset(connection.execute(_SIGNERS, of).scalars())
