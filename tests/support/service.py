"""A service on a database of its own, with the people and images of the demonstration."""

from __future__ import annotations

import atexit
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import TextIO
from uuid import uuid4

from cryptography import x509
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sr.app.demonstration.certificates import DemoPKI, make_demo_pki
from sr.app.files import open_dicom
from sr.app.ports import Ports
from sr.dicomfile import Limits
from sr.keys import Signer, open_signer
from sr.keys.secrets import no_secrets
from sr.service.access import Role
from sr.service.authoring.evidence import EvidenceRoots
from sr.service.checking.trust import with_database
from sr.service.context import Context
from sr.service.operation.demonstration import DemoWorld, chain_of, make_world
from sr.store.database import open_database
from sr.store.people import add_api_key
from sr.trust import TrustMaterial, load_policy, parse_certificates, parse_crls
from sr.web.application import create_application

__all__ = ["Clock", "Service", "open_service"]

_HERE = "http://srsign.test"


@dataclass
class Clock:
    """A clock that tests move."""

    moment: datetime

    def __call__(self) -> datetime:
        """Return the time, a little later at each call."""
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def forward(self, by: timedelta) -> None:
        """Let time go by."""
        self.moment += by


@dataclass(frozen=True)
class Service:
    """A service and what a test does with it."""

    context: Context
    world: DemoWorld
    clock: Clock

    @cached_property
    def application(self) -> FastAPI:
        """The application that all clients share, whose routes are made at their first use."""
        return create_application(self.context)

    def browser(self, login: str | None = None) -> TestClient:
        """Return a browser on this machine, in which somebody logged in, or nobody."""
        client = TestClient(self.application, base_url=_HERE, client=("127.0.0.1", 50000))
        client.headers["Origin"] = _HERE
        if login is not None:
            answer = client.post("/login", data={"login": login}, follow_redirects=False)
            assert answer.status_code == 303, answer.text
        return client

    def signer(self, certificate: str) -> AbstractContextManager[Signer]:
        """Return the key that belongs to a certificate of the demonstration."""
        chain = tuple(x509.load_pem_x509_certificates(chain_of(self.world.pki, certificate)))
        uri = self.world.pki.key_uri(certificate)
        return open_signer(uri, certificates=chain, secrets=no_secrets)

    def client(self, login: str | None = None, *, log: TextIO | None = None) -> TestClient:
        """Return a client of the API for somebody, or for nobody."""
        application = create_application(self.context, log=log) if log else self.application
        client = TestClient(application, base_url=_HERE)
        if login is not None:
            key = token_hex(16)
            with self.context.database.write() as connection:
                add_api_key(
                    connection, id=token_hex(8), digest=sha256(key.encode()).hexdigest(),
                    user_id=login, label="test", at=self.clock(),
                )  # fmt: skip
            client.headers["Authorization"] = f"Bearer {key}"
        return client


def open_service(
    folder: Path, *, studies: int = 1, slices: int = 2, url: str | None = None
) -> Service:
    """Return a service in a folder of its own, and there with a database unless one is named.

    A folder with a service is opened again as it is.
    """
    clock = Clock(datetime.now(UTC))
    evidence = folder / "evidence"
    again = evidence.is_dir()
    evidence.mkdir(parents=True, exist_ok=True)
    context = Context(
        database=open_database(url or f"sqlite:///{folder / 'srsign.db'}"),
        ports=Ports(now=clock, new_uid=lambda: f"2.25.{uuid4().int}"),
        material=TrustMaterial,
        policy=load_policy("standard"),
        evidence=EvidenceRoots((evidence,)),
        limits=Limits(),
        new_token=lambda: token_hex(16),
        server_signers=frozenset(Role),
        demo=True,
    )
    if again:
        world = _world(folder)
    else:
        copytree(_pki(), folder / "pki")
        world = make_world(context, folder, studies=studies, slices=slices)
    material = TrustMaterial(
        anchors=parse_certificates(world.pki.certificate("root").read_bytes()),
        intermediates=parse_certificates(world.pki.certificate("issuing").read_bytes()),
        crls=tuple(
            crl for path in world.pki.revocation_lists for crl in parse_crls(path.read_bytes())
        ),
    )
    trusting = replace(context, material=with_database(lambda: material, context.database))
    return Service(context=trusting, world=world, clock=clock)


def _world(folder: Path) -> DemoWorld:
    images = (next(study.iterdir()) for study in sorted((folder / "evidence").iterdir()))
    uids = tuple(open_dicom(image).dataset.text(0x0020000D) for image in images)
    return DemoWorld(folder=folder, pki=DemoPKI(folder=folder / "pki"), studies=uids)


@cache
def _pki() -> Path:
    """Return a folder with a PKI: one a process, since drawing keys takes seconds."""
    folder = Path(mkdtemp(prefix="srsign-pki-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    make_demo_pki(folder, now=datetime.now(UTC))
    return folder
