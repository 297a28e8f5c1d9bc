"""Real tokens: SoftHSM filled by its own tools, signed with by ours, in a real worker process."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.demonstration.certificates import make_demo_pki
from sr.app.demonstration.softhsm import make_demo_token
from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
)
from sr.keys import list_tokens, open_signer
from sr.keys.pkcs11 import open_token_key
from sr.keys.process import TokenProcess
from sr.keys.secrets import no_secrets
from sr.keys.token_port import TokenFlag
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm
from sr.signature.integrity import SignatureMatch, match_signature
from tests.support.canary import PIN_CANARY
from tests.support.peers import PKCS11_TOOL, SOFTHSM_MODULE, run_peer
from tests.support.pki import demo_pki, issue
from tests.support.token import PIN, SoftHSM

pytestmark = pytest.mark.peer
pytest.importorskip("pkcs11")

DIGEST = hashlib.sha256(b"document").digest()
ALGORITHM = MACAlgorithm.SHA256
SHA2 = (MACAlgorithm.SHA224, MACAlgorithm.SHA256, MACAlgorithm.SHA384, MACAlgorithm.SHA512)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftHSM:
    """Return a token with two persons, two curves, a CA, and two keys of one label."""
    pki = demo_pki()
    token = SoftHSM.create(tmp_path_factory.mktemp("softhsm"))
    token.add(pki.author, label="author", object_id="8f48")
    token.add(pki.supervisor, label="twin", object_id="0001")
    token.add(issue(pki.issuing, slot="twin"), label="twin", object_id="0002")
    token.add(issue(pki.issuing, key_kind="p256"), label="p256", object_id="0256")
    token.add(issue(pki.issuing, key_kind="p384"), label="p384", object_id="0384")
    token.add(pki.archive, label="bare", object_id="00ba", cert=False)
    token.add(pki.issuing, label="ca", object_id="00ca", key=False)
    token.add(pki.root, label="ca", object_id="00cb", key=False)
    return token


@pytest.fixture
def process() -> Iterator[TokenProcess]:
    """Yield a worker of its own, so that a test may hurt it."""
    worker = TokenProcess()
    yield worker
    worker.close()


def sign(token: SoftHSM, *path: str, pin: str = PIN) -> bytes:
    with open_signer(token.uri(*path), secrets=lambda _prompt: pin) as signer:
        return signer.sign_digest(DIGEST, ALGORITHM)


def parsed(text: str) -> PKCS11URI:
    uri = parse_key_uri(text)
    assert isinstance(uri, PKCS11URI)
    return uri


@pytest.mark.parametrize("algorithm", SHA2)
@pytest.mark.parametrize("label", ["author", "p256", "p384"])
def test_values_verify_with_the_certificate(
    token: SoftHSM, label: str, algorithm: MACAlgorithm
) -> None:
    """RSA and EC keys on the token sign every SHA-2 digest."""
    digest = hashlib.new(algorithm.value.lower(), b"document").digest()
    with open_signer(token.uri(f"object={label}"), secrets=lambda _prompt: PIN) as signer:
        value = signer.sign_digest(digest, algorithm)
        leaf = signer.certificate_chain[0].public_bytes(Encoding.DER)
    assert match_signature(leaf, value, algorithm, digest) is SignatureMatch.MATCHES


def test_the_chain_comes_from_the_token(token: SoftHSM) -> None:
    """Leaf, issuer and root are put in order, without a PIN."""
    with open_signer(token.uri("id=%8f%48"), secrets=no_secrets) as signer:
        assert signer.certificate_chain == demo_pki().author.chain


@pytest.mark.parametrize("pin", ["0000", "4711", PIN + " ", PIN.upper(), "", "x" * 300])
def test_a_wrong_pin_is_a_pin_error(token: SoftHSM, pin: str) -> None:
    """A wrong, empty or impossible PIN is a PIN error, and the right one works afterwards."""
    with pytest.raises(PINError):
        sign(token, "object=author", pin=pin)
    sign(token, "object=author")


def test_the_pin_is_checked_each_time(token: SoftHSM) -> None:
    """A signer that is open elsewhere, and has just signed, opens no door to a wrong PIN."""
    with open_signer(token.uri("object=author"), secrets=lambda _prompt: PIN) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        with pytest.raises(PINError):
            sign(token, "object=author", pin="0000")
        signer.sign_digest(DIGEST, ALGORITHM)


def test_no_login_is_left_behind(token: SoftHSM, process: TokenProcess) -> None:
    """Between signatures the worker sees no private key, since nobody is logged in."""
    uri = parsed(token.uri("object=author"))
    with open_token_key(
        uri, certificates=(), secrets=lambda _prompt: PIN, worker=process
    ) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)
        pid = process.pid
        request = {"operation": "sign", "kind": "RSA", "payload": "00", "pin": ""}
        for _ in range(2):
            with pytest.raises(PINError):
                process.call(request | {"uri": str(uri)}, environment=_store(token))
            signer.sign_digest(DIGEST, ALGORITHM)
    assert pid is not None


def test_a_token_says_that_its_pin_was_wrong(token: SoftHSM) -> None:
    """The flag of a wrong PIN shows until the next good login."""
    with pytest.raises(PINError):
        sign(token, "object=author", pin="0000")
    assert TokenFlag.PIN_COUNT_LOW in _listed(token)
    sign(token, "object=author")
    assert TokenFlag.PIN_COUNT_LOW not in _listed(token)


@pytest.mark.parametrize("path", ["object=none", "id=%ff", "object=ca"])
def test_an_absent_key_is_refused(token: SoftHSM, path: str) -> None:
    """A key that is not there is refused, and those that are there are named."""
    with (
        open_signer(
            token.uri(path), certificates=demo_pki().author.chain, secrets=lambda _prompt: PIN
        ) as signer,
        pytest.raises(SignerRefusedError) as caught,
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    assert "object=author;id=%8f%48" in (caught.value.hint or "")


def test_two_keys_that_match_are_refused(token: SoftHSM) -> None:
    """Two keys of one label are refused with both named; an identifier decides."""
    supervisor = demo_pki().supervisor
    arguments = {"certificates": supervisor.chain, "secrets": lambda _prompt: PIN}
    with (
        open_signer(token.uri("object=twin"), **arguments) as signer,
        pytest.raises(SignerRefusedError) as caught,
    ):
        signer.sign_digest(DIGEST, ALGORITHM)
    for identifier in ("id=%00%01", "id=%00%02"):
        assert identifier in (caught.value.hint or "")
    with open_signer(token.uri("object=twin", "id=%00%01"), **arguments) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)


def test_two_certificates_that_match_are_refused(token: SoftHSM) -> None:
    """Two certificates of one label are refused before a PIN is asked for."""
    with (
        pytest.raises(SignerRefusedError),
        open_signer(token.uri("object=twin"), secrets=no_secrets),
    ):
        pass


def test_a_key_without_its_certificate_is_refused(token: SoftHSM) -> None:
    """A key whose certificate is not on the token needs one from the caller."""
    with pytest.raises(SignerRefusedError), open_signer(token.uri("id=%00%ba"), secrets=no_secrets):
        pass
    certificates = demo_pki().archive.chain
    with open_signer(
        token.uri("id=%00%ba"), certificates=certificates, secrets=lambda _prompt: PIN
    ) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)


@pytest.mark.parametrize("certificate", ["supervisor", "p256"])
def test_a_certificate_of_another_key_is_refused(token: SoftHSM, certificate: str) -> None:
    """A value that does not belong to the certificate does not leave the signer."""
    pki = demo_pki()
    other = pki.supervisor if certificate == "supervisor" else issue(pki.issuing, key_kind="p256")
    with (
        open_signer(
            token.uri("object=author"), certificates=other.chain, secrets=lambda _prompt: PIN
        ) as signer,
        pytest.raises(SignerRefusedError),
    ):
        signer.sign_digest(DIGEST, ALGORITHM)


def test_an_absent_token_is_unavailable(token: SoftHSM, tmp_path: Path) -> None:
    """A label that no token has, and a store that is not there, are matters of retrying."""
    other = token.uri("object=author").replace("token=srsign", "token=other")
    nowhere = token.uri("object=author").replace(str(token.configuration), str(tmp_path / "none"))
    for uri in (other, nowhere):
        with pytest.raises(SignerUnavailableError), open_signer(uri, secrets=no_secrets):
            pass


@pytest.mark.parametrize("module", ["/no/module.so", "/etc/passwd", sys.executable])
def test_what_is_no_module_is_a_configuration_error(module: str) -> None:
    """A path that holds no PKCS #11 module is named, and nothing crashes here."""
    with pytest.raises((ConfigurationError, SignerUnavailableError)):
        list_tokens(Path(module))


