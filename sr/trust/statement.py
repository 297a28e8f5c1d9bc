"""What one CRL or OCSP response, once authenticated, says about one certificate.

Cites: RFC 5280 5.1.2; RFC 6960 4.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography.x509 import ReasonFlags

__all__ = ["ALL_REASONS", "RevocationState", "Statement", "read_generalized_time"]


ALL_REASONS = frozenset(ReasonFlags) - {ReasonFlags.unspecified, ReasonFlags.remove_from_crl}
"""What a certificate can be revoked for, as distribution points may divide it among lists."""


class RevocationState(StrEnum):
    """What is known about a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    ON_HOLD = "on hold"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One source's word; how current it must be is not judged here."""

    state: RevocationState
    this_update: datetime
    next_update: datetime | None = None
    at: datetime | None = None
    """Since when, for a revoked certificate or one on hold."""
    because: str = ""
    """The reason of a revocation; otherwise why this says nothing, if so."""
    reasons: frozenset[ReasonFlags] = ALL_REASONS
    """The reasons for which it would say so."""
    keeps_expired_since: datetime | None = None
    """Certificates that expired from then on are still listed."""
    hash_name: str = ""
    """Hash of the signature on the list or response."""


def read_generalized_time(der: bytes) -> datetime | None:
    """Return the moment in a DER GeneralizedTime as RFC 5280 wants it, or ``None``."""
    if der[:2] != b"\x18\x0f" or len(der) != 17:
        return None
    try:
        return datetime.strptime(der[2:].decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
