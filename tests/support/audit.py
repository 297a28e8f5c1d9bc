"""Audit trails for tests: some people, some events, chains of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sr.app.audit import (
    START,
    Actor,
    AuditAction,
    AuditedInstance,
    AuditEvent,
    ChainRow,
    Outcome,
    encode_event,
    link,
)
from sr.app.audit.head import Head, anchored, sign_head
from sr.app.checks.check import CheckOptions
from sr.app.ports import Ports, Timestamping
from sr.app.signatures.signing import Credentials
from sr.codes import SignaturePurpose
from tests.support.pki import NOW, Entity, issue
from tests.support.tokens import MemoryAuthority, tsa

__all__ = [
    "MEIER",
    "SERVICE",
    "SIGNED",
    "Keeper",
    "Trail",
    "chained",
    "events",
    "longest",
    "open_keeper",
]

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

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
            at=NOW + number * MINUTE,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A trail as it is kept."""

    rows: tuple[ChainRow, ...] = ()
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Who signs heads, and whom a check trusts; the files are in one folder."""

    folder: Path
    authority: Entity

    def credentials(self, name: str = "keeper") -> Credentials:
        """The key of one of those in the folder."""
        return Credentials(
            key=f"file:{self.folder / name}.key",
            certificates=(self.folder / f"{name}.pem", self.folder / "issuing.pem"),
            secrets=lambda prompt: "",
        )

    def ports(self, at: datetime, *, stamped: bool = True) -> Ports:
        """A clock that stands, and an authority."""
        asked = MemoryAuthority(clock=lambda: at, changes={"authority": self.authority})
        stamping = Timestamping(authority=asked, new_nonce=lambda: 1 << 63) if stamped else None
        return Ports(now=lambda: at, new_uid=lambda: "2.25.1", timestamping=stamping)

    def options(self, at: datetime = NOW + 30 * DAY, *, signer: str | None = None) -> CheckOptions:
        """Trust in the root."""
        return CheckOptions(
            at=at,
            anchors=(self.folder / "root.pem",),
            intermediates=(self.folder / "issuing.pem",),
            signer=signer,
        )

    def head(
        self, row: ChainRow, at: datetime, *, by: str = "keeper", stamped: bool = True
    ) -> Head:
        """Sign a head."""
        return sign_head(row, self.credentials(by), self.ports(at, stamped=stamped))[0]

    def grown(self, trail: Trail, count: int) -> Trail:
        """Return a trail with some more rows, then a head, then the row that names it."""
        at = NOW + (len(trail.heads) + 1) * DAY
        rows = (*trail.rows, *chained(events(count), after=(trail.rows or (None,))[-1]))
        head = self.head(rows[-1], at)
        rows += chained([anchored(head, SERVICE)], after=rows[-1])
        return Trail(rows=rows, heads=(*trail.heads, head))


def open_keeper(folder: Path) -> Keeper:
    """Make a keeper, and a stranger whom nobody trusts, with keys that are quick to make."""
    root = issue(None, "Audit Root", ca=True, key_kind="p256")
    issuing = issue(root, "Audit Issuing", ca=True, key_kind="p256", path_length=0)
    people = {
        "root": root,
        "issuing": issuing,
        "keeper": issue(issuing, "Audit Keeper", key_kind="p256", slot="keeper"),
        "author": issue(issuing, "Anna Meier", key_kind="p256", slot="author"),
        "stranger": issue(None, "Stranger", key_kind="p256", slot="stranger"),
    }
    for name, entity in people.items():
        (folder / f"{name}.pem").write_bytes(entity.pem)
        (folder / f"{name}.key").write_bytes(entity.key_pem())
    return Keeper(folder=folder, authority=tsa(issuing, "Audit TSA", not_after=NOW + 3000 * DAY))


def longest() -> AuditEvent:
    """Return an event whose every text is as long, and as long in XML, as it can be."""
    text = '"' * 2000
    many = (
        AuditedInstance(sop_class_uid=f"{n:064}", sop_instance_uid=text, sha256=text)
        for n in range(100)
    )
    return AuditEvent(
        action=AuditAction.SIGNING_FAILED,
        at=NOW,
        actor=Actor(user_id=text, name=text, roles=(text,) * 100, address=text),
        outcome=Outcome.MAJOR_FAILURE,
        instances=tuple(many),
        study_instance_uid=text,
        patient_id=text,
        patient_name=text,
        certificate_sha256=text,
        digital_signature_uid=text,
        subject=text,
        detail=text,
    )
