"""Stacks: several signatures after one PIN, on a token in memory that nobody else finds open."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sr.errors import PINError, SignerRefusedError, SignerUnavailableError
from sr.keys.inventory import list_tokens
from sr.keys.pkcs11 import TokenSigner, open_token_key
from sr.keys.token_port import StoredCertificate
from sr.keys.uri import PKCS11URI
from sr.keys.worker import _lines
from sr.mac import MACAlgorithm
from tests.support.pki import demo_pki
from tests.support.token import PIN, FakeKey, FakeModule, FakeToken, LocalWorker

pytest.importorskip("pkcs11")

DIGEST = hashlib.sha256(b"document").digest()
ALGORITHM = MACAlgorithm.SHA256
URI = PKCS11URI(module_path=Path("/no/module.so"))


def office(**state: object) -> tuple[FakeToken, LocalWorker]:
    """Return the author's token and a worker in front of it."""
    author = demo_pki().author
    token = FakeToken(
        keys=[FakeKey(entity=author)],
        stored=[StoredCertificate(label="author", object_id=b"\1", der=author.der)],
        **state,  # type: ignore[arg-type]
    )
    return token, LocalWorker(module=FakeModule(inserted=[token]))


def opened(
    worker: LocalWorker, *, pin: str = PIN, stack: bool = True
) -> AbstractContextManager[TokenSigner]:
    return open_token_key(URI, certificates=(), secrets=lambda _: pin, stack=stack, worker=worker)


def sign(signer: TokenSigner) -> bytes:
    return signer.sign_digest(DIGEST, ALGORITHM)


def test_a_stack_logs_in_once_and_out_at_its_end() -> None:
    """Three signatures of a stack are one login, and nothing is left open."""
    token, worker = office()
    with opened(worker) as signer:
        for _ in range(3):
            sign(signer)
        assert token.open_sessions == 1
    assert token.open_sessions == 0
    assert token.log == ["open", "close", "login", "sign", "sign", "sign", "close"]


@pytest.mark.parametrize("stack", [True, False])
def test_a_stack_opens_no_door_to_a_wrong_pin(stack: bool) -> None:
    """Somebody else's wrong PIN is checked by the token while a stack is being signed."""
    token, worker = office()
    with opened(worker) as signer:
        sign(signer)
        with opened(worker, pin="0000", stack=stack) as other, pytest.raises(PINError):
            sign(other)
        assert token.open_sessions == 0
        sign(signer)
    assert token.log.count("login") == 3


def test_a_stack_goes_on_after_somebody_else() -> None:
    """A signature between two of a stack logs in for itself, and the stack logs in again."""
    token, worker = office()
    with opened(worker) as first, opened(worker) as second:
        for signer in (first, second, first, first):
            sign(signer)
    assert token.log.count("login") == 3
    assert token.open_sessions == 0


def test_listing_tokens_ends_a_login() -> None:
    """What is asked without a PIN is answered as if nobody were logged in."""
    token, worker = office()
    with opened(worker) as signer:
        sign(signer)
        list_tokens(URI.module_path, worker=worker)
        assert token.open_sessions == 0


def test_a_guessed_stack_is_not_joined() -> None:
    """A request that names another stack has to log in, and its wrong PIN is refused."""
    _, worker = office()
    with opened(worker) as signer:
        sign(signer)
        asked = {"operation": "sign", "uri": str(URI), "kind": "RSA", "payload": "00"}
        with pytest.raises(PINError):
            worker.call(asked | {"pin": "0000", "stack": "guess"}, environment={})


def test_a_key_that_wants_its_pin_each_time_gets_it_in_a_stack() -> None:
    """Within a stack each signature gives such a key the PIN."""
    token, worker = office(pin_each_time=True)
    with opened(worker) as signer:
        sign(signer)
        sign(signer)
        token.pin = "changed"
        with pytest.raises(PINError):
            sign(signer)


def test_a_token_pulled_out_within_a_stack_is_unavailable() -> None:
    """A failure inside a stack says so; with the token back, the next signature logs in again."""
    token, worker = office()
    with opened(worker) as signer:
        sign(signer)
        token.pulled_while_signing = True
        with pytest.raises(SignerUnavailableError):
            sign(signer)
        worker.restart()
        token.pulled_while_signing = False
        sign(signer)
    assert token.log.count("login") == 2


def test_a_refusal_at_the_start_leaves_no_login() -> None:
    """A stack whose key is not found is not logged in."""
    token, worker = office()
    token.keys.clear()
    with opened(worker) as signer, pytest.raises(SignerRefusedError):
        sign(signer)
    assert token.open_sessions == 0


