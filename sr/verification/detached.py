"""Judging a detached signature over a file: what it is worth under a policy, as a verdict.

Signers are judged as those of DICOM signatures are. Certificates that came with the signature help
to find a chain and are trusted for nothing.

Cites: RFC 5652 5; ETSI EN 319 102-1 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sr.errors import SignatureFormatError
from sr.findings import Finding, Limitation, LimitationCode, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.signature.detached import DetachedSignature, read_detached
from sr.signature.integrity import SignatureMatch
from sr.trust import TrustMaterial, TrustPolicy, evaluate_signer
from sr.trust.policy import Consequence
from sr.verification.signature_rules import weigh
from sr.verification.verdict import DETACHED, SignatureVerdict, fold

__all__ = ["JudgedDetached", "judge_detached"]

_CITES = "RFC 5652 5.6"
_BROKEN = {
    SignatureMatch.OTHER_DIGEST: (
        "MAC_VALUE", SubIndication.HASH_FAILURE,
        "the signature is genuine, but not for this content: it was altered",
    ),
    SignatureMatch.NOT_GENUINE: (
        "SIGNATURE_VALUE", SubIndication.SIG_CRYPTO_FAILURE,
        "the value was not made with the key of the certificate, or what it signs was altered",
    ),
    SignatureMatch.UNREADABLE_CERTIFICATE: (
        "CERT_DER", SubIndication.FORMAT_FAILURE, "the signer's certificate cannot be read",
    ),
    SignatureMatch.UNSUPPORTED_KEY: (
        "MAC_ALGORITHM", SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        "the key type cannot be checked here",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDetached:
    """A detached signature and what it is worth."""

    verdict: SignatureVerdict
    limitations: tuple[Limitation, ...]
    is_intact: bool
    """Whether content, value and certificate belong together."""


def judge_detached(
    der: bytes,
    digest: Callable[[MACAlgorithm], bytes],
    *,
    where: str,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
    proven_at: datetime | None = None,
) -> JudgedDetached:
    """Return what a detached signature is worth.

    Args:
        der: The signature; any bytes.
        digest: Returns the digest of the content.
        where: Name of the signature's file.
        policy: What is demanded.
        material: Anchors, intermediates and revocation lists.
        judged_at: The time to judge at.
        proven_at: When a time-stamp proves that the signature existed.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: RFC 5652 5.6; ETSI EN 319 102-1 5.2.
    """
    try:
        signature = read_detached(der)
        match = signature.compare(digest(signature.digest_algorithm))
    except SignatureFormatError as error:
        return _malformed(error, where)
    trust = evaluate_signer(
        signature.certificate,
        claimed_at=signature.claimed.at,
        claimed_zone_known=signature.claimed.zone_known,
        proven_at=proven_at,
        judged_at=judged_at,
        material=_with_certificates(material, signature),
        policy=policy,
    )
    strength = tuple(_strength(signature, policy, judged_at, proven_at, where))
    findings = tuple(
        weigh(
            [
                _compared(match, where),
                *_binding(signature, where),
                *trust.findings,
                *(f for f in strength if isinstance(f, Finding)),
            ],
            policy,
        )
    )
    indication, sub = fold(findings)
    return JudgedDetached(
        verdict=SignatureVerdict(
            digital_signature_uid="",
            location="",
            purpose=None,
            signer=trust.chain[0] if trust.chain else None,
            claimed_at=signature.claimed.text,
            proven_at=proven_at,
            mac_algorithm=signature.digest_algorithm.value,
            profile=DETACHED,
            covers=(),
            indication=indication,
            sub_indication=sub,
            findings=findings,
        ),
        limitations=(*trust.limitations, *(f for f in strength if isinstance(f, Limitation))),
        is_intact=match is SignatureMatch.MATCHES,
    )


def _malformed(error: SignatureFormatError, where: str) -> JudgedDetached:
    finding = Finding(
        rule=error.rule, status=Status.FAIL, message=str(error), where=where, cites=error.cites,
        sub_indication=SubIndication.FORMAT_FAILURE,
    )  # fmt: skip
    indication, sub = fold([finding])
    verdict = SignatureVerdict(
        digital_signature_uid="", location="", purpose=None, signer=None, claimed_at="",
        proven_at=None, mac_algorithm="", profile=DETACHED, covers=(), indication=indication,
        sub_indication=sub, findings=(finding,),
    )  # fmt: skip
    return JudgedDetached(verdict=verdict, limitations=(), is_intact=False)


def _with_certificates(material: TrustMaterial, signature: DetachedSignature) -> TrustMaterial:
    return replace(
        material,
        intermediates=tuple(dict.fromkeys((*material.intermediates, *signature.certificates))),
    )


def _compared(match: SignatureMatch, where: str) -> Finding:
    if match is SignatureMatch.MATCHES:
        return Finding(
            rule="MAC_VALUE", status=Status.PASS, message="the content is what was signed",
            where=where, cites=_CITES,
        )  # fmt: skip
    rule, sub, message = _BROKEN[match]
    return Finding(
        rule=rule, status=Status.FAIL, message=message, where=where, cites=_CITES,
        sub_indication=sub,
    )  # fmt: skip


def _binding(signature: DetachedSignature, where: str) -> Iterator[Finding]:
    if not signature.binds_certificate:
        yield Finding(
            rule="CERT_NOT_BOUND", status=Status.WARN,
            message="no signed attribute names the certificate: another one for the same key "
            "could stand in its place",
            where=where, cites="RFC 5035 3",
        )  # fmt: skip


def _strength(
    signature: DetachedSignature,
    policy: TrustPolicy,
    judged_at: datetime,
    proven_at: datetime | None,
    where: str,
) -> Iterator[Finding | Limitation]:
    name = signature.digest_algorithm.value
    weakness = policy.hash_weakness(
        name, claimed_at=signature.claimed.at, proven_at=proven_at, judged_at=judged_at
    )
    if weakness is None:
        return
    message = f"the digest algorithm {name} is not strong enough any more"
    yield Limitation(code=LimitationCode.WEAK_ALGORITHM, message=message, where=where)
    if policy.weak_algorithm is Consequence.FAIL:
        yield Finding(
            rule="MAC_ALGORITHM_WEAK", status=Status.FAIL, message=message, where=where,
            cites="ETSI EN 319 102-1 5.2.8", sub_indication=weakness,
        )  # fmt: skip
