"""The protocol of the worker, without a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SigningError,
    SRError,
    UnsupportedAlgorithmError,
    VerdictError,
)
from sr.keys.token import KeptLogin
from sr.keys.token_port import ModulePort
from sr.keys.worker import answer, raise_answer
from tests.support.canary import PIN_CANARY as CANARY
from tests.support.token import FakeModule, FakeToken

URI = "pkcs11:?module-path=/no/module.so"


def ask(request: dict[str, Any], module: ModulePort | None = None) -> dict[str, Any]:
    """Return the answer as it comes out of the pipe."""
    reply = answer(request, lambda _path: module or FakeModule(inserted=[FakeToken()]), KeptLogin())
    result: dict[str, Any] = json.loads(json.dumps(reply))
    return result


def test_an_answer_without_an_error_raises_nothing() -> None:
    """What went well is returned as it is."""
    reply = ask({"operation": "list", "uri": URI})
    raise_answer(reply)
    assert [token["label"] for token in reply["tokens"]] == ["fake"]


def test_the_module_of_the_uri_is_loaded() -> None:
    """The worker loads the module that the URI names."""
    loaded: list[Path] = []

    def load(path: Path) -> ModulePort:
        loaded.append(path)
        return FakeModule(inserted=[])

    answer({"operation": "list", "uri": URI}, load, KeptLogin())
    assert loaded == [Path("/no/module.so")]


@pytest.mark.parametrize("uri", ["file:a.key", "pkcs11:token=a", "nonsense"])
def test_other_uris_are_refused(uri: str) -> None:
    """The worker takes PKCS #11 URIs with a module path only."""
    with pytest.raises(ConfigurationError):
        raise_answer(ask({"operation": "list", "uri": uri}))


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"uri": URI},
        {"operation": CANARY, "uri": URI},
        {"operation": "sign", "uri": URI},
        {"operation": "sign", "uri": URI, "kind": CANARY, "payload": "", "pin": CANARY},
        {"operation": "sign", "uri": URI, "kind": "RSA", "payload": CANARY, "pin": CANARY},
        {"operation": "store", "uri": URI, "label": "a", "id": "zz", "der": "", "pin": CANARY},
        {"operation": "list", "uri": 7},
    ],
)
def test_nonsense_is_answered_and_not_repeated(request_: dict[str, Any]) -> None:
    """A request that is none is answered with an error that quotes nothing of it."""
    reply = ask(request_)
    with pytest.raises(SigningError):
        raise_answer(reply)
    assert CANARY not in json.dumps(reply)


def test_an_unexpected_failure_shows_its_type_only() -> None:
    """What a module's failure says may hold a secret, so it stays in the worker."""

    class Failing(FakeModule):
        def tokens(self) -> tuple[FakeToken, ...]:
            raise RuntimeError(CANARY)

    reply = ask({"operation": "list", "uri": URI}, Failing(inserted=[]))
    with pytest.raises(SignerUnavailableError):
        raise_answer(reply)
    assert CANARY not in json.dumps(reply)


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        (PINError, PINError),
        (SignerRefusedError, SignerRefusedError),
        (SignerUnavailableError, SignerUnavailableError),
        (UnsupportedAlgorithmError, UnsupportedAlgorithmError),
        (ConfigurationError, ConfigurationError),
        (VerdictError, SignerUnavailableError),
        (SRError, SignerUnavailableError),
    ],
)
def test_a_signers_errors_keep_their_class(raised: type[SRError], arrives: type[SRError]) -> None:
    """An error that a signer may raise arrives as itself, any other as a failed token."""

    class Failing(FakeModule):
        def tokens(self) -> tuple[FakeToken, ...]:
            error = raised("message")
            error.hint = "hint"
            raise error

    with pytest.raises(SRError) as caught:
        raise_answer(ask({"operation": "list", "uri": URI}, Failing(inserted=[])))
    assert type(caught.value) is arrives
    assert caught.value.hint == "hint"
