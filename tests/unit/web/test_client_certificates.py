"""Clients that prove by certificate who they are, over real connections."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from httpx2 import Client, TransportError
from sqlalchemy import update

from sr.app.settings import ServiceSettings
from sr.errors import ConfigurationError
from sr.net.server_tls import server_tls
from sr.store.people import Credential, add_credential
from sr.store.schema import credentials
from sr.web.application import create_application
from tests.support.service import Service, open_service
from tests.support.serving import served

_REFUSED = (TransportError, ssl.SSLError)


class _Authority:
    """A throw-away authority with files for its certificates and keys."""

    def __init__(self, folder: Path, name: str, service: Service) -> None:
        self.folder, self.now = folder, service.clock()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(True, None))
        self.file = self._write(name, self.certificate.public_bytes(Encoding.PEM))

    def _sign(self, subject, key, *extensions: x509.ExtensionType) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(self.now + timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, SHA256())

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / f"{name}-{len(list(self.folder.iterdir()))}.pem"
        path.write_bytes(content)
        return str(path)

    def issue(self, name: str) -> tuple[x509.Certificate, str]:
        """Return a certificate, and a file with it and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        import ipaddress

        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(subject, key, names)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return made, self._write(name, made.public_bytes(Encoding.PEM) + pem)

    def revoke(self, *certificates: x509.Certificate) -> str:
        """Return the file of a revocation list."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(self.now - timedelta(hours=1))
            .next_update(self.now + timedelta(days=1))
        )
        for each in certificates:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(each.serial_number)
                .revocation_date(self.now - timedelta(minutes=1))
                .build()
            )
        listed = builder.sign(self.key, SHA256())
        return self._write("crl", listed.public_bytes(Encoding.PEM))


class _House:
    """A service with TLS and two authorities, one of which it knows."""

    def __init__(self, folder: Path) -> None:
        self.service = open_service(folder / "service")
        (folder / "pki").mkdir()
        self.known = _Authority(folder / "pki", "known", self.service)
        self.other = _Authority(folder / "pki", "other", self.service)
        _, self.server = self.known.issue("server")
        self.certificate, self.anna = self.known.issue("anna")
        self.revoked, self.revoked_file = self.known.issue("revoked")
        for each in (self.certificate, self.revoked):
            self.register(each)
        self.settings = ServiceSettings(
            tls_certificate=self.server,
            tls_key=self.server,
            client_ca=self.known.file,
            client_crl=self.known.revoke(self.revoked),
        )

    def register(self, certificate: x509.Certificate, login: str = "anna") -> None:
        """Make a certificate somebody's."""
        with self.service.context.database.write() as connection:
            add_credential(
                connection,
                Credential(
                    id=f"{login}{certificate.serial_number % 10**12}", user_id=login,
                    sha256=certificate.fingerprint(SHA256()).hex(),
                    chain=certificate.public_bytes(Encoding.PEM), label="client",
                    not_after=certificate.not_valid_after_utc, created_at=self.service.clock(),
                ),
            )  # fmt: skip

    def ask(self, port: int, file: str | None, **headers: str) -> int:
        """Return the status of a request with a certificate, or none."""
        context = ssl.create_default_context(cafile=self.known.file)
        if file is not None:
            context.load_cert_chain(file)
        with Client(verify=context, timeout=20) as client:
            url = f"https://127.0.0.1:{port}/api/v1/reports"
            return client.get(url, headers=headers).status_code


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> _House:
    """Return a service of this module."""
    return _House(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def port(house: _House) -> Iterator[int]:
    """Serve it."""
    with served(create_application(house.service.context), tls=server_tls(house.settings)) as port:
        yield port


def test_a_registered_certificate_is_its_user(house: _House, port: int) -> None:
    """A client of the known authority whose certificate is registered is known."""
    assert house.ask(port, house.anna) == 200


def test_without_certificate_nobody_is_known(house: _House, port: int) -> None:
    """A client without certificate is answered, and is nobody."""
    assert house.ask(port, None) == 401


def test_a_certificate_that_is_not_registered_is_nobodys(house: _House, port: int) -> None:
    """That the authority is known does not suffice."""
    _, stranger = house.known.issue("anna")
    assert house.ask(port, stranger) == 401


def test_another_authority_is_refused(house: _House, port: int) -> None:
    """A certificate of another authority ends the connection, even one that is registered."""
    certificate, file = house.other.issue("anna")
    house.register(certificate)
    with pytest.raises(_REFUSED):
        house.ask(port, file)


def test_a_revoked_certificate_is_refused(house: _House, port: int) -> None:
    """A certificate on its authority's list ends the connection."""
    with pytest.raises(_REFUSED):
        house.ask(port, house.revoked_file)


def test_a_withdrawn_certificate_is_nobodys(house: _House, port: int) -> None:
    """A certificate that was withdrawn here opens nothing any more."""
    certificate, file = house.known.issue("anna")
    house.register(certificate)
    assert house.ask(port, file) == 200
    with house.service.context.database.write() as connection:
        connection.execute(
            update(credentials)
            .where(credentials.c.sha256 == certificate.fingerprint(SHA256()).hex())
            .values(revoked_at=house.service.clock())
        )
    assert house.ask(port, file) == 401


def test_a_certificate_of_two_users_is_nobodys(house: _House, port: int) -> None:
    """Where two accounts have one certificate, neither is meant."""
    certificate, file = house.known.issue("anna")
    house.register(certificate)
    house.register(certificate, "sam")
    assert house.ask(port, file) == 401


def test_a_header_is_no_certificate(house: _House, port: int) -> None:
    """What a proxy would say of a certificate is not believed."""
    pem = house.certificate.public_bytes(Encoding.PEM).decode().strip().replace("\n", " ")
    names = ("X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert", "SSL-Client-Cert")
    assert house.ask(port, None, **dict.fromkeys(names, pem)) == 401


def test_a_browser_with_a_certificate_is_asked_where_it_comes_from(
    house: _House, port: int
) -> None:
    """A page of another site gets nothing done by the certificate of its visitor."""
    context = ssl.create_default_context(cafile=house.known.file)
    context.load_cert_chain(house.anna)
    url = f"https://127.0.0.1:{port}/api/v1/reports/1.2.3/return"
    with Client(verify=context, timeout=20) as client:
        said = [
            client.post(url, json={"comment": "x"}, headers={"If-Match": "x", **headers})
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"})
        ]
    assert [each.status_code for each in said] == [403, 403]


@pytest.mark.parametrize(
    "change",
    [
        {"tls_certificate": ""},
        {"tls_certificate": "", "tls_key": ""},
        {"tls_certificate": "/absent.pem"},
        {"tls_key": "/absent.pem"},
        {"client_ca": "/absent.pem"},
        {"client_ca": ""},
        {"client_crl": "/absent.pem"},
    ],
)
def test_settings_that_do_not_fit_are_refused(house: _House, change: dict[str, str]) -> None:
    """A service does not start with less protection than was asked for."""
    with pytest.raises(ConfigurationError):
        server_tls(replace(house.settings, **change))


def test_without_settings_nothing_is_encrypted() -> None:
    """The default is plain HTTP, on this machine."""
    assert server_tls(ServiceSettings()) is None
