"""Heads: a row's digest under a signature and, where an authority is named, a time-stamp.

A head vouches for its row and, by the chain, for every row before it. One that is kept elsewhere
is what shows later that rows at the end are gone. The next row of the trail names the head by its
digest, so that a head that disappears is missed too.

Cites: RFC 5652 5; RFC 3161 2.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sr.app.audit.chain import ChainRow
from sr.app.audit.event import Actor, AuditAction, AuditEvent
from sr.app.ports import Ports
from sr.app.signatures.detached import sign_detached
from sr.app.signatures.signing import Credentials
from sr.app.signatures.timestamping import obtain_timestamp
from sr.errors import DatasetError
from sr.findings import Finding
from sr.verification.facts_json import as_json, from_json

__all__ = ["Head", "anchored", "decode_head", "encode_head", "head_content", "sign_head"]

_TYPE = "srsign-audit-head"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A signed statement that the trail had this digest at this row."""

    sequence: int
    digest: bytes
    at: datetime
    """Aware, UTC; claimed by whoever signed."""
    signature: bytes
    """Detached CMS signature over ``head_content``, DER."""
    timestamp: bytes | None = None
    """TimeStampToken over the signature, DER."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signature, hexadecimal: the name that a row of the trail calls it by."""
        return hashlib.sha256(self.signature).hexdigest()


def head_content(sequence: int, digest: bytes, at: datetime) -> bytes:
    """Return what the signature of a head is over."""
    return _json({"at": at.isoformat(), "digest": digest.hex(), "sequence": sequence, **_kind()})


def sign_head(
    row: ChainRow, credentials: Credentials, ports: Ports
) -> tuple[Head, tuple[Finding, ...]]:
    """Return a head for a row, the last one as a rule, and what is to be known of its time-stamp.

    Raises:
        SigningError: The key could not sign.
        TimestampError: The time-stamp authority failed.
        ConfigurationError: A URI or file is not usable.

    Cites: RFC 5652 5; RFC 3161 2.4.
    """
    at = ports.now().astimezone(UTC).replace(microsecond=0)
    signature = sign_detached(head_content(row.sequence, row.digest, at), credentials, ports)
    head = Head(sequence=row.sequence, digest=row.digest, at=at, signature=signature)
    if ports.timestamping is None:
        return head, ()
    stamp = obtain_timestamp(
        signature, ports.timestamping, claimed_at=at, now=ports.now, clock_skew=ports.clock_skew
    )
    return replace(head, timestamp=stamp.token), stamp.notices


def anchored(head: Head, actor: Actor) -> AuditEvent:
    """Return the event that tells the trail of a head; its row comes next."""
    return AuditEvent(
        action=AuditAction.AUDIT_ANCHORED,
        at=head.at,
        actor=actor,
        subject=head.fingerprint,
        detail=f"row {head.sequence}: {head.digest.hex()}",
    )


def encode_head(head: Head) -> bytes:
    """Return a head as a line of JSON, to be kept elsewhere."""
    return _json({**as_json(head), **_kind()})


def decode_head(data: bytes) -> Head:
    """Return the head that ``encode_head`` wrote.

    Raises:
        DatasetError: It is none, or not in that form; rule ``AUDIT_HEAD``.
    """
    try:
        members = json.loads(data)
        members.pop("type")
        members.pop("v")
        head = from_json(Head, members, where="head")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError, DatasetError) as error:
        raise _refused() from error
    if encode_head(head) != data:
        raise _refused()
    return head


def _kind() -> dict[str, object]:
    return {"type": _TYPE, "v": _VERSION}


def _json(members: dict[str, object]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _refused() -> DatasetError:
    return DatasetError("not the head of an audit trail", rule="AUDIT_HEAD", cites="RFC 5652 5")
