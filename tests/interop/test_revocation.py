"""Revocation by real responders, judged offline; what certificates point at is never fetched."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from sr.app.settings import current_settings
from tests.support.console import Ended, srsign
from tests.support.forge import edited, forge_signature
from tests.support.office import Office
from tests.support.peers import OPENSSL, run_peer
from tests.support.pki import Entity, demo_pki, issue
from tests.support.responder import index_row, openssl_responder
from tests.support.signed import plain_report
from tests.support.tsa_server import Answer, http_server

STRICT = ("--policy", "strict")


def _ocsp(office: Office, folder: Path, status: str) -> Path:
    """Return what ``openssl ocsp`` answers about the archive's certificate."""
    pki, response = office.pki, folder / f"{status[:1]}.ocsp"
    index = folder / "index.txt"
    row = "" if status == "?" else index_row(pki.certificate("archive"), status)
    index.write_text(row, encoding="ascii")
    issuing = pki.certificate("issuing")
    ended = run_peer(
        OPENSSL, "ocsp", "-index", index, "-CA", issuing, "-issuer", issuing,
        "-cert", pki.certificate("archive"), "-rsigner", issuing, "-rkey", pki.key("issuing"),
        "-respout", response, "-ndays", 1, "-noverify",
    )  # fmt: skip
    assert ended.returncode == 0, ended.output
    return response


def _check(office: Office, *arguments: object) -> tuple[int, str | None]:
    pki = office.pki
    ended = srsign(
        "check", office.seal, "--trust-anchor", pki.certificate("root"), "--intermediate",
        pki.certificate("issuing"), "--crl", pki.revocation_lists[0], *arguments, "--json",
    )  # fmt: skip
    return ended.code, ended.json["sub_indication"]


def _moment(ago: timedelta) -> str:
    return f"{datetime.now(UTC) - ago:%y%m%d%H%M%SZ}"


@pytest.mark.peer
def test_good_by_openssl_ocsp(office: Office, tmp_path: Path) -> None:
    """With the response nothing is unknown; without it the strict policy waits."""
    good = _ocsp(office, tmp_path, "V")
    assert _check(office, *STRICT, "--ocsp", good) == (0, None)
    assert _check(office, *STRICT) == (11, "TRY_LATER")


@pytest.mark.peer
def test_a_response_of_openssl_goes_stale(office: Office, tmp_path: Path) -> None:
    """Two days later the response of yesterday says nothing."""
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    given = (*STRICT, "--ocsp", _ocsp(office, tmp_path, "V"))
    assert _check(office, *given, "--at", later) == (11, "TRY_LATER")


@pytest.mark.peer
@pytest.mark.parametrize("policy", ["standard", "strict", "archive", "interop", "demo"])
def test_revoked_by_openssl_ocsp(office: Office, tmp_path: Path, policy: str) -> None:
    """Revoked before the signature is FAILED in every policy, however the CRLs read."""
    status = f"R{_moment(timedelta(days=1))},keyCompromise"
    revoked = _ocsp(office, tmp_path, status)
    silent = office.pki.revocation_lists[1]
    given = ("--policy", policy, "--ocsp", revoked, "--crl", silent)
    assert _check(office, *given) == (10, "REVOKED")


@pytest.mark.peer
def test_unknown_to_openssl_ocsp(office: Office, tmp_path: Path) -> None:
    """A responder that does not know the certificate clears nobody."""
    unknown = _ocsp(office, tmp_path, "?")
    assert _check(office, *STRICT, "--ocsp", unknown) == (11, "TRY_LATER")
    assert _check(office, "--ocsp", unknown) == (0, None)


@pytest.mark.peer
def test_a_response_about_another_certificate(office: Office, tmp_path: Path) -> None:
    """A response is about the certificate that it names, not about the next one."""
    good = _ocsp(office, tmp_path, "V")
    lists = [part for path in office.pki.revocation_lists[:1] for part in ("--crl", path)]
    root, issuing = (office.pki.certificate(name) for name in ("root", "issuing"))
    ended = srsign(
        "check", office.authored, "--trust-anchor", root, "--intermediate", issuing,
        *lists, *STRICT, "--ocsp", good,
    )  # fmt: skip
    assert ended.code == 11


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a socket that counts who knocks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def _knocks(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def _pointing(listener: socket.socket) -> tuple[Entity, Entity]:
    """Return a CA and a signer whose certificates point at a listener, in every way."""
    pki, url = demo_pki(), f"http://127.0.0.1:{listener.getsockname()[1]}"
    issuer_at = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(f"{url}/ca")
    )
    responder_at = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{url}/ocsp")
    )
    access = x509.AuthorityInformationAccess([issuer_at, responder_at])
    ca = issue(pki.root, "Pointing CA", ca=True, slot="pointing", crl_url=f"{url}/ca.crl")
    signer = issue(
        ca, "Pointing", slot="case", crl_url=f"{url}/ee.crl", extensions=[(access, False)]
    )
    return ca, signer


