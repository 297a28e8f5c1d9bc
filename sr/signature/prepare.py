"""Prepare, then complete: nothing is signed that has not passed its profile.

``prepare`` fixes everything the signature covers and checks it; ``complete`` accepts only what
``prepare`` returned, verifies the value with the certificate and splices the two sequences in.
A card on another machine, an HSM and a local key all sit between these two calls.

Cites: PS3.3 C.12.1.1.3; PS3.15 A.4, C.1, C.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sr.codes import SignaturePurpose
from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.splice import AppendItem, Piece, splice
from sr.errors import ConfigurationError, ProfileViolationError, SignerRefusedError
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.mac.segment import Segment, blocks
from sr.mac.selection import (
    DIGITAL_SIGNATURES_SEQUENCE,
    MAC_PARAMETERS_SEQUENCE,
    signable_tags,
)
from sr.mac.stream import (
    digest_segments,
    mac_segments,
    segments_length,
)
from sr.signature.claim import claim_findings
from sr.signature.conformance import conformance_findings
from sr.signature.coverage import author_tags
from sr.signature.documents import condition_values, is_document, is_structured_report
from sr.signature.integrity import SignatureMatch, match_signature, public_key_facts
from sr.signature.item import (
    CMS_TSP,
    MACParameters,
    encode_mac_parameters,
    encode_signature_tail,
)
from sr.signature.location import Level, item_at
from sr.signature.notices import padding_notices, peer_notices
from sr.signature.profile import (
    PROFILE_KEY_TYPE,
    ProfileSubject,
    Use,
    applies,
    check_profile,
    load_profile,
)
from sr.signature.references import document_references
from sr.signature.signed_part import head_of, item_in, signed_part
from sr.signature.structure import SignatureStructure, examine

__all__ = [
    "PreparedSignature",
    "SigningRequest",
    "complete",
    "prepare",
    "refuse",
    "require_value",
    "signed_stream",
]

_LARGEST_MAC_ID = 0xFFFF
_KEEPS_APPROVAL_FREE = frozenset(
    {
        SignaturePurpose.VERIFICATION,
        SignaturePurpose.VALIDATION,
        SignaturePurpose.REVIEW,
        SignaturePurpose.SOURCE,
    }
)
_UID = re.compile(r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+", re.ASCII)
_STANDARD_BASE = "base-rsa"
_SMALLEST_KEY_BITS = {"RSA": 2048, "EC": 256}


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """What is asked of a signature.

    Cites: PS3.3 C.12.1.1.3.
    """

    purpose: SignaturePurpose | None
    certificate: bytes
    """DER of the signer's certificate."""
    signed_at: datetime
    digital_signature_uid: str
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256
    profile: str | None = None
    """A profile beside those the object's kind demands; kinds of keys that it lists may sign."""
    path: tuple[tuple[int, int], ...] = ()
    """Item to sign; empty for the data set itself."""
    private: bool = False
    """Whether to cover private elements."""
    timestamped: bool = False
    """Whether a time-stamp will be obtained; profiles may demand one."""
    clock_skew: timedelta = timedelta(minutes=5)
    """How far ``signed_at`` may be behind the times of earlier signatures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSignature:
    """A signature that lacks nothing but its value. Only ``prepare`` makes one.

    Cites: PS3.3 C.12.1.1.3.
    """

    file: DICOMFile
    request: SigningRequest
    parameters: MACParameters
    digest: bytes
    """Of the MAC stream; what the signer signs."""
    stream_bytes: int
    """Length of the MAC stream."""
    profiles: tuple[str, ...]
    """Ids of the profiles that were checked."""
    findings: tuple[Finding, ...]
    """Notices and warnings; nothing of status FAIL."""

    @property
    def covers(self) -> tuple[int, ...]:
        """Top-level tags of the signed level, ascending."""
        return self.parameters.data_elements_signed


def prepare(file: DICOMFile, request: SigningRequest) -> PreparedSignature:
    """Return everything about a signature but its value.

    Raises:
        ProfileViolationError: The result would break a rule; the error carries the findings.
        ConfigurationError: There is no such item.
        EncodingError: A value has no bytes in the MAC transfer syntax.

    Cites: PS3.15 A.4, C.1, C.4; PS3.3 C.12.1.1.3.1.1.
    """
    structure = examine(file)
    refuse([f for f in _all_findings(structure) if f.status is Status.FAIL])
    level = item_at(file.dataset, request.path)
    parameters = MACParameters(
        mac_id_number=_free_mac_id(structure),
        transfer_syntax_uid=_mac_transfer_syntax(file, level),
        algorithm=request.mac_algorithm.value,
        data_elements_signed=_selection(file, level, request),
    )
    if not parameters.data_elements_signed:
        refuse([_failure("NOTHING_SIGNABLE", "no data element here can be covered by a MAC")])
    subject = _subject(file, level, request, parameters)
    profiles = _profiles(file, level, request, subject)
    unlisted_key = _allowed_key(request, subject)
    violations = list(conformance_findings(file, structure, request.purpose))
    violations += [
        f
        for profile_id in profiles
        for f in check_profile(load_profile(profile_id), subject, Use.CREATE)
        if not (unlisted_key and f.rule == PROFILE_KEY_TYPE)
    ]
    refuse(list(dict.fromkeys(violations)))
    refuse(list(_unsound(structure, request)))
    covers = parameters.data_elements_signed
    item, segments = _hashed(file, request, parameters)
    stream_bytes = segments_length(segments)
    return PreparedSignature(
        file=file,
        request=request,
        parameters=parameters,
        digest=digest_segments(segments, request.mac_algorithm),
        stream_bytes=stream_bytes,
        profiles=profiles,
        findings=(
            *unlisted_key,
            *padding_notices(level.dataset),
            *peer_notices(level.dataset, covers, signed_part=item, stream_bytes=stream_bytes),
        ),
    )


def complete(
    prepared: PreparedSignature, value: bytes, *, timestamp: bytes | None = None
) -> tuple[Piece, ...]:
    """Return the signed file, as pieces of the original and two new sequences.

    Args:
        prepared: From ``prepare``.
        value: The signature value: RSASSA-PKCS1-v1_5, or DER for EC, without padding.
        timestamp: A time-stamp token over the value, DER, where the request said so.

    Raises:
        ConfigurationError: The request said otherwise about a time-stamp.
        SignerRefusedError: The value does not belong to digest and certificate.
        EncodingError: A length would not fit its field.

    Cites: PS3.3 C.12.1.1.3.
    """
    request = prepared.request
    if request.timestamped != (timestamp is not None):
        raise ConfigurationError(
            "the signature was prepared with another intention about its time-stamp",
            where="(0400,0310)",
        )
    require_value(prepared, value)
    parameters = encode_mac_parameters(prepared.parameters)
    signature = _head(request, prepared.parameters) + encode_signature_tail(
        certificate=request.certificate,
        signature=value,
        purpose=request.purpose,
        timestamp=timestamp,
    )
    encoding = prepared.file.dataset.encoding
    return splice(
        prepared.file,
        [
            AppendItem(tag=tag, content=item_in(encoding, content), path=request.path)
            for tag, content in (
                (MAC_PARAMETERS_SEQUENCE, parameters),
                (DIGITAL_SIGNATURES_SEQUENCE, signature),
            )
        ],
    )


def signed_stream(prepared: PreparedSignature) -> bytes:
    """Return the MAC stream that the digest of a prepared signature is over, for the signer to see.

    Raises:
        EncodingError: The file became shorter meanwhile.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    _, segments = _hashed(prepared.file, prepared.request, prepared.parameters)
    return b"".join(block for segment in segments for block in blocks(segment))


