"""What an attacker tries against the service as a whole: addresses, files, forms, and waiting."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from sr.app.audit import decode_event
from sr.app.settings import HTTPSettings
from sr.errors import ConfigurationError
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


@pytest.mark.parametrize(("path", "status"), [("/check", b"303"), ("/api/v1/checks", b"401")])
def test_files_of_strangers_are_not_taken(service: Service, path: str, status: bytes) -> None:
    """Who is not known is told so before any of the files arrives."""
    with served(create_application(service.context)) as port, connect(port) as client:
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
        )
        assert client.recv(12) == b"HTTP/1.1 " + status
