"""A throw-away public key infrastructure for demonstrations and examples.

Real X.509 v3 with everything a verifier looks at, but its private keys lie unencrypted in a folder
and every subject says that it is no good for patients. Time is an argument; keys and serial
numbers are drawn here, so two runs differ.

Cites: RFC 5280; RFC 3161 2.3.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sr.errors import ConfigurationError

__all__ = ["DEMO_ENTITIES", "DemoPKI", "make_demo_pki"]

DEMO_ENTITIES = ("root", "issuing", "author", "supervisor", "archive", "tsa")
"""Names of the files, in the order of issue."""

_ORGANISATION = "srsign DEMO - NOT FOR PATIENTS"
_DOMAIN = "demo.invalid"  # RFC 2606: resolves nowhere
_KEY_BITS = 3072
_LONGEST_NAME = 64  # RFC 5280 A.1, ub-common-name
_DAY = timedelta(days=1)
_BACKDATED = 30 * _DAY
_YEAR = 365 * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entity:
    common_name: str
    issuer: str
    years: int
    person: str | None = None
    """Serial number in the subject, which tells persons of one name apart."""
    host: str | None = None
    path_length: int | None = None
    usage: tuple[str, ...] = ("digital_signature", "content_commitment")
    extended_usage: ObjectIdentifier | None = None


_CA_USAGE = ("key_cert_sign", "crl_sign")
_ENTITIES = {
    "root": _Entity(
        common_name="srsign DEMO Root CA - NOT FOR PATIENTS",
        issuer="root",
        years=20,
        path_length=1,
        usage=_CA_USAGE,
    ),
    "issuing": _Entity(
        common_name="srsign DEMO Issuing CA - NOT FOR PATIENTS",
        issuer="root",
        years=10,
        path_length=0,
        usage=_CA_USAGE,
    ),
    "author": _Entity(common_name="Anna Meier", issuer="issuing", years=3, person="DEMO-1001"),
    "supervisor": _Entity(common_name="Sam Weber", issuer="issuing", years=3, person="DEMO-1002"),
    "archive": _Entity(
        common_name="srsign DEMO Archive", issuer="issuing", years=3, host=f"archive.{_DOMAIN}"
    ),
    "tsa": _Entity(
        common_name="srsign DEMO Time-Stamp Authority",
        issuer="issuing",
        years=10,
        host=f"tsa.{_DOMAIN}",
        usage=("digital_signature",),
        extended_usage=ExtendedKeyUsageOID.TIME_STAMPING,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPKI:
    """Where the files of a throw-away PKI are; names are those of ``DEMO_ENTITIES``."""

    folder: Path

    def certificate(self, name: str) -> Path:
        """Certificate of an entity, PEM."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """Private key of an entity, PKCS #8 PEM."""
        return self.folder / f"{name}.key"

    def key_uri(self, name: str) -> str:
        """Key URI for ``sr.keys.open_signer``."""
        return f"file:{self.key(name)}"

    @property
    def revocation_lists(self) -> tuple[Path, Path]:
        """Revocation lists of the root and of the issuing CA, PEM."""
        return self.folder / "root.crl", self.folder / "issuing.crl"


def make_demo_pki(
    out: Path,
    *,
    now: datetime,
    names: Mapping[str, str] | None = None,
    passphrase: str | None = None,
    replace: bool = False,
) -> DemoPKI:
    """Write a throw-away PKI and return where it is.

    Certificates are valid from 30 days before ``now``: signers for 3 years, the
    time-stamp authority, the issuing CA and both revocation lists for 10, the root for 20.

    Args:
        out: Folder, made if absent.
        now: Aware; only its date and seconds count.
        names: Other common names by entity, e.g. ``{"author": "Eva Huber"}``.
        passphrase: Also write the signers as PKCS #12 files under this passphrase.
        replace: Overwrite a PKI that is already there.

    Raises:
        ConfigurationError: Unknown entity, a name too long, files in the way, or the folder
            cannot be written.

    Cites: RFC 5280 4, 5; RFC 3161 2.3.
    """
    names = names or {}
    if not names.keys() <= _ENTITIES.keys():
        raise ConfigurationError(f"entities of the demo are {', '.join(DEMO_ENTITIES)}")
    if any(not 0 < len(name) <= _LONGEST_NAME for name in names.values()):
        raise ConfigurationError(f"a common name has 1 to {_LONGEST_NAME} characters")
    if passphrase == "":
        raise ConfigurationError("the passphrase for PKCS #12 files is empty")
    if not replace:
        _refuse_existing(out)
    start = now.replace(microsecond=0) - _BACKDATED
    keys = _make_keys(DEMO_ENTITIES)
    issued: dict[str, x509.Certificate] = {}
    for name in DEMO_ENTITIES:
        common_name = names.get(name, _ENTITIES[name].common_name)
        issued[name] = _issue(name, common_name, issued, keys, start)
    files = {f"{name}.pem": item.public_bytes(Encoding.PEM) for name, item in issued.items()}
    files |= {
        f"{name}.crl": _revocation_list(issued[name], keys[name], start) for name in _AUTHORITIES
    }
    private = {
        f"{name}.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, key in keys.items()
    }
    if passphrase is not None:
        private |= {
            f"{name}.p12": _pkcs12(name, issued, keys, passphrase)
            for name in DEMO_ENTITIES
            if name not in _AUTHORITIES
        }
    _write_all(out, files, private)
    return DemoPKI(folder=out)


