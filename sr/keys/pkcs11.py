"""Signers whose private key is on a token.

Runs in this process and asks the worker (``sr.keys.process``), which alone loads python-pkcs11.
Invariants: the PIN comes from ``pin-source`` or from ``Secrets`` when the first signature needs
it, is kept no longer than the signer is open, and is dropped when it was wrong, so that it is
never sent twice. A signer for a stack stays logged in until it is closed, or until the worker is
asked for anything else.
"""

from __future__ import annotations

import secrets as random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.errors import PINError, SignerRefusedError, SRError
from sr.keys.checks import chain_from, check_digest, check_value, public_key_of
from sr.keys.inventory import TokenInfo, ask_token, describe_token, with_module
from sr.keys.operation import signature_value, token_operation
from sr.keys.process import TokenWorker
from sr.keys.secrets import Secrets, read_secret, secret_bytes
from sr.keys.token_port import KeyKind, TokenFlag
from sr.keys.uri import PKCS11URI
from sr.mac import MACAlgorithm

__all__ = ["TokenSigner", "open_token_key", "pin_for", "store_request", "write_certificate"]


@contextmanager
def open_token_key(
    uri: PKCS11URI,
    *,
    certificates: tuple[x509.Certificate, ...],
    secrets: Secrets,
    stack: bool = False,
    worker: TokenWorker | None = None,
) -> Iterator[TokenSigner]:
    """Yield a signer over a key on a token.

    Nothing is logged in between signatures, except those of a stack. Without ``certificates``
    those on the token are used: by identifier, else by label, else the only one that is not a
    CA's.

    Args:
        uri: Names token and key.
        certificates: Leaf first, or empty.
        secrets: Asked for the PIN at the first signature.
        stack: Whether to stay logged in for several signatures.
        worker: Defaults to this process's worker.

    Raises:
        ConfigurationError: No module, or python-pkcs11 is not installed.
        SignerUnavailableError: The token is absent.
        SignerRefusedError: Not exactly one token or certificate matches.
        UnsupportedAlgorithmError: The certificate's key is neither RSA nor EC.

    Cites: RFC 7512; PKCS #11 v2.40.
    """
    uri = with_module(uri)
    token = describe_token(uri, worker=worker)
    chain = certificates or _chain_on_token(token, uri)
    public_key_of(chain[0])
    signer = TokenSigner(
        uri=uri, chain=chain, token=token, secrets=secrets, stack=stack, worker=worker
    )
    try:
        yield signer
    finally:
        signer.close()


def write_certificate(
    uri: PKCS11URI,
    certificate: x509.Certificate,
    *,
    secrets: Secrets,
    worker: TokenWorker | None = None,
) -> None:
    """Write a certificate to a token, beside the key that the URI names by label and identifier.

    Raises:
        ConfigurationError: No module, or python-pkcs11 is not installed.
        PINError: The PIN is wrong or locked.
        SignerUnavailableError: The token is absent or failed.
        SignerRefusedError: More than one token matches.

    Cites: PKCS #11 v2.40 4.6.3.
    """
    uri = with_module(uri)
    token = describe_token(uri, worker=worker)
    ask_token(worker, uri, store_request(uri, certificate, pin_for(token, uri, secrets)))


def store_request(uri: PKCS11URI, certificate: x509.Certificate, pin: str | None) -> dict[str, Any]:
    """Return what the worker is asked for to write a certificate."""
    return {
        "operation": "store",
        "label": uri.object_label or "",
        "id": (uri.object_id or b"").hex(),
        "der": certificate.public_bytes(Encoding.DER).hex(),
        "pin": pin,
    }


