"""Certification paths, built from supplied certificates.

Building is ours so that an anchor is an anchor by its exact bytes, every link is a verified
signature, and the search is bounded. The constraints of RFC 5280 are judged by ``pkix``; dates,
revocation and algorithms by ``validity``, ``revocation`` and ``constraints``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sr.trust.certificate import Certificate, is_signed_by, read_certificate
from sr.trust.material import TrustMaterial

__all__ = ["Path", "broken_constraint", "build_paths", "issuers", "siblings"]

Path = tuple[Certificate, ...]
"""Signer first, anchor last; a signer who is an anchor stands alone."""

_LONGEST = 8
_MOST = 16


def build_paths(signer: Certificate, material: TrustMaterial) -> tuple[Path, ...]:
    """Return the paths from a signer to an anchor, at most 16 of at most 8 certificates.

    Raises:
        TrustEvidenceError: A certificate of the material does not parse.

    Cites: RFC 5280 6.1; RFC 4158 2.
    """
    anchors = tuple(read_certificate(der) for der in dict.fromkeys(material.anchors))
    others = tuple(read_certificate(der) for der in dict.fromkeys(material.intermediates))
    return tuple(islice(_extend((signer,), anchors, others), _MOST))


def _extend(
    path: Path, anchors: tuple[Certificate, ...], others: tuple[Certificate, ...]
) -> Iterator[Path]:
    last = path[-1]
    if any(anchor.der == last.der for anchor in anchors):
        yield path
        return
    if len(path) == _LONGEST:
        return
    used = {each.der for each in path}
    for candidate in dict.fromkeys((*anchors, *others)):
        if candidate.der not in used and _is_issuer(candidate, last):
            yield from _extend((*path, candidate), anchors, others)


def issuers(certificate: Certificate, material: TrustMaterial) -> tuple[Certificate, ...]:
    """Return the certificates of the material whose key signed a certificate.

    Raises:
        TrustEvidenceError: A certificate of the material does not parse.
    """
    candidates = dict.fromkeys((*material.anchors, *material.intermediates))
    read = (read_certificate(der) for der in candidates if der != certificate.der)
    return tuple(each for each in read if _is_issuer(each, certificate))


def _is_issuer(candidate: Certificate, certificate: Certificate) -> bool:
    return candidate.subject == certificate.issuer and is_signed_by(
        certificate.parsed, candidate.public_key
    )


def siblings(path: Path, position: int, material: TrustMaterial) -> tuple[Certificate, ...]:
    """Return other certificates of the authority at ``position``, as trustworthy as that one.

    After a change of key an authority signs its CRLs with the new one; its certificate is an
    anchor, or signed by the authority itself or by the one above.
    """
    authority = path[position]
    above = path[position : position + 2]
    anchors = {der for der in material.anchors if der != authority.der}
    candidates = map(read_certificate, dict.fromkeys((*anchors, *material.intermediates)))
    return tuple(
        each
        for each in candidates
        if each.subject == authority.subject
        and each.der != authority.der
        and each.is_ca
        and (each.der in anchors or any(_is_issuer(voucher, each) for voucher in above))
    )


def broken_constraint(path: Path) -> str | None:
    """Return which constraint of RFC 5280 a path breaks, or ``None``.

    Dates are judged elsewhere, so the path is validated at a moment at which all its certificates
    are valid; a path that never was is broken for that.

    Cites: RFC 5280 6.1.
    """
    *below, anchor = path
    if not below:
        return None
    if not anchor.is_ca:
        return f"{anchor}: the trust anchor is not a certification authority"
    if anchor.key_usage is not None and "key_cert_sign" not in anchor.key_usage:
        return f"{anchor}: the trust anchor may not sign certificates"
    moment = max(each.not_before for each in below)
    if moment > min(each.not_after for each in below):
        return "its certificates were never valid at the same time"
    # Slow to import, and not needed without an anchor.
    from sr.trust.pkix import refusal  # noqa: PLC0415

    return refusal(path, moment)
