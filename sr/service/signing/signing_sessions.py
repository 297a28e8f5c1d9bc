"""Use cases: a signature in two steps, with the key wherever it is.

A session is opened: every document is prepared, what is to be signed is fixed and kept, the intent
is in the audit. The values come back: each is verified and kept, then time-stamped, and only then
do document, signature and audit change, in one transaction. A session that was completed answers
the same again.

Cites: PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.app.signatures.match_code import match_code
from sr.app.signatures.signature_steps import canonical, complete_prepared, prepare_opened
from sr.app.signatures.signing import approved_copy
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.dicomfile.splice import assemble
from sr.errors import (
    AccessError,
    ConfigurationError,
    ConflictError,
    LifecycleError,
    SignerRefusedError,
    TimestampError,
)
from sr.findings import Indication
from sr.mac import MACAlgorithm
from sr.service.access import Principal, require_purpose
from sr.service.accounts.identity import identity_here
from sr.service.authoring.reports import require_current
from sr.service.checking.verdicts import TrustNow, trust_now, verdict_on
from sr.service.context import Context
from sr.service.events import event
from sr.service.signing.four_eyes import require_four_eyes
from sr.service.signing.prepared import prepared_of
from sr.service.signing.session_results import state_after, store_results
from sr.service.signing.session_states import (
    failure_recorded,
    get_own_session,
    require_live,
    void_session,
)
from sr.service.signing.session_view import OpenedSession
from sr.service.signing.vouching import require_vouched
from sr.signature import PreparedSignature
from sr.signature.prepare import require_value
from sr.store.audit import append_rows
from sr.store.documents import Document, get_with_bytes
from sr.store.people import Credential, credential_of
from sr.store.signing_sessions import (
    SessionItem,
    SessionState,
    SigningSession,
    add_session,
    get_session,
    has_moved,
    items_of,
    keep_values,
    require_unchanged,
    verdicts_of,
)
from sr.trust import parse_certificates
from sr.trust.identity import IdentityMapping
from sr.verification import Verdict

__all__ = [
    "WantedSignature",
    "complete_session",
    "finish_session",
    "open_session",
]

_APPROVES = SignaturePurpose.VERIFICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSignature:
    """A document to sign, as the signer saw it."""

    sop_instance_uid: str
    if_match: str
    """SHA-256 of what was seen, hexadecimal."""


def open_session(
    context: Context,
    principal: Principal,
    wanted: tuple[WantedSignature, ...],
    *,
    purpose: SignaturePurpose,
    chain: bytes,
    profile: str | None = None,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
) -> OpenedSession:
    """Prepare signatures and keep what they are over.

    Args:
        context: The service.
        principal: Who will sign.
        wanted: The documents.
        purpose: Of every signature.
        chain: Certificates, PEM or DER, the signer's first.
        profile: Insisted on beside those that the documents demand.
        mac_algorithm: Digest of the MACs.

    Raises:
        AccessError: The purpose is none of the principal's, or the certificate is not.
        NotFoundError: There is no such document.
        ConflictError: A document changed since it was seen.
        LifecycleError: A document may not be signed so, or not by this person.
        ProfileViolationError: The result would break a rule.
        SignerRefusedError: The certificate is none that checks here accept.

    Cites: PS3.15 A.4, C.4.
    """
    require_purpose(principal, purpose)
    named = {each.sop_instance_uid for each in wanted}
    if not 0 < len(wanted) == len(named) <= context.items_per_session:
        raise ConfigurationError(
            f"a session has 1 to {context.items_per_session} documents, each once"
        )
    certificates = parse_certificates(chain)
    leaf = certificates[0]
    require_vouched(context, leaf)
    with context.signing:
        with context.database.read() as connection:
            credential = _own_credential(connection, principal, leaf)
            found = get_with_bytes(connection, [each.sop_instance_uid for each in wanted])
            documents = [document for document, _ in found]
            for document, want in zip(documents, wanted, strict=True):
                require_current(document, want.if_match)
                state_after(document, purpose)
            require_four_eyes(connection, principal, documents, purpose)
        session_id, identity = context.new_token(), identity_here(context)
        items, prepared = [], []
        for n, (document, content) in enumerate(found, start=1):
            with context.computing:
                base = _base(context, principal, content, leaf, purpose, identity)
                ready = prepare_opened(
                    canonical(read(BytesSource(base), limits=context.limits)),
                    leaf,
                    context.ports,
                    purpose=purpose,
                    profile=profile,
                    identity=identity,
                    mac_algorithm=mac_algorithm,
                )
                items.append(_item(session_id, n, document, ready))
            prepared.append(ready)
            context.prepared.remember(ready)
        now = context.ports.now()
        session = SigningSession(
            id=session_id,
            user_id=principal.user_id,
            agent_id=credential.agent_id,
            purpose=purpose.value,
            certificate_sha256=sha256(leaf).hexdigest(),
            chain=_pem(certificates),
            profile=profile,
            mac_algorithm=mac_algorithm.value,
            timestamped=context.ports.timestamping is not None,
            match_code=match_code(session_id, tuple(item.digest for item in items)),
            state=SessionState.OPEN,
            created_at=now,
            expires_at=now + context.session_lifetime,
        )
        events = [
            event(
                context,
                principal,
                AuditAction.SIGNING_SESSION_OPENED,
                document=document,
                subject=session_id,
                purpose=purpose,
                digital_signature_uid=item.digital_signature_uid,
            )
            for document, item in zip(documents, items, strict=True)
        ]
        with context.database.write() as connection:
            add_session(connection, session, tuple(items))
            append_rows(connection, events)
        return OpenedSession(session=session, items=tuple(items), prepared=tuple(prepared))


def complete_session(
    context: Context, principal: Principal, session_id: str, values: Mapping[int, bytes]
) -> tuple[dict[str, Any], ...]:
    """Take signature values, and return the verdict on each document that came of them.

    Args:
        context: The service.
        principal: Who opened the session.
        session_id: The session.
        values: Signature value by number of the document; empty to try again with those kept.

    Raises:
        NotFoundError: The principal has no such session.
        ExpiredError: Its time is over.
        SignerRefusedError: A value does not fit; nothing was kept.
        TimestampError: There is no time-stamp now; the values are kept, try again without any.
        ConflictError: A document changed since; the session is void.

    Cites: PS3.15 A.4; PS3.3 C.12.1.1.3.
    """
    session, items = get_own_session(context, principal, session_id)
    with failure_recorded(context, principal, session):
        return _completed(context, principal, session, items, values)


def _completed(
    context: Context,
    principal: Principal,
    session: SigningSession,
    items: tuple[SessionItem, ...],
    values: Mapping[int, bytes],
) -> tuple[dict[str, Any], ...]:
    if session.state is SessionState.OPEN:
        require_live(context, principal, session)
        require_purpose(principal, SignaturePurpose(session.purpose))
        try:
            with context.signing:
                session, items = _keep(context, principal, session, items, values)
        except ConflictError:
            void_session(context, principal, session.id, why="conflict")
            raise
    if session.state is SessionState.COMPLETED:
        return _verdicts(context, session.id)
    require_live(context, principal, session)
    return finish_session(context, principal, session, items)


def finish_session(
    context: Context,
    principal: Principal,
    session: SigningSession,
    items: tuple[SessionItem, ...],
) -> tuple[dict[str, Any], ...]:
    """Store what comes of a session whose values are kept, and return the verdicts.

    Args:
        context: The service.
        principal: Who opened the session.
        session: In the state ``valued``.
        items: Its documents.

    Raises:
        AccessError: The purpose is none of the principal's any more; the session is void.
        SignerRefusedError: A signature does not pass a check here; the session is void.
        TimestampError: There is no time-stamp now; the values stay.
        ConflictError: A document changed since; the session is void.
        LifecycleError: A document is not signed so any more; the session is void.

    Cites: PS3.15 A.4; PS3.3 C.12.1.1.3.
    """
    try:
        require_purpose(principal, SignaturePurpose(session.purpose))
        trust = trust_now(context)
        signed = [_signed(context, session, item, trust) for item in items]
        with context.signing:
            verdicts = store_results(context, principal, session, items, signed)
    except (AccessError, ConflictError, LifecycleError, SignerRefusedError) as error:
        ended = void_session(context, principal, session.id, why=error.code)
        if ended.state is SessionState.COMPLETED:
            return _verdicts(context, session.id)
        raise
    except TimestampError as error:
        hint = "the values are kept: complete the session again, without any"
        raise TimestampError(str(error), where=error.where, hint=hint) from error
    for item in items:
        context.prepared.forget(item.digital_signature_uid)
    return verdicts


def _own_credential(connection: Connection, principal: Principal, leaf: bytes) -> Credential:
    """Return what is registered of the principal's certificate."""
    credential = credential_of(connection, principal.user_id, sha256(leaf).hexdigest())
    if credential is not None:
        return credential
    raise AccessError(
        "the certificate (CertificateOfSigner (0400,0115)) is not one of yours",
        where="(0400,0115)",
        hint="register it first",
    )


