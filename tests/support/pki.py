"""Certificates, CRLs and OCSP responses for tests: good defaults, one variation at a time.

A test says only what is unusual about a certificate::

    pki = demo_pki()                                   # root, issuing CA, author, supervisor
    weak = issue(pki.issuing, key_kind="rsa1024")       # same defaults, one fault
    crl = make_crl(pki.issuing, revoked=[weak.certificate.serial_number])

Private keys are cached for the session by (kind, slot); names do not cost a new key, slots do.
Validity is relative to ``NOW``, which is fixed: nothing here reads the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

__all__ = [
    "NOW",
    "PKI",
    "Entity",
    "Unknown",
    "demo_pki",
    "issue",
    "key_usage",
    "make_crl",
    "make_ocsp",
    "name",
    "private_key",
    "revoked_entry",
]

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_MAKE_KEY: dict[str, Callable[[], PrivateKey]] = {
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - weak on purpose
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa2048e3": lambda: rsa.generate_private_key(3, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "brainpool256": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@cache
def private_key(kind: str = "rsa2048", slot: str = "ee") -> PrivateKey:
    """Return the session's key of that kind in that slot; another slot is another key."""
    return _MAKE_KEY[kind]()


def name(common_name: str, **attributes: str) -> x509.Name:
    """Return a Name: C, O and CN, then keyword attributes by ``NameOID`` member, lower case."""
    pairs = [
        (NameOID.COUNTRY_NAME, "XX"),
        (NameOID.ORGANIZATION_NAME, "srsign tests"),
        (NameOID.COMMON_NAME, common_name),
        *((getattr(NameOID, key.upper()), value) for key, value in attributes.items()),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def key_usage(*names: str) -> x509.KeyUsage:
    """Return a KeyUsage with only the named bits set, e.g. ``content_commitment``."""
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    unknown = set(names) - set(bits)
    if unknown:
        raise ValueError(unknown)
    return x509.KeyUsage(**(bits | dict.fromkeys(names, True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A certificate, its private key, and the certificates above it up to the root."""

    certificate: x509.Certificate
    key: PrivateKey
    above: tuple[x509.Certificate, ...] = ()
    """Issuer first, root last; empty for a root."""

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificate and everything above it, leaf first."""
        return (self.certificate, *self.above)

    def key_pem(self, password: bytes | None = None) -> bytes:
        """The private key, PKCS#8 PEM, encrypted where a password is given."""
        encryption: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )


class Unknown(x509.UnrecognizedExtension):
    """An extension nobody knows."""

    def __init__(self, value: bytes = b"\x05\x00", oid: str = "1.3.6.1.4.1.99999.1") -> None:
        super().__init__(ObjectIdentifier(oid), value)


_serials = count(0x1000)
_DEFAULT = object()


def issue(
    issuer: Entity | None,
    common_name: str | None = None,
    *,
    ca: bool = False,
    subject: x509.Name | None = None,
    key_kind: str = "rsa2048",
    slot: str | None = None,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    not_before: datetime = NOW - 30 * DAY,
    not_after: datetime | None = None,
    serial: int | None = None,
    usage: Sequence[str] | None = _DEFAULT,  # type: ignore[assignment]
    usage_critical: bool = True,
    extended_usage: Sequence[ObjectIdentifier] = (),
    extended_usage_critical: bool = False,
    basic_constraints: bool = True,
    path_length: int | None = None,
    names: Sequence[x509.GeneralName] = (),
    key_identifiers: bool = True,
    ocsp_url: str | None = None,
    crl_url: str | None = None,
    policies: Sequence[str] = (),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    issuer_name: x509.Name | None = None,
    signing_key: PrivateKey | None = None,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None = None,
) -> Entity:
    """Issue a certificate; every default is that of a good one.

    Args:
        issuer: Who signs; ``None`` makes a self-signed certificate.
        common_name: Defaults to the role.
        ca: Make a CA certificate (``keyCertSign``, ``cRLSign``).
        subject: Whole subject name instead of ``common_name``.
        key_kind: One of rsa1024/2048/2048e3/3072/4096, p256/384/521, brainpool256, ed25519.
        slot: Key slot; defaults to root, ca or ee. Two persons who must have different keys
            need two slots.
        hash_algorithm: Of the issuer's signature; SHA-256 by default.
        not_before: Defaults to 30 days before ``NOW``.
        not_after: Defaults to 3 years after ``not_before`` (a CA: 10 years).
        serial: Defaults to the next unused number.
        usage: Key usage bits, ``None`` for no extension.
        usage_critical: Whether key usage is critical.
        extended_usage: Extended key usages; empty for no extension.
        extended_usage_critical: Whether extended key usage is critical.
        basic_constraints: ``False`` leaves the extension out.
        path_length: Of a CA.
        names: Subject alternative names.
        key_identifiers: ``False`` leaves out subject and authority key identifiers.
        ocsp_url: Authority information access.
        crl_url: CRL distribution point.
        policies: Certificate policy identifiers.
        extensions: More extensions as (value, critical), e.g. ``(Unknown(), True)``.
        issuer_name: Claim this issuer instead of the true one.
        signing_key: Sign with this key instead of the issuer's.
        public_key: Certify this key, whose private half is elsewhere; ``Entity.key`` is not it.
    """
    role = "ca" if ca and issuer else "root" if ca else "ee"
    key = private_key(key_kind, slot or role)
    subject = subject or name(common_name or f"Test {role}")
    not_after = not_after or not_before + (3650 if ca else 1095) * DAY
    if usage is _DEFAULT:
        usage = ("key_cert_sign", "crl_sign") if ca else ("digital_signature", "content_commitment")
    signer_key = signing_key or (issuer.key if issuer else key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name or (issuer.certificate.subject if issuer else subject))
        .public_key(public_key or key.public_key())
        .serial_number(next(_serials) if serial is None else serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    wanted: list[tuple[x509.ExtensionType, bool]] = []
    if basic_constraints:
        wanted.append((x509.BasicConstraints(ca=ca, path_length=path_length), True))
    if usage is not None:
        wanted.append((key_usage(*usage), usage_critical))
    if extended_usage:
        wanted.append((x509.ExtendedKeyUsage(extended_usage), extended_usage_critical))
    if key_identifiers:
        issuer_key = (issuer.key if issuer else key).public_key()
        own = x509.SubjectKeyIdentifier.from_public_key(public_key or key.public_key())
        wanted.append((own, False))
        wanted.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False))
    if names:
        wanted.append((x509.SubjectAlternativeName(names), False))
    wanted.extend((value, False) for value in _pointers(ocsp_url, crl_url, policies))
    for value, critical in (*wanted, *extensions):
        builder = builder.add_extension(value, critical=critical)
    certificate = _sign(builder, signer_key, hash_algorithm)
    return Entity(certificate=certificate, key=key, above=issuer.chain if issuer else ())


def _pointers(
    ocsp_url: str | None, crl_url: str | None, policies: Sequence[str]
) -> Iterator[x509.ExtensionType]:
    if ocsp_url:
        method = AuthorityInformationAccessOID.OCSP
        location = x509.UniformResourceIdentifier(ocsp_url)
        yield x509.AuthorityInformationAccess([x509.AccessDescription(method, location)])
    if crl_url:
        full_name = [x509.UniformResourceIdentifier(crl_url)]
        yield x509.CRLDistributionPoints([x509.DistributionPoint(full_name, None, None, None)])
    if policies:
        oids = [ObjectIdentifier(oid) for oid in policies]
        yield x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])


