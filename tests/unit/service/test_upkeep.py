"""What the service does again and again: heads for the audit trail, messages to a collector."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sr.app.audit.head import decode_head
from sr.app.settings import AuditSettings, Settings
from sr.app.signatures.signing import Credentials
from sr.compose.service import service_upkeep
from sr.errors import ConfigurationError, ExternalServiceError, SRError
from sr.keys.secrets import no_secrets
from sr.service.operation.upkeep import Anchoring, Task, Upkeep, anchor_when_due
from sr.store.audit import heads
from tests.support.service import Service, open_service

DAY = timedelta(days=1)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Return a service of its own."""
    return open_service(tmp_path)


def _anchoring(service: Service, folder: Path | None = None) -> Anchoring:
    pki = service.world.pki
    return Anchoring(
        credentials=Credentials(
            key=pki.key_uri("archive"), certificates=(pki.certificate("archive"),),
            secrets=no_secrets,
        ),
        every=DAY,
        folder=folder,
    )  # fmt: skip


def _heads(service: Service) -> list[int]:
    with service.context.database.read() as connection:
        return [head.sequence for head in heads(connection)]


def _something_happens(service: Service) -> None:
    for _ in range(2):
        service.client("anna").get("/api/v1/reports")


def test_a_trail_gets_a_head_a_day(service: Service, tmp_path: Path) -> None:
    """A trail without head gets one, kept elsewhere too, and another when a day has gone by."""
    anchoring = _anchoring(service, tmp_path)
    _something_happens(service)
    assert anchor_when_due(service.context, anchoring)
    service.clock.forward(DAY)
    _something_happens(service)
    assert anchor_when_due(service.context, anchoring)
    kept = [decode_head(path.read_bytes()).sequence for path in tmp_path.glob("head-*.json")]
    assert sorted(kept) == _heads(service)
    assert len(kept) == 2


def test_a_head_of_today_is_enough(service: Service) -> None:
    """Nothing is signed where the last head is not a day old."""
    _something_happens(service)
    anchor_when_due(service.context, _anchoring(service))
    _something_happens(service)
    assert not anchor_when_due(service.context, _anchoring(service))


def test_a_quiet_day_needs_no_head(service: Service) -> None:
    """The row that names the last head is no reason for another."""
    _something_happens(service)
    anchor_when_due(service.context, _anchoring(service))
    service.clock.forward(DAY)
    assert not anchor_when_due(service.context, _anchoring(service))


def test_a_key_that_is_gone_leaves_no_head(service: Service) -> None:
    """A key that cannot be opened is an error, and nothing is kept."""
    anchoring = _anchoring(service)
    _something_happens(service)
    gone = replace(anchoring.credentials, key="file:/nonexistent/archive.key")
    with pytest.raises(SRError):
        anchor_when_due(service.context, replace(anchoring, credentials=gone))
    assert _heads(service) == []


def test_a_task_that_fails_is_said_and_tried_again(service: Service) -> None:
    """A task that fails is told with its code, hinders no other, and is tried when due again."""
    said: list[tuple[str, str]] = []
    done: list[str] = []

    def fails() -> None:
        raise ExternalServiceError("the collector is down")

    tasks = (
        Task(name="forward", every=timedelta(minutes=1), run=fails),
        Task(name="anchor", every=DAY, run=lambda: done.append("anchor")),
    )
    upkeep = Upkeep(tasks, service.clock, lambda task, code: said.append((task, code)))
    upkeep.look()
    upkeep.look()
    service.clock.forward(timedelta(minutes=1))
    upkeep.look()
    assert said == [("forward", "external-service")] * 2
    assert done == ["anchor"]


def test_settings_ask_for_a_head(service: Service, tmp_path: Path) -> None:
    """A service with a key for heads signs one as soon as it looks."""
    pki = service.world.pki
    wanted = AuditSettings(
        anchor_key=pki.key_uri("archive"),
        anchor_certificate=str(pki.certificate("archive")),
        anchor_folder=str(tmp_path),
    )
    said: list[tuple[str, str]] = []
    _something_happens(service)
    service_upkeep(
        Settings(audit=wanted), service.context, lambda task, code: said.append((task, code))
    ).look()
    assert (len(_heads(service)), said) == (1, [])


def test_settings_of_a_collector_without_address_end_the_start(service: Service) -> None:
    """A collector whose address makes no sense is refused before anything is served."""
    wanted = Settings(audit=AuditSettings(syslog="no host: no port"))
    with pytest.raises(ConfigurationError):
        service_upkeep(wanted, service.context, lambda _task, _code: None)
