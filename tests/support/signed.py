"""Signed documents and images in memory, and one call that checks them.

Everything is made once a session from the sound PKI of ``tests.support.pki``; no command line, no
disk. ``check`` is what ``srsign check`` does to one file, without the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from sr.app.checks.facts import FactsRecord
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, canonicalise, read
from sr.dicomfile.splice import assemble, splice
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.evidence import Evidence
from sr.document.lifecycle import approve_edits
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.errors import DatasetError, NotDICOMError
from sr.findings import Finding, Status, SubIndication
from sr.mac import MACAlgorithm, compute_mac
from sr.signature import SigningRequest, complete, examine, prepare
from sr.signature.digest_info import digest_info
from sr.trust import TrustMaterial, TrustPolicy, load_policy
from sr.verification import Candidate, Demands, Verdict, compare_references, gather, judge
from sr.verification.document import format_failure_verdict
from tests.support.datasets import ct_files, evidence_of, key_object, report
from tests.support.pki import NOW, Entity, PrivateKey, demo_pki

__all__ = [
    "APPROVED_AT",
    "SIGNED_AT",
    "approved_report",
    "author_report",
    "check",
    "evidence_with_signature",
    "finder",
    "found",
    "judge_found",
    "material",
    "plain_report",
    "seal",
    "sign",
    "sign_digest",
    "signed_image",
    "signed_images",
]

SIGNED_AT = NOW - timedelta(hours=3)
APPROVED_AT = NOW - timedelta(hours=2)
_NO_DEMANDS = Demands()


def sign_digest(key: PrivateKey, algorithm: MACAlgorithm, digest: bytes) -> bytes:
    """Return the signature value for a digest of any algorithm, also those libraries refuse."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        modulus = numbers.public_numbers.n
        size = (modulus.bit_length() + 7) // 8
        info = digest_info(algorithm, digest)
        block = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(block), numbers.d, modulus).to_bytes(size)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    prehashed = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}[len(digest)]
    return key.sign(digest, ec.ECDSA(utils.Prehashed(prehashed)))


def sign(
    data: bytes,
    signer: Entity | None = None,
    purpose: SignaturePurpose | None = SignaturePurpose.AUTHOR,
    *,
    uid: str = "2.25.4711.1",
    at: datetime = SIGNED_AT,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    path: tuple[tuple[int, int], ...] = (),
    private: bool = False,
) -> bytes:
    """Return a file with one more signature; by default the author's."""
    signer = signer or demo_pki().author
    request = SigningRequest(
        purpose=purpose,
        certificate=signer.der,
        signed_at=at,
        digital_signature_uid=uid,
        mac_algorithm=mac_algorithm,
        path=path,
        private=private,
    )
    prepared = prepare(read(BytesSource(data)), request)
    return assemble(complete(prepared, sign_digest(signer.key, mac_algorithm, prepared.digest)))


@cache
def plain_report(number: int = 1) -> bytes:
    """Return a complete, unverified report over three CT images, not yet signed."""
    return canonicalise(report(number=number))


@cache
def author_report() -> bytes:
    """Return that report, signed by its author."""
    return sign(plain_report())


@cache
def approved_report(mode: ApprovalMode = ApprovalMode.REISSUE) -> bytes:
    """Return the author's report, approved and signed by the supervisor."""
    before = read(BytesSource(author_report()))
    in_place = mode is ApprovalMode.IN_PLACE
    with_predecessor = mode is ApprovalMode.REISSUE_WITH_PREDECESSOR
    approval = Approval(
        observer=VerifyingObserver(name="Weber^Sam", organization="Klinikum Musterstadt"),
        approved_at=APPROVED_AT,
        mode=mode,
        sop_instance_uid="" if in_place else "2.25.900.77",
        predecessor=SecureReference(mac=compute_mac(before)) if with_predecessor else None,
    )
    edited = assemble(splice(before, approve_edits(before.dataset, approval)))
    return sign(
        edited,
        demo_pki().supervisor,
        SignaturePurpose.VERIFICATION,
        uid="2.25.4711.2",
        at=APPROVED_AT,
    )


@cache
def seal() -> bytes:
    """Return a key object selection over three CT images, signed by the archive."""
    selection = canonicalise(key_object())
    return sign(selection, demo_pki().archive, SignaturePurpose.SOURCE, uid="2.25.4711.3")