def test_a_new_token_is_found_at_once(tmp_path: Path, process: TokenProcess) -> None:
    """A token that was made after the worker started is found."""
    first = SoftHSM.create(tmp_path, label="first")
    request = {"operation": "describe", "uri": first.uri()}
    process.call(request, environment=_store(first))
    pid = process.pid
    second = SoftHSM.create(tmp_path, label="second")
    process.call(request | {"uri": second.uri()}, environment=_store(second))
    assert process.pid == pid


def test_a_worker_that_hangs_in_a_signature_is_replaced(token: SoftHSM) -> None:
    """A worker stopped in the middle is killed, and the next signature works.

    It is stopped before it reads the request: SoftHSM rewrites its store at each login, and a
    worker killed while it does so leaves a token that nobody can open.
    """
    worker = TokenProcess(seconds=1.0)

    def stop_and_answer(_prompt: str) -> str:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        return PIN

    uri = parsed(token.uri("object=author"))
    with open_token_key(uri, certificates=(), secrets=stop_and_answer, worker=worker) as signer:
        with pytest.raises(SignerUnavailableError):
            signer.sign_digest(DIGEST, ALGORITHM)
        signer.sign_digest(DIGEST, ALGORITHM)
    worker.close()


def test_eight_threads_sign_at_once(token: SoftHSM) -> None:
    """Eight threads with a signer each get eight times five values that verify."""
    values: list[bytes] = []

    def work() -> None:
        for _ in range(5):
            values.append(sign(token, "object=author"))  # noqa: PERF401

    _in_threads(work, 8)
    leaf = demo_pki().author.der
    assert len(values) == 40
    assert all(
        match_signature(leaf, value, ALGORITHM, DIGEST) is SignatureMatch.MATCHES
        for value in values
    )


