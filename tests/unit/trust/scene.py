"""One call that judges a signer in a sound scene, so that a test says only what is unusual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sr.findings import LimitationCode, Status, SubIndication
from sr.trust import SignerTrust, TrustMaterial, TrustPolicy, evaluate_signer, load_policy
from tests.support.pki import NOW, Entity, demo_pki

__all__ = ["DAY", "POLICIES", "failures", "judge", "limits", "material", "statuses"]

DAY = timedelta(days=1)
POLICIES = ("standard", "strict", "archive", "interop", "demo")


def material(
    *,
    anchors: Sequence[Entity] | None = None,
    intermediates: Sequence[Entity] | None = None,
    crls: Iterable[x509.CertificateRevocationList] | None = None,
    ocsps: Iterable[ocsp.OCSPResponse] = (),
) -> TrustMaterial:
    """Return the material of the sound PKI, parts of it replaced."""
    pki = demo_pki()
    return TrustMaterial(
        anchors=tuple(each.der for each in ([pki.root] if anchors is None else anchors)),
        intermediates=tuple(
            each.der for each in ([pki.issuing] if intermediates is None else intermediates)
        ),
        crls=tuple(
            each.public_bytes(Encoding.DER) for each in (pki.crls if crls is None else crls)
        ),
        ocsps=tuple(each.public_bytes(Encoding.DER) for each in ocsps),
    )


def judge(
    signer: Entity | bytes,
    *,
    claimed: datetime | None = NOW - DAY,
    zone: bool = True,
    proven: datetime | None = None,
    at: datetime = NOW,
    given: TrustMaterial | None = None,
    policy: str | TrustPolicy = "standard",
) -> SignerTrust:
    """Judge a signer who claims to have signed yesterday with the sound PKI."""
    return evaluate_signer(
        signer if isinstance(signer, bytes) else signer.der,
        claimed_at=claimed,
        claimed_zone_known=zone,
        proven_at=proven,
        judged_at=at,
        material=material() if given is None else given,
        policy=load_policy(policy) if isinstance(policy, str) else policy,
    )


def failures(trust: SignerTrust) -> dict[str, SubIndication | None]:
    """Return the sub-indication of every rule that failed."""
    failed = [each for each in trust.findings if each.status is Status.FAIL]
    assert all(each.sub_indication for each in failed)
    return {each.rule: each.sub_indication for each in failed}


def statuses(trust: SignerTrust) -> dict[str, Status]:
    """Return the status of every rule."""
    return {each.rule: each.status for each in trust.findings}


def limits(trust: SignerTrust) -> set[LimitationCode]:
    """Return the codes of the limitations."""
    return {each.code for each in trust.limitations}
