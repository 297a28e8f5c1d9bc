"""Which certificates, and which reasons, a revocation list speaks about.

Authorities divide lists by kind of certificate, by reason, by distribution point, and into a
complete list and its changes; or leave them to somebody else, who then lists certificates of
several issuers. Silence clears only a certificate that the list would have named.

Cites: RFC 5280 5.2.4, 5.2.5, 6.3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sr.trust.certificate import Certificate
from sr.trust.name import same_name
from sr.trust.statement import ALL_REASONS

__all__ = ["concerns", "is_delta", "is_indirect", "may_stand_on", "obstacle", "scope"]

_List = x509.CertificateRevocationList
_Reasons = frozenset[x509.ReasonFlags]
_NONE: _Reasons = frozenset()
_USABLE_CRITICAL = {
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    ExtensionOID.DELTA_CRL_INDICATOR,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
}


def concerns(crl: _List, certificate: Certificate) -> bool:
    """Return whether a list is about the certificates of that issuer.

    It is when it has the same issuer, or when the certificate names its issuer and the list says
    that it is indirect.
    """
    if same_name(crl.issuer, certificate.issuer):
        return True
    return is_indirect(crl) and any(_is_delegated(p, crl) for p in _points(certificate))


def is_indirect(crl: _List) -> bool:
    """Return whether entries may be about certificates of other issuers."""
    issued = _issued_for(crl)
    return issued is not None and issued.indirect_crl


def is_delta(crl: _List) -> bool:
    """Return whether a list says only what has changed since another one."""
    return _base_number(crl) is not None


def may_stand_on(delta: _List, base: _List) -> bool:
    """Return whether a delta list says what has changed since ``base``.

    Cites: RFC 5280 5.2.4.
    """
    since, number = _base_number(delta), _number(base)
    return (
        since is not None
        and number is not None
        and not is_delta(base)
        and since <= number
        and same_name(delta.issuer, base.issuer)
        and _issued_for(delta) == _issued_for(base)
    )


def obstacle(crl: _List) -> str:
    """Return why nothing in a list can be relied on, or an empty text.

    Cites: RFC 5280 5.2.
    """
    critical = {each.oid for each in crl.extensions if each.critical}
    return "a CRL with an unknown critical extension" if critical - _USABLE_CRITICAL else ""


def scope(crl: _List, certificate: Certificate) -> tuple[str, _Reasons]:
    """Return why the absence of a certificate from a list says nothing, or for which reasons.

    Cites: RFC 5280 6.3.3 b, d.
    """
    if is_delta(crl):
        return "only a delta CRL", _NONE
    issued = _issued_for(crl)
    if issued is None:
        return "", ALL_REASONS
    excluded = (
        issued.only_contains_attribute_certs
        or (issued.only_contains_user_certs and certificate.is_ca)
        or (issued.only_contains_ca_certs and not certificate.is_ca)
    )
    reasons = _NONE if excluded else _pointed_reasons(crl, issued, certificate)
    return ("", reasons) if reasons else ("only CRLs with another scope", _NONE)


def _pointed_reasons(
    crl: _List, issued: x509.IssuingDistributionPoint, certificate: Certificate
) -> _Reasons:
    """Return the reasons for which a list is the one that a certificate points at."""
    names = tuple(_names_of(issued, crl.issuer))
    reasons = _NONE
    if not names and same_name(crl.issuer, certificate.issuer):
        reasons = ALL_REASONS
    for point in _points(certificate):
        if point.crl_issuer and not _is_delegated(point, crl):
            continue
        if not point.crl_issuer and not same_name(crl.issuer, certificate.issuer):
            continue
        pointed = tuple(_names_of(point, crl.issuer)) or tuple(point.crl_issuer or ())
        if not names or any(_same(one, other) for one in names for other in pointed):
            reasons |= ALL_REASONS & (point.reasons or ALL_REASONS)
    return reasons & (issued.only_some_reasons or ALL_REASONS)


def _is_delegated(point: x509.DistributionPoint, crl: _List) -> bool:
    """Return whether a distribution point leaves its list to the issuer of this one."""
    names = (each.value for each in point.crl_issuer or () if isinstance(each, x509.DirectoryName))
    return is_indirect(crl) and any(same_name(name, crl.issuer) for name in names)


def _names_of(
    place: x509.DistributionPoint | x509.IssuingDistributionPoint, issuer: x509.Name
) -> Iterator[x509.GeneralName]:
    """Yield the names of a distribution point, one given relative to its issuer made whole."""
    yield from place.full_name or ()
    if place.relative_name is not None:
        yield x509.DirectoryName(x509.Name([*issuer.rdns, place.relative_name]))


def _same(one: x509.GeneralName, other: x509.GeneralName) -> bool:
    if isinstance(one, x509.DirectoryName) and isinstance(other, x509.DirectoryName):
        return same_name(one.value, other.value)
    return one == other


def _points(certificate: Certificate) -> Iterable[x509.DistributionPoint]:
    for extension in certificate.parsed.extensions:
        if isinstance(extension.value, x509.CRLDistributionPoints):
            yield from extension.value


def _issued_for(crl: _List) -> x509.IssuingDistributionPoint | None:
    values = (extension.value for extension in crl.extensions)
    return next((v for v in values if isinstance(v, x509.IssuingDistributionPoint)), None)


def _base_number(crl: _List) -> int | None:
    values = (extension.value for extension in crl.extensions)
    return next((v.crl_number for v in values if isinstance(v, x509.DeltaCRLIndicator)), None)


def _number(crl: _List) -> int | None:
    values = (extension.value for extension in crl.extensions)
    return next((v.crl_number for v in values if isinstance(v, x509.CRLNumber)), None)