@pytest.mark.parametrize("policy", ["standard", "strict", "archive", "interop", "demo"])
def test_urls_in_certificates_are_never_fetched(
    listener: socket.socket, tmp_path: Path, policy: str
) -> None:
    """A certificate that points at a responder, an issuer and a list makes no connection."""
    pki, (ca, signer) = demo_pki(), _pointing(listener)
    file, root, issuing = (tmp_path / name for name in ("x.dcm", "root.pem", "ca.pem"))
    file.write_bytes(edited(plain_report(), lambda nodes: forge_signature(nodes, signer)))
    root.write_bytes(pki.root.pem)
    issuing.write_bytes(ca.pem)
    for given in ((), ("--intermediate", issuing)):
        ended = srsign("check", file, "--trust-anchor", root, *given, "--policy", policy, "--json")
        assert ended.json["signatures"][0]["sub_indication"] != "FORMAT_FAILURE"
    assert _knocks(listener) == 0
    with socket.create_connection(listener.getsockname()):
        assert _knocks(listener) == 1  # it would have been noticed


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder over HTTP, a redirect to one of them, on a free port."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/moved.crl":
                super().do_GET()
                return
            self.send_response(302)
            self.send_header("Location", "/root.crl")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_lists_are_fetched_over_http_into_the_folder(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Update fetches from the addresses given; a redirect or a missing file is an error."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    pki, at = office.pki, ("--directory", tmp_path / "trust")
    for name, use in (("root", ()), ("issuing", ("--intermediate",))):
        assert srsign("trust", "add", pki.certificate(name), *use, "--yes", *at).code == 0
    with _serving(pki.revocation_lists[0].parent) as url:
        good = [part for path in pki.revocation_lists for part in ("--list", f"{url}/{path.name}")]
        assert srsign("trust", "update", *good, *at).code == 0
        bad = ("--list", f"{url}/moved.crl", "--list", f"{url}/none.crl")
        assert srsign("trust", "update", *bad, *at).code == 1
        mixed = srsign("trust", "update", *bad, *good, *at, "--json")
    assert mixed.code == 3
    assert [each["error"] is None for each in mixed.json["lists"]] == [False, False, True, True]
    assert len(list((tmp_path / "trust" / "lists").iterdir())) == 2


@pytest.fixture
def folder(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a trust folder that keeps root and issuing CA."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, use in (("root", ()), ("issuing", ("--intermediate",))):
        given = (office.pki.certificate(name), *use, "--yes", "--directory", tmp_path / "trust")
        assert srsign("trust", "add", *given).code == 0
    lists = tmp_path / "trust" / "lists"
    lists.mkdir()
    (lists / "root.crl").write_bytes(office.pki.revocation_lists[0].read_bytes())
    return tmp_path / "trust"


def _update(office: Office, folder: Path, url: str, *named: object) -> Ended:
    issuing = x509.load_pem_x509_certificate(office.pki.certificate("issuing").read_bytes())
    fingerprint = issuing.fingerprint(SHA256()).hex()
    asked = ("--responder", f"{fingerprint}={url}", "--directory", folder, "--json")
    return srsign("trust", "update", *(named or (office.seal,)), *asked)


def _kept(folder: Path) -> list[bytes]:
    responses = folder / "responses"
    return [path.read_bytes() for path in responses.iterdir()] if responses.exists() else []


def _strict(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("SRSIGN_TRUST__DIRECTORY", str(folder))
    current_settings.cache_clear()
    ended = srsign("check", office.seal, *STRICT, "--json")
    monkeypatch.delenv("SRSIGN_TRUST__DIRECTORY")
    current_settings.cache_clear()
    return ended.code, ended.json["sub_indication"]


@pytest.mark.peer
@pytest.mark.parametrize(
    ("status", "verdict"),
    [("V", (0, None)), (f"R{_moment(timedelta(days=1))},keyCompromise", (10, "REVOKED"))],
    ids=["good", "revoked"],
)
def test_a_responder_of_openssl_is_asked(
    office: Office,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    verdict: tuple[int, str | None],
) -> None:
    """What openssl answers over HTTP, nonce and all, decides a strict check without network."""
    assert _strict(office, folder, monkeypatch) == (11, "TRY_LATER")
    issuing, key = office.pki.certificate("issuing"), office.pki.key("issuing")
    rows = index_row(office.pki.certificate("archive"), status)
    with openssl_responder(tmp_path, rows, authority=issuing, signer=issuing, key=key) as url:
        ended = _update(office, folder, url)
    assert (ended.code, ended.json["responses"][0]["error"]) == (0, None)
    assert _strict(office, folder, monkeypatch) == verdict


@pytest.mark.peer
@pytest.mark.parametrize(
    ("signer", "known"), [("supervisor", True), ("root", True), ("issuing", False)]
)
def test_what_openssl_answers_is_not_always_believed(
    office: Office, folder: Path, tmp_path: Path, signer: str, known: bool
) -> None:
    """Neither a signer whom the issuer did not authorise, nor that nothing is known."""
    pki = office.pki
    rows = index_row(pki.certificate("archive"), "V") if known else ""
    with openssl_responder(
        tmp_path,
        rows,
        authority=pki.certificate("issuing"),
        signer=pki.certificate(signer),
        key=pki.key(signer),
    ) as url:
        assert _update(office, folder, url).code == 1
    assert _kept(folder) == []


_ANSWERS = {
    "redirect": Answer(status=302, headers={"Location": "/elsewhere"}),
    "moved": Answer(status=308, headers={"Location": "/elsewhere"}),
    "missing": Answer(status=404),
    "broken": Answer(status=500),
    "a page": Answer(body=b"<html>", kind="text/html"),
    "another kind": Answer(body=b"\x30\x03\x0a\x01\x00", kind="application/timestamp-reply"),
    "too large": Answer(body=bytes(300_000), kind="application/ocsp-response"),
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_what_is_no_answer_of_a_responder(office: Office, folder: Path, name: str) -> None:
    """A redirect is not followed, other content is not taken, and an answer is bounded."""
    requests: list[bytes] = []

    def answer(body: bytes) -> Answer:
        requests.append(body)
        return _ANSWERS[name]

    with http_server(answer) as url:
        ended = _update(office, folder, url)
    assert (ended.code, ended.json["responses"][0]["error"]["code"]) == (1, "external-service")
    assert (len(requests), _kept(folder)) == (1, [])


def test_a_responder_that_is_down(office: Office, folder: Path) -> None:
    """Nobody listens: an error, and a check stays as undecided as before."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ended = _update(office, folder, f"http://127.0.0.1:{port}/")
    assert (ended.code, ended.json["responses"][0]["error"]["code"]) == (1, "external-service")
    assert _kept(folder) == []


def test_the_address_in_a_certificate_is_never_asked(
    office: Office, folder: Path, tmp_path: Path, listener: socket.socket
) -> None:
    """Where a certificate points counts for nothing, whether or not its issuer has a responder."""
    ca, signer = _pointing(listener)
    certificate, issuing = tmp_path / "signer.pem", tmp_path / "ca.pem"
    certificate.write_bytes(signer.pem)
    issuing.write_bytes(ca.pem)
    at = ("--intermediate", "--yes", "--directory", folder)
    assert srsign("trust", "add", issuing, *at).code == 0
    requests: list[bytes] = []

    def answer(body: bytes) -> Answer:
        requests.append(body)
        return Answer(status=404)

    with http_server(answer) as url:
        assert _update(office, folder, url, certificate).code == 1
        assert requests == []  # the responder of another issuer
        fingerprint = ca.certificate.fingerprint(SHA256()).hex()
        asked = ("--responder", f"{fingerprint}={url}", "--directory", folder)
        assert srsign("trust", "update", certificate, *asked).code == 1
    assert len(requests) == 1
    assert _knocks(listener) == 0
    with socket.create_connection(listener.getsockname()):
        assert _knocks(listener) == 1  # it would have been noticed
