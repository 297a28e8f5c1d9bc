"""Certificates that the service trusts beside those in its folder, and who decided so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from sr.errors import NotFoundError
from sr.store.schema import trust_anchors

__all__ = [
    "AnchorUse",
    "TrustedCertificate",
    "add_trusted",
    "remove_trusted",
    "trusted_certificates",
]


class AnchorUse(StrEnum):
    """What a certificate is trusted for."""

    ANCHOR = "anchor"
    INTERMEDIATE = "intermediate"
    """Only through an anchor."""
    TIMESTAMP = "timestamp"
    """An anchor for time-stamps and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCertificate:
    """A certificate, and who added it."""

    sha256: str
    use: AnchorUse
    certificate: bytes
    """DER."""
    label: str
    added_by: str
    added_at: datetime
    removed_at: datetime | None = None


_TRUSTED = (
    select(trust_anchors)
    .where(trust_anchors.c.removed_at.is_(None))
    .order_by(trust_anchors.c.added_at, trust_anchors.c.sha256)
)


def trusted_certificates(connection: Connection) -> tuple[TrustedCertificate, ...]:
    """Return the certificates that were not removed, oldest first."""
    return tuple(
        TrustedCertificate(**{**row, "use": AnchorUse(row["use"])})
        for row in connection.execute(_TRUSTED).mappings()
    )


def add_trusted(connection: Connection, trusted: TrustedCertificate) -> bool:
    """Write a certificate, once more where it was removed; return whether that changed anything."""
    same = (trust_anchors.c.sha256 == trusted.sha256) & (trust_anchors.c.use == trusted.use)
    row = connection.execute(select(trust_anchors.c.removed_at).where(same)).one_or_none()
    if row is not None and row.removed_at is None:
        return False
    connection.execute(delete(trust_anchors).where(same))
    connection.execute(insert(trust_anchors).values(**asdict(trusted)))
    return True


def remove_trusted(connection: Connection, sha256: str, *, use: AnchorUse, at: datetime) -> None:
    """Trust a certificate no longer.

    Raises:
        NotFoundError: It is not trusted for that.
    """
    found = connection.execute(
        update(trust_anchors)
        .where(trust_anchors.c.sha256 == sha256, trust_anchors.c.use == use)
        .where(trust_anchors.c.removed_at.is_(None))
        .values(removed_at=at)
    )
    if found.rowcount != 1:
        raise NotFoundError("there is no such certificate")
