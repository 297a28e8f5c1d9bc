"""Keys and certificates on their way to a token in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SigningError,
)
from sr.keys.importing import PrivateKey, import_onto_token
from sr.keys.pkcs11 import open_token_key
from sr.keys.token_port import StoredCertificate
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm
from tests.support.pki import Entity, demo_pki, issue
from tests.support.token import PIN, FakeKey, FakeModule, FakeToken, LocalWorker

pytest.importorskip("pkcs11")

URI = "pkcs11:token=fake?module-path=/no/module.so"


def private(entity: Entity) -> PrivateKey:
    assert isinstance(entity.key, PrivateKey)
    return entity.key


def desk(*entities: Entity, **state: object) -> tuple[FakeToken, LocalWorker]:
    """Return an empty token that takes the entities' keys, and a worker in front of it."""
    token = FakeToken(known=list(entities), **state)  # type: ignore[arg-type]
    return token, LocalWorker(module=FakeModule(inserted=[token]))


def brought(
    worker: LocalWorker,
    entity: Entity,
    *,
    uri: str = URI,
    key: Entity | None = None,
    pin: str = PIN,
) -> str:
    return import_onto_token(
        uri,
        entity.certificate,
        key=private(key or entity),
        secrets=lambda _: pin,
        worker=worker,
    )


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
def test_an_imported_key_signs(kind: str) -> None:
    """The URI that comes back opens key and certificate, and nothing stays logged in."""
    entity = issue(demo_pki().issuing, key_kind=kind)
    token, worker = desk(entity)
    uri = parse_key_uri(brought(worker, entity))
    assert isinstance(uri, PKCS11URI)
    with open_token_key(uri, certificates=(), secrets=lambda _: PIN, worker=worker) as signer:
        signer.sign_digest(bytes(32), MACAlgorithm.SHA256)
        assert signer.certificate_chain == (entity.certificate,)
    assert token.open_sessions == 0


def test_the_uri_names_what_is_written() -> None:
    """Identifier and label are those of the URI where it has them."""
    author = demo_pki().author
    token, worker = desk(author)
    uri = brought(worker, author, uri=URI.replace("fake?", "fake;object=mine;id=%07?"))
    assert "id=%07" in uri
    assert [(k.label, k.object_id) for k in token.keys] == [("mine", b"\7")]
    assert [(c.label, c.object_id) for c in token.stored] == [("mine", b"\7")]


def test_a_key_of_another_certificate_is_not_written() -> None:
    """What does not belong together is refused before anybody is asked for a PIN."""
    pki = demo_pki()
    token, worker = desk(pki.author, pki.supervisor)
    with pytest.raises(SignerRefusedError):
        brought(worker, pki.author, key=pki.supervisor)
    assert (token.keys, token.stored, token.log) == ([], [], [])


def test_a_taken_identifier_is_refused() -> None:
    """A certificate or a key that is there already is not covered by another."""
    pki = demo_pki()
    named = URI.replace("fake?", "fake;id=%07?")
    token, worker = desk(pki.author, pki.supervisor)
    token.stored.append(StoredCertificate(label="x", object_id=b"\7", der=pki.archive.der))
    with pytest.raises(SignerRefusedError):
        brought(worker, pki.author, uri=named)
    token.stored.clear()
    token.keys.append(FakeKey(entity=pki.archive, object_id=b"\7"))
    with pytest.raises(SignerRefusedError):
        brought(worker, pki.author, uri=named)
    assert (len(token.keys), token.stored, token.open_sessions) == (1, [], 0)


def test_importing_twice_is_refused() -> None:
    """The same key is not written a second time."""
    author = demo_pki().author
    token, worker = desk(author)
    brought(worker, author)
    with pytest.raises(SignerRefusedError):
        brought(worker, author)
    assert (len(token.keys), len(token.stored)) == (1, 1)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"present": False}, SignerUnavailableError),
        ({"attempts_left": 1}, PINError),
        ({"attempts_left": 0}, PINError),
        ({"pulled_while_signing": True}, SignerUnavailableError),
    ],
)
def test_a_token_that_fails(state: dict[str, object], error: type[SigningError]) -> None:
    """Nothing is called imported that the token did not take and sign with."""
    author = demo_pki().author
    token, worker = desk(author, **state)
    with pytest.raises(error):
        brought(worker, author)
    assert (token.stored, token.open_sessions) == ([], 0)


def test_a_wrong_pin_writes_nothing() -> None:
    """The PIN is checked before anything is written, and sent once."""
    author = demo_pki().author
    token, worker = desk(author)
    with pytest.raises(PINError):
        brought(worker, author, pin="0000")
    assert (token.keys, token.stored, token.attempts_left) == ([], [], 2)


@pytest.mark.parametrize("uri", ["file:a.key", "pkcs12:a.p12", "session:", "pkcs11:pin-value=1"])
def test_other_uris_are_refused(uri: str) -> None:
    """Keys are imported onto tokens only, and no URI holds a PIN."""
    _, worker = desk()
    with pytest.raises(ConfigurationError):
        brought(worker, demo_pki().author, uri=uri)


def test_a_certificate_comes_to_its_key() -> None:
    """For a key that was made on the token, its certificate is written beside it."""
    author = demo_pki().author
    token, worker = desk()
    token.keys.append(FakeKey(entity=author, label="made", object_id=b"\7"))
    named = URI.replace("fake?", "fake;id=%07?")
    uri = import_onto_token(
        named, author.certificate, key=None, secrets=lambda _: PIN, worker=worker
    )
    with open_token_key(
        parse_key_uri(uri),  # type: ignore[arg-type]
        certificates=(), secrets=lambda _: PIN, worker=worker,
    ) as signer:  # fmt: skip
        signer.sign_digest(bytes(32), MACAlgorithm.SHA256)


@pytest.mark.parametrize("path", [";id=%07", ";id=%09", ";object=made", ""])
def test_a_certificate_of_no_key_here_is_refused(path: str) -> None:
    """A certificate is not written beside another's key, beside none, or beside one unnamed."""
    pki = demo_pki()
    token, worker = desk()
    token.keys.append(FakeKey(entity=pki.author, label="made", object_id=b"\7"))
    with pytest.raises((SignerRefusedError, ConfigurationError)):
        import_onto_token(
            URI.replace("fake?", f"fake{path}?"),
            pki.supervisor.certificate,
            key=None,
            secrets=lambda _: PIN,
            worker=worker,
        )
    assert token.stored == []


def test_the_key_is_nowhere_but_in_the_request() -> None:
    """An error on the way shows neither key nor PIN."""
    author = demo_pki().author
    _, worker = desk(author, pulled_while_signing=True)
    with pytest.raises(SigningError) as caught:
        brought(worker, author)
    numbers = f"{private(author).private_numbers().d:x}"  # type: ignore[union-attr]
    shown = repr(caught.value) + str(caught.value.hint) + "".join(worker.replies)
    assert numbers[:40] not in shown
    assert PIN not in shown
    assert Path("/no/module.so").name in worker.requests[0]
