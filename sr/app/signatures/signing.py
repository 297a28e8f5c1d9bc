"""Use cases: sign a document, approve a report.

Cites: PS3.15 A.4, C.4; PS3.4 O.3.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.documents.evidence import secure_reference
from sr.app.files import guard_output, open_dicom, read_bytes, write_atomically
from sr.app.ports import Ports
from sr.app.signatures.signable import check_signer, require_author, require_untouched
from sr.app.signatures.signature_steps import (
    SigningResult,
    canonical,
    complete_prepared,
    prepare_opened,
)
from sr.codes import Code, SignaturePurpose
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.dicomfile.splice import Piece, assemble, splice
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.lifecycle import approve_edits
from sr.findings import Finding
from sr.keys import Secrets, Signer, open_signer
from sr.mac import MACAlgorithm
from sr.trust import parse_certificates
from sr.trust.identity import BY_NAME, IdentityMapping
from sr.verification import gather

__all__ = [
    "ApprovalMode",
    "Credentials",
    "Ports",
    "SigningResult",
    "approve_file",
    "approved_copy",
    "open_for_signing",
    "sign_bytes",
    "sign_file",
    "sign_opened",
    "signer_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Which key signs, with which certificates, and who is asked for its secret."""

    key: str
    """Key URI; safe to log."""
    certificates: tuple[Path, ...]
    """PEM or DER files, leaf first; empty for those stored beside the key."""
    secrets: Secrets


def sign_file(
    source: Path,
    output: Path,
    *,
    purpose: SignaturePurpose,
    credentials: Credentials,
    ports: Ports,
    profile: str | None = None,
    item: str = "",
    private: bool = False,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    in_place: bool = False,
    identity: IdentityMapping = BY_NAME,
) -> SigningResult:
    """Sign a file and write the result.

    Raises:
        LifecycleError: The document may not be signed so, or not by this person.
        ProfileViolationError: The result would break a rule.
        ConfigurationError: A path, URI or item does not make sense.
        DatasetError: The file breaks a structural rule.
        SigningError: The key could not sign.

    Cites: PS3.15 A.4, C.1, C.4.
    """
    guard_output(output, [source], in_place=in_place)
    file = open_for_signing(source)
    with signer_of(credentials) as signer:
        pieces, result = sign_opened(
            file,
            signer,
            ports,
            purpose=purpose,
            profile=profile,
            item=item,
            private=private,
            mac_algorithm=mac_algorithm,
            identity=identity,
        )
    write_atomically(output, pieces)
    return replace(result, output=output)


def sign_bytes(
    data: bytes,
    *,
    purpose: SignaturePurpose,
    signer: Signer,
    ports: Ports,
    profile: str | None = None,
    identity: IdentityMapping = BY_NAME,
) -> tuple[bytes, SigningResult]:
    """Return our own document, signed.

    Raises:
        LifecycleError: The document may not be signed so, or not by this person.
        ProfileViolationError: The result would break a rule.
        SigningError: The key could not sign.

    Cites: PS3.15 A.4, C.4.
    """
    file = canonical(read(BytesSource(data)))
    pieces, result = sign_opened(
        file, signer, ports, purpose=purpose, profile=profile, identity=identity
    )
    return assemble(pieces), result


def approve_file(
    source: Path,
    output: Path,
    *,
    observer: str,
    organization: str,
    mode: ApprovalMode,
    credentials: Credentials,
    ports: Ports,
    profile: str | None = None,
    in_place: bool = False,
    identity: IdentityMapping = BY_NAME,
    observer_code: Code | None = None,
) -> SigningResult:
    """Approve a report: set VERIFIED and sign with purpose 5, both or neither.

    Raises:
        LifecycleError: The report may not be approved, or not by this person.
        ProfileViolationError: The result would break a rule.
        ConfigurationError: A path or URI does not make sense.
        DatasetError: The file breaks a structural rule.
        SigningError: The key could not sign.

    Cites: PS3.15 C.4; PS3.4 O.3; PS3.3 C.17.2.
    """
    guard_output(output, [source], in_place=in_place)
    file = open_dicom(source)
    with signer_of(credentials) as signer:
        data, result = approve_document(
            file,
            signer,
            ports,
            observer=observer,
            organization=organization,
            mode=mode,
            profile=profile,
            identity=identity,
            observer_code=observer_code,
        )
    write_atomically(output, data)
    return replace(result, output=output)


