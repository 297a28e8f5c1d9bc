"""Use cases: select key objects, seal a study, list a shipment; every instance cited with proof.

A title that promises a signature is written by a job that also signs: with the key that the service
may use for the caller. Where that fails the document is given up.

Cites: PS3.16 TID 2010, CID 7010; PS3.17 Annex W; PS3.15 A.4.
"""

from __future__ import annotations

from typing import Any

from sr.app.audit import AuditAction
from sr.app.documents.authoring import author_key_objects, require_signature
from sr.app.documents.evidence import secure_reference
from sr.codes import Code, SignaturePurpose, key_object_title, title_modifier
from sr.dicomfile import BytesSource, read
from sr.document.evidence import Evidence, read_evidence
from sr.errors import ConfigurationError, EvidenceError, SRError
from sr.service.access import Permission, Principal, require
from sr.service.authoring.drafting import study_evidence
from sr.service.context import Context
from sr.service.events import record
from sr.service.operation.jobs import Run, enqueue
from sr.service.reading.documents import described
from sr.service.signing.server_signing import server_chains, sign_with_server_key
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.store.document_search import DocumentQuery, search_documents
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    add_document,
    change_document,
    content_of,
    get_document,
)
from sr.store.jobs import Job

__all__ = ["ask_for_sealed", "seal_job", "select_key_objects"]

_TITLES = {DocumentKind.SEAL: "113035", DocumentKind.MANIFEST: "113031"}
_ACTIONS = {
    DocumentKind.KEY_OBJECT: AuditAction.KEY_OBJECT_CREATED,
    DocumentKind.SEAL: AuditAction.SEALED,
    DocumentKind.MANIFEST: AuditAction.MANIFEST_MADE,
}
_SHIPPED = (DocumentState.SIGNED, DocumentState.APPROVED)
_MOST_REPORTS = 1000


def select_key_objects(
    context: Context,
    principal: Principal,
    *,
    study_instance_uid: str,
    title: str,
    description: str = "",
    modifiers: tuple[str, ...] = (),
    instances: tuple[str, ...] = (),
) -> Document:
    """Write a key object selection over a study, or over some of its instances, as a draft.

    Args:
        context: The service.
        principal: Who selects.
        study_instance_uid: Of evidence in the configured folders.
        title: Code or name of CID 7010.
        description: In the document.
        modifiers: Codes or names.
        instances: SOP Instance UIDs; all of the study where empty.

    Raises:
        AccessError: The principal writes no documents.
        ConfigurationError: The title is unknown, or promises a signature.
        EvidenceError: There is no such evidence, or it is damaged.
        TemplateError: The title needs a modifier, or takes others.

    Cites: PS3.16 TID 2010.
    """
    require(principal, Permission.WRITE_REPORTS)
    chosen, chosen_modifiers = _coded(title, modifiers)
    try:
        require_signature(chosen, None, None)
    except ConfigurationError as error:
        hint = "ask for a seal or a manifest, or choose a title that promises no signature"
        raise ConfigurationError(str(error), where=error.where, hint=hint) from error
    evidence = study_evidence(context, study_instance_uid).evidence
    if instances:
        by_uid = {item.sop_instance_uid: item for item in evidence}
        if not by_uid.keys() >= set(instances):
            raise EvidenceError("an instance is not in that study", where="(0008,1155)")
        evidence = tuple(by_uid[uid] for uid in dict.fromkeys(instances))
    return _written(
        context,
        principal,
        DocumentKind.KEY_OBJECT,
        chosen,
        evidence,
        description=description,
        modifiers=chosen_modifiers,
    )


def ask_for_sealed(
    context: Context, principal: Principal, kind: DocumentKind, study_instance_uid: str
) -> Job:
    """Ask for a seal over a study, or for a manifest over it and its signed reports.

    Args:
        context: The service.
        principal: Who seals, with a certificate whose key the service may use.
        kind: ``SEAL`` or ``MANIFEST``.
        study_instance_uid: Of evidence in the configured folders.

    Raises:
        AccessError: The principal does not seal.
        ConfigurationError: The service has no key to seal with for the principal.

    Cites: PS3.17 Annex W, cases 1 and 2.
    """
    require(principal, Permission.SEAL)
    _chain(context, principal)
    arguments = {"kind": kind.value, "study_instance_uid": study_instance_uid}
    with context.database.write() as connection:
        job = enqueue(context, connection, principal, kind.value, arguments, total=2)
        record(context, connection, principal, _ACTIONS[kind], subject=job.id, detail="asked for")
    return job


