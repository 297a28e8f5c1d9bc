"""The chain of the audit trail: each row's digest holds that of the row before it.

A digest is SHA-256 over a name of this use, the digest before, the sequence number and the digest
of the event, each of fixed length. So nothing can be read as something else, and a stretch of the
chain can be shown to others without the events in it.

Cites: FIPS 180-4; RFC 6962 2.1 (domain separation).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["DIGEST_SIZE", "LAST_SEQUENCE", "START", "ChainRow", "link", "link_digest"]

DIGEST_SIZE = 32
START = bytes(DIGEST_SIZE)
"""Stands before the first row, whose sequence number is 1."""
LAST_SEQUENCE = 2**63 - 1
"""The largest number that a row can have."""
_DOMAIN = hashlib.sha256(b"srsign audit chain 1").digest()
_SEQUENCE_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRow:
    """A row of the trail as it is kept."""

    sequence: int
    """From 1, without gaps."""
    encoded: bytes
    """From ``encode_event``."""
    digest: bytes
    """From ``link``."""
    columns: Mapping[str, str | None] | None = None
    """What the table repeats of the event to search by; ``None`` where it repeats nothing."""


def link(previous_digest: bytes, sequence: int, encoded: bytes) -> bytes:
    """Return the digest of a row.

    Args:
        previous_digest: That of the row before; ``START`` for the first.
        sequence: That of the row itself, at least 1.
        encoded: The event.
    """
    return link_digest(previous_digest, sequence, hashlib.sha256(encoded).digest())


def link_digest(previous_digest: bytes, sequence: int, event_digest: bytes) -> bytes:
    """Return the digest of a row of whose event only the SHA-256 is known."""
    number = sequence.to_bytes(_SEQUENCE_BYTES, "big", signed=True)
    return hashlib.sha256(b"".join((_DOMAIN, previous_digest, number, event_digest))).digest()