def test_threads_share_a_signer_and_one_prompt(token: SoftHSM) -> None:
    """Threads that share a signer are asked for the PIN once."""
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return PIN

    with open_signer(token.uri("object=author"), secrets=ask) as signer:
        _in_threads(lambda: signer.sign_digest(DIGEST, ALGORITHM), 8)
    assert len(prompts) == 1


def test_tokens_are_listed_without_a_pin(token: SoftHSM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list shows token, certificates and a key URI for each, and skips empty slots."""
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.configuration))
    (listed,) = list_tokens(SOFTHSM_MODULE)
    assert listed.label == "srsign test"
    assert listed.manufacturer == "SoftHSM project"
    assert {item.label for item in listed.certificates} == {"author", "twin", "p256", "p384", "ca"}
    (author,) = (item for item in listed.certificates if item.label == "author")
    assert "CN=Anna Meier" in author.subject
    with open_signer(author.uri, secrets=lambda _prompt: PIN) as signer:
        signer.sign_digest(DIGEST, ALGORITHM)


def test_the_pin_is_nowhere_to_be_seen(token: SoftHSM) -> None:
    """Neither the program's output nor its errors hold the PIN, right or wrong."""
    canary = PIN_CANARY
    script = f"""
import logging, traceback
logging.basicConfig(level=logging.DEBUG)
from sr.errors import SRError
from sr.keys import open_signer
from sr.mac import MACAlgorithm
for pin in ({PIN!r}, {canary!r}):
    try:
        with open_signer({token.uri("object=author")!r}, secrets=lambda _: pin) as signer:
            signer.sign_digest(bytes(32), MACAlgorithm.SHA256)
            print(signer, vars(signer).keys())
    except SRError:
        traceback.print_exc()
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    shown = (run.stdout + run.stderr).replace(script, "")
    assert "PINError" in shown
    assert canary not in shown
    assert PIN not in shown


def test_the_demo_token_works_by_itself(tmp_path: Path) -> None:
    """The URIs of a demo token name all they need: module, store, PIN, key and certificate."""
    pki = make_demo_pki(tmp_path / "pki", now=datetime.now(UTC))
    folder = tmp_path / "a token; with odd & characters"
    uris = make_demo_token(folder, pki.folder, ["author", "supervisor"])
    for name, uri in uris.items():
        with open_signer(uri, secrets=no_secrets) as signer:
            signer.sign_digest(DIGEST, ALGORITHM)
            (leaf,) = signer.certificate_chain
            assert leaf.public_bytes(Encoding.PEM) == pki.certificate(name).read_bytes()
    pin = folder / "pin"
    assert stat.S_IMODE(pin.stat().st_mode) == 0o600
    assert pin.read_text().strip() not in "".join(uris.values())
    with pytest.raises(ConfigurationError):
        make_demo_token(folder, pki.folder, ["author"])


def test_a_demo_token_without_the_tool_is_a_configuration_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SoftHSM installed the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        make_demo_token(tmp_path / "token", tmp_path, ["author"])
    assert caught.value.hint


@pytest.mark.parametrize("name", ["a=b", "a#b", "a\nb"])
def test_a_folder_that_softhsm_cannot_name_is_refused(tmp_path: Path, name: str) -> None:
    """Characters that SoftHSM's configuration cannot hold are refused before anything is made."""
    with pytest.raises(ConfigurationError):
        make_demo_token(tmp_path / name, tmp_path, ["author"])
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("missing", ["author.key", "author.pem"])
def test_a_demo_token_of_an_incomplete_pki_is_refused(tmp_path: Path, missing: str) -> None:
    """A PKI folder without the key or the certificate gives our error."""
    author = demo_pki().author
    files = {"author.key": author.key_pem(), "author.pem": author.pem}
    for name, data in files.items():
        if name != missing:
            (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigurationError):
        make_demo_token(tmp_path / "token", tmp_path, ["author"])


def test_other_tools_see_what_we_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSC finds the certificate of a demo token by its key's label and identifier."""
    author = demo_pki().author
    (tmp_path / "author.key").write_bytes(author.key_pem())
    (tmp_path / "author.pem").write_bytes(author.pem)
    make_demo_token(tmp_path / "token", tmp_path, ["author"])
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "token" / "softhsm2.conf"))
    read = tmp_path / "read.der"
    run_peer(PKCS11_TOOL, "--module", SOFTHSM_MODULE, "--read-object", "--type", "cert",
             "--label", "author", "--id", "01", "-o", read)  # fmt: skip
    assert read.read_bytes() == author.der


def _in_threads(work: object, count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _store(token: SoftHSM) -> dict[str, str]:
    return {"SOFTHSM2_CONF": str(token.configuration)}


def _listed(token: SoftHSM) -> frozenset[TokenFlag]:
    worker = TokenProcess()
    reply = worker.call({"operation": "describe", "uri": token.uri()}, environment=_store(token))
    worker.close()
    return frozenset(map(TokenFlag, reply["flags"]))
