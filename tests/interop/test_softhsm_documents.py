"""Whole documents signed on a token, by several at once, and read by dcmsign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from sr.app.signatures.signing import sign_bytes
from sr.codes import SignaturePurpose
from sr.compose import ports
from sr.dicomfile import BytesSource, read
from sr.errors import SignerUnavailableError
from sr.keys import Signer, open_signer
from sr.keys.pkcs11 import open_token_key
from sr.keys.process import BOOT, TokenProcess
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm
from sr.verification import gather
from sr.verification.facts import Integrity
from tests.support.peers import dcmsign_verify
from tests.support.pki import Entity, issue
from tests.support.signed import plain_report
from tests.support.token import PIN, SoftHSM

pytestmark = pytest.mark.peer
pytest.importorskip("pkcs11")

KINDS = ("rsa2048", "rsa3072", "rsa4096", "p256", "p384")
_BEFORE, _AFTER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


class Desk:
    """A token with a key of each kind made on it, and one of each kind imported."""

    def __init__(self, folder: Path) -> None:
        self.token = SoftHSM.create(folder)
        self.root = issue(None, "Token Root CA", ca=True, not_before=_BEFORE, not_after=_AFTER)
        self.anchor = folder / "root.pem"
        self.anchor.write_bytes(self.root.pem)
        self.entities: dict[str, Entity] = {}
        for number, kind in enumerate(KINDS, start=1):
            made, imported = f"made-{kind}", f"imported-{kind}"
            public = self.token.generate(kind, label=made, object_id=f"{number:02x}")
            self._certify(made, f"{number:02x}", key=False, public_key=public)
            self._certify(imported, f"{number + 16:02x}", key=True, key_kind=kind)

    def _certify(self, name: str, object_id: str, *, key: bool, **about: object) -> None:
        entity = issue(
            self.root, name, slot=name, not_before=_BEFORE, not_after=_AFTER,
            **about,  # type: ignore[arg-type]
        )  # fmt: skip
        self.entities[name] = entity
        self.token.add(entity, label=name, object_id=object_id, key=key)

    def uri(self, name: str) -> str:
        """Return the key URI of a name."""
        return self.token.uri(f"object={name}")

    def accepts(self, data: bytes, name: str, folder: Path, *options: str) -> int:
        """Return how dcmsign judges a document that this name is to have signed."""
        (signature,) = gather(read(BytesSource(data))).signatures
        assert signature.integrity is Integrity.INTACT
        assert signature.certificate.rstrip(b"\0") == self.entities[name].der.rstrip(b"\0")
        path = folder / "signed.dcm"
        path.write_bytes(data)
        return dcmsign_verify(path, anchor=self.anchor, options=options or ("+rg",)).returncode


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return the token."""
    return Desk(tmp_path_factory.mktemp("desk"))