def _base(
    context: Context,
    principal: Principal,
    content: bytes,
    leaf: bytes,
    purpose: SignaturePurpose,
    identity: IdentityMapping,
) -> bytes:
    """Return what will be signed: the document itself, or its approved copy."""
    if purpose is not _APPROVES:
        return content
    approved, _ = approved_copy(
        read(BytesSource(content), limits=context.limits),
        leaf,
        context.ports,
        observer=principal.person_name,
        organization=principal.organization,
        mode=context.approval_mode,
        identity=identity,
    )
    return approved.source.read_at(0, approved.source.size)


def _item(session_id: str, n: int, document: Document, ready: PreparedSignature) -> SessionItem:
    base = ready.file.source.read_at(0, ready.file.source.size)
    return SessionItem(
        session_id=session_id,
        n=n,
        sop_instance_uid=document.sop_instance_uid,
        revision=document.revision,
        base=base,
        base_sha256=sha256(base).hexdigest(),
        digital_signature_uid=ready.request.digital_signature_uid,
        signed_at=ready.request.signed_at,
        digest=ready.digest,
    )


def _pem(certificates: tuple[bytes, ...]) -> bytes:
    return b"".join(
        x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates
    )


def _keep(
    context: Context,
    principal: Principal,
    session: SigningSession,
    items: tuple[SessionItem, ...],
    values: Mapping[int, bytes],
) -> tuple[SigningSession, tuple[SessionItem, ...]]:
    """Verify the values and keep them; return the session as it is then."""
    if set(values) != {item.n for item in items}:
        raise SignerRefusedError("every document of the session needs one signature value")
    for item in items:
        with context.computing:
            require_value(prepared_of(context, session, item), values[item.n])
    leaf = parse_certificates(session.chain)[0]
    kept = event(context, principal, AuditAction.SIGNATURE_VALUE_KEPT, subject=session.id)
    with context.database.write() as connection:
        if not has_moved(connection, session, SessionState.VALUED):
            return get_session(connection, session.id), items_of(connection, session.id)
        _own_credential(connection, principal, leaf)
        require_unchanged(connection, session.id)
        keep_values(connection, session.id, values)
        append_rows(connection, (kept,))
    return (
        replace(session, state=SessionState.VALUED),
        tuple(replace(item, value=values[item.n]) for item in items),
    )


def _signed(
    context: Context, session: SigningSession, item: SessionItem, trust: TrustNow
) -> tuple[bytes, Verdict]:
    """Return a signed document and the verdict on it, which is none that nobody would accept."""
    assert item.value is not None  # noqa: S101 - the session is valued
    if session.timestamped != (context.ports.timestamping is not None):
        raise ConflictError("the settings of time-stamps changed", hint="open another session")
    ready = prepared_of(context, session, item)
    pieces, _ = complete_prepared(ready, item.value, context.ports)
    content = assemble(pieces)
    verdict = verdict_on(context, content, ready.file.sop_instance_uid, trust=trust)
    uid = item.digital_signature_uid
    made = next(each for each in verdict.signatures if each.digital_signature_uid == uid)
    if verdict.indication is Indication.FAILED or made.indication is not Indication.PASSED:
        raise SignerRefusedError(
            f"the signed document would be {verdict.indication.value} here "
            f"({verdict.sub_indication}); it was not stored",
            where="(FFFA,FFFA)",
        )
    return content, verdict


def _verdicts(context: Context, session_id: str) -> tuple[dict[str, Any], ...]:
    with context.database.read() as connection:
        return verdicts_of(connection, session_id)
