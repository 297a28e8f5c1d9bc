"""What must be true of the database of a service at every moment, whatever happened to it."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from sqlalchemy import select, text

from sr.app.audit import AuditAction
from sr.app.audit.check import CheckOptions
from sr.dicomfile import BytesSource, read
from sr.errors import SRError
from sr.findings import Indication
from sr.service.checking.verdicts import verdict_on
from sr.service.operation.audit_trail import check_trail
from sr.signature import examine
from sr.store.schema import audit_events, documents, session_items, signatures, versions
from tests.support.service import Service

__all__ = ["faults"]

_SIGNED = (AuditAction.SIGNED, AuditAction.APPROVED)


def faults(service: Service) -> list[str]:
    """Return everything that is wrong: torn, doubled or lost, or an audit that has gaps."""
    return [*_torn(service), *_signatures(service), *_doubles(service), *_audit(service)]


def _torn(service: Service) -> list[str]:
    found = []
    with service.context.database.read() as connection:
        if service.context.database.engine.dialect.name == "sqlite":
            found += [
                f"integrity: {line}"
                for line in connection.execute(text("PRAGMA integrity_check")).scalars()
                if line != "ok"
            ]
            found += [
                f"foreign key: {tuple(row)}"
                for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
        known = dict.fromkeys(
            tuple(row) for row in connection.execute(
                select(documents.c.sop_instance_uid, documents.c.revision, documents.c.sha256)
            )
        )  # fmt: skip
        for row in connection.execute(select(versions)).mappings():
            if sha256(row["content"]).hexdigest() != row["sha256"]:
                found.append(f"content of {row['sop_instance_uid']}")
            known.pop((row["sop_instance_uid"], row["revision"], row["sha256"]), None)
    return found + [f"no version of {key}" for key in known]


def _signatures(service: Service) -> list[str]:
    """Hold the bytes of every signed document against the table of signatures."""
    found = []
    current = (
        select(documents.c.sop_instance_uid, documents.c.lineage, versions.c.content)
        .join(versions, versions.c.sop_instance_uid == documents.c.sop_instance_uid)
        .where(versions.c.revision == documents.c.revision)
    )
    with service.context.database.read() as connection:
        kept: dict[str, set[str]] = {}
        for uid, lineage in connection.execute(
            select(signatures.c.digital_signature_uid, documents.c.lineage)
            .join(documents, documents.c.sop_instance_uid == signatures.c.sop_instance_uid)
        ):  # fmt: skip
            kept.setdefault(lineage, set()).add(uid)
        rows = connection.execute(current).all()
    inside: dict[str, set[str]] = {}
    for uid, lineage, content in rows:
        try:
            structure = examine(read(BytesSource(content)))
        except SRError as error:
            found.append(f"{uid} is not readable: {error.code}")
            continue
        here = {s.signature.digital_signature_uid for s in structure.signatures}
        inside.setdefault(lineage, set()).update(here)
        if here and verdict_on(service.context, content, uid).indication is not Indication.PASSED:
            found.append(f"verdict on {uid}")
    for lineage, uids in inside.items():
        if uids != kept.get(lineage, set()):
            found.append(f"signatures of {lineage}")
    return found


def _doubles(service: Service) -> list[str]:
    """Find what one person signed twice for one purpose, in any version of a document."""
    query = (
        select(documents.c.lineage, signatures.c.purpose, signatures.c.user_id)
        .join(documents, documents.c.sop_instance_uid == signatures.c.sop_instance_uid)
    )  # fmt: skip
    with service.context.database.read() as connection:
        counted = Counter(map(tuple, connection.execute(query)))
    return [f"signed {n} times: {what}" for what, n in counted.items() if n > 1]


def _audit(service: Service) -> list[str]:
    report = check_trail(service.context.database, CheckOptions(at=service.clock()))
    failed = report.indication is Indication.FAILED
    found = [f"audit: {report.counts}"] if failed else []
    with service.context.database.read() as connection:
        events = select(audit_events.c.encoded).where(audit_events.c.action.in_(_SIGNED))
        said = b"\n".join(connection.execute(events).scalars())
        uids = set(connection.execute(select(signatures.c.digital_signature_uid)).scalars())
        meant = set(connection.execute(select(session_items.c.digital_signature_uid)).scalars())
    found += [f"no event for {uid}" for uid in uids if uid.encode() not in said]
    return found + [f"no intent for {uid}" for uid in uids - meant]
