"""Nobody signs here with a certificate that the service's own checks would not accept.

Otherwise whoever has a person's login could make a certificate with the person's name.

Cites: PS3.15 C.4; ETSI EN 319 102-1 5.2.6.
"""

from __future__ import annotations

from sr.errors import SignerRefusedError
from sr.findings import Status
from sr.service.context import Context
from sr.trust import evaluate_signer

__all__ = ["require_vouched"]


def require_vouched(context: Context, certificate: bytes) -> None:
    """Refuse a certificate that is not good for a signature made now.

    Args:
        context: The service, with its policy and whom it trusts.
        certificate: DER of the signer's certificate.

    Raises:
        SignerRefusedError: Naming the first rule that it breaks.
        TrustEvidenceError: A part of the trust material does not parse.
    """
    now = context.ports.now()
    trust = evaluate_signer(
        certificate,
        claimed_at=now,
        claimed_zone_known=True,
        proven_at=now if context.ports.timestamping is not None else None,
        judged_at=now,
        material=context.material(),
        policy=context.policy,
    )
    for found in trust.findings:
        if found.status is Status.FAIL:
            raise SignerRefusedError(
                f"the certificate (CertificateOfSigner (0400,0115)) is not accepted here: "
                f"{found.message} ({found.rule})",
                where="(0400,0115)",
                hint="the service trusts the anchors of trust.directory and /trust-anchors",
            )