def signed(data: bytes, signer: Signer) -> bytes:
    return sign_bytes(
        data, purpose=SignaturePurpose.AUTHOR, signer=signer, ports=ports(), profile="site-ec"
    )[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("origin", ["made", "imported"])
def test_a_document_signed_on_the_token(desk: Desk, kind: str, origin: str, tmp_path: Path) -> None:
    """A key of each kind, made on the token or brought to it, signs what dcmsign accepts."""
    name = f"{origin}-{kind}"
    with open_signer(desk.uri(name), secrets=lambda _: PIN) as signer:
        data = signed(plain_report(), signer)
    assert desk.accepts(data, name, tmp_path) == 0
    by_profile = desk.accepts(data, name, tmp_path, "+rs")
    assert by_profile == (0 if kind.startswith("rsa") else 102)


def _at_once(work: Callable[[int], None], callers: int) -> None:
    faults: list[BaseException] = []

    def call(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


CALLERS = tuple(f"{origin}-{kind}" for origin in ("made", "imported")
                for kind in ("rsa2048", "rsa3072", "p256", "p384"))  # fmt: skip


def _eight_callers(desk: Desk, folder: Path, each: int) -> None:
    """Eight callers, each with a key of its own and a login for every signature."""
    documents: dict[str, list[bytes]] = {name: [] for name in CALLERS}
    drafts = [plain_report(n + 1) for n in range(each * len(CALLERS))]

    def work(caller: int) -> None:
        name = CALLERS[caller]
        for n in range(each):
            with open_signer(desk.uri(name), secrets=lambda _: PIN) as signer:
                documents[name].append(signed(drafts[caller * each + n], signer))

    _at_once(work, len(CALLERS))
    codes = [desk.accepts(d, name, folder) for name, made in documents.items() for d in made]
    assert codes == [0] * (each * len(CALLERS))


def _eight_callers_of_one_stack(desk: Desk, folder: Path, each: int) -> None:
    name, documents = "made-rsa3072", []
    drafts = [plain_report(n + 1) for n in range(each * 8)]
    with open_signer(desk.uri(name), secrets=lambda _: PIN, stack=True) as signer:

        def work(caller: int) -> None:
            documents.extend(
                signed(draft, signer) for draft in drafts[caller * each : (caller + 1) * each]
            )

        _at_once(work, 8)
    codes = [desk.accepts(data, name, folder, "+rs") for data in documents]
    assert codes == [0] * (each * 8)


@pytest.mark.parametrize("scenario", [_eight_callers, _eight_callers_of_one_stack])
def test_eight_callers_sign_documents(
    desk: Desk, tmp_path: Path, scenario: Callable[[Desk, Path, int], None]
) -> None:
    """Eight callers sign two documents each: each has the right key, and dcmsign accepts it."""
    scenario(desk, tmp_path, 2)


@pytest.mark.prove
@pytest.mark.parametrize("scenario", [_eight_callers, _eight_callers_of_one_stack])
def test_eight_callers_sign_two_hundred_documents(
    desk: Desk, tmp_path: Path, scenario: Callable[[Desk, Path, int], None]
) -> None:
    """The same with two hundred documents."""
    scenario(desk, tmp_path, 25)


# The worker ends itself in the middle of the second signature: the login is done by then, so that
# SoftHSM is not interrupted while it writes its store.
_ENDS_ITSELF = BOOT.replace(
    "serve()",
    "import os, pathlib, sr.keys.cryptoki as c; flag = pathlib.Path({flag!r});"
    " sign = c.CryptokiKey.sign;"
    " c.CryptokiKey.sign = lambda *a: (flag.exists() and (flag.unlink(), os.kill(os.getpid(), 9)),"
    " sign(*a))[1]; serve()",
)


@contextmanager
def _on_a_worker_that_ends_itself(
    desk: Desk, name: str, flag: Path, *, stack: bool = True
) -> Iterator[Signer]:
    """Yield a signer whose worker dies in a signature once the flag is there."""
    worker = TokenProcess(boot=_ENDS_ITSELF.format(flag=str(flag)))
    uri = parse_key_uri(desk.uri(name))
    assert isinstance(uri, PKCS11URI)
    try:
        with open_token_key(
            uri, certificates=(), secrets=lambda _: PIN, stack=stack, worker=worker
        ) as signer:
            yield signer
    finally:
        worker.close()


@pytest.mark.parametrize("stack", [True, False])
def test_a_worker_killed_in_a_signature(desk: Desk, tmp_path: Path, stack: bool) -> None:
    """The caller hears that the token worker ended, and the next signature is made."""
    name, flag = "imported-rsa3072", tmp_path / "flag"
    with _on_a_worker_that_ends_itself(desk, name, flag, stack=stack) as signer:
        signed(plain_report(), signer)
        flag.touch()
        with pytest.raises(SignerUnavailableError):
            signed(plain_report(), signer)
        assert not flag.exists()
        data = signed(plain_report(), signer)
    assert desk.accepts(data, name, tmp_path, "+rs") == 0


def test_a_worker_killed_while_callers_wait(desk: Desk, tmp_path: Path) -> None:
    """Each caller has a document that dcmsign accepts or hears of it, and the stack goes on."""
    name, flag = "made-rsa2048", tmp_path / "flag"
    documents: list[bytes] = []
    refused: list[SignerUnavailableError] = []
    with _on_a_worker_that_ends_itself(desk, name, flag) as signer:

        def work(caller: int) -> None:
            try:
                documents.append(signed(plain_report(caller + 1), signer))
            except SignerUnavailableError as error:
                refused.append(error)

        work(0)
        flag.touch()
        _at_once(work, 8)
        assert refused
        assert not flag.exists()
        work(8)
    assert len(documents) + len(refused) == 10
    codes = [desk.accepts(data, name, tmp_path, "+rs") for data in documents]
    assert codes == [0] * len(documents)


def test_a_key_that_wants_its_pin_each_time(desk: Desk) -> None:
    """A key that wants the PIN at each signature gets it, alone and in a stack."""
    entity = issue(desk.root, "each time", slot="each", key_kind="p256")
    desk.token.add(entity, label="each", object_id="77", always_authenticate=True)
    for stack in (True, False):
        with open_signer(
            desk.token.uri("object=each"), secrets=lambda _: PIN, stack=stack
        ) as signer:
            for _ in range(3):
                signer.sign_digest(bytes(32), MACAlgorithm.SHA256)


def test_certificates_of_the_desk_are_what_they_say(desk: Desk) -> None:
    """The keys made on the token are other keys than the imported ones."""
    keys = {
        x509.load_der_x509_certificate(e.der).public_key().public_numbers()  # type: ignore[union-attr]
        for e in desk.entities.values()
    }
    assert len(keys) == 2 * len(KINDS)
