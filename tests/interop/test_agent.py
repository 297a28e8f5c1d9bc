"""``srsign agent`` beside a token, a service on a port, openssl as authority, dcmsign as reader."""

from __future__ import annotations

import os
import pty
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sr.app.ports import Timestamping
from sr.dicomfile import BytesSource, read
from sr.net.timestamp import HTTPTimestampAuthority
from sr.service.operation.demonstration import chain_of
from sr.verification import gather
from sr.web.application import create_application
from tests.support.agents import draft, opened
from tests.support.console import srsign
from tests.support.peers import dcmsign_verify
from tests.support.pki import Entity
from tests.support.service import Service, open_service
from tests.support.serving import served
from tests.support.token import PIN, SoftHSM
from tests.support.tsa_server import Answer, http_server, openssl_reply

pytestmark = pytest.mark.peer
pytest.importorskip("pkcs11")

_SRSIGN = Path(sys.executable).with_name("srsign")


@dataclass(frozen=True)
class Finished:
    """How an agent ended."""

    code: int
    out: str
    err: str
    shown: str
    """On the terminal."""


class Running:
    """An agent at a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process, self._terminal = process, terminal
        self._shown = bytearray()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # the terminal ends with the process
            while block := os.read(self._terminal, 4096):
                self._shown += block

    def end(self) -> Finished:
        """Wait until it ends by itself."""
        out, err = self.process.communicate(timeout=120)
        self._reader.join()
        os.close(self._terminal)
        return Finished(self.process.returncode, out.decode(), err.decode(), self._shown.decode())


@dataclass
class Desk:
    """The author's machine: a token, a PIN file, and the service's address."""

    folder: Path
    service: Service
    token: SoftHSM
    authority: Authority
    url: str

    @property
    def chain(self) -> Path:
        """Return the file with the certificates."""
        return self.folder / "chain.pem"

    def pin(self, value: str = PIN) -> Path:
        """Return a file with a PIN."""
        path = self.folder / "pin"
        path.write_text(value)
        return path

    def start(self, *arguments: object, typed: bytes = b"") -> Running:
        """Start the agent at a terminal on which something was typed."""
        terminal, side = pty.openpty()
        process = subprocess.Popen(
            [_SRSIGN, "agent", *map(str, arguments), "--directory", self.folder / "agents"],
            stdin=side, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"HOME": str(self.folder), "no_proxy": "127.0.0.1"},
        )  # fmt: skip
        os.close(side)
        os.write(terminal, typed)
        return Running(process, terminal)

    def run(self, typed: str, *, pin: str = PIN) -> Finished:
        """Sign what waits."""
        finished = self.start(
            *("run", "--once", "--key", self.token.uri("object=author")),
            *("--cert", self.chain, "--pin-file", self.pin(pin)),
            typed=typed.encode(),
        ).end()
        assert PIN not in finished.out + finished.err + finished.shown
        return finished

    def pair(self) -> None:
        """Pair the agent with the author."""
        running = self.start("pair", self.url)
        line = running.process.stdout.readline().decode()  # type: ignore[union-attr]
        code = re.search(r"[A-Z]{4}-[A-Z]{4}", line)
        assert code is not None, line
        answer = self.service.client("anna").post(
            "/api/v1/agents/pair", json={"user_code": code.group()}
        )
        assert answer.status_code == 200, answer.text
        ended = running.end()
        assert ended.code == 0, ended


class Authority:
    """A time-stamp authority that can be switched off."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.on = True
        self._folder, self._pki = folder, service.world.pki

    def answer(self, query: bytes) -> Answer:
        """Answer, or not."""
        if not self.on:
            return Answer(status=503)
        pki = self._pki
        certificate = pki.certificate("tsa")
        return Answer(
            body=openssl_reply(
                self._folder, query, certificate=certificate, key=certificate.with_suffix(".key")
            )
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return the author's machine, paired with a service that time-stamps."""
    folder = tmp_path_factory.mktemp("desk")
    plain = open_service(folder / "service", slices=1)
    pki = plain.world.pki
    authority = Authority(plain, folder / "tsa")
    chain = folder / "chain.pem"
    chain.write_bytes(chain_of(pki, "author"))
    key = load_pem_private_key(pki.certificate("author").with_suffix(".key").read_bytes(), None)
    author = Entity(certificate=x509.load_pem_x509_certificates(chain.read_bytes())[0], key=key)  # type: ignore[arg-type]
    token = SoftHSM.create(folder / "token", label="author")
    token.add(author, label="author", object_id="01")
    with http_server(authority.answer) as url:
        stamping = Timestamping(
            authority=HTTPTimestampAuthority(url=url, timeout=20), new_nonce=lambda: 4711
        )
        ports = replace(plain.context.ports, timestamping=stamping)
        service = replace(plain, context=replace(plain.context, ports=ports))
        with served(create_application(service.context)) as port:
            desk = Desk(folder, service, token, authority, f"http://127.0.0.1:{port}")
            desk.pair()
            yield desk


def _file(service: Service, document: dict[str, Any], folder: Path) -> Path:
    uid = document["sop_instance_uid"]
    answer = service.client("anna").get(f"/api/v1/reports/{uid}/file")
    path = folder / "signed.dcm"
    path.write_bytes(answer.content)
    return path


def _accepted(service: Service, path: Path) -> bool:
    pki = service.world.pki
    return (
        dcmsign_verify(
            path, anchor=pki.certificate("root"), intermediate=pki.certificate("issuing")
        ).returncode
        == 0
    )


def _state(service: Service, document: dict[str, Any]) -> str:
    uid = document["sop_instance_uid"]
    return str(service.client("anna").get(f"/api/v1/reports/{uid}").json()["state"])


def test_a_document_is_signed_on_the_token(desk: Desk, tmp_path: Path) -> None:
    """What is opened at the service is shown with its match code, signed, and read by dcmsign."""
    assert desk.run("").code == 0  # shows the service that the key is here
    document = draft(desk.service)
    session = opened(desk.service, document)
    ended = desk.run("y\n")
    assert ended.code == 0, ended
    assert session["match_code"] in ended.shown
    assert document["patient_id"] in ended.shown
    assert _state(desk.service, document) == "signed"
    assert _accepted(desk.service, _file(desk.service, document, tmp_path))


def test_enter_is_no(desk: Desk) -> None:
    """Who only presses Enter signs nothing."""
    document = draft(desk.service)
    opened(desk.service, document)
    assert desk.run("\n").code == 0
    assert _state(desk.service, document) == "draft"


def test_a_wrong_pin_and_a_token_that_is_away(desk: Desk) -> None:
    """After one wrong PIN, or without the token, a run ends, and the session waits for the next."""
    document = draft(desk.service)
    opened(desk.service, document)
    assert desk.run("y\ny\n", pin="0000").code == 21
    store = desk.token.folder / "tokens"
    gone = store.rename(desk.token.folder / "pulled")
    store.mkdir()
    assert desk.run("y\n").code == 20
    store.rmdir()
    gone.rename(store)
    assert _state(desk.service, document) == "draft"
    assert desk.run("y\n").code == 0
    assert _state(desk.service, document) == "signed"


def test_an_authority_that_comes_back(desk: Desk, tmp_path: Path) -> None:
    """Without a time-stamp the value is kept; the second try needs no PIN, and dcmsign accepts."""
    document = draft(desk.service)
    opened(desk.service, document)
    desk.authority.on = False
    assert desk.run("y\n").code == 22
    assert _state(desk.service, document) == "draft"
    desk.authority.on = True
    ended = desk.run("", pin="0000")
    assert (ended.code, ended.shown) == (0, "")
    path = _file(desk.service, document, tmp_path)
    (signature,) = gather(read(BytesSource(path.read_bytes()))).signatures
    assert signature.timestamp is not None
    assert _accepted(desk.service, path)


def test_ctrl_c(desk: Desk) -> None:
    """An agent that waits ends when it is interrupted, with the code for that."""
    key = desk.token.uri("object=author")
    running = desk.start("run", "--key", key, "--cert", desk.chain)
    running.process.stderr.readline()  # type: ignore[union-attr]
    running.process.send_signal(signal.SIGINT)
    assert running.end().code == 130


def test_nobody_at_the_terminal(desk: Desk) -> None:
    """Without a terminal nobody confirms, so that nothing is signed."""
    about = ("--key", desk.token.uri("object=author"), "--cert", desk.chain)
    ended = srsign("agent", "run", "--once", *about, "--directory", desk.folder / "agents")
    assert ended.code == 2


def test_a_token_file_that_others_can_read(desk: Desk) -> None:
    """The file of a pairing is its owner's only, and is refused otherwise."""
    (path,) = (desk.folder / "agents").glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert srsign("agent", "list", "--directory", path.parent).code == 2
    path.chmod(0o600)
    assert srsign("agent", "list", "--directory", path.parent).code == 0


def test_a_revoked_agent_and_one_that_is_forgotten(desk: Desk) -> None:
    """A revoked agent signs nothing; one that is forgotten has to be paired again."""
    (agent,) = desk.service.client("anna").get("/api/v1/agents").json()["items"]
    desk.service.client("anna").delete(f"/api/v1/agents/{agent['id']}")
    assert desk.run("y\n").code == 1
    folder = desk.folder / "agents"
    assert srsign("agent", "forget", "--directory", folder).code == 0
    assert srsign("agent", "list", "--directory", folder).out == ""
    assert srsign("agent", "forget", "--directory", folder).code == 1