def test_threads_share_a_stack() -> None:
    """Eight threads over one stack are one login."""
    token, worker = office()
    with opened(worker) as signer:
        threads = [threading.Thread(target=sign, args=(signer,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert token.log.count("sign") == 8
    assert token.log.count("login") == 1


def test_a_stack_sends_its_pin_once() -> None:
    """After the login nothing that waits in the line before the worker holds the PIN."""
    _, worker = office()
    with opened(worker) as signer:
        for _ in range(3):
            sign(signer)
    sent = [(json.loads(r)["operation"], json.loads(r).get("pin")) for r in worker.requests]
    assert sent == [
        ("describe", None), ("sign", PIN), ("continue", None), ("continue", None), ("end", None)
    ]  # fmt: skip
    assert worker.queued == [False, False, True, True, False]


@pytest.mark.parametrize(("stack", "state"), [(True, {"pin_each_time": True}), (False, {})])
def test_what_needs_a_pin_is_not_queued(stack: bool, state: dict[str, object]) -> None:
    """A key that wants its PIN each time, or a signature outside a stack, has the worker alone."""
    _, worker = office(**state)
    with opened(worker, stack=stack) as signer:
        for _ in range(3):
            sign(signer)
    assert not any(worker.queued)


@pytest.mark.parametrize("state", [{}, {"pin_each_time": True}])
def test_a_stack_that_nobody_opened_is_not_continued(state: dict[str, object]) -> None:
    """To continue a stack never logs in, and with another's login nothing is signed."""
    token, worker = office(**state)
    with opened(worker) as signer:
        sign(signer)
        before = list(token.log)
        guessed = {"operation": "continue", "payload": "00", "stack": "guess"}
        assert worker.call(guessed, environment={}) == {}
        assert token.open_sessions == 0
        assert token.log == [*before, "close"]


def test_a_key_that_wants_its_pin_is_not_continued() -> None:
    """Whoever continues a stack whose key wants the PIN each time gets no signature."""
    token, worker = office(pin_each_time=True)
    with opened(worker) as signer:
        sign(signer)
        asked = {"operation": "continue", "payload": "00", "stack": signer._stack}
        assert worker.call(asked, environment={}) == {}
    assert token.log.count("sign") == 1


def test_a_failure_ends_the_login_for_those_who_wait() -> None:
    """What was queued behind a failure is not signed by a session that may be broken."""
    token, worker = office()
    with opened(worker) as signer:
        sign(signer)
        token.pulled_while_signing = True
        with pytest.raises(SignerUnavailableError):
            sign(signer)
        assert token.open_sessions == 0
        token.pulled_while_signing = False
        asked = {"operation": "continue", "payload": "00", "stack": signer._stack}
        assert worker.call(asked, environment={}) == {}


def test_a_pin_found_wrong_is_not_repeated_by_the_others() -> None:
    """Eight threads whose login ended try a PIN that was changed once, not eight times."""
    token, worker = office()
    typed = iter([PIN])
    refused: list[PINError] = []

    def ask(_prompt: str) -> str:
        for pin in typed:
            return pin
        raise PINError("nobody types it again")

    def work() -> None:
        with pytest.raises(PINError) as caught:
            sign(signer)
        refused.append(caught.value)

    with open_token_key(URI, certificates=(), secrets=ask, stack=True, worker=worker) as signer:
        sign(signer)
        worker.restart()
        token.pin = "changed"
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 8
    assert token.attempts_left == 2
    assert token.log.count("sign") == 1


def test_a_closed_stack_asks_again() -> None:
    """A signer that was closed has forgotten the PIN."""
    token, worker = office()
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return PIN

    with open_token_key(URI, certificates=(), secrets=ask, stack=True, worker=worker) as signer:
        sign(signer)
        signer.close()
        sign(signer)
    assert len(prompts) == 2
    assert not any(worker.queued)
    assert token.open_sessions == 0


def test_a_pause_ends_the_login() -> None:
    """A worker that is asked nothing for a while logs out, and still answers what comes later."""
    read, write = os.pipe()
    said: list[str] = []

    def idle() -> None:
        said.append("idle")
        os.write(write, b"one\ntwo\nhalf")
        os.close(write)

    assert list(_lines(read, idle, seconds=0.0)) == [b"one", b"two"]
    assert said == ["idle"]
    os.close(read)
