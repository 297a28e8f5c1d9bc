"""Whether a signature may claim the time it is about to claim.

What is checked here would be found by every recipient, when it is too late: a certificate that is
not valid at that moment, or a clock that is behind the one of an earlier signature.

Cites: PS3.3 C.12.1.1.3 (0400,0105); RFC 5280 4.1.2.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from sr.findings import Finding, Status, SubIndication
from sr.signature.moment import parse_moment
from sr.signature.structure import SignatureStructure

__all__ = ["claim_findings"]


def claim_findings(
    structure: SignatureStructure, certificate: bytes, claimed_at: datetime, skew: timedelta
) -> Iterator[Finding]:
    """Yield why a signature must not be made now with a certificate.

    Args:
        structure: The signatures that are there already.
        certificate: DER; one that cannot be read is refused elsewhere.
        claimed_at: DigitalSignatureDateTime (0400,0105) of the new signature; one without zone
            is refused where it is written.
        skew: How far clocks may differ.

    Cites: PS3.3 C.12.1.1.3 (0400,0105); RFC 5280 4.1.2.5.
    """
    if claimed_at.tzinfo is None:
        return
    try:
        read = x509.load_der_x509_certificate(certificate)
        start, end = read.not_valid_before_utc, read.not_valid_after_utc
    except ValueError:
        return
    if claimed_at < start:
        yield _validity(start, end, "not yet", SubIndication.NOT_YET_VALID)
    if claimed_at > end:
        yield _validity(start, end, "no longer", SubIndication.EXPIRED)
    for located in structure.signatures:
        earlier = parse_moment(located.signature.signed_at)
        if earlier.at is not None and earlier.zone_known and earlier.at - claimed_at > skew:
            yield _finding(
                "TIME_FUTURE",
                f"DigitalSignatureDateTime (0400,0105) of an earlier signature, {earlier.text}, "
                f"lies after this machine's time, {claimed_at:%Y-%m-%d %H:%M:%SZ}",
                SubIndication.NOT_YET_VALID,
                located.where,
            )


def _validity(start: datetime, end: datetime, now: str, meaning: SubIndication) -> Finding:
    dates = f"the certificate is valid from {start:%Y-%m-%d %H:%M:%SZ} to {end:%Y-%m-%d %H:%M:%SZ}"
    return _finding("CERT_VALIDITY", f"{dates}, {now}", meaning)


def _finding(
    rule: str, message: str, meaning: SubIndication, where: str = "(0400,0105)"
) -> Finding:
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=where,
        cites="PS3.3 C.12.1.1.3; RFC 5280 4.1.2.5",
        sub_indication=meaning,
    )
