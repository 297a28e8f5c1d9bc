"""What an attacker tries against the service as a whole: addresses, files, forms, and waiting."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from gzip import compress as gzip
from io import BytesIO, StringIO
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from socket import create_server
from zipfile import ZIP_DEFLATED, ZipFile
from zlib import compressobj

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from fastapi.testclient import TestClient
from sqlalchemy import select

from sr.app.audit import decode_event
from sr.app.settings import HTTPSettings
from sr.codes import SignaturePurpose
from sr.errors import ConfigurationError
from sr.service.access import Role
from sr.service.accounts.login import principal_of_user
from sr.service.operation.demonstration import chain_of, principal_for, write_demo_report
from sr.service.operation.jobs import enqueue
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.store.people import add_user, change_user, get_user
from sr.store.schema import audit_events
from sr.web.application import create_application
from sr.web.guard.rules import http_rules
from tests.support.operations import operations
from tests.support.page_routes import page_routes
from tests.support.service import Service, open_service
from tests.support.serving import connect, served

HERE = "http://srsign.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module, in which root may do everything."""
    made = open_service(tmp_path_factory.mktemp("service"))
    with made.context.database.write() as connection:
        change_user(connection, "root", {"roles": list(Role)})
    return made


def _last_address(service: Service) -> str:
    with service.context.database.read() as connection:
        query = select(audit_events.c.encoded).order_by(audit_events.c.sequence.desc()).limit(1)
        return decode_event(connection.execute(query).scalar_one()).actor.address


