"""Signers on tokens, over a token in memory: what a real one cannot be made to do."""

from __future__ import annotations

import hashlib
import logging
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cryptography import x509

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SigningError,
    UnsupportedAlgorithmError,
)
from sr.keys.inventory import list_tokens
from sr.keys.pkcs11 import TokenSigner, open_token_key, write_certificate
from sr.keys.token_port import StoredCertificate, TokenFlag
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm
from sr.signature.integrity import SignatureMatch, match_signature
from tests.support.canary import PIN_CANARY
from tests.support.pki import Entity, demo_pki, issue
from tests.support.token import PIN, FakeKey, FakeModule, FakeToken, LocalWorker

pytest.importorskip("pkcs11")

DIGEST = hashlib.sha256(b"document").digest()
ALGORITHM = MACAlgorithm.SHA256
MODULE = Path("/no/module.so")
URI = PKCS11URI(module_path=MODULE)


def token_of(*entities: Entity, **state: object) -> FakeToken:
    """Return a token with the entities' keys and certificates, identifiers from 1."""
    token = FakeToken(**state)  # type: ignore[arg-type]
    for number, entity in enumerate(entities, start=1):
        identifier, label = bytes([number]), f"key {number}"
        token.keys.append(FakeKey(entity=entity, label=label, object_id=identifier))
        token.stored.append(StoredCertificate(label=label, object_id=identifier, der=entity.der))
    return token


