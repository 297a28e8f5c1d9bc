"""The worker process: reads one request a line, answers one line, and dies with its parent.

``answer`` is the whole protocol and knows nothing of processes; ``serve`` is the loop around it.
A request holds a key URI and, for a signature, the PIN; an answer never does. Standard output is
kept from the token's module, which may print what it likes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SRError,
    UnsupportedAlgorithmError,
)
from sr.keys.token import (
    KeyKind,
    ModulePort,
    StoredCertificate,
    TokenPort,
    find_token,
    read_certificates,
    sign_on_token,
    store_certificate,
)
from sr.keys.uri import PKCS11URI, parse_key_uri

__all__ = ["answer", "raise_answer", "serve"]

Message = dict[str, Any]


def answer(request: Message, load: Callable[[Path], ModulePort]) -> Message:
    """Return the answer to a request; a failure is an answer too.

    Args:
        request: ``operation``, ``uri`` with a module path, and what the operation needs.
        load: Returns the module at a path.
    """
    try:
        uri, path = _target(request["uri"])
        return _OPERATIONS[request["operation"]](load(path), uri, request)
    except SRError as error:
        return {"error": type(error).__name__, "message": str(error), "hint": error.hint}
    except Exception as error:
        # Its text could hold anything, so only its type leaves.
        return {
            "error": SignerUnavailableError.__name__,
            "message": f"the token worker failed: {type(error).__name__}",
            "hint": None,
        }


def raise_answer(reply: Message) -> None:
    """Raise what an answer says went wrong, if anything did.

    Raises:
        SRError: Of the class that was raised in the worker, where a signer may raise it.
    """
    if "error" in reply:
        kind = _ERRORS.get(reply["error"], SignerUnavailableError)
        raise kind(reply["message"], hint=reply["hint"])


_ERRORS: dict[str, type[SRError]] = {
    kind.__name__: kind
    for kind in (
        ConfigurationError,
        PINError,
        SignerRefusedError,
        SignerUnavailableError,
        UnsupportedAlgorithmError,
    )
}


def _target(text: str) -> tuple[PKCS11URI, Path]:
    uri = parse_key_uri(text)
    if not isinstance(uri, PKCS11URI) or uri.module_path is None:
        raise ConfigurationError("the worker needs a pkcs11 URI with a module path")
    return uri, uri.module_path


def _describe(module: ModulePort, uri: PKCS11URI, _request: Message) -> Message:
    return _described(find_token(module, uri))


def _list(module: ModulePort, _uri: PKCS11URI, _request: Message) -> Message:
    return {"tokens": [_described(token) for token in module.tokens()]}


def _sign(module: ModulePort, uri: PKCS11URI, request: Message) -> Message:
    value = sign_on_token(
        module,
        uri,
        kind=KeyKind(request["kind"]),
        payload=bytes.fromhex(request["payload"]),
        pin=request["pin"],
    )
    return {"value": value.hex()}


def _store(module: ModulePort, uri: PKCS11URI, request: Message) -> Message:
    certificate = StoredCertificate(
        label=request["label"],
        object_id=bytes.fromhex(request["id"]),
        der=bytes.fromhex(request["der"]),
    )
    store_certificate(module, uri, certificate, pin=request["pin"])
    return {}


def _described(token: TokenPort) -> Message:
    return {
        "label": token.label,
        "serial": token.serial,
        "manufacturer": token.manufacturer,
        "model": token.model,
        "flags": sorted(token.flags),
        "certificates": [
            {"label": item.label, "id": item.object_id.hex(), "der": item.der.hex()}
            for item in read_certificates(token)
        ],
    }


_OPERATIONS: dict[str, Callable[[ModulePort, PKCS11URI, Message], Message]] = {
    "describe": _describe,
    "list": _list,
    "sign": _sign,
    "store": _store,
}


def serve() -> None:
    """Answer requests from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the PIN
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    load = cache(_load)
    for line in requests:
        reply = answer(json.loads(line), load)
        answers.write(json.dumps(reply).encode("ascii") + b"\n")
        answers.flush()


def _load(path: Path) -> ModulePort:
    from sr.keys.cryptoki import CryptokiModule  # noqa: PLC0415 - the only process that may

    return CryptokiModule(path)
