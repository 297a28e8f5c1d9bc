"""Signers whose private key is in a file: PEM or DER, and PKCS #12.

Invariants: a key that does not belong to the certificate is refused on opening, an encrypted file
needs its passphrase every time, and loading a key (which checks it, 40 to 280 ms for RSA) happens
once a process for the same bytes and the same passphrase.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from asn1crypto.pkcs12 import Pfx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from sr.errors import ConfigurationError, PINError, UnsupportedAlgorithmError
from sr.keys.checks import chain_from, check_digest, check_key, check_value, public_key_of
from sr.keys.secrets import Secrets, secret_bytes
from sr.keys.uri import PKCS12URI, FileURI
from sr.mac import MACAlgorithm

__all__ = ["SoftwareSigner", "open_key_file", "open_pkcs12"]

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_MAXIMUM_FILE = 1 << 20  # bytes
_KEPT = 16  # loaded keys
_LABEL = b"srsign loaded key"

_HASH: dict[MACAlgorithm, hashes.HashAlgorithm] = {
    MACAlgorithm.SHA224: hashes.SHA224(),
    MACAlgorithm.SHA256: hashes.SHA256(),
    MACAlgorithm.SHA384: hashes.SHA384(),
    MACAlgorithm.SHA512: hashes.SHA512(),
    MACAlgorithm.SHA512_224: hashes.SHA512_224(),
    MACAlgorithm.SHA512_256: hashes.SHA512_256(),
    MACAlgorithm.SHA3_224: hashes.SHA3_224(),
    MACAlgorithm.SHA3_256: hashes.SHA3_256(),
    MACAlgorithm.SHA3_384: hashes.SHA3_384(),
    MACAlgorithm.SHA3_512: hashes.SHA3_512(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareSigner:
    """A signer over a key in this process's memory."""

    certificate_chain: tuple[x509.Certificate, ...]
    key: PrivateKey = field(repr=False)

    def sign_digest(self, digest: bytes, algorithm: MACAlgorithm) -> bytes:
        """Return the signature value of a digest.

        Raises:
            UnsupportedAlgorithmError: Weak algorithm, wrong digest length, or key too small.
            SignerRefusedError: The value does not verify with the certificate.

        Cites: PS3.15 C.1.
        """
        check_digest(digest, algorithm)
        prehashed = Prehashed(_HASH[algorithm])
        try:
            if isinstance(self.key, rsa.RSAPrivateKey):
                value = self.key.sign(digest, padding.PKCS1v15(), prehashed)
            else:
                value = self.key.sign(digest, ec.ECDSA(prehashed))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UnsupportedAlgorithmError(
                f"this key does not sign with {algorithm.value}"
            ) from error
        return check_value(self.certificate_chain[0], value, digest, algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    key: object
    certificates: tuple[x509.Certificate, ...]


@contextmanager
def open_key_file(
    uri: FileURI, *, certificates: tuple[x509.Certificate, ...], secrets: Secrets
) -> Iterator[SoftwareSigner]:
    """Yield a signer over a PEM or DER private key file.

    Without ``certificates`` those in the same PEM file are used.

    Raises:
        ConfigurationError: No such file, not a private key, or no certificate.
        PINError: The passphrase is wrong.
        SignerRefusedError: The key does not belong to the certificate.
        UnsupportedAlgorithmError: The key is neither RSA nor EC.

    Cites: RFC 7468; RFC 5208.
    """
    yield _signer(_load(uri.path, _load_key, str(uri), secrets), certificates, str(uri))


@contextmanager
def open_pkcs12(
    uri: PKCS12URI, *, certificates: tuple[x509.Certificate, ...], secrets: Secrets
) -> Iterator[SoftwareSigner]:
    """Yield a signer over a PKCS #12 file.

    Without ``certificates`` those in the file are used.

    Raises:
        ConfigurationError: No such file, not PKCS #12, or no key or certificate in it.
        PINError: The passphrase is wrong.
        SignerRefusedError: The key does not belong to the certificate.
        UnsupportedAlgorithmError: The key is neither RSA nor EC.

    Cites: RFC 7292.
    """
    yield _signer(_load(uri.path, _load_pfx, str(uri), secrets), certificates, str(uri))


def _signer(loaded: _Loaded, given: tuple[x509.Certificate, ...], uri: str) -> SoftwareSigner:
    if not isinstance(loaded.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnsupportedAlgorithmError(f"the key {uri} is neither RSA nor EC")
    public = loaded.key.public_key()
    if not given:
        leaf = next((c for c in loaded.certificates if _public_key(c) == public), None)
        given = chain_from(leaf, loaded.certificates) if leaf else loaded.certificates
    if not given:
        raise ConfigurationError(
            f"there is no certificate for the key {uri}", hint="give it with --cert"
        )
    check_key(given[0], public)
    return SoftwareSigner(certificate_chain=given, key=loaded.key)


def _public_key(certificate: x509.Certificate) -> object | None:
    try:
        return public_key_of(certificate)
    except UnsupportedAlgorithmError:
        return None


Loader = Callable[[bytes, bytes | None, str], _Loaded | None]


def _load(path: Path, loader: Loader, uri: str, secrets: Secrets) -> _Loaded:
    data = _read(path)
    loaded = _once(loader, data, None, uri)
    if loaded is None:
        passphrase = secret_bytes(secrets(f"Passphrase for {uri}"))
        loaded = _once(loader, data, passphrase, uri)
    if loaded is None:
        raise PINError(f"the passphrase for {uri} is wrong")
    return loaded


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_FILE + 1)
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be read: {error.strerror}") from error
    if len(data) > _MAXIMUM_FILE:
        raise ConfigurationError(f"{path} is too large to be a key file")
    return data


_loaded: OrderedDict[bytes, _Loaded] = OrderedDict()
_loaded_lock = threading.Lock()
_process_secret = os.urandom(32)


def _once(loader: Loader, data: bytes, passphrase: bytes | None, uri: str) -> _Loaded | None:
    # The name under which a key is kept depends on the file's bytes, not on path and time, and on
    # the passphrase, so a changed file is read anew and a wrong passphrase never finds a key.
    parts = (_LABEL, loader.__name__.encode(), data, passphrase or b"", b"%d" % bool(passphrase))
    keyed = hashlib.blake2b(key=_process_secret)
    for part in parts:
        keyed.update(len(part).to_bytes(8, "big") + part)
    name = keyed.digest()
    with _loaded_lock:
        if name in _loaded:
            _loaded.move_to_end(name)
            return _loaded[name]
    found = loader(data, passphrase, uri)
    if found is not None:
        with _loaded_lock:
            _loaded[name] = found
            while len(_loaded) > _KEPT:
                _loaded.popitem(last=False)
    return found


def _load_key(data: bytes, passphrase: bytes | None, uri: str) -> _Loaded | None:
    pem = b"-----BEGIN" in data
    load = load_pem_private_key if pem else load_der_private_key
    try:
        key = load(data, passphrase)
        found = x509.load_pem_x509_certificates(data) if b"BEGIN CERTIFICATE" in data else []
    except TypeError:
        return None  # encrypted, and no passphrase was given
    except UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithmError(f"the key {uri} is of an unsupported kind") from error
    except ValueError as error:
        if passphrase is not None:
            return None
        raise ConfigurationError(
            f"{uri} is not a private key", hint="a PKCS #8 file, PEM or DER"
        ) from error
    return _Loaded(key=key, certificates=tuple(found))


def _load_pfx(data: bytes, passphrase: bytes | None, uri: str) -> _Loaded | None:
    if not _is_pfx(data):
        raise ConfigurationError(f"{uri} is not a PKCS #12 file")
    try:
        content = pkcs12.load_pkcs12(data, passphrase)
    except UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithmError(
            f"{uri} is encrypted with an outdated method", hint="export it again, with AES"
        ) from error
    except (ValueError, TypeError):
        return None
    if content.key is None:
        raise ConfigurationError(f"{uri} holds no private key")
    own = (content.cert,) if content.cert else ()
    found = tuple(item.certificate for item in (*own, *content.additional_certs))
    return _Loaded(key=content.key, certificates=found)


def _is_pfx(data: bytes) -> bool:
    try:
        return bool(Pfx.load(data, strict=True)["version"].native == "v3")
    except (ValueError, TypeError):
        return False