class Asked:
    """Secrets that count how often they were asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers) or [PIN]
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str:
        """Return the next answer; the last one for ever."""
        self.prompts.append(prompt)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def opened(
    token: FakeToken | FakeModule,
    *,
    uri: PKCS11URI = URI,
    certificates: tuple[x509.Certificate, ...] = (),
    asked: Asked | None = None,
    worker: LocalWorker | None = None,
) -> AbstractContextManager[TokenSigner]:
    module = token if isinstance(token, FakeModule) else FakeModule(inserted=[token])
    return open_token_key(
        uri,
        certificates=certificates,
        secrets=asked or Asked(),
        worker=worker or LocalWorker(module=module),
    )


@pytest.mark.parametrize("key_kind", ["rsa2048", "p256", "p384", "p521"])
def test_values_verify_with_the_certificate_on_the_token(key_kind: str) -> None:
    """RSA and EC keys sign, and the certificate is found beside the key."""
    entity = issue(demo_pki().issuing, key_kind=key_kind)
    with opened(token_of(entity)) as signer:
        value = signer.sign_digest(DIGEST, ALGORITHM)
        assert signer.certificate_chain == (entity.certificate,)
    assert match_signature(entity.der, value, ALGORITHM, DIGEST) is SignatureMatch.MATCHES


def test_each_signature_logs_in_and_out() -> None:
    """The PIN is checked by the token for every signature, and asked for once."""
    token, asked = token_of(demo_pki().author), Asked()
    with opened(token, asked=asked) as signer:
        assert asked.prompts == []
        for _ in range(3):
            signer.sign_digest(DIGEST, ALGORITHM)
            assert token.open_sessions == 0
    assert token.log == ["open", "close", *["login", "sign", "close"] * 3]
    assert len(asked.prompts) == 1


def test_a_wrong_pin_is_not_sent_twice() -> None:
    """After a wrong PIN the signer asks again instead of repeating it."""
    token, asked = token_of(demo_pki().author), Asked("0000", PIN)
    with opened(token, asked=asked) as signer:
        with pytest.raises(PINError):
            signer.sign_digest(DIGEST, ALGORITHM)
        signer.sign_digest(DIGEST, ALGORITHM)
    assert token.attempts_left == 3


def test_threads_do_not_repeat_a_wrong_pin() -> None:
    """Of several threads that share a signer, one finds the PIN wrong and the others ask again."""
    token = token_of(demo_pki().author, tells_its_counter=False)
    asked = Asked("0000", PIN)
    results: list[type | None] = []

    def work(signer: TokenSigner) -> None:
        try:
            signer.sign_digest(DIGEST, ALGORITHM)
            results.append(None)
        except PINError as error:
            results.append(type(error))

    with opened(token, asked=asked) as signer:
        threads = [threading.Thread(target=work, args=(signer,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results, key=str) == [PINError, *[None] * 7]
    assert len(asked.prompts) == 2


def test_the_last_attempt_is_kept() -> None:
    """A token that has one attempt left is not asked, whatever the PIN."""
    token = token_of(demo_pki().author)
    for answer in ("0000", "0000", "0000", PIN):
        with opened(token, asked=Asked(answer)) as signer, pytest.raises(PINError):
            signer.sign_digest(DIGEST, ALGORITHM)
    assert token.attempts_left == 1
    assert token.log.count("login") == 2


def test_a_locked_pin_is_not_tried() -> None:
    """A token that says its PIN is locked is not asked."""
    token = token_of(demo_pki().author, attempts_left=0)
    with opened(token) as signer, pytest.raises(PINError):
        signer.sign_digest(DIGEST, ALGORITHM)
    assert "login" not in token.log


def test_a_token_that_hides_its_counter_locks() -> None:
    """Where a token says nothing of its counter, its refusal to log in is a PIN error too."""
    token = token_of(demo_pki().author, tells_its_counter=False)
    for answer in ("0000", "0000", "0000", PIN):
        with opened(token, asked=Asked(answer)) as signer, pytest.raises(PINError):
            signer.sign_digest(DIGEST, ALGORITHM)


def test_a_session_is_closed_when_signing_fails() -> None:
    """Nothing stays logged in when the token is pulled out in the middle."""
    token = token_of(demo_pki().author, pulled_while_signing=True)
    with opened(token) as signer:
        with pytest.raises(SignerUnavailableError):
            signer.sign_digest(DIGEST, ALGORITHM)
        assert token.open_sessions == 0
        token.pulled_while_signing = False
        signer.sign_digest(DIGEST, ALGORITHM)


def test_a_token_removed_between_signatures_is_unavailable() -> None:
    """A token that is gone is a matter of retrying, and works again when it is back."""
    token = token_of(demo_pki().author)
    with opened(token) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        token.present = False
        with pytest.raises(SignerUnavailableError):
            signer.sign_digest(DIGEST, ALGORITHM)
        token.present = True
        signer.sign_digest(DIGEST, ALGORITHM)


def test_an_absent_token_is_noticed_before_the_pin() -> None:
    """Nobody types a PIN for a token that is not there."""
    asked = Asked()
    with pytest.raises(SignerUnavailableError), opened(FakeModule(inserted=[]), asked=asked):
        pass
    assert not asked.prompts


def test_a_token_that_came_later_is_found() -> None:
    """A slot list from before the token was inserted is read again."""
    module = FakeModule(inserted=[], appears_after_reset=[token_of(demo_pki().author)])
    with opened(module) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)


@pytest.mark.parametrize(
    "uri",
    [
        PKCS11URI(token="other", module_path=MODULE),
        PKCS11URI(serial="9", module_path=MODULE),
        PKCS11URI(manufacturer="other", module_path=MODULE),
        PKCS11URI(model="other", module_path=MODULE),
        PKCS11URI(slot_id=7, module_path=MODULE),
        PKCS11URI(token="fake", serial="9", module_path=MODULE),
    ],
)
def test_every_token_attribute_must_match(uri: PKCS11URI) -> None:
    """A token that differs in one attribute is another token."""
    with pytest.raises(SignerUnavailableError), opened(token_of(demo_pki().author), uri=uri):
        pass


def test_two_tokens_that_match_are_refused() -> None:
    """Between two tokens nobody guesses; a serial number decides."""
    pki = demo_pki()
    module = FakeModule(
        inserted=[token_of(pki.author), token_of(pki.supervisor, serial="0002", slot_id=1)]
    )
    with pytest.raises(SignerRefusedError), opened(module):
        pass
    with opened(module, uri=PKCS11URI(serial="0002", module_path=MODULE)) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        assert signer.certificate_chain == (pki.supervisor.certificate,)


@pytest.mark.parametrize(
    "uri",
    [
        PKCS11URI(object_label="none", module_path=MODULE),
        PKCS11URI(object_id=b"\x09", module_path=MODULE),
        PKCS11URI(object_label="key 1", object_id=b"\x02", module_path=MODULE),
    ],
)
def test_a_key_that_is_not_there_is_refused(uri: PKCS11URI) -> None:
    """No other key signs in place of the named one; those present are named."""
    token = token_of(demo_pki().author)
    certificates = demo_pki().author.chain
    with (
        opened(token, uri=uri, certificates=certificates) as signer,
        pytest.raises(SignerRefusedError) as caught,
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    assert "object=key%201;id=%01" in (caught.value.hint or "")
    assert "sign" not in token.log


def test_two_keys_that_match_are_refused() -> None:
    """Between two keys nobody guesses; both are named as one could paste them."""
    pki = demo_pki()
    token = token_of(pki.author, pki.supervisor)
    with (
        opened(token, certificates=pki.author.chain) as signer,
        pytest.raises(SignerRefusedError) as caught,
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    assert "id=%01" in (caught.value.hint or "")
    assert "id=%02" in (caught.value.hint or "")
    assert "sign" not in token.log


def test_two_certificates_that_match_are_refused() -> None:
    """Between two certificates nobody guesses either."""
    pki = demo_pki()
    with pytest.raises(SignerRefusedError), opened(token_of(pki.author, pki.supervisor)):
        pass


@pytest.mark.parametrize("attribute", [{"object_label": "key 2"}, {"object_id": b"\x02"}])
def test_a_label_or_an_identifier_chooses(attribute: dict[str, object]) -> None:
    """Either names key and certificate."""
    pki = demo_pki()
    token = token_of(pki.author, pki.supervisor)
    uri = PKCS11URI(module_path=MODULE, **attribute)  # type: ignore[arg-type]
    with opened(token, uri=uri) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        assert signer.certificate_chain == (pki.supervisor.certificate,)


def test_a_chain_on_the_token_is_used() -> None:
    """CA certificates on the token complete the chain and are never taken for the leaf."""
    pki = demo_pki()
    token = token_of(pki.author)
    for entity in (pki.root, pki.issuing):
        token.stored.append(StoredCertificate(label="ca", object_id=b"", der=entity.der))
    with opened(token) as signer:
        assert signer.certificate_chain == pki.author.chain


def test_given_certificates_come_first() -> None:
    """Certificates that the caller gives are used instead of the token's."""
    author = demo_pki().author
    with opened(token_of(author), certificates=author.chain) as signer:
        assert signer.certificate_chain == author.chain


