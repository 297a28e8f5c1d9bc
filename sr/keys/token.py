"""What is done with a token: find it, read it, sign with it, write to it.

Runs in the worker process with python-pkcs11 behind the port (``sr.keys.cryptoki``), and in tests
with a fake. Invariants: exactly one token and one key match or the candidates are named; a
signature logs in with the PIN and logs out again, so that the PIN is checked each time, unless it
belongs to a stack, whose login ends as soon as anybody else wants something; the last attempt at a
PIN is never used up. After a failure the caller ends the worker, which closes what the library may
have left open.

Cites: PKCS #11 v2.40 base specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from sr.errors import PINError, SignerRefusedError, SignerUnavailableError, SRError
from sr.keys.token_port import (
    KeyKind,
    KeyPort,
    ModulePort,
    SessionPort,
    StoredCertificate,
    StoredKey,
    TokenFlag,
    TokenPort,
)
from sr.keys.uri import PKCS11URI

__all__ = [
    "KeptLogin",
    "find_token",
    "import_key",
    "read_certificates",
    "sign_on_token",
    "store_certificate",
]


def find_token(module: ModulePort, uri: PKCS11URI) -> TokenPort:
    """Return the one token that the URI names.

    Raises:
        SignerUnavailableError: It is absent.
        SignerRefusedError: More than one matches.
    """
    tokens = tuple(module.tokens())
    found = [token for token in tokens if _is_token(token, uri)]
    if not found:
        # Modules list their slots once; a token that came later needs a new start.
        module.reset()
        tokens = tuple(module.tokens())
        found = [token for token in tokens if _is_token(token, uri)]
    if len(found) == 1:
        return found[0]
    known = _listed(f"{token.label} (serial {token.serial})" for token in tokens)
    if not found:
        raise SignerUnavailableError("no such token is present", hint=f"present: {known}")
    raise SignerRefusedError(
        f"{len(found)} tokens match the key URI", hint=f"add serial= to choose one of: {known}"
    )


def read_certificates(token: TokenPort) -> tuple[StoredCertificate, ...]:
    """Return the certificates of a token, without login."""
    session = token.open(login=False, pin=None)
    try:
        return tuple(session.certificates())
    finally:
        session.close()


class KeptLogin:
    """The login that a worker keeps for one stack of signatures; whoever comes between ends it."""

    def __init__(self) -> None:
        self._stack: str | None = None
        self._session: SessionPort | None = None
        self._key: KeyPort | None = None

    def key_for(self, stack: str | None) -> KeyPort | None:
        """Return the key of a stack whose login is kept; end the login of any other."""
        if stack is None or stack != self._stack:
            self.end()
        return self._key

    @property
    def needs_no_pin(self) -> bool:
        """Whether a login is kept with which the key signs without being given the PIN again."""
        return self._key is not None and not self._key.wants_pin

    def keep(self, stack: str, session: SessionPort, key: KeyPort) -> None:
        """Keep a session open for a stack."""
        self._stack, self._session, self._key = stack, session, key

    def end(self) -> None:
        """Log out, if anybody is logged in."""
        session, self._session, self._stack, self._key = self._session, None, None, None
        if session is not None:
            with suppress(SRError):  # the token may be gone, and the login with it
                session.close()


def sign_on_token(
    module: ModulePort,
    uri: PKCS11URI,
    *,
    kind: KeyKind,
    payload: bytes,
    pin: str | None,
    stack: str | None = None,
    kept: KeptLogin,
) -> bytes:
    """Log in, sign once, log out; within a stack, log in only if that has not been done.

    Args:
        module: Where the token is looked for.
        uri: Names the token and the key.
        kind: What the certificate's key is.
        payload: DigestInfo for RSA, digest for EC.
        pin: ``None`` where the token has a PIN pad or wants no login.
        stack: Names the stack that the signature belongs to; known to its owner alone.
        kept: Where the login of a stack is kept.

    Raises:
        PINError: Wrong, locked, or the last attempt would be used up.
        SignerUnavailableError: The token is absent or failed.
        SignerRefusedError: Not exactly one key matches, or it does not do this.
    """
    key = kept.key_for(stack)
    if key is not None:
        return key.sign(payload, pin)
    with _session(module, uri, pin, keep=stack is not None) as session:
        key = _find_key(session, uri, kind)
        value = key.sign(payload, pin)
        if stack is not None:
            kept.keep(stack, session, key)
        return value


def import_key(
    module: ModulePort,
    uri: PKCS11URI,
    key: StoredKey,
    *,
    payload: bytes,
    pin: str | None,
) -> bytes:
    """Log in, write a private key, sign with it once, log out; return the value.

    Raises:
        PINError: Wrong, locked, or the last attempt would be used up.
        SignerUnavailableError: The token is absent or failed.
        SignerRefusedError: More than one token matches, or the identifier is taken.
    """
    with _session(module, uri, pin, writable=True) as session:
        if session.private_keys(None, key.object_id):
            taken = PKCS11URI(object_id=key.object_id)
            raise SignerRefusedError(
                f"the token has a private key with the identifier of {taken} already",
                hint="choose another with id= in the key URI",
            )
        session.store_key(key)
        return _find_key(session, replace(uri, object_id=key.object_id), key.kind).sign(
            payload, pin
        )


def store_certificate(
    module: ModulePort, uri: PKCS11URI, certificate: StoredCertificate, *, pin: str | None
) -> None:
    """Log in, write a certificate, log out.

    Raises:
        PINError: Wrong, locked, or the last attempt would be used up.
        SignerUnavailableError: The token is absent or failed.
        SignerRefusedError: More than one token matches.
    """
    with _session(module, uri, pin, writable=True) as session:
        session.store(certificate)


@contextmanager
def _session(
    module: ModulePort,
    uri: PKCS11URI,
    pin: str | None,
    *,
    writable: bool = False,
    keep: bool = False,
) -> Iterator[SessionPort]:
    """Yield a session that is logged in; closed afterwards unless kept and nothing failed."""
    token = find_token(module, uri)
    login = TokenFlag.LOGIN_REQUIRED in token.flags
    if login:
        _refuse_hopeless_login(token, pin)
    try:
        session = token.open(login=login, pin=pin, writable=writable)
        try:
            yield session
        except BaseException:
            session.close()
            raise
        if not keep:
            session.close()
    except PINError as error:
        raise _explained(error, find_token(module, uri)) from error


def _is_token(token: TokenPort, uri: PKCS11URI) -> bool:
    pairs = (
        (uri.token, token.label),
        (uri.serial, token.serial),
        (uri.manufacturer, token.manufacturer),
        (uri.model, token.model),
        (uri.slot_id, token.slot_id),
    )
    return all(wanted is None or wanted == real for wanted, real in pairs)


_LOCKED = "unlock it with the PUK and the tool of the token's maker"
_FINAL_TRY = "log in once with the right PIN and the tool of the token's maker"


def _refuse_hopeless_login(token: TokenPort, pin: str | None) -> None:
    if TokenFlag.PIN_LOCKED in token.flags:
        raise PINError(f"the PIN is locked (token {token.label!r})", hint=_LOCKED)
    if TokenFlag.PIN_FINAL_TRY in token.flags:
        raise PINError(
            f"only one attempt at the PIN is left, and it is not used up (token {token.label!r})",
            hint=_FINAL_TRY,
        )
    if pin is None and TokenFlag.PIN_PAD not in token.flags:
        raise PINError(f"the token {token.label!r} wants a PIN")


def _explained(error: PINError, token: TokenPort) -> PINError:
    if TokenFlag.PIN_LOCKED in token.flags:
        return PINError(f"the PIN is locked (token {token.label!r})", hint=_LOCKED)
    if TokenFlag.PIN_FINAL_TRY in token.flags:
        return PINError(f"{error}; one attempt is left", hint=_FINAL_TRY)
    return error


def _find_key(session: SessionPort, uri: PKCS11URI, kind: KeyKind) -> KeyPort:
    keys = tuple(session.private_keys(uri.object_label, uri.object_id))
    if len(keys) == 1:
        if keys[0].kind != kind.value:
            raise SignerRefusedError(
                f"the key on the token is {keys[0].kind}, its certificate is for {kind.value}"
            )
        return keys[0]
    candidates = keys or tuple(session.private_keys(None, None))
    listed = _listed(
        str(PKCS11URI(object_label=key.label or None, object_id=key.object_id or None))
        for key in candidates
    )
    if not keys:
        raise SignerRefusedError("no private key on the token matches", hint=f"present: {listed}")
    raise SignerRefusedError(
        f"{len(keys)} private keys on the token match", hint=f"choose one of: {listed}"
    )


def _listed(names: Iterable[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:8]) + (", …" if len(shown) > 8 else "") if shown else "nothing"