def _sign(
    builder: x509.CertificateBuilder, key: PrivateKey, chosen: hashes.HashAlgorithm | None
) -> x509.Certificate:
    if not isinstance(chosen, hashes.SHA1 | hashes.MD5):
        return builder.sign(key, _hash_for(key, chosen))
    # The library refuses to make these; asn1crypto does not mind.
    good = builder.sign(key, hashes.SHA256())
    certificate = asn1_x509.Certificate.load(good.public_bytes(serialization.Encoding.DER))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raise TypeError("Ed25519 chooses its own hash")
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"
    algorithm = {"algorithm": f"{chosen.name}_{kind}"}
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    body = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = (
        key.sign(body, padding.PKCS1v15(), chosen)
        if isinstance(key, rsa.RSAPrivateKey)
        else key.sign(body, ec.ECDSA(chosen))
    )
    return x509.load_der_x509_certificate(certificate.dump(force=True))


def _hash_for(key: PrivateKey, chosen: hashes.HashAlgorithm | None) -> Any:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return chosen or hashes.SHA256()


def revoked_entry(
    serial: int,
    *,
    at: datetime = NOW - 5 * DAY,
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    invalidity: datetime | None = None,
) -> x509.RevokedCertificate:
    """Return a CRL entry, for another date or reason than ``make_crl`` gives by itself."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    if invalidity is not None:
        builder = builder.add_extension(x509.InvalidityDate(invalidity), critical=False)
    return builder.build()


def make_crl(
    issuer: Entity,
    *,
    revoked: Iterable[int | x509.RevokedCertificate] = (),
    this_update: datetime = NOW - DAY,
    next_update: datetime | None = NOW + 30 * DAY,
    number: int = 1,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    issuer_name: x509.Name | None = None,
    signing_key: PrivateKey | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> x509.CertificateRevocationList:
    """Return a CRL of that issuer; ``revoked`` takes serial numbers or ``revoked_entry`` values."""
    key = signing_key or issuer.key
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer_name or issuer.certificate.subject)
        .last_update(this_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    if next_update is not None:
        builder = builder.next_update(next_update)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    for item in revoked:
        builder = builder.add_revoked_certificate(
            revoked_entry(item) if isinstance(item, int) else item
        )
    return builder.sign(key, _hash_for(key, hash_algorithm))


def make_ocsp(
    issuer: Entity,
    subject: Entity,
    *,
    responder: Entity | None = None,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    this_update: datetime = NOW - timedelta(hours=1),
    next_update: datetime | None = NOW + DAY,
    nonce: bytes | None = None,
) -> ocsp.OCSPResponse:
    """Return an OCSP response; ``responder`` defaults to the issuer itself.

    A delegated responder is ``issue(ca, extended_usage=[ExtendedKeyUsageOID.OCSP_SIGNING])``.
    """
    by = responder or issuer
    if status is ocsp.OCSPCertStatus.REVOKED and revoked_at is None:
        revoked_at = NOW - 5 * DAY
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=subject.certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303 - an identifier here, as every responder does
            cert_status=status,
            this_update=this_update,
            next_update=next_update,
            revocation_time=revoked_at,
            revocation_reason=reason,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    )
    if responder is not None:
        builder = builder.certificates([responder.certificate])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(by.key, _hash_for(by.key, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class PKI:
    """A sound PKI: two CAs, two persons, an archive, a time-stamp authority."""

    root: Entity
    issuing: Entity
    author: Entity
    supervisor: Entity
    archive: Entity
    tsa: Entity

    @property
    def crls(self) -> tuple[x509.CertificateRevocationList, x509.CertificateRevocationList]:
        """Empty CRLs of root and issuing CA."""
        return make_crl(self.root), make_crl(self.issuing)


@cache
def demo_pki() -> PKI:
    """Return the session's sound PKI."""
    root = issue(None, "Test Root CA", ca=True)
    issuing = issue(root, "Test Issuing CA", ca=True, path_length=0)
    return PKI(
        root=root,
        issuing=issuing,
        author=issue(issuing, "Anna Meier", slot="author"),
        supervisor=issue(issuing, "Sam Weber", slot="supervisor"),
        archive=issue(issuing, "Archive One", slot="archive"),
        tsa=issue(
            issuing,
            "Test TSA",
            slot="tsa",
            usage=("digital_signature",),
            extended_usage=[ExtendedKeyUsageOID.TIME_STAMPING],
            extended_usage_critical=True,
        ),
    )