@cache
def signed_images(number: int = 3) -> tuple[bytes, ...]:
    """Return CT images, each signed by the archive."""
    return tuple(
        sign(canonicalise(data), demo_pki().archive, SignaturePurpose.SOURCE, uid=f"2.25.4712.{n}")
        for n, data in enumerate(ct_files(number), 1)
    )


def signed_image() -> bytes:
    """Return the first of the signed CT images."""
    return signed_images()[0]


def evidence_with_signature(data: bytes, *, mac: bool = True) -> Evidence:
    """Return a signed file as evidence: with its signature copied, and a MAC where asked for."""
    file = read(BytesSource(data))
    copied = tuple(
        ReferencedDigitalSignature(
            digital_signature_uid=located.signature.digital_signature_uid,
            signature=located.signature.signature,
        )
        for located in examine(file).signatures
    )
    plain = evidence_of(data)
    reference = SecureReference(mac=plain.reference.mac if mac else None, signatures=copied)
    return Evidence(
        sop_class_uid=plain.sop_class_uid,
        sop_instance_uid=plain.sop_instance_uid,
        series_instance_uid=plain.series_instance_uid,
        modality=plain.modality,
        kind=plain.kind,
        patient_study=plain.patient_study,
        reference=reference,
    )


def material(
    *, anchors: Iterable[Entity] | None = None, intermediates: Iterable[Entity] | None = None
) -> TrustMaterial:
    """Return the material of the sound PKI with its CRLs, parts of it replaced."""
    pki = demo_pki()
    return TrustMaterial(
        anchors=tuple(e.der for e in ((pki.root,) if anchors is None else anchors)),
        intermediates=tuple(
            e.der for e in ((pki.issuing,) if intermediates is None else intermediates)
        ),
        crls=tuple(crl.public_bytes(serialization.Encoding.DER) for crl in _crls()),
    )


@cache
def _crls() -> tuple[object, ...]:
    return demo_pki().crls


def finder(files: Iterable[bytes]) -> Callable[[str], tuple[Candidate, ...]]:
    """Return what finds evidence by SOP Instance UID among files, as a folder of evidence would."""
    found: dict[str, list[Candidate]] = {}
    for number, data in enumerate(files, 1):
        file = read(BytesSource(data), allow_odd_lengths=True)
        candidate = Candidate(label=f"evidence-{number}.dcm", read=lambda file=file: file)
        found.setdefault(file.sop_instance_uid, []).append(candidate)
    return lambda uid: tuple(found.get(uid, ()))


def check(
    data: bytes,
    *,
    policy: str | TrustPolicy = "standard",
    evidence: Iterable[bytes] | None = None,
    at: datetime = NOW,
    given: TrustMaterial | None = None,
    demands: Demands = _NO_DEMANDS,
) -> Verdict:
    """Return the verdict on one file; evidence is a set of files, ``None`` for none given."""
    weighed = load_policy(policy) if isinstance(policy, str) else policy
    return judge_found(
        found(data, evidence),
        policy=weighed,
        at=at,
        given=given,
        demands=demands,
    )


def found(data: bytes, evidence: Iterable[bytes] | None = None) -> FactsRecord:
    """Return what is found about one file, as ``srsign check`` gathers it."""
    try:
        file = read(BytesSource(data))
        references = None if evidence is None else compare_references(file, finder(evidence))
        facts = gather(file, references)
    except NotDICOMError:
        raise
    except DatasetError as error:
        finding = Finding(
            rule=error.rule,
            status=Status.FAIL,
            message=str(error),
            cites=error.cites,
            where=error.where,
            sub_indication=SubIndication.FORMAT_FAILURE,
        )
        return FactsRecord(subject="x.dcm", facts=None, refusal=finding)
    return FactsRecord(subject="x.dcm", facts=facts)


def judge_found(
    record: FactsRecord,
    *,
    policy: TrustPolicy,
    at: datetime = NOW,
    given: TrustMaterial | None = None,
    demands: Demands = _NO_DEMANDS,
) -> Verdict:
    """Return the verdict on what was found."""
    if record.facts is None:
        assert record.refusal is not None
        return format_failure_verdict(
            record.refusal, subject=record.subject, policy=policy.id, judged_at=at
        )
    return judge(
        record.facts,
        subject=record.subject,
        policy=policy,
        material=given or material(),
        judged_at=at,
        demands=demands,
    )