class TokenSigner:
    """A signer over a key on a token; safe to share between threads."""

    def __init__(
        self,
        *,
        uri: PKCS11URI,
        chain: tuple[x509.Certificate, ...],
        token: TokenInfo,
        secrets: Secrets,
        stack: bool,
        worker: TokenWorker | None,
    ) -> None:
        self._uri = uri
        self._chain = chain
        self._token = token
        self._secrets = secrets
        self._worker = worker
        self._stack = random.token_hex(16) if stack else None
        self._pin: str | None = None
        self._logged_in = False
        self._continues = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<TokenSigner {self._uri}>"

    @property
    def certificate_chain(self) -> tuple[x509.Certificate, ...]:
        """Leaf first."""
        return self._chain

    def close(self) -> None:
        """Log out and drop the PIN; another signature would ask again."""
        with self._lock:
            self._pin, self._continues = None, False
            if self._logged_in:
                self._logged_in = False
                with suppress(SRError):  # a worker that ended is logged out
                    ask_token(self._worker, self._uri, {"operation": "end", "stack": self._stack})

    def sign_digest(self, digest: bytes, algorithm: MACAlgorithm) -> bytes:
        """Log in, sign, log out (after the last of a stack), and check with the certificate.

        Raises:
            PINError: Wrong or locked.
            SignerUnavailableError: The token was removed, or the worker died.
            SignerRefusedError: Not exactly one key, or it does not belong to the certificate.
            UnsupportedAlgorithmError: Weak algorithm, wrong digest length, no such mechanism.

        Cites: PS3.15 C.1; PKCS #11 v2.40 2.1.8, 2.3.6.
        """
        check_digest(digest, algorithm)
        leaf = self._chain[0]
        key = public_key_of(leaf)
        kind, payload = token_operation(key, digest, algorithm)
        made = self._continued(payload) or self._logged_in_and_signed(kind, payload)
        value = signature_value(key, bytes.fromhex(made))
        return check_value(leaf, value, digest, algorithm)

    def _continued(self, payload: bytes) -> str | None:
        """Return a value from the login that the stack has, ``None`` where it has none any more.

        No PIN is sent, so none can be wrong: the requests of several threads wait in line.
        """
        if not self._continues:
            return None
        request = {"operation": "continue", "payload": payload.hex(), "stack": self._stack}
        value: str | None = ask_token(self._worker, self._uri, request, queued=True).get("value")
        return value

    def _logged_in_and_signed(self, kind: KeyKind, payload: bytes) -> str:
        # Under the lock until the token has answered, so that other threads do not repeat a PIN
        # that is just being found wrong.
        with self._lock:
            if self._pin is None:
                self._pin = pin_for(self._token, self._uri, self._secrets)
            request = {"operation": "sign", "kind": kind, "payload": payload.hex(),
                       "pin": self._pin, "stack": self._stack}  # fmt: skip
            try:
                reply = ask_token(self._worker, self._uri, request)
            except PINError:
                self._pin = None
                raise
            self._logged_in = self._stack is not None
            self._continues = reply["continues"]
            value: str = reply["value"]
            return value


def pin_for(token: TokenInfo, uri: PKCS11URI, secrets: Secrets) -> str | None:
    """Return the token's PIN; ``None`` where it wants none or has a PIN pad.

    Raises:
        PINError: Nobody can be asked, or what was typed is no text.
        ConfigurationError: The file that the URI names cannot be read.
    """
    if TokenFlag.LOGIN_REQUIRED not in token.flags or TokenFlag.PIN_PAD in token.flags:
        return None
    if uri.pin_source is not None:
        return read_secret(uri.pin_source)
    pin = secrets(f"PIN for token {token.label!r}")
    secret_bytes(pin)
    return pin


def _chain_on_token(token: TokenInfo, uri: PKCS11URI) -> tuple[x509.Certificate, ...]:
    known = token.certificates
    if uri.object_id is not None:
        found = [item for item in known if item.object_id == uri.object_id]
    else:
        # Cards often label key and certificate differently, so a label only prefers.
        found = [item for item in known if item.label == uri.object_label]
        found = found or [item for item in known if not _is_ca(item.certificate)]
    if len(found) == 1:
        return chain_from(found[0].certificate, (item.certificate for item in known))
    if not found:
        raise SignerRefusedError(
            f"there is no certificate on the token {token.label!r}", hint="give it with --cert"
        )
    listed = ", ".join(f"{item.subject} ({item.uri})" for item in found[:8])
    raise SignerRefusedError(
        f"{len(found)} certificates on the token {token.label!r} match",
        hint=f"choose a key by its id: {listed}",
    )


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.value.ca
