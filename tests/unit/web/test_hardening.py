"""What an attacker tries against the service as a whole: addresses, files, forms, and waiting."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from sr.app.audit import decode_event
from sr.app.settings import HTTPSettings
from sr.errors import ConfigurationError
from sr.service.jobs import enqueue
from sr.service.login import principal_of_user
from sr.store.people import add_user, change_user, get_user
from sr.store.schema import audit_events
from sr.web.application import create_application
from sr.web.rules import http_rules
from tests.support.service import Service, open_service
from tests.support.serving import connect, served

HERE = "http://srsign.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


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
