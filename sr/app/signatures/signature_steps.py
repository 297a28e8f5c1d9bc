"""The two steps of a signature, for documents that were read: prepare, then complete.

Between the two stands a signer: a key in this process, a token, or a card on another machine.

Cites: PS3.15 A.4, C.1, C.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sr.app.ports import Ports
from sr.app.signatures.signable import check_role, check_signer
from sr.app.signatures.timestamping import obtain_timestamp
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, DICOMFile, canonicalise, read
from sr.dicomfile.padding import noncanonical_elements
from sr.dicomfile.splice import Piece
from sr.dicomfile.transfer_syntax import EXPLICIT_LITTLE
from sr.findings import Finding, Status
from sr.mac import MACAlgorithm
from sr.signature import PreparedSignature, SigningRequest, complete, examine, prepare
from sr.signature.documents import is_document
from sr.signature.location import parse_item_path
from sr.signature.prepare import refuse
from sr.trust.identity import BY_NAME, IdentityMapping
from sr.verification import gather

__all__ = ["SigningResult", "canonical", "complete_prepared", "prepare_opened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningResult:
    """What was signed, and what the signer should know."""

    digital_signature_uid: str
    covers: tuple[int, ...]
    notices: tuple[Finding, ...]
    timestamped_at: datetime | None = None
    """What the time-stamp says, where there is one."""
    output: Path | None = None


def prepare_opened(
    file: DICOMFile,
    certificate: bytes,
    ports: Ports,
    *,
    purpose: SignaturePurpose,
    profile: str | None = None,
    item: str = "",
    private: bool = False,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    identity: IdentityMapping = BY_NAME,
) -> PreparedSignature:
    """Return a signature that lacks its value only; for files from ``open_for_signing``.

    Args:
        file: In the form in which it is signed.
        certificate: DER of the signer's certificate.
        ports: Time, UIDs, and whether a time-stamp will be wanted.
        purpose: Of the signature.
        profile: A profile beside those that the kind of document demands.
        item: Path of the item to sign, empty for the document.
        private: Whether to cover private elements.
        mac_algorithm: Digest of the MAC.
        identity: Who is who; the signer has to be whom the report names.

    Raises:
        ProfileViolationError: The result would break a rule.
        LifecycleError: The document may not be signed, or not by this person.
        ConfigurationError: The item does not make sense.

    Cites: PS3.15 A.4, C.1, C.4.
    """
    check_role(certificate, purpose, identity)
    if is_document(file.sop_class_uid):
        facts = gather(file)
        refuse([f for f in facts.findings if f.status is Status.FAIL])
        check_signer(facts, certificate, purpose, item=item, identity=identity)
    request = SigningRequest(
        purpose=purpose,
        certificate=certificate,
        signed_at=ports.now(),
        digital_signature_uid=ports.new_uid(),
        mac_algorithm=mac_algorithm,
        profile=profile,
        path=parse_item_path(item),
        private=private,
        timestamped=ports.timestamping is not None,
        clock_skew=ports.clock_skew,
    )
    return prepare(file, request)


def complete_prepared(
    prepared: PreparedSignature, value: bytes, ports: Ports
) -> tuple[tuple[Piece, ...], SigningResult]:
    """Return the signed file as pieces, time-stamped where the request said so.

    Raises:
        SignerRefusedError: The value does not belong to digest and certificate.
        TimestampError: There is no usable time-stamp; the value may be used again.

    Cites: PS3.3 C.12.1.1.3; RFC 3161.
    """
    request = prepared.request
    stamp = None
    if ports.timestamping is not None:
        stamp = obtain_timestamp(
            value,
            ports.timestamping,
            claimed_at=request.signed_at,
            now=ports.now,
            clock_skew=ports.clock_skew,
        )
    pieces = complete(prepared, value, timestamp=stamp.token if stamp is not None else None)
    return pieces, SigningResult(
        digital_signature_uid=request.digital_signature_uid,
        covers=prepared.covers,
        notices=(*prepared.findings, *(stamp.notices if stamp is not None else ())),
        timestamped_at=stamp.generated_at if stamp is not None else None,
    )


def canonical(file: DICOMFile) -> DICOMFile:
    """Bring a document that nobody has signed yet into the form that survives other systems."""
    ours = is_document(file.sop_class_uid) and file.transfer_syntax == EXPLICIT_LITTLE
    if not ours or file.meta is None or not noncanonical_elements(file.dataset):
        return file
    if examine(file).signatures:
        return file
    return read(BytesSource(canonicalise(file.source.read_at(0, file.source.size))))
