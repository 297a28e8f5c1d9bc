"""python-pkcs11 behind the port of ``sr.keys.token``. Imported in the worker process only.

The library initialises modules without locking and crashes under threads, which is why nobody
else imports this. Its exceptions carry no text; here, and only here, they become ours.

Cites: PKCS #11 v2.40 base specification 5.1 (return values).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass, types
from pkcs11 import exceptions as failure
from pkcs11.types import PROTECTED_AUTH
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key
from pkcs11.util.x509 import decode_x509_certificate

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SRError,
    UnsupportedAlgorithmError,
)
from sr.keys.token_port import KeyKind, StoredCertificate, StoredKey, TokenFlag

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

__all__ = ["CryptokiModule", "converted"]

T = TypeVar("T")

_FLAGS = {
    pkcs11.TokenFlag.LOGIN_REQUIRED: TokenFlag.LOGIN_REQUIRED,
    pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH: TokenFlag.PIN_PAD,
    pkcs11.TokenFlag.USER_PIN_COUNT_LOW: TokenFlag.PIN_COUNT_LOW,
    pkcs11.TokenFlag.USER_PIN_FINAL_TRY: TokenFlag.PIN_FINAL_TRY,
    pkcs11.TokenFlag.USER_PIN_LOCKED: TokenFlag.PIN_LOCKED,
}
_KINDS = {pkcs11.KeyType.RSA: KeyKind.RSA, pkcs11.KeyType.EC: KeyKind.EC}
_DECODERS = {KeyKind.RSA: decode_rsa_private_key, KeyKind.EC: decode_ec_private_key}
_MECHANISMS = {KeyKind.RSA.value: Mechanism.RSA_PKCS, KeyKind.EC.value: Mechanism.ECDSA}

_NOT_FOR = (Attribute.DECRYPT, Attribute.UNWRAP)

# What is not listed means trouble with the token: a retry may help.
_MEANING: dict[type[failure.PKCS11Error], tuple[type[SRError], str]] = {
    failure.PinIncorrect: (PINError, "the PIN is wrong"),
    failure.PinInvalid: (PINError, "the PIN has characters that the token does not take"),
    failure.PinLenRange: (PINError, "the PIN is too short or too long for the token"),
    failure.PinLocked: (PINError, "the PIN is locked"),
    failure.PinExpired: (PINError, "the PIN has expired and must be changed"),
    failure.UserPinNotInitialized: (PINError, "no user PIN is set"),
    failure.FunctionCancelled: (SignerRefusedError, "the signature was cancelled at the reader"),
    failure.FunctionRejected: (SignerRefusedError, "the signature was refused at the reader"),
    failure.DataLenRange: (UnsupportedAlgorithmError, "the digest is too long for this key"),
    failure.KeySizeRange: (UnsupportedAlgorithmError, "the token does not take keys of this size"),
    failure.MechanismInvalid: (
        UnsupportedAlgorithmError,
        "the token does not sign in this way",
    ),
    failure.MechanismParamInvalid: (
        UnsupportedAlgorithmError,
        "the token does not sign in this way",
    ),
    failure.KeyTypeInconsistent: (SignerRefusedError, "the key on the token is of another kind"),
    failure.DeviceRemoved: (SignerUnavailableError, "the token was removed"),
    failure.TokenNotPresent: (SignerUnavailableError, "the token was removed"),
    failure.SessionCount: (SignerUnavailableError, "the token has no session left"),
}


@contextmanager
def converted() -> Iterator[None]:
    """Turn exceptions of python-pkcs11 into ours.

    Raises:
        SRError: By the table above.
    """
    try:
        yield
    except failure.PKCS11Error as error:
        kind, message = _MEANING.get(
            type(error), (SignerUnavailableError, f"the token answered {type(error).__name__}")
        )
        raise kind(message) from error


class CryptokiModule:
    """A PKCS #11 module, loaded when first asked for its tokens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._library: lib | None = None

    def tokens(self) -> Sequence[CryptokiToken]:
        """Return the initialised tokens that are present."""
        if self._library is None or not self._library.initialized:
            self._library = _load(self._path)
        with converted():
            slots = self._library.get_slots(token_present=True)
        return tuple(token for slot in slots for token in _tokens_in(slot))

    def reset(self) -> None:
        """Finalise the module: closes all sessions, also those python-pkcs11 lost track of."""
        if self._library is not None:
            with suppress(failure.PKCS11Error):
                self._library.finalize()