@pytest.mark.parametrize("stored", [[], [b"no certificate"], [b""]])
def test_a_token_without_a_certificate_is_refused(stored: list[bytes]) -> None:
    """Without a certificate nothing is signed, and rubbish is none."""
    token = token_of(demo_pki().author)
    token.stored = [StoredCertificate(label="key 1", object_id=b"\1", der=der) for der in stored]
    with pytest.raises(SignerRefusedError), opened(token):
        pass


def test_a_certificate_of_another_key_is_refused() -> None:
    """A value that does not verify with the certificate does not leave the signer."""
    pki = demo_pki()
    with (
        opened(token_of(pki.author), certificates=pki.supervisor.chain) as signer,
        pytest.raises(SignerRefusedError),
    ):
        signer.sign_digest(DIGEST, ALGORITHM)


def test_a_certificate_of_another_kind_is_refused() -> None:
    """An RSA key is not asked for an ECDSA value."""
    ec = issue(demo_pki().issuing, key_kind="p256")
    token = token_of(demo_pki().author)
    with (
        opened(token, certificates=ec.chain) as signer,
        pytest.raises(SignerRefusedError),
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    assert "sign" not in token.log


def test_other_kinds_of_key_are_unsupported() -> None:
    """An Ed25519 certificate is refused on opening."""
    entity = issue(demo_pki().issuing, key_kind="ed25519")
    with (
        pytest.raises(UnsupportedAlgorithmError),
        opened(token_of(demo_pki().author), certificates=entity.chain),
    ):
        pass


def test_weak_digests_are_refused_before_the_pin() -> None:
    """Nobody types a PIN for a signature that is refused anyway."""
    asked = Asked()
    with (
        opened(token_of(demo_pki().author), asked=asked) as signer,
        pytest.raises(UnsupportedAlgorithmError),
    ):
        signer.sign_digest(bytes(20), MACAlgorithm.SHA1)
    assert not asked.prompts


def test_a_pin_pad_is_not_given_a_pin() -> None:
    """Where the PIN is typed at the reader, nobody is asked here."""
    token, asked = token_of(demo_pki().author, pin_pad=True), Asked()
    with opened(token, asked=asked) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
    assert not asked.prompts


def test_a_token_without_login_needs_no_pin() -> None:
    """A token that wants no login is not logged in to."""
    token, asked = token_of(demo_pki().author, login_required=False), Asked()
    with opened(token, asked=asked) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
    assert not asked.prompts
    assert "login" not in token.log


def test_a_key_that_wants_its_pin_each_time_gets_it() -> None:
    """Keys of qualified signatures are given the PIN once more."""
    token = token_of(demo_pki().author, pin_each_time=True)
    with opened(token) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        signer.sign_digest(DIGEST, ALGORITHM)


def test_a_pin_file_in_the_uri_is_honoured(tmp_path: Path) -> None:
    """``pin-source`` is read for each signer, and nobody is asked."""
    source, asked = tmp_path / "pin", Asked()
    uri = PKCS11URI(module_path=MODULE, pin_source=source)
    with (
        opened(token_of(demo_pki().author), uri=uri, asked=asked) as signer,
        pytest.raises(ConfigurationError),
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    source.write_text(PIN + "\n", encoding="utf-8")
    with opened(token_of(demo_pki().author), uri=uri, asked=asked) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
    assert not asked.prompts


def test_the_pin_is_nowhere_but_in_the_request(caplog: pytest.LogCaptureFixture) -> None:
    """No answer, error, representation or log record holds the PIN, right or wrong."""
    caplog.set_level(logging.DEBUG)
    canary = PIN_CANARY
    token = token_of(demo_pki().author, pin=canary)
    worker = LocalWorker(module=FakeModule(inserted=[token]))
    seen: list[object] = []
    for answer in (canary, "wrong" + canary, canary):
        with opened(token, asked=Asked(answer), worker=worker) as signer:
            try:
                signer.sign_digest(DIGEST, ALGORITHM)
            except SigningError as error:
                seen += [error, error.hint, error.__cause__, error.__context__]
            seen.append(signer)
            token.keys[0].kind = "other"
    assert any(canary in request for request in worker.requests)
    assert canary not in repr((seen, worker.replies, worker.environments, caplog.records))


def test_the_pin_is_dropped_with_the_signer() -> None:
    """A closed signer asks again."""
    asked = Asked()
    with opened(token_of(demo_pki().author), asked=asked) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
    signer.sign_digest(DIGEST, ALGORITHM)
    assert len(asked.prompts) == 2


def test_tokens_are_listed_without_login() -> None:
    """Listing shows tokens and certificates, with a key URI for each, and logs in nowhere."""
    pki = demo_pki()
    token = token_of(pki.author, pki.supervisor, attempts_left=2)
    worker = LocalWorker(module=FakeModule(inserted=[token, FakeToken(label="empty")]))
    full, empty = list_tokens(MODULE, worker=worker)
    assert empty.certificates == ()
    assert full.flags == {TokenFlag.LOGIN_REQUIRED, TokenFlag.PIN_COUNT_LOW}
    assert [item.object_id for item in full.certificates] == [b"\1", b"\2"]
    assert parse_key_uri(full.certificates[1].uri) == PKCS11URI(
        token="fake", serial="0001", object_id=b"\2", module_path=MODULE
    )
    assert "login" not in token.log


def test_a_listed_uri_opens_the_key() -> None:
    """What the list shows can be pasted as a key URI."""
    pki = demo_pki()
    worker = LocalWorker(module=FakeModule(inserted=[token_of(pki.author, pki.supervisor)]))
    (token,) = list_tokens(MODULE, worker=worker)
    for entity, listed in zip((pki.author, pki.supervisor), token.certificates, strict=True):
        uri = parse_key_uri(listed.uri)
        assert isinstance(uri, PKCS11URI)
        with open_token_key(uri, certificates=(), secrets=Asked(), worker=worker) as signer:
            signer.sign_digest(DIGEST, ALGORITHM)
            assert signer.certificate_chain == (entity.certificate,)


def test_the_store_reaches_the_worker_explicitly() -> None:
    """A SoftHSM store named in the URI is in the environment of the worker."""
    worker = LocalWorker(module=FakeModule(inserted=[token_of(demo_pki().author)]))
    uri = PKCS11URI(module_path=MODULE, softhsm2_conf=Path("/store/softhsm2.conf"))
    with opened(worker.module, uri=uri, worker=worker):
        assert worker.environments == [{"SOFTHSM2_CONF": "/store/softhsm2.conf"}]


def test_a_certificate_is_written_beside_its_key() -> None:
    """A written certificate is found by the signer, and no session stays open."""
    author = demo_pki().author
    token = token_of(author)
    token.stored.clear()
    worker = LocalWorker(module=FakeModule(inserted=[token]))
    uri = PKCS11URI(module_path=MODULE, object_label="key 1", object_id=b"\1")
    with pytest.raises(PINError):
        write_certificate(uri, author.certificate, secrets=Asked("0000"), worker=worker)
    assert not token.stored
    write_certificate(uri, author.certificate, secrets=Asked(), worker=worker)
    assert token.open_sessions == 0
    with opened(token, uri=uri, worker=worker) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)


def test_a_configured_module_comes_before_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The module is the URI's, else the environment's, else a usual path."""
    monkeypatch.setenv("SRSIGN_PKCS11_MODULE", str(tmp_path / "environment.so"))
    worker = LocalWorker(module=FakeModule(inserted=[]))
    list_tokens(worker=worker)
    list_tokens(MODULE, worker=worker)
    assert "environment.so" in worker.requests[0]
    assert "environment.so" not in worker.requests[1]
