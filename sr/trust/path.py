"""Certification paths, built from supplied certificates.

Building is ours so that an anchor is an anchor by its exact bytes, every link is a verified
signature, and the search is bounded. The constraints of RFC 5280 are judged by ``pkix``; dates,
revocation and algorithms by ``validity``, ``revocation`` and ``constraints``.

Cites: RFC 5280 6.1; RFC 4158 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, takewhile

from cryptography import x509

from sr.trust.certificate import Certificate, is_signed_by, read_certificate
from sr.trust.material import TrustMaterial
from sr.trust.name import same_name
from sr.trust.policy import CertificatePolicies

__all__ = ["Path", "broken_constraint", "build_paths", "issuers", "list_signers"]

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
    return _paths(signer.der, material)


@lru_cache(maxsize=64)  # the documents of a day have few signers, and one set of material
def _paths(signer_der: bytes, material: TrustMaterial) -> tuple[Path, ...]:
    signer = read_certificate(signer_der)
    anchors = frozenset(material.anchors)
    links = _links(signer, anchors, material)
    return tuple(islice(_extend((signer,), anchors, links), _MOST))


_Links = dict[bytes, tuple[Certificate, ...]]


def _links(signer: Certificate, anchors: frozenset[bytes], material: TrustMaterial) -> _Links:
    """Return the issuers of each certificate above a signer that lead on to an anchor.

    Each pair is verified once; without this, authorities that certify each other in every
    direction would make the search take for ever.
    """
    links: _Links = {}
    waiting = [signer]
    while waiting:
        certificate = waiting.pop()
        if certificate.der not in links:
            above = () if certificate.der in anchors else issuers(certificate, material)
            links[certificate.der] = above
            waiting.extend(above)
    leading, grown = set(anchors), True
    while grown:
        found = {der for der, above in links.items() if any(each.der in leading for each in above)}
        grown = not found <= leading
        leading |= found
    return {
        der: tuple(each for each in above if each.der in leading) for der, above in links.items()
    }


def _extend(path: Path, anchors: frozenset[bytes], links: _Links) -> Iterator[Path]:
    last = path[-1]
    if last.der in anchors:
        yield path
        return
    if len(path) == _LONGEST:
        return
    for issuer in links[last.der]:
        if not any(_is_same_authority(each, issuer) for each in path):
            yield from _extend((*path, issuer), anchors, links)


def _is_same_authority(one: Certificate, other: Certificate) -> bool:
    return same_name(one.subject, other.subject) and one.public_key == other.public_key


def issuers(certificate: Certificate, material: TrustMaterial) -> tuple[Certificate, ...]:
    """Return the certificates of the material whose key signed a certificate, anchors first.

    Raises:
        TrustEvidenceError: A certificate of the material does not parse.
    """
    candidates = dict.fromkeys((*material.anchors, *material.intermediates))
    read = (read_certificate(der) for der in candidates if der != certificate.der)
    return tuple(each for each in read if _is_issuer(each, certificate))


def _is_issuer(candidate: Certificate, certificate: Certificate) -> bool:
    return same_name(candidate.subject, certificate.issuer) and is_signed_by(
        certificate.parsed, candidate.public_key
    )


def list_signers(
    name: x509.Name, above: Path, material: TrustMaterial
) -> tuple[tuple[Certificate, Certificate | None], ...]:
    """Return the certificates that may sign revocation lists in a name, each with its voucher.

    Those are the authorities of the path; anchors; and certificates issued by an authority that
    itself may have issued the certificate in question: after a change of key an authority signs its
    lists with the new one, some keep another key for lists, and some leave them to somebody else.

    Args:
        name: The issuer of the list.
        above: The authorities above the certificate in question, its issuer first.
        material: Where to look.

    Returns:
        Certificate and the one that issued it, ``None`` where the path or the operator vouches.

    Cites: RFC 5280 6.3.3 f.
    """
    own = tuple(takewhile(lambda each: same_name(each.subject, above[0].subject), above))
    vouchers = above[: len(own) + 1]
    known = {each.der for each in vouchers}
    found: list[tuple[Certificate, Certificate | None]] = [(each, None) for each in vouchers]
    for der in dict.fromkeys((*material.anchors, *material.intermediates)):
        each = read_certificate(der)
        if der in known or not same_name(each.subject, name) or not _may_sign_lists(each):
            continue
        if der in material.anchors:
            found.append((each, None))
        else:
            found += [(each, voucher) for voucher in vouchers if _is_issuer(voucher, each)]
    return tuple(
        (each, by) for each, by in found if same_name(each.subject, name) and _may_sign_lists(each)
    )


def _may_sign_lists(certificate: Certificate) -> bool:
    if certificate.key_usage is None:
        return certificate.is_ca
    return "crl_sign" in certificate.key_usage


def broken_constraint(path: Path, policies: CertificatePolicies) -> str | None:
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

    return refusal(path, moment, policies)