@pytest.mark.parametrize(
    ("proxies", "peer", "said", "address"),
    [
        ("", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ("10.1.2.3", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.4", "203.0.113.9", "10.1.2.4"),
        ("10.1.2.3", "10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.0/29", "10.1.2.3", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_named_proxies_say_where_a_request_comes_from(
    service: Service, proxies: str, peer: str, said: str, address: str
) -> None:
    """The audit has the address of the connection, unless a proxy that the site names says more."""
    rules = http_rules(HTTPSettings(hosts="*", proxies=proxies))
    app = create_application(service.context, rules)
    client = TestClient(app, base_url=HERE, client=(peer, 50000))
    assert client.get("/api/v1/reports", headers={"X-Forwarded-For": said}).status_code == 401
    assert _last_address(service) == address


@pytest.mark.parametrize("proxies", ["proxy.example.org", "*", "0.0.0.0/0", "::/0", "10.0.0.1/8"])
def test_what_is_no_proxy_is_refused(proxies: str) -> None:
    """A name, a mistake, or everybody: the service does not start."""
    with pytest.raises(ConfigurationError):
        http_rules(HTTPSettings(proxies=proxies))


def test_no_form_of_another_site_changes_anything(service: Service) -> None:
    """Every page and operation that changes something refuses what another site sends.

    A site that the browser knows nothing of is another site. Two have nothing to lose: the theme,
    and pairing, which needs no login before the code is entered.
    """
    browser = service.browser("root")
    described = operations(browser.get("/openapi.json").json())
    routes = {(each.method.upper(), each.path) for each in described} | set(page_routes())
    free = {("POST", "/theme"), ("POST", "/api/v1/agents"), ("POST", "/api/v1/agents/token")}
    tried = 0
    for method, path in sorted(routes - free):
        if method == "GET" or f"{path}/".startswith("/api/v1/agent/"):  # by the agent's token only
            continue
        place = re.sub(r"{[a-z_]+}", "0" * 32, path)
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = browser.request(method, place, headers=headers, follow_redirects=False)
            assert answer.status_code in (403, 422), (method, path)
            assert answer.status_code == 403 or _is_unparsed(answer.text), (method, path)
            tried += 1
    assert tried > 60
    assert browser.get("/api/v1/reports").status_code == 200  # not even logged out


def _is_unparsed(text: str) -> bool:
    """Return whether a form was refused before it was looked whose it is: it did not fit."""
    return "does not fit" in text


@pytest.mark.parametrize(
    ("login", "mine", "path"),
    [
        ("sam", "session", "/api/v1/signing-sessions/{}"),
        ("sam", "session", "/signing/{}"),
        ("sam", "session", "/signing/{}/progress"),
        ("anna", "job", "/api/v1/jobs/{}"),
        ("anna", "job", "/api/v1/jobs/{}/events"),
    ],
)
def test_what_is_somebody_elses_is_not_there(
    service: Service, login: str, mine: str, path: str
) -> None:
    """What a caller may not see is answered like what there is not, to the letter."""
    context = service.context
    draft = write_demo_report(context, service.world, "anna", 0)
    with context.database.write() as connection:
        seals = principal_of_user(get_user(connection, "archive"))
        job = enqueue(context, connection, seals, "seal", {})
    wanted = WantedSignature(sop_instance_uid=draft.sop_instance_uid, if_match=draft.sha256)
    session = open_session(
        context, principal_for("anna"), (wanted,), purpose=SignaturePurpose.AUTHOR,
        chain=chain_of(service.world.pki, "author"),
    ).session  # fmt: skip
    browser = service.browser(login)
    here, nowhere = {"session": session.id, "job": job.id}[mine], "0" * 32
    there, absent = browser.get(path.format(here)), browser.get(path.format(nowhere))
    for each in (there, absent):
        del each.headers["x-request-id"]
    assert there.text.replace(here, nowhere) == absent.text
    assert there.headers == absent.headers
    assert there.status_code == 404


def _pointing(place: str) -> bytes:
    """Return a certificate, PEM, that points at a place for all that may be fetched."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pointing")])
    url, oids = x509.UniformResourceIdentifier(place), AuthorityInformationAccessOID
    access = [x509.AccessDescription(oid, url) for oid in (oids.OCSP, oids.CA_ISSUERS)]
    list_at = x509.DistributionPoint([url], None, None, None)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .add_extension(x509.CRLDistributionPoints([list_at]), critical=False)
    )
    return built.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_what_a_certificate_points_at_is_not_asked(service: Service) -> None:
    """Whatever takes certificates fetches nothing: nobody comes to the place that they name."""
    root = service.client("root")
    with create_server(("127.0.0.1", 0)) as place:
        pem = _pointing(f"http://127.0.0.1:{place.getsockname()[1]}/").decode()
        trust = {"certificates": pem, "use": "anchor"}
        assert root.post("/api/v1/trust-anchors", json=trust).status_code == 201
        sign = {
            "items": [{"sop_instance_uid": "1.2.3", "if_match": "0" * 64}],
            "purpose": "author", "certificate_chain": pem,
        }  # fmt: skip
        assert root.post("/api/v1/signing-sessions", json=sign).status_code == 422  # not vouched
        place.setblocking(False)
        with pytest.raises(BlockingIOError):
            place.accept()


def _zipped(content: bytes, times: int) -> bytes:
    for _ in range(times):
        packed = BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            archive.writestr("a.dcm", content)
        content = packed.getvalue()
    return content


def _deflated_dicom(megabytes: int) -> bytes:
    """Return a deflated data set of one element with so much in it."""
    packer = compressobj(9, wbits=-15)
    body = [packer.compress(b"\x09\x00\x10\x00LO\x02\x00x " + b"\x09\x00\x01\x10OB\0\0")]
    body.append(packer.compress((megabytes << 20).to_bytes(4, "little")))
    body += [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    uid = b"1.2.840.10008.1.2.1.99"
    meta = b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    group = b"\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little")
    return bytes(128) + b"DICM" + group + meta + b"".join(body) + packer.flush()


@pytest.mark.parametrize(
    ("made", "statuses"),
    [
        (lambda: gzip(bytes(64 << 20)), {422}),
        (lambda: _zipped(bytes(64 << 20), 1), {422}),
        (lambda: _zipped(bytes(8 << 20), 5), {422}),
        (lambda: _deflated_dicom(256), {200}),
    ],
    ids=["gzip", "zip", "zips in zips", "deflated"],
)
def test_what_is_packed_is_not_unpacked_for_strangers(
    service: Service, made: Callable[[], bytes], statuses: set[int]
) -> None:
    """An upload that grows is no DICOM, or FAILED; it takes no memory but its own."""
    client, body = service.client("anna"), made()
    before = _peak()
    answer = client.post(
        "/api/v1/checks", content=body, headers={"Content-Type": "application/dicom"}
    )
    assert answer.status_code in statuses
    if answer.status_code == 200:
        assert [each["rule"] for each in answer.json()["findings"]] == ["LIMIT_INFLATED"]
    assert _peak() - before < 150_000_000


def _peak() -> int:
    """Return how many bytes of this process were in memory at the most."""
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def _resident() -> int:
    """Return how many bytes of this process are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def test_two_hundred_follow_a_job(tmp_path: Path) -> None:
    """All who follow a job are told of it, others are served, and the end of the service is theirs.

    One caller follows so much and no more; each who waits takes less than a quarter of a megabyte.
    """
    service, count = open_service(tmp_path), 200
    each = HTTPSettings().concurrent_requests_per_caller
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"roles": ["operator"]})
        for n in range(count // each + 1):
            add_user(connection, replace(get_user(connection, "anna"), id=f"op{n}", login=f"op{n}"))
        owner = principal_of_user(get_user(connection, "anna"))
        job = enqueue(service.context, connection, owner, "seal", {})
    rules = http_rules(HTTPSettings())
    head = f"GET /api/v1/jobs/{job.id}/events HTTP/1.1\r\nHost: localhost\r\n"
    with ExitStack() as stack:
        with served(create_application(service.context, rules, log=StringIO())) as port:
            here = f"http://localhost:{port}/api/v1/jobs"
            keys = [
                service.client(f"op{n}").headers["Authorization"] for n in range(count // each + 1)
            ]
            for key in keys:
                assert httpx2.get(here, headers={"Authorization": key}).status_code == 200
            before, following = _resident(), []
            for n in range(count):
                follower = stack.enter_context(connect(port))
                follower.sendall(f"{head}Authorization: {keys[n // each]}\r\n\r\n".encode())
                following.append(follower)
            assert all(follower.recv(12) == b"HTTP/1.1 200" for follower in following)
            assert _resident() - before < count * 250_000 + 10_000_000
            assert httpx2.get(here, headers={"Authorization": keys[-1]}).status_code == 200
            more = stack.enter_context(connect(port))
            more.sendall(f"{head}Authorization: {keys[0]}\r\n\r\n".encode())
            assert more.recv(12) == b"HTTP/1.1 429"
        for follower in following:
            with suppress(ConnectionResetError):
                while follower.recv(4096):
                    pass


@pytest.mark.parametrize(("path", "status"), [("/check", b"303"), ("/api/v1/checks", b"401")])
def test_files_of_strangers_are_not_taken(service: Service, path: str, status: bytes) -> None:
    """Who is not known is told so before any of the files arrives."""
    with served(create_application(service.context)) as port, connect(port) as client:
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
        )
        assert client.recv(12) == b"HTTP/1.1 " + status
