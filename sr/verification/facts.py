"""Facts: everything gathered about a document, before anything is judged.

Facts hold no opinion. The same facts, judged with another policy or at another time, give another
verdict without the file.

Cites: ETSI EN 319 102-1 5.1.4 (diagnostic data); PS3.3 C.12.1.1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sr.codes import Code
from sr.findings import Finding
from sr.mac.peer import PeerTruncation
from sr.signature.integrity import PublicKeyFacts
from sr.signature.moment import ClaimedTime

__all__ = [
    "DocumentFacts",
    "Integrity",
    "Proof",
    "ReferenceFacts",
    "ReferenceResult",
    "SignatureFacts",
]


class Integrity(StrEnum):
    """What comparing digest and signature value showed.

    Cites: ETSI EN 319 102-1 5.2.7.
    """

    INTACT = "intact"
    INTACT_PADDING_NORMALISED = "intact, padding normalised"
    """Only after string padding was brought into the form DCMTK writes."""
    INTACT_PEER_TRUNCATED = "intact only as far as dcmsign covers it"
    """The signature fits the shortened stream of dcmsign, not the standard's."""
    OTHER_BYTES = "other bytes"
    NOT_GENUINE = "not genuine"
    UNREADABLE_CERTIFICATE = "unreadable certificate"
    UNSUPPORTED = "unsupported"
    """Algorithm or key type that cannot be checked here."""
    NOT_COMPUTED = "not computed"
    """A structural rule is broken, or a listed element has no bytes in the stream."""

    @property
    def is_intact(self) -> bool:
        """Whether every byte of the standard's stream is what was signed."""
        return self in (Integrity.INTACT, Integrity.INTACT_PADDING_NORMALISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFacts:
    """One signature, read and compared, not judged.

    Cites: PS3.3 C.12.1.1.3.
    """

    number: int
    location: str
    """``""`` at the top level, else the path of the item that holds it."""
    where: str
    digital_signature_uid: str
    purpose: Code | None
    claimed: ClaimedTime
    mac_algorithm: str
    mac_transfer_syntax_uid: str
    data_elements_signed: tuple[int, ...]
    certificate: bytes
    certificate_type: str
    key: PublicKeyFacts | None
    signature: bytes
    timestamp_type: str
    timestamp: bytes | None
    integrity: Integrity
    ambiguous_fragments: tuple[str, ...]
    """Paths of signed encapsulated values whose fragment borders the MAC does not fix."""
    findings: tuple[Finding, ...]
    """Structural findings."""
    truncation: PeerTruncation | None = None
    """What dcmsign left out, for ``INTACT_PEER_TRUNCATED``."""

    @property
    def at_top_level(self) -> bool:
        """Whether the signature speaks for the document."""
        return not self.location


class ReferenceResult(StrEnum):
    """How a cited instance compares with its proof.

    Cites: PS3.15 A.4.
    """

    MATCHED = "matched"
    ALTERED = "altered"
    MISSING = "missing"
    UNSECURED = "unsecured"
    UNDECIDED = "undecided"


class Proof(StrEnum):
    """What a reference was compared by.

    Cites: PS3.3 Table C.17-3a.
    """

    MAC = "mac"
    SIGNATURE = "signature"
    DIGEST = "digest"
    """Of a whole file, for files that need not be DICOM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFacts:
    """One cited instance, looked for and compared.

    Cites: PS3.15 A.4; PS3.17 Annex W.
    """

    where: str
    sop_instance_uid: str
    result: ReferenceResult
    by: tuple[Proof, ...] = ()
    file: str | None = None
    findings: tuple[Finding, ...] = ()
    rests_on: SignatureFacts | None = None
    """The instance's own signature, where no MAC vouches for the instance: its signer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """Everything gathered about one file.

    Cites: PS3.3 C.12.1.1.3, C.17.2.
    """

    sop_class_uid: str
    sop_instance_uid: str
    present: tuple[int, ...]
    """Top-level tags, ascending, without the signature sequences."""
    values: Mapping[str, str]
    """Attribute values by keyword that rules ask for."""
    observers: Mapping[str, tuple[str, ...]]
    """Person names by role: ``author``, ``verifying``."""
    observer_codes: Mapping[str, tuple[str, ...]]
    """Identification codes by role, each as ``value^scheme``."""
    signatures: tuple[SignatureFacts, ...]
    findings: tuple[Finding, ...]
    """Structural findings and reading notices that concern no single signature."""
    unsecured: tuple[str, ...]
    """Paths of evidence items without proof."""
    reference_count: int
    """Evidence items in the document."""
    references: tuple[ReferenceFacts, ...] | None
    """Comparison with the evidence given, ``None`` where none was given."""

    @property
    def top_level(self) -> tuple[SignatureFacts, ...]:
        """The signatures that speak for the document."""
        return tuple(s for s in self.signatures if s.at_top_level)
