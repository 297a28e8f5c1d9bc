"""Signatures that are in documents: the inventory, and the record that knows of stripped ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from sr.errors import ConflictError
from sr.store.rows import row_of
from sr.store.schema import documents, signatures

__all__ = ["SignatureRow", "add_signatures", "signatures_of", "signers_of"]


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
    .where(documents.c.lineage.in_(bindparam("lineages", expanding=True)))
    .where(signatures.c.purpose.in_(bindparam("purposes", expanding=True)))
)


def add_signatures(connection: Connection, rows: Sequence[SignatureRow]) -> None:
    """Write signatures.

    Raises:
        ConflictError: The content of one was signed by that certificate for that purpose already.
    """
    try:
        connection.execute(_ADD, [row_of(each) for each in rows])
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
    connection: Connection, lineages: Collection[str], purposes: Collection[str]
) -> frozenset[str | None]:
    """Return the ids of the users who signed documents or their forebears for some purposes."""
    of = {"lineages": tuple(lineages), "purposes": tuple(purposes)}
    return frozenset(connection.execute(_SIGNERS, of).scalars())