def _load(path: Path) -> lib:
    if not path.is_file():
        raise ConfigurationError(
            f"there is no PKCS #11 module {path}",
            hint="name it with module-path= in the key URI or in SRSIGN_PKCS11_MODULE",
        )
    try:
        return pkcs11.lib(str(path))
    except failure.PKCS11Error as error:
        if type(error) is failure.PKCS11Error:
            raise ConfigurationError(f"{path} is not a PKCS #11 module") from error
        raise SignerUnavailableError(
            f"the PKCS #11 module does not start: {type(error).__name__}",
            hint="check the configuration of the module, such as SOFTHSM2_CONF",
        ) from error


def _tokens_in(slot: types.Slot) -> Iterator[CryptokiToken]:
    # One broken reader must not hide the others.
    with suppress(failure.PKCS11Error):
        token = slot.get_token()
        if token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED:
            yield CryptokiToken(token)


class CryptokiToken:
    """A token in a slot."""

    def __init__(self, token: types.Token) -> None:
        self._token = token
        self.label: str = token.label
        self.serial: str = token.serial.rstrip(b" \0").decode("utf-8", "replace")
        self.manufacturer: str = token.manufacturer_id
        self.model: str = token.model
        self.slot_id: int = token.slot.slot_id

    @property
    def flags(self) -> frozenset[TokenFlag]:
        """State when the token was listed."""
        real = self._token.flags
        known = {ours for theirs, ours in _FLAGS.items() if real & theirs}
        if not real & pkcs11.TokenFlag.USER_PIN_INITIALIZED:
            known.add(TokenFlag.PIN_MISSING)
        return frozenset(known)

    def open(self, *, login: bool, pin: str | None, writable: bool = False) -> CryptokiSession:
        """Open a session, logged in where asked."""
        wanted = (PROTECTED_AUTH if pin is None else pin) if login else None
        with converted():
            return CryptokiSession(self._token.open(rw=writable, user_pin=wanted))


class CryptokiSession:
    """An open session."""

    def __init__(self, session: types.Session) -> None:
        self._session = session

    def certificates(self) -> Sequence[StoredCertificate]:
        """Return all X.509 certificates that are visible."""
        with converted():
            found = tuple(self._session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
            return tuple(
                StoredCertificate(
                    label=_attribute(item, Attribute.LABEL, ""),
                    object_id=_attribute(item, Attribute.ID, b""),
                    der=der,
                )
                for item in found
                if (der := _attribute(item, Attribute.VALUE, b""))
            )

    def private_keys(self, label: str | None, object_id: bytes | None) -> Sequence[CryptokiKey]:
        """Return the private keys that match."""
        wanted: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if label is not None:
            wanted[Attribute.LABEL] = label
        if object_id is not None:
            wanted[Attribute.ID] = object_id
        with converted():
            found = tuple(self._session.get_objects(wanted))
            return tuple(CryptokiKey(cast("types.PrivateKey", key)) for key in found)

    def store(self, certificate: StoredCertificate) -> None:
        """Write a certificate as a token object that is visible without login."""
        attributes = decode_x509_certificate(certificate.der)
        attributes |= {
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
            Attribute.LABEL: certificate.label,
            Attribute.ID: certificate.object_id,
        }
        with converted():
            self._session.create_object(attributes)

    def store_key(self, key: StoredKey) -> None:
        """Write a private key as a token object that signs, and whose value nobody reads."""
        attributes = _DECODERS[key.kind](key.der)
        attributes |= dict.fromkeys(_NOT_FOR, False)
        attributes |= {
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.SIGN: True,
            Attribute.LABEL: key.label,
            Attribute.ID: key.object_id,
        }
        with converted():
            self._session.create_object(attributes)

    def close(self) -> None:
        """Log out where logged in, and close."""
        with converted():
            self._session.close()


class CryptokiKey:
    """A private key."""

    def __init__(self, key: types.PrivateKey) -> None:
        self._key = key
        self.label: str = _attribute(key, Attribute.LABEL, "")
        self.object_id: bytes = _attribute(key, Attribute.ID, b"")
        self.kind: str = _KINDS.get(key.key_type, str(key.key_type))
        self.wants_pin = _attribute(key, Attribute.ALWAYS_AUTHENTICATE, default=False)

    def sign(self, payload: bytes, pin: str | None) -> bytes:
        """Sign, giving the PIN again where the key wants it each time."""
        if not hasattr(self._key, "sign"):
            raise SignerRefusedError("the key on the token is not meant for signing")
        # An empty PIN sends the person back to the PIN pad.
        again = (pin or "") if self.wants_pin else None
        with converted():
            value = self._key.sign(payload, mechanism=_MECHANISMS[self.kind], pin=again)
        return bytes(value)


def _attribute(item: types.Object, attribute: Attribute, default: T) -> T:
    try:
        value: T = item[attribute]
    except failure.PKCS11Error:
        return default
    return value