def seal_job(context: Context, principal: Principal, run: Run) -> dict[str, Any]:
    """Write and sign the seal or manifest that a job asks for.

    Raises:
        AccessError: The principal does not seal.
        ConfigurationError: The service has no key to seal with for the principal.
        EvidenceError: There is no such evidence, or it is damaged.
        SigningError: The key does not sign.
        TimestampError: There is no time-stamp.

    Cites: PS3.17 Annex W, cases 1 and 2; PS3.15 A.4.
    """
    require(principal, Permission.SEAL)
    arguments = run.job.arguments
    kind = DocumentKind(arguments["kind"])
    run.progress(0, 2)
    document = _noted(context, run) or _drafted(context, principal, run, kind)
    run.progress(1, 2)
    wanted = WantedSignature(sop_instance_uid=document.sop_instance_uid, if_match=document.sha256)
    try:
        if document.state is DocumentState.DRAFT:
            opened = open_session(
                context,
                principal,
                (wanted,),
                purpose=SignaturePurpose.SOURCE,
                chain=_chain(context, principal),
            )
            sign_with_server_key(context, principal, opened.session.id)
    except SRError:
        _give_up(context, principal, document)
        raise
    run.progress(2, 2)
    return {"sop_instance_uid": document.sop_instance_uid, "kind": kind.value}


def _noted(context: Context, run: Run) -> Document | None:
    """Return what an earlier attempt wrote."""
    uid = run.job.notes.get("sop_instance_uid")
    if uid is None:
        return None
    with context.database.read() as connection:
        return get_document(connection, uid)


def _drafted(context: Context, principal: Principal, run: Run, kind: DocumentKind) -> Document:
    study = run.job.arguments["study_instance_uid"]
    evidence = study_evidence(context, study).evidence
    if kind is DocumentKind.MANIFEST:
        evidence = (*evidence, *_reports(context, study))
    title = key_object_title(_TITLES[kind])
    return _written(context, principal, kind, title, evidence, run=run)


def _reports(context: Context, study_instance_uid: str) -> tuple[Evidence, ...]:
    """Return the signed reports of a study as evidence."""
    query = DocumentQuery(
        kinds=(DocumentKind.REPORT,), states=_SHIPPED, study_instance_uid=study_instance_uid
    )
    with context.database.read() as connection:
        found = search_documents(connection, query, limit=_MOST_REPORTS)
        contents = [content_of(connection, each.sop_instance_uid).content for each in found]
    files = [read(BytesSource(content), limits=context.limits) for content in contents]
    at = context.ports.now()
    return tuple(
        read_evidence(file.dataset, reference=secure_reference(file, at=at)) for file in files
    )


def _written(
    context: Context,
    principal: Principal,
    kind: DocumentKind,
    title: Code,
    evidence: tuple[Evidence, ...],
    *,
    description: str = "",
    modifiers: tuple[Code, ...] = (),
    run: Run | None = None,
) -> Document:
    (content,) = author_key_objects(
        title, evidence, ports=context.ports, description=description, modifiers=modifiers
    )
    document = described(
        read(BytesSource(content)),
        kind=kind,
        state=DocumentState.DRAFT,
        owner=principal.user_id,
        at=context.ports.now(),
    )
    with context.database.write() as connection:
        add_document(connection, document, content, signed=False, by=principal.user_id)
        record(context, connection, principal, AuditAction.EVIDENCE_READ, evidence_of=document)
        record(context, connection, principal, _ACTIONS[kind], document=document)
        if run is not None:
            run.keep(connection, sop_instance_uid=document.sop_instance_uid)
    return document


def _give_up(context: Context, principal: Principal, document: Document) -> None:
    with context.database.write() as connection:
        now = get_document(connection, document.sop_instance_uid)
        if now.state is DocumentState.DRAFT:
            changes = {"state": DocumentState.SUPERSEDED, "changed_at": context.ports.now()}
            gone = change_document(connection, now, changes)
            record(context, connection, principal, AuditAction.REPORT_DISCARDED, document=gone)


def _coded(title: str, modifiers: tuple[str, ...]) -> tuple[Code, tuple[Code, ...]]:
    try:
        return key_object_title(title), tuple(title_modifier(each) for each in modifiers)
    except ValueError as error:
        raise ConfigurationError(
            "there is no such title or title modifier", where="(0040,A043)"
        ) from error


def _chain(context: Context, principal: Principal) -> bytes:
    chains = server_chains(context, principal, SignaturePurpose.SOURCE)
    if not chains:
        raise ConfigurationError(
            "the service has no key to seal with for you", hint="register one with its key"
        )
    return chains[0]
