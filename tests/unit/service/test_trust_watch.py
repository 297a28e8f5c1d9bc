"""Whoever changes the folder of trusted certificates leaves a trace in the audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sr.app.audit import AuditAction, Outcome, decode_event
from sr.app.settings import Settings, TrustSettings
from sr.app.trust.trust_store import TrustStore, Use, certificates_in
from sr.compose.service import service_upkeep
from sr.service.checking.trust_watch import TrustWatch
from sr.store.audit import chain_rows
from tests.support.service import Service, open_service

ADDED, REMOVED = AuditAction.TRUST_ANCHOR_ADDED, AuditAction.TRUST_ANCHOR_REMOVED


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Return a service of its own."""
    return open_service(tmp_path / "service")


@pytest.fixture
def store(service: Service, tmp_path: Path) -> TrustStore:
    """Return a folder with the root as an anchor."""
    made = TrustStore(tmp_path / "trust")
    made.add(_certificate(service, "root"), Use.ANCHOR)
    return made


def _certificate(service: Service, name: str):
    return certificates_in(service.world.pki.certificate(name))[0]


def _said(service: Service) -> list[tuple[AuditAction, str, Outcome]]:
    """Return what the audit says of the folder, oldest first."""
    with service.context.database.read() as connection:
        events = [decode_event(row.encoded) for row in chain_rows(connection)]
    return [
        (event.action, event.subject, event.outcome)
        for event in events
        if event.action in (ADDED, REMOVED) and event.actor.is_service
    ]


def test_the_folder_is_in_the_audit_once(service: Service, store: TrustStore) -> None:
    """The first look names what is trusted; looking again, and starting again, adds nothing."""
    root = _certificate(service, "root").sha256
    for _ in range(2):
        watch = TrustWatch(service.context, store)
        watch.look()
        watch.look()
        assert _said(service) == [(ADDED, root, Outcome.SUCCESS)]


def test_an_anchor_that_was_put_there_is_in_the_audit(service: Service, store: TrustStore) -> None:
    """A certificate that somebody adds on disk, and the one that somebody removes, are named."""
    TrustWatch(service.context, store).look()
    root, other = (_certificate(service, name) for name in ("root", "issuing"))
    store.remove(root.sha256)
    store.add(other, Use.ANCHOR)
    TrustWatch(service.context, store).look()  # of the next process, after a stop
    assert _said(service)[1:] == [
        (ADDED, other.sha256, Outcome.SUCCESS),
        (REMOVED, root.sha256, Outcome.SUCCESS),
    ]


def test_another_use_is_another_trust(service: Service, store: TrustStore) -> None:
    """An issuing certificate that is made an anchor is named, though it was there."""
    issuing = _certificate(service, "issuing")
    store.add(issuing, Use.INTERMEDIATE)
    watch = TrustWatch(service.context, store)
    watch.look()
    before = len(_said(service))
    store.add(issuing, Use.ANCHOR)
    watch.look()
    assert _said(service)[before:] == [(ADDED, issuing.sha256, Outcome.SUCCESS)]


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_an_anchor_exchanged_on_disk_is_in_the_audit(
    service: Service, store: TrustStore, content: bytes | None
) -> None:
    """A file with other content than its name says is told as a failure, once."""
    watch = TrustWatch(service.context, store)
    watch.look()
    kept = store.kept()[0].path
    original = kept.read_bytes()
    other = service.world.pki.certificate("issuing").read_bytes()
    kept.write_bytes(other if content is None else content)
    watch.look()
    watch.look()
    assert [said[1:] for said in _said(service)[1:]] == [("", Outcome.SERIOUS_FAILURE)]
    kept.write_bytes(original)
    watch.look()
    assert len(_said(service)) == 2


def test_a_service_watches_its_folder(service: Service, store: TrustStore) -> None:
    """The upkeep of a service looks at the folder of its settings."""
    settings = replace(Settings(), trust=TrustSettings(directory=str(store.folder)))
    service_upkeep(settings, service.context, lambda _task, _code: None).look()
    assert len(_said(service)) == 1
