"""Certified time-stamps as stored beside a signature: what they say, and of which value.

A time-stamp is a TimeStampToken, not the response it came in, over the value of Signature
(0400,0120). Here it is read and its imprint compared. Whether its authority is to be trusted is
not asked, so nothing here proves a time.

Cites: PS3.3 C.12.1.1.3.1.3; PS3.15 C.1; RFC 3161 2.4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from sr.errors import TrustEvidenceError
from sr.trust.certificate import der_length

__all__ = ["CMS_TSP", "TimestampToken", "read_timestamp"]

CMS_TSP = "CMS_TSP"
"""The only defined term of Certified Timestamp Type (0400,0305)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a time-stamp says.

    Cites: RFC 3161 2.4.2.
    """

    generated_at: datetime
    imprint_hash: str
    """As hashlib calls it, e.g. ``sha256``."""
    imprint: bytes

    def stamps(self, value: bytes) -> bool:
        """Return whether the token is about a value: Signature (0400,0120) without pad byte.

        Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.1.
        """
        digest = hashlib.new(self.imprint_hash, value, usedforsecurity=False).digest()
        return compare_digest(digest, self.imprint)


def read_timestamp(value: bytes) -> TimestampToken:
    """Return what a value of Certified Timestamp (0400,0310) says.

    Raises:
        TrustEvidenceError: The value is not one sound TimeStampToken and at most one pad byte.

    Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.2; RFC 5652 5.
    """
    length = der_length(value)
    if value[length:] not in (b"", b"\0"):
        raise TrustEvidenceError(f"{len(value) - length} bytes follow the time-stamp")
    try:
        return _read(value[:length])
    except TrustEvidenceError:
        raise
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"not a time-stamp token: {exc}") from exc


def _read(der: bytes) -> TimestampToken:
    # Slow to import, and not needed for the many signatures without a time-stamp.
    from asn1crypto import cms, tsp  # noqa: PLC0415

    token = cms.ContentInfo.load(der, strict=True)
    if token["content_type"].native != "signed_data":
        raise TrustEvidenceError("not a time-stamp token: its content is not signed data")
    signed = token["content"]
    content = signed["encap_content_info"]
    if content["content_type"].native != "tst_info":
        raise TrustEvidenceError("not a time-stamp token: it signs something else")
    info = content["content"].parsed
    if not isinstance(info, tsp.TSTInfo):
        raise TrustEvidenceError("not a time-stamp token: it has no content")
    _require_own_digest(signed["signer_infos"], bytes(content["content"]))
    imprint = info["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    hashlib.new(name, usedforsecurity=False)
    return TimestampToken(
        generated_at=info["gen_time"].native,
        imprint_hash=name,
        imprint=imprint["hashed_message"].native,
    )


def _require_own_digest(signers: Iterable[Any], content: bytes) -> None:
    """Refuse a token whose content is not what its one signer signed."""
    (signer,) = signers
    attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
    name = signer["digest_algorithm"]["algorithm"].native
    (stated,) = attributes["message_digest"].native
    if not compare_digest(hashlib.new(name, content, usedforsecurity=False).digest(), stated):
        raise TrustEvidenceError("not a time-stamp token: its content was changed")
