"""Secure references: what binds a document to the exact content of the instances it cites.

A secure reference is written into an item of Referenced SOP Sequence as one or both of two
siblings, Referenced Digital Signature Sequence (0400,0402) and Referenced SOP Instance MAC
Sequence (0400,0403). Supplement 86 prints the second one level too deep; the standard has siblings.
They are written in `evidence_sequence`; nothing here computes a MAC or checks a signature.

Cites: PS3.3 Table C.17-3a; PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.errors import EvidenceError
from sr.mac import ReferencedSOPInstanceMAC

__all__ = ["ReferencedDigitalSignature", "SecureReference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencedDigitalSignature:
    """A signature of the cited instance, copied right after it was verified."""

    digital_signature_uid: str
    signature: bytes
    """Value of Signature (0400,0120), as it stands in the cited instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureReference:
    """The proof that goes with a reference: a MAC, verified signatures, or both.

    Raises:
        EvidenceError: Neither a MAC nor a signature is given.

    Cites: PS3.15 A.4 (b); PS3.3 Table C.17-3a.
    """

    mac: ReferencedSOPInstanceMAC | None = None
    signatures: tuple[ReferencedDigitalSignature, ...] = ()

    def __post_init__(self) -> None:
        if self.mac is None and not self.signatures:
            raise EvidenceError(
                "a secure reference needs ReferencedSOPInstanceMACSequence (0400,0403) "
                "or ReferencedDigitalSignatureSequence (0400,0402)"
            )