def require_value(prepared: PreparedSignature, value: bytes) -> None:
    """Refuse a signature value that is not over this digest, or not by this certificate's key.

    Raises:
        SignerRefusedError: Naming what does not fit.

    Cites: PS3.15 C.1.
    """
    request = prepared.request
    matched = match_signature(request.certificate, value, request.mac_algorithm, prepared.digest)
    if matched is not SignatureMatch.MATCHES:
        raise SignerRefusedError(
            f"the signature value does not fit the certificate: {matched.value}",
            where="(0400,0120)",
            hint="sign the digest itself (RSASSA-PKCS1-v1_5, or ECDSA as DER), hashed only once, "
            "with the key that the certificate was issued for",
        )


def _all_findings(structure: SignatureStructure) -> tuple[Finding, ...]:
    return structure.findings + tuple(f for s in structure.signatures for f in s.findings)


def refuse(violations: list[Finding]) -> None:
    """Raise where there is a violation.

    Raises:
        ProfileViolationError: With all of them.

    Cites: PS3.15 C.4.
    """
    if violations:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise ProfileViolationError(
            f"not signed: {first.message}{more}", findings=tuple(violations), where=first.where
        )


def _failure(rule: str, message: str, where: str | None = None) -> Finding:
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=where,
        cites="PS3.15 C.4",
        sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
    )


