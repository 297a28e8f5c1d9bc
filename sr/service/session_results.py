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
from sr.service.documents import described
from sr.service.events import record
from sr.service.four_eyes import require_four_eyes
from sr.store.document_search import lineage_of
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    add_document,
    add_version,
    change_document,
    get_document,
)
from sr.store.signatures import SignatureRow, add_signature
from sr.store.signing_sessions import (
    SessionItem,
    SessionState,
    SigningSession,
    keep_results,
    move_session,
)
from sr.verification import Verdict

__all__ = ["require_unchanged", "state_after", "store_results"]

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


def require_unchanged(connection: Connection, items: tuple[SessionItem, ...]) -> list[Document]:
    """Return the documents of a session, none of which changed since they were prepared.

    Raises:
        ConflictError: One did.
    """
    documents = [get_document(connection, item.sop_instance_uid) for item in items]
    if any(d.revision != item.revision for d, item in zip(documents, items, strict=True)):
        raise ConflictError("a document was changed meanwhile", hint="open another session")
    return documents


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
    now = context.ports.now()
    purpose = SignaturePurpose(session.purpose)
    results: dict[int, tuple[str, dict[str, Any]]] = {}
    with context.database.write() as connection:
        move_session(connection, session, SessionState.COMPLETED, finished_at=now)
        documents = require_unchanged(connection, items)
        for item, document, (content, verdict) in zip(items, documents, signed, strict=True):
            require_four_eyes(connection, principal, document, purpose)
            changed = _apply(connection, principal, purpose, document, content, verdict, now)
            add_signature(connection, _row(session, item, changed, verdict, principal))
            record(
                context,
                connection,
                principal,
                AuditAction.APPROVED if purpose is _APPROVES else AuditAction.SIGNED,
                document=changed,
                subject=session.id,
                purpose=purpose,
                digital_signature_uid=item.digital_signature_uid,
                certificate_sha256=session.certificate_sha256,
            )
            results[item.n] = (changed.sop_instance_uid, verdict.as_dict())
        keep_results(connection, session.id, results)
    return tuple(results[item.n][1] for item in items)


def _apply(
    connection: Connection,
    principal: Principal,
    purpose: SignaturePurpose,
    document: Document,
    content: bytes,
    verdict: Verdict,
    now: datetime,
) -> Document:
    state = state_after(document, purpose)
    outcome: dict[str, Any] = {
        "indication": verdict.indication.value,
        "sub_indication": verdict.sub_indication.value if verdict.sub_indication else None,
    }
    if purpose is _APPROVES:
        outcome["approver"] = principal.user_id
        _supersede_earlier(connection, document, now)
    file = read(BytesSource(content))
    if file.sop_instance_uid == document.sop_instance_uid:
        return add_version(
            connection,
            document,
            content,
            signed=True,
            by=principal.user_id,
            at=now,
            changes={**outcome, "state": state},
        )
    change_document(connection, document, {"state": DocumentState.SUPERSEDED, "changed_at": now})
    copy = described(
        file,
        kind=document.kind,
        state=state,
        owner=document.owner,
        at=now,
        lineage=document.lineage,
        predecessor=document.sop_instance_uid,
        template=document.template,
    )
    copy = replace(copy, **outcome)
    add_document(connection, copy, content, signed=True, by=principal.user_id)
    return copy


def _supersede_earlier(connection: Connection, document: Document, now: datetime) -> None:
    """Let the version that was approved before give way; there is one approved version at a time.

    Raises:
        ConflictError: What was approved before is not what this version goes back to.

    Cites: PS3.3 C.17.2 (Predecessor Documents Sequence).
    """
    versions = {each.sop_instance_uid: each for each in lineage_of(connection, document)}
    ancestors, before = set(), document.predecessor
    while before in versions and before not in ancestors:
        ancestors.add(before)
        before = versions[before].predecessor
    for uid, version in versions.items():
        if version.state is not DocumentState.APPROVED or uid == document.sop_instance_uid:
            continue
        if uid not in ancestors:
            raise ConflictError(
                "another version of the report was approved meanwhile",
                hint="amend the version that is approved",
            )
        change_document(connection, version, {"state": DocumentState.SUPERSEDED, "changed_at": now})


def _row(
    session: SigningSession,
    item: SessionItem,
    document: Document,
    verdict: Verdict,
    principal: Principal,
) -> SignatureRow:
    uid = item.digital_signature_uid
    made = next(s for s in verdict.signatures if s.digital_signature_uid == uid)
    certificate = x509.load_pem_x509_certificates(session.chain)[0]
    return SignatureRow(
        digital_signature_uid=uid,
        sop_instance_uid=document.sop_instance_uid,
        purpose=session.purpose,
        user_id=principal.user_id,
        signer_subject=certificate.subject.rfc4514_string(),
        signer_issuer=certificate.issuer.rfc4514_string(),
        signer_serial=format(certificate.serial_number, "x"),
        certificate_sha256=session.certificate_sha256,
        certificate_not_after=certificate.not_valid_after_utc,
        mac_algorithm=session.mac_algorithm,
        content_sha256=item.base_sha256,
        claimed_at=item.signed_at,
        proven_at=made.proven_at,
        indication=made.indication.value,
        sub_indication=made.sub_indication.value if made.sub_indication else None,
        verdict=verdict.as_dict(),
    )
