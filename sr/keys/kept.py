"""Signers that a service opens once and keeps, instead of checking a key at every signature."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sr.keys.secrets import Secrets, no_secrets
from sr.keys.signer import Signer, open_signer

__all__ = ["KeptSigners"]


class KeptSigners:
    """The signers of one process, by key URI and certificate; safe to share between threads."""

    def __init__(self, secrets: Secrets = no_secrets) -> None:
        self._secrets = secrets
        self._opened: dict[tuple[str, bytes], Signer] = {}
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def signer(self, uri: str, certificates: tuple[x509.Certificate, ...]) -> Signer:
        """Return a signer, opened at its first use; it stays open until ``close``.

        Args:
            uri: Of the key.
            certificates: Leaf first.

        Raises:
            ConfigurationError: The URI, a file or an installation is not usable.
            SignerRefusedError: The key does not belong to the certificate.
            SignerUnavailableError: The token is absent.
            PINError: The passphrase of a file is wrong.
            UnsupportedAlgorithmError: The key is neither RSA nor EC.
        """
        name = (uri, certificates[0].fingerprint(hashes.SHA256()))
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._stack.enter_context(
                    open_signer(uri, certificates=certificates, secrets=self._secrets, stack=True)
                )
            return self._opened[name]

    def close(self) -> None:
        """Log out of tokens and forget every key."""
        with self._lock:
            self._opened.clear()
            self._stack.close()