def approve_document(
    file: DICOMFile,
    signer: Signer,
    ports: Ports,
    *,
    observer: str,
    organization: str,
    mode: ApprovalMode,
    profile: str | None = None,
    identity: IdentityMapping = BY_NAME,
    observer_code: Code | None = None,
) -> tuple[tuple[Piece, ...], SigningResult]:
    """Return the approved and signed report as pieces.

    Args:
        file: The report as it stands.
        signer: The approver's key.
        ports: Time, UIDs, time-stamps.
        observer: The approver's name as it is to stand in the report.
        organization: For whom the approver acts.
        mode: What becomes of the SOP Instance UID.
        profile: Insisted on beside that of an approval.
        identity: Who is who; the signer has to be the observer, and not an author.
        observer_code: Identifies the observer where a name does not.

    Raises:
        LifecycleError: The report may not be approved, or not by this person.
        ProfileViolationError: The result would break a rule.
        SigningError: The key could not sign.

    Cites: PS3.15 C.4.
    """
    certificate = signer.certificate_chain[0].public_bytes(Encoding.DER)
    approved, notices = approved_copy(
        file,
        certificate,
        ports,
        observer=observer,
        organization=organization,
        mode=mode,
        identity=identity,
        observer_code=observer_code,
    )
    pieces, result = sign_opened(
        approved,
        signer,
        ports,
        purpose=SignaturePurpose.VERIFICATION,
        profile=profile,
        identity=identity,
    )
    return pieces, replace(result, notices=(*notices, *result.notices))


def approved_copy(
    file: DICOMFile,
    certificate: bytes,
    ports: Ports,
    *,
    observer: str,
    organization: str,
    mode: ApprovalMode,
    identity: IdentityMapping = BY_NAME,
    observer_code: Code | None = None,
) -> tuple[DICOMFile, tuple[Finding, ...]]:
    """Return the report as it reads once approved, not signed yet, and what should be known.

    Args:
        file: The report as it stands.
        certificate: DER of the approver's certificate.
        ports: Time and UIDs.
        observer: Verifying Observer Name (0040,A075).
        organization: Verifying Organization (0040,A027).
        mode: What becomes of the SOP Instance UID.
        identity: Who is who; ``prepare_opened`` holds the observer against it.
        observer_code: Identifies the observer where a name does not.

    Raises:
        LifecycleError: The report may not be approved, or not by this person.

    Cites: PS3.15 C.4; PS3.4 O.3.
    """
    facts = gather(file)
    check_signer(facts, certificate, SignaturePurpose.VERIFICATION, identity=identity)
    notices = require_author(facts)
    with_predecessor = mode is ApprovalMode.REISSUE_WITH_PREDECESSOR
    approval = Approval(
        observer=VerifyingObserver(
            name=observer, organization=organization, identification=observer_code
        ),
        approved_at=ports.now(),
        mode=mode,
        sop_instance_uid="" if mode is ApprovalMode.IN_PLACE else ports.new_uid(),
        predecessor=secure_reference(file, at=ports.now()) if with_predecessor else None,
    )
    edits = approve_edits(file.dataset, approval)
    require_untouched(facts, (edit.tag for edit in edits))
    return read(BytesSource(assemble(splice(file, edits)))), notices


def signer_of(credentials: Credentials, *, stack: bool = False) -> AbstractContextManager[Signer]:
    """Return the signer that credentials name, to be used in a ``with`` statement.

    Args:
        credentials: Key, certificates, and who is asked for the secret.
        stack: Whether a token stays logged in for several signatures.

    Raises:
        ConfigurationError: A URI, file or installation is not usable.
        SigningError: The key cannot be opened.

    Cites: RFC 7512.
    """
    return open_signer(
        credentials.key,
        certificates=load_certificates(credentials.certificates),
        secrets=credentials.secrets,
        stack=stack,
    )


def load_certificates(paths: tuple[Path, ...]) -> tuple[x509.Certificate, ...]:
    """Return the certificates in some files, in order.

    Raises:
        TrustEvidenceError: A file holds no certificate.
        ConfigurationError: A file cannot be read.

    Cites: RFC 7468.
    """
    return tuple(
        x509.load_der_x509_certificate(der)
        for path in paths
        for der in parse_certificates(read_bytes(path))
    )


def open_for_signing(source: Path) -> DICOMFile:
    """Return a file in the form in which it is signed.

    Raises:
        ConfigurationError: The path cannot be opened.
        DatasetError: The file breaks a structural rule.

    Cites: PS3.5 6.2.
    """
    return canonical(open_dicom(source))


def sign_opened(
    file: DICOMFile,
    signer: Signer,
    ports: Ports,
    *,
    purpose: SignaturePurpose,
    profile: str | None = None,
    item: str = "",
    private: bool = False,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    identity: IdentityMapping = BY_NAME,
) -> tuple[tuple[Piece, ...], SigningResult]:
    """Return the signed file as pieces; for files from ``open_for_signing``.

    Raises:
        LifecycleError: The document may not be signed so, or not by this person.
        ProfileViolationError: The result would break a rule.
        ConfigurationError: The item does not make sense.
        SigningError: The key could not sign.

    Cites: PS3.15 A.4, C.1, C.4.
    """
    prepared = prepare_opened(
        file,
        signer.certificate_chain[0].public_bytes(Encoding.DER),
        ports,
        purpose=purpose,
        profile=profile,
        item=item,
        private=private,
        mac_algorithm=mac_algorithm,
        identity=identity,
    )
    return complete_prepared(prepared, signer.sign_digest(prepared.digest, mac_algorithm), ports)