_AUTHORITIES = ("root", "issuing")
_KINDS = ("pem", "key", "crl", "p12")


def _make_keys(names: Iterable[str]) -> dict[str, rsa.RSAPrivateKey]:
    # Generation releases the interpreter lock, and its duration varies widely from key to key.
    names = tuple(names)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        drawn = pool.map(lambda _: rsa.generate_private_key(65537, _KEY_BITS), names)
        return dict(zip(names, drawn, strict=True))


def _issue(
    name: str,
    common_name: str,
    issued: Mapping[str, x509.Certificate],
    keys: Mapping[str, rsa.RSAPrivateKey],
    start: datetime,
) -> x509.Certificate:
    entity, key, issuer_key = _ENTITIES[name], keys[name], keys[_ENTITIES[name].issuer]
    subject = _subject(entity, common_name)
    issuer = subject if entity.issuer == name else issued[entity.issuer].subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + entity.years * _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_authority(issuer_key), critical=False)
    )
    for extension, critical in _extensions(entity):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _subject(entity: _Entity, common_name: str) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    if entity.person:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, entity.person))
    return x509.Name(attributes)


def _extensions(entity: _Entity) -> Iterator[tuple[x509.ExtensionType, bool]]:
    authority = entity.path_length is not None
    yield x509.BasicConstraints(ca=authority, path_length=entity.path_length), True
    yield _key_usage(entity.usage), True
    if entity.extended_usage is not None:
        yield x509.ExtendedKeyUsage([entity.extended_usage]), True
    if entity.person:
        mailbox = f"{entity.person.lower()}@{_DOMAIN}"
        yield x509.SubjectAlternativeName([x509.RFC822Name(mailbox)]), False
    if entity.host:
        yield x509.SubjectAlternativeName([x509.DNSName(entity.host)]), False


_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _key_usage(wanted: Iterable[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**(dict.fromkeys(_KEY_USAGES, False) | dict.fromkeys(wanted, True)))


def _authority(issuer: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())


def _revocation_list(issuer: x509.Certificate, key: rsa.RSAPrivateKey, start: datetime) -> bytes:
    revoked = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(start)
        .next_update(start + 10 * _YEAR)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(_authority(key), critical=False)
        .sign(key, hashes.SHA256())
    )
    return revoked.public_bytes(Encoding.PEM)


def _pkcs12(
    name: str,
    issued: Mapping[str, x509.Certificate],
    keys: Mapping[str, rsa.RSAPrivateKey],
    passphrase: str,
) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        name.encode("ascii"),
        keys[name],
        issued[name],
        [issued["issuing"], issued["root"]],
        BestAvailableEncryption(passphrase.encode("utf-8")),
    )


def _refuse_existing(out: Path) -> None:
    for name in (f"{entity}.{kind}" for entity in DEMO_ENTITIES for kind in _KINDS):
        if os.path.lexists(out / name):
            raise ConfigurationError(
                f"{out} already has {name}", hint="name a new folder for the demo PKI"
            )


def _write_all(out: Path, public: Mapping[str, bytes], private: Mapping[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for files, mode in ((public, 0o644), (private, 0o600)):
            for name, data in files.items():
                _write(out / name, data, mode)
    except OSError as error:
        raise ConfigurationError(
            f"the demo PKI cannot be written to {out}: {error.strerror}"
        ) from error


def _write(path: Path, data: bytes, mode: int) -> None:
    # Created with its final mode and renamed, so that a private key is never readable by others.
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
