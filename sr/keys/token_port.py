"""A token as wide as it is needed: what the worker asks of python-pkcs11, and of a fake in tests.

Cites: PKCS #11 v2.40 base specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

__all__ = [
    "KeyKind",
    "KeyPort",
    "ModulePort",
    "SessionPort",
    "StoredCertificate",
    "StoredKey",
    "TokenFlag",
    "TokenPort",
]


class KeyKind(StrEnum):
    """Which operation a key does, by the word of its certificate."""

    RSA = "RSA"
    EC = "EC"


class TokenFlag(StrEnum):
    """What a token says about itself, as far as it matters to us."""

    LOGIN_REQUIRED = "login-required"
    PIN_PAD = "pin-pad"
    """The PIN is typed at the reader (protected authentication path)."""
    PIN_MISSING = "pin-missing"
    """No user PIN was ever set."""
    PIN_COUNT_LOW = "pin-count-low"
    """A wrong PIN was given since the last good one."""
    PIN_FINAL_TRY = "pin-final-try"
    PIN_LOCKED = "pin-locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCertificate:
    """A certificate on a token, readable without a PIN."""

    label: str
    object_id: bytes
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A private key on its way to a token."""

    label: str
    object_id: bytes
    kind: KeyKind
    der: bytes = field(repr=False)
    """RSAPrivateKey (RFC 8017 A.1.2) or ECPrivateKey (RFC 5915)."""


class KeyPort(Protocol):
    """A private key in a session."""

    @property
    def label(self) -> str:
        """Label, may be empty."""
        ...

    @property
    def object_id(self) -> bytes:
        """Identifier shared with the certificate, may be empty."""
        ...

    @property
    def kind(self) -> str:
        """A ``KeyKind`` value, or the token's own word."""
        ...

    @property
    def wants_pin(self) -> bool:
        """Whether it wants the PIN again at each signature (CKA_ALWAYS_AUTHENTICATE)."""
        ...

    def sign(self, payload: bytes, pin: str | None) -> bytes:
        """Apply RSA with PKCS #1 v1.5 padding, or ECDSA (r and s side by side).

        ``pin`` is for keys that want it again at each signature.
        """
        ...


class SessionPort(Protocol):
    """An open session."""

    def certificates(self) -> Sequence[StoredCertificate]:
        """Return all certificates that are visible."""
        ...

    def private_keys(self, label: str | None, object_id: bytes | None) -> Sequence[KeyPort]:
        """Return the private keys that match; ``None`` matches anything."""
        ...

    def store(self, certificate: StoredCertificate) -> None:
        """Write a certificate; needs a writable session."""
        ...

    def store_key(self, key: StoredKey) -> None:
        """Write a private key that signs and never leaves; needs a writable session."""
        ...

    def close(self) -> None:
        """Log out where logged in, and close."""
        ...


class TokenPort(Protocol):
    """A token in a slot."""

    @property
    def label(self) -> str:
        """Label."""
        ...

    @property
    def serial(self) -> str:
        """Serial number."""
        ...

    @property
    def manufacturer(self) -> str:
        """Manufacturer."""
        ...

    @property
    def model(self) -> str:
        """Model."""
        ...

    @property
    def slot_id(self) -> int:
        """Number of the slot."""
        ...

    @property
    def flags(self) -> frozenset[TokenFlag]:
        """State when the token was listed."""
        ...

    def open(self, *, login: bool, pin: str | None, writable: bool = False) -> SessionPort:
        """Open a session; ``pin`` is ``None`` for a login at the PIN pad."""
        ...


class ModulePort(Protocol):
    """A loaded PKCS #11 module; raises only errors of ``sr.errors``."""

    def tokens(self) -> Sequence[TokenPort]:
        """Return the initialised tokens that are present now."""
        ...

    def reset(self) -> None:
        """Start anew: forget all slots, sessions and logins."""
        ...
