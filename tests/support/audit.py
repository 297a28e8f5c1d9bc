"""Audit trails for tests: some people, some events, chains of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sr.app.audit import (
    START,
    Actor,
    AuditAction,
    AuditedInstance,
    AuditEvent,
    ChainRow,
    encode_event,
    link,
)
from sr.codes import SignaturePurpose
from tests.support.pki import NOW

__all__ = ["MEIER", "SERVICE", "SIGNED", "chained", "events"]

MEIER = Actor(user_id="meier", name="Anna Meier", roles=("author",), address="192.0.2.7")
SERVICE = Actor(user_id="srsign", is_service=True)
SIGNED = AuditEvent(
    action=AuditAction.SIGNED,
    at=NOW,
    actor=MEIER,
    instances=(
        AuditedInstance(
            sop_class_uid="1.2.840.10008.5.1.4.1.1.88.33",
            sop_instance_uid="2.25.2",
            sha256="cd" * 32,
        ),
    ),
    study_instance_uid="2.25.1",
    patient_id="P-1",
    patient_name="Doe^Jane",
    purpose=SignaturePurpose.AUTHOR,
    certificate_sha256="ab" * 32,
    digital_signature_uid="2.25.3",
)


def events(count: int) -> Iterator[AuditEvent]:
    """Yield different events, a minute apart."""
    for number in range(count):
        yield AuditEvent(
            action=AuditAction.REPORT_READ,
            at=NOW + timedelta(minutes=number),
            actor=MEIER,
            study_instance_uid=f"2.25.{number}",
        )


def chained(given: Iterable[AuditEvent], *, after: ChainRow | None = None) -> tuple[ChainRow, ...]:
    """Return the rows of events, after a row where there is one."""
    previous, sequence = (after.digest, after.sequence) if after else (START, 0)
    rows = []
    for event in given:
        sequence += 1
        encoded = encode_event(event)
        previous = link(previous, sequence, encoded)
        rows.append(ChainRow(sequence=sequence, encoded=encoded, digest=previous))
    return tuple(rows)
