"""The worker process: reads one request a line, answers one line, and dies with its parent.

``answer`` is the whole protocol and knows nothing of processes; ``serve`` is the loop around it.
A request holds a key URI and, for a signature, the PIN; an answer never does. Standard output is
kept from the token's module, which may print what it likes.
"""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable, Iterator
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
from sr.keys.core_files import close_memory
from sr.keys.token import (
    KeptLogin,
    find_token,
    import_key,
    read_certificates,
    sign_on_token,
    store_certificate,
)
from sr.keys.token_port import KeyKind, KeyPort, ModulePort, StoredCertificate, StoredKey, TokenPort
from sr.keys.uri import PKCS11URI, parse_key_uri

__all__ = ["answer", "raise_answer", "serve"]

Message = dict[str, Any]

IDLE_SECONDS = 20.0  # the login of a stack ends when nothing was signed for so long
_CHUNK = 1 << 16


def answer(request: Message, load: Callable[[Path], ModulePort], kept: KeptLogin) -> Message:
    """Return the answer to a request; a failure is an answer too.

    Args:
        request: ``operation``, ``uri`` with a module path, and what the operation needs. To
            ``continue`` a stack takes only ``stack`` and ``payload``, and where its login has
            ended the answer holds no value.
        load: Returns the module at a path.
        kept: The login of the stack that is being signed, if any; a request of anybody else ends
            it, so that nobody meets a token that is logged in already.
    """
    try:
        key = kept.key_for(request.get("stack"))
        if request["operation"] == "continue":
            return _continue(key, request)
        uri, path = _target(request["uri"])
        return _OPERATIONS[request["operation"]](load(path), uri, request, kept)
    except SRError as error:
        kept.end()
        return {"error": type(error).__name__, "message": str(error), "hint": error.hint}
    except Exception as error:
        kept.end()
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


def _describe(module: ModulePort, uri: PKCS11URI, _request: Message, _kept: KeptLogin) -> Message:
    return _described(find_token(module, uri))


def _list(module: ModulePort, _uri: PKCS11URI, _request: Message, _kept: KeptLogin) -> Message:
    return {"tokens": [_described(token) for token in module.tokens()]}


def _sign(module: ModulePort, uri: PKCS11URI, request: Message, kept: KeptLogin) -> Message:
    value = sign_on_token(
        module,
        uri,
        kind=KeyKind(request["kind"]),
        payload=bytes.fromhex(request["payload"]),
        pin=request["pin"],
        stack=request.get("stack"),
        kept=kept,
    )
    return {"value": value.hex(), "continues": kept.needs_no_pin}


def _continue(key: KeyPort | None, request: Message) -> Message:
    """Sign with the login of a stack; without one nothing is signed, and nobody logs in."""
    if key is None or key.wants_pin:
        return {}
    return {"value": key.sign(bytes.fromhex(request["payload"]), None).hex()}


def _end(_module: ModulePort, _uri: PKCS11URI, _request: Message, kept: KeptLogin) -> Message:
    kept.end()
    return {}


def _import(module: ModulePort, uri: PKCS11URI, request: Message, _kept: KeptLogin) -> Message:
    key = StoredKey(
        label=request["label"],
        object_id=bytes.fromhex(request["id"]),
        kind=KeyKind(request["kind"]),
        der=bytes.fromhex(request["der"]),
    )
    value = import_key(
        module, uri, key, payload=bytes.fromhex(request["payload"]), pin=request["pin"]
    )
    return {"value": value.hex()}


def _store(module: ModulePort, uri: PKCS11URI, request: Message, _kept: KeptLogin) -> Message:
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


_OPERATIONS: dict[str, Callable[[ModulePort, PKCS11URI, Message, KeptLogin], Message]] = {
    "describe": _describe,
    "list": _list,
    "sign": _sign,
    "end": _end,
    "import": _import,
    "store": _store,
}


def serve() -> None:
    """Answer requests from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    close_memory()
    requests, answers = os.dup(0), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    load, kept = cache(_load), KeptLogin()
    for line in _lines(requests, kept.end):
        request = json.loads(line)
        reply = answer(request, load, kept) | {"call": request["call"]}
        answers.write(json.dumps(reply).encode("ascii") + b"\n")
        answers.flush()
    kept.end()


def _lines(
    requests: int, idle: Callable[[], None], *, seconds: float = IDLE_SECONDS
) -> Iterator[bytes]:
    """Yield what is asked, line by line; a stack that pauses for long is not left logged in."""
    unread = b""
    while True:
        line, end, rest = unread.partition(b"\n")
        if end:
            unread = rest
            yield line
            continue
        if not select.select([requests], [], [], seconds)[0]:
            idle()
            continue
        chunk = os.read(requests, _CHUNK)
        if not chunk:
            return
        unread += chunk


def _load(path: Path) -> ModulePort:
    from sr.keys.cryptoki import CryptokiModule  # noqa: PLC0415 - the only process that may

    return CryptokiModule(path)
