"""What a signing session leaves behind when it is completed, in one transaction.

Cites: PS3.15 C.4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography import x509
from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.errors import ConflictError, LifecycleError
from sr.service.access import Principal
from sr.service.context import Context
from sr.service.events import event
from sr.service.reading.documents import described
from sr.service.signing.four_eyes import require_four_eyes
from sr.store.audit import append_rows
from sr.store.document_search import lineage_of
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    add_documents,
    add_versions,
    change_documents,
    get_documents,
    revised,
    version_of,
)
from sr.store.signatures import SignatureRow, add_signatures
from sr.store.signing_sessions import (
    SessionItem,
    SessionState,
    SigningSession,
    keep_results,
    move_session,
)
from sr.trust.name import name_text
from sr.verification import Verdict

__all__ = ["state_after", "store_results"]

_APPROVES = SignaturePurpose.VERIFICATION
_S = DocumentState
_STANDS = {_S.SIGNED: _S.SIGNED, _S.APPROVED: _S.APPROVED}
_SIGNS = {_S.DRAFT: _S.SIGNED, **_STANDS}
_NEXT: dict[SignaturePurpose, dict[DocumentState, DocumentState]] = {
    SignaturePurpose.VERIFICATION: {_S.SIGNED: _S.APPROVED},
    SignaturePurpose.VALIDATION: _STANDS,
    SignaturePurpose.REVIEW: _STANDS,
}
"""State before to state after, by purpose; every other purpose is in ``_SIGNS``, but a report is
signed first by its author, who answers for what it says."""


def state_after(document: Document, purpose: SignaturePurpose) -> DocumentState:
    """Return the state in which a signature leaves a document.

    Raises:
        LifecycleError: In its state it is not signed for that.

    Cites: PS3.4 O.3; PS3.15 C.4.
    """
    first = purpose is SignaturePurpose.AUTHOR or document.kind is not DocumentKind.REPORT
    try:
        return _NEXT.get(purpose, _SIGNS if first else _STANDS)[document.state]
    except KeyError:
        raise LifecycleError(
            f"the document is {document.state.value}: it is not signed with the purpose "
            f"{purpose.slug} (DigitalSignaturePurposeCodeSequence (0400,0401))",
            where="(0400,0401)",
        ) from None


def store_results(
    context: Context,
    principal: Principal,
    session: SigningSession,
    items: tuple[SessionItem, ...],
    signed: list[tuple[bytes, Verdict]],
) -> tuple[dict[str, Any], ...]:
    """Change documents, signatures, session and audit, all or nothing; return the verdicts.

    Raises:
        ConflictError: A document or the session changed since it was read.
        LifecycleError: Meanwhile the signer took the other part in a document.
    """
    purpose, by, now = SignaturePurpose(session.purpose), principal.user_id, context.ports.now()
    with context.database.read() as connection:
        before = get_documents(connection, [item.sop_instance_uid for item in items])
    if any(each.revision != item.revision for each, item in zip(before, items, strict=True)):
        raise ConflictError("a document was changed meanwhile", hint="open another session")
    approver = by if purpose is _APPROVES else None
    made = [
        _made(document, content, verdict, state_after(document, purpose), approver, now)
        for document, (content, verdict) in zip(before, signed, strict=True)
    ]
    changes = [
        (old, new if _is_same(old, new) else _superseded(old, now))
        for old, new in zip(before, made, strict=True)
    ]
    copies = [new for old, new in zip(before, made, strict=True) if not _is_same(old, new)]
    versions = [
        version_of(new, content, signed=True, by=by)
        for new, (content, _) in zip(made, signed, strict=True)
    ]
    verdicts = tuple(verdict.as_dict() for _, verdict in signed)
    rows = _signature_rows(session, items, principal, [each for _, each in signed], verdicts)
    events = [
        event(
            context,
            principal,
            AuditAction.APPROVED if purpose is _APPROVES else AuditAction.SIGNED,
            document=new,
            subject=session.id,
            purpose=purpose,
            digital_signature_uid=item.digital_signature_uid,
            certificate_sha256=session.certificate_sha256,
        )
        for item, new in zip(items, made, strict=True)
    ]
    results = {item.n: new.sop_instance_uid for item, new in zip(items, made, strict=True)}
    with context.database.write() as connection:
        move_session(connection, session, SessionState.COMPLETED, finished_at=now)
        require_four_eyes(connection, principal, before, purpose)
        if purpose is _APPROVES:
            _supersede_earlier(connection, before, now)
        change_documents(connection, changes)
        if copies:
            add_documents(connection, copies)
        add_versions(connection, versions)
        add_signatures(connection, rows)
        append_rows(connection, events)
        keep_results(connection, session.id, results)
    return verdicts


def _made(
    document: Document,
    content: bytes,
    verdict: Verdict,
    state: DocumentState,
    approver: str | None,
    now: datetime,
) -> Document:
    """Return the document that came of a signature: the one that was signed, or a copy of it."""
    if verdict.sop_instance_uid == document.sop_instance_uid:
        made = replace(revised(document, content, at=now), state=state)
    else:
        made = described(
            read(BytesSource(content)),
            kind=document.kind,
            state=state,
            owner=document.owner,
            at=now,
            lineage=document.lineage,
            predecessor=document.sop_instance_uid,
            template=document.template,
        )
    return replace(
        made,
        approver=approver or made.approver,
        indication=verdict.indication.value,
        sub_indication=verdict.sub_indication.value if verdict.sub_indication else None,
    )


def _is_same(one: Document, other: Document) -> bool:
    return one.sop_instance_uid == other.sop_instance_uid


def _superseded(document: Document, now: datetime) -> Document:
    return replace(document, state=DocumentState.SUPERSEDED, changed_at=now)


def _supersede_earlier(
    connection: Connection, documents: tuple[Document, ...], now: datetime
) -> None:
    """Let the versions that were approved before give way; there is one approved version at a time.

    Raises:
        ConflictError: What was approved before is not what this version goes back to.

    Cites: PS3.3 C.17.2 (Predecessor Documents Sequence).
    """
    conflict = ConflictError(
        "another version of the report was approved meanwhile",
        hint="amend the version that is approved",
    )
    if len({each.lineage for each in documents}) < len(documents):
        raise conflict
    for document in documents:
        versions = {each.sop_instance_uid: each for each in lineage_of(connection, document)}
        ancestors, before = set(), document.predecessor
        while before in versions and before not in ancestors:
            ancestors.add(before)
            before = versions[before].predecessor
        for uid, version in versions.items():
            if version.state is not DocumentState.APPROVED or uid == document.sop_instance_uid:
                continue
            if uid not in ancestors:
                raise conflict
            change_documents(connection, ((version, _superseded(version, now)),))


def _signature_rows(
    session: SigningSession,
    items: tuple[SessionItem, ...],
    principal: Principal,
    verdicts: list[Verdict],
    said: tuple[dict[str, Any], ...],
) -> list[SignatureRow]:
    certificate = x509.load_pem_x509_certificates(session.chain)[0]
    subject, issuer = name_text(certificate.subject), name_text(certificate.issuer)
    rows = []
    for item, verdict, spelled in zip(items, verdicts, said, strict=True):
        uid = item.digital_signature_uid
        made = next(s for s in verdict.signatures if s.digital_signature_uid == uid)
        rows.append(
            SignatureRow(
                digital_signature_uid=uid,
                sop_instance_uid=verdict.sop_instance_uid,
                purpose=session.purpose,
                user_id=principal.user_id,
                signer_subject=subject,
                signer_issuer=issuer,
                signer_serial=format(certificate.serial_number, "x"),
                certificate_sha256=session.certificate_sha256,
                certificate_not_after=certificate.not_valid_after_utc,
                mac_algorithm=session.mac_algorithm,
                content_sha256=item.base_sha256,
                claimed_at=item.signed_at,
                proven_at=made.proven_at,
                indication=made.indication.value,
                sub_indication=made.sub_indication.value if made.sub_indication else None,
                verdict=spelled,
            )
        )
    return rows