def _unsound(structure: SignatureStructure, request: SigningRequest) -> Iterator[Finding]:
    """Yield what would make the signature unusable wherever it is checked."""
    yield from claim_findings(structure, request.certificate, request.signed_at, request.clock_skew)
    uid = request.digital_signature_uid
    if not _UID.fullmatch(uid):
        yield _failure("SIG_UID", f"{uid!r} is not a UID", "(0400,0100)")
    if any(s.signature.digital_signature_uid == uid for s in structure.signatures):
        yield _failure(
            "SIG_UID", f"DigitalSignatureUID (0400,0100) {uid!r} is used already", "(0400,0100)"
        )
    key = public_key_facts(request.certificate)
    smallest = _SMALLEST_KEY_BITS.get(key.kind, 0) if key is not None else 0
    if key is not None and key.bits < smallest:
        yield _failure(
            "CERT_KEY_SIZE",
            f"CertificateOfSigner (0400,0115) has a key of {key.bits} bits, fewer than {smallest}",
            "(0400,0115)",
        )


def _free_mac_id(structure: SignatureStructure) -> int:
    for number in range(_LARGEST_MAC_ID + 1):
        if number not in structure.mac_id_numbers:
            return number
    raise ProfileViolationError("not signed: every MACIDNumber (0400,0005) is taken")


def _mac_transfer_syntax(file: DICOMFile, level: Level) -> str:
    encapsulated = any(e.fragments is not None for e in level.dataset)
    syntax = file.transfer_syntax
    return syntax.uid if syntax.encapsulated and encapsulated else "1.2.840.10008.1.2.1"


def _selection(file: DICOMFile, level: Level, request: SigningRequest) -> tuple[int, ...]:
    everything = signable_tags(level.dataset, private=request.private)
    unverified = (
        not level.path
        and is_structured_report(file.sop_class_uid)
        and condition_values(file.dataset)["VerificationFlag"] != "VERIFIED"
    )
    leaves_room = unverified and request.purpose not in _KEEPS_APPROVAL_FREE
    return author_tags(everything) if leaves_room else everything


def _profiles(
    file: DICOMFile, level: Level, request: SigningRequest, subject: ProfileSubject
) -> tuple[str, ...]:
    asked = () if request.profile is None else (request.profile,)
    if level.path or not is_document(file.sop_class_uid):
        return asked or (_STANDARD_BASE,)
    demanded = ["basic-sr-secure-use"]
    verification = load_profile("structured-report-verification")
    if applies(verification, subject):
        demanded.append(verification.id)
    return tuple(dict.fromkeys((*demanded, *asked)))


def _subject(
    file: DICOMFile, level: Level, request: SigningRequest, parameters: MACParameters
) -> ProfileSubject:
    key = public_key_facts(request.certificate)
    references = document_references(file.dataset) if not level.path else ()
    return ProfileSubject(
        present=frozenset(e.tag for e in level.dataset),
        signed=frozenset(parameters.data_elements_signed),
        at_top_level=not level.path,
        values=condition_values(file.dataset),
        purpose=request.purpose.code if request.purpose is not None else None,
        mac_algorithm=request.mac_algorithm.value,
        key_type=key.kind if key is not None else "unreadable",
        timestamp_type=CMS_TSP if request.timestamped else "",
        unsecured=tuple(r.where for r in references if r.is_evidence and r.is_unsecured),
    )


def _allowed_key(request: SigningRequest, subject: ProfileSubject) -> tuple[Finding, ...]:
    """Say that a key is of a kind which only the profile lists that was asked for."""
    asked = load_profile(request.profile) if request.profile is not None else None
    listed = load_profile(_STANDARD_BASE).key_types
    if asked is None or subject.key_type not in asked.key_types - listed:
        return ()
    return (
        Finding(
            rule="KEY_OUTSIDE_PROFILE",
            status=Status.NOTICE,
            message=f"the key is {subject.key_type}, which {asked.id} allows and PS3.15 C.1 does "
            "not list; a reader that insists on the standard's profiles refuses this signature",
            where="(0400,0115)",
            cites=asked.cites,
        ),
    )


def _hashed(
    file: DICOMFile, request: SigningRequest, parameters: MACParameters
) -> tuple[DataSet, list[Segment]]:
    level, covers = item_at(file.dataset, request.path), parameters.data_elements_signed
    item = signed_part(_head(request, parameters), request.purpose)
    return item, mac_segments(level.dataset, covers, signature_item=item)


def _head(request: SigningRequest, parameters: MACParameters) -> bytes:
    return head_of(
        mac_id_number=parameters.mac_id_number,
        digital_signature_uid=request.digital_signature_uid,
        signed_at=request.signed_at,
    )
