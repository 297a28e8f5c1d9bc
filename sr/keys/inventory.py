"""What tokens show without a PIN: themselves and their certificates.

Runs in this process and asks the worker (``sr.keys.process``), which alone loads python-pkcs11.
Also decides which PKCS #11 module is meant and what the worker's environment must say.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cryptography import x509

from sr.errors import ConfigurationError
from sr.keys.process import TokenWorker, shared_worker
from sr.keys.token_port import TokenFlag
from sr.keys.uri import PKCS11URI
from sr.signature.integrity import der_prefix

__all__ = [
    "SOFTHSM_MODULES",
    "TokenCertificate",
    "TokenInfo",
    "ask_token",
    "describe_token",
    "list_tokens",
    "with_module",
]

MODULE_VARIABLE = "SRSIGN_PKCS11_MODULE"
SOFTHSM_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)
"""Where Debian keeps SoftHSM."""
_MODULES = (
    *SOFTHSM_MODULES,
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCertificate:
    """A certificate on a token."""

    label: str
    object_id: bytes
    certificate: x509.Certificate
    uri: str
    """Key URI for the private key that shares its identifier."""

    @property
    def subject(self) -> str:
        """Subject, RFC 4514."""
        return self.certificate.subject.rfc4514_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """What a token shows without a PIN."""

    label: str
    serial: str
    manufacturer: str
    model: str
    flags: frozenset[TokenFlag]
    certificates: tuple[TokenCertificate, ...]


def list_tokens(
    module_path: Path | None = None, *, worker: TokenWorker | None = None
) -> tuple[TokenInfo, ...]:
    """Return the tokens that are present and their certificates, without login.

    Args:
        module_path: The PKCS #11 module; defaults to ``SRSIGN_PKCS11_MODULE``, else to one of
            the usual Debian paths.
        worker: Defaults to this process's worker.

    Raises:
        ConfigurationError: No module, or python-pkcs11 is not installed.
        SignerUnavailableError: The module does not answer.
    """
    uri = with_module(PKCS11URI(module_path=module_path))
    reply = ask_token(worker, uri, {"operation": "list"})
    return tuple(_token_info(token, uri) for token in reply["tokens"])


def describe_token(uri: PKCS11URI, *, worker: TokenWorker | None = None) -> TokenInfo:
    """Return the one token that the URI names.

    Raises:
        SignerUnavailableError: It is absent, or the module does not answer.
        SignerRefusedError: More than one matches.
        ConfigurationError: No module, or python-pkcs11 is not installed.
    """
    uri = with_module(uri)
    return _token_info(ask_token(worker, uri, {"operation": "describe"}), uri)


def with_module(uri: PKCS11URI) -> PKCS11URI:
    """Return the URI with a module path, its own or the default.

    Raises:
        ConfigurationError: No module, or python-pkcs11 is not installed.
    """
    if find_spec("pkcs11") is None:
        raise ConfigurationError(
            "keys on tokens need python-pkcs11, which is not installed",
            hint="pip install 'srsign[pkcs11]'",
        )
    return uri if uri.module_path else replace(uri, module_path=_default_module())


def _default_module() -> Path:
    configured = os.environ.get(MODULE_VARIABLE)
    if configured:
        return Path(configured).absolute()
    found = next((path for path in map(Path, _MODULES) if path.is_file()), None)
    if found is None:
        raise ConfigurationError(
            "no PKCS #11 module was found in the usual places",
            hint=f"name it with module-path= in the key URI or in {MODULE_VARIABLE}",
        )
    return found


def ask_token(
    worker: TokenWorker | None, uri: PKCS11URI, request: dict[str, Any], *, queued: bool = False
) -> dict[str, Any]:
    """Return the worker's answer to a request about what the URI names.

    Args:
        worker: Defaults to this process's worker.
        uri: Names token and module.
        request: Without the URI.
        queued: As ``TokenWorker.call`` takes it.

    Raises:
        SRError: What the worker answered.
    """
    store = uri.softhsm2_conf
    environment = {"SOFTHSM2_CONF": str(store)} if store else {}
    return (worker or shared_worker()).call(
        request | {"uri": str(uri)}, environment=environment, queued=queued
    )


def _token_info(token: dict[str, Any], uri: PKCS11URI) -> TokenInfo:
    key = PKCS11URI(
        token=token["label"] or None,
        serial=token["serial"] or None,
        module_path=uri.module_path,
        softhsm2_conf=uri.softhsm2_conf,
    )
    return TokenInfo(
        label=token["label"],
        serial=token["serial"],
        manufacturer=token["manufacturer"],
        model=token["model"],
        flags=frozenset(map(TokenFlag, token["flags"])),
        certificates=tuple(
            certificate
            for stored in token["certificates"]
            if (certificate := _token_certificate(stored, key)) is not None
        ),
    )


def _token_certificate(stored: dict[str, str], key: PKCS11URI) -> TokenCertificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der_prefix(bytes.fromhex(stored["der"])))
    except (ValueError, x509.InvalidVersion):
        return None  # a card may hold what is no certificate; it must not hide the others
    object_id = bytes.fromhex(stored["id"])
    named = (
        replace(key, object_id=object_id)
        if object_id
        else replace(key, object_label=stored["label"] or None)
    )
    return TokenCertificate(
        label=stored["label"], object_id=object_id, certificate=certificate, uri=str(named)
    )
