"""What a signer is, and how a key URI becomes one.

The ``signature`` room prepares a digest and takes a value back; between the two stands one of
these. Adapters are reached through a table by kind of URI.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from cryptography import x509

from sr.keys.pkcs11 import open_token_key
from sr.keys.secrets import Secrets
from sr.keys.software import open_key_file, open_pkcs12
from sr.keys.uri import PKCS11URI, PKCS12URI, FileURI, parse_key_uri
from sr.mac import MACAlgorithm

__all__ = ["Signer", "open_signer"]

Certificates = tuple[x509.Certificate, ...]


class Signer(Protocol):
    """A private key that signs digests, and the certificates that belong to it."""

    @property
    def certificate_chain(self) -> Certificates:
        """Leaf first, then its issuers as far as they are known."""
        ...

    def sign_digest(self, digest: bytes, algorithm: MACAlgorithm) -> bytes:
        """Return an RSASSA-PKCS1-v1_5 value, or a DER ECDSA value without padding.

        The value was checked with the public key of the leaf certificate.

        Raises:
            SignerUnavailableError: The token is absent or failed; a retry may help.
            SignerRefusedError: The key does not sign this, or does not belong to the certificate.
            PINError: The PIN is wrong or locked.
            UnsupportedAlgorithmError: Weak algorithm, wrong digest length, or no such mechanism.

        Cites: PS3.15 C.1.
        """
        ...


def open_signer(
    uri: str, *, certificates: Certificates = (), secrets: Secrets, stack: bool = False
) -> AbstractContextManager[Signer]:
    """Return a signer for a key URI, to be used in a ``with`` statement.

    Args:
        uri: ``file:``, ``pkcs12:`` or ``pkcs11:``; safe to store and to log.
        certificates: Leaf first; empty to use those stored beside the key.
        secrets: Asked with a prompt text, only when a secret is needed.
        stack: Whether a token stays logged in until the signer is closed, for several signatures.

    Raises:
        ConfigurationError: The URI, a file or an installation is not usable.
        SignerRefusedError: The key does not belong to the certificate.
        SignerUnavailableError: The token is absent.
        PINError: The passphrase of a file is wrong.
        UnsupportedAlgorithmError: The key is neither RSA nor EC.

    Cites: RFC 7512.
    """
    parsed = parse_key_uri(uri)
    if isinstance(parsed, PKCS11URI):
        return open_token_key(parsed, certificates=certificates, secrets=secrets, stack=stack)
    return _OPENERS[type(parsed)](parsed, certificates=certificates, secrets=secrets)


_OPENERS: dict[type, Callable[..., AbstractContextManager[Signer]]] = {
    FileURI: open_key_file,
    PKCS12URI: open_pkcs12,
}
