"""Many who do the same at once: what must come of it, on whichever database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from sqlalchemy import select

from sr.codes import SignaturePurpose
from sr.errors import SRError
from sr.service.access import Role
from sr.service.operation.demonstration import chain_of, principal_for
from sr.service.signing.server_signing import sign_with_server_key
from sr.service.signing.signing_sessions import complete_session, open_session
from sr.store.documents import Document
from sr.store.schema import documents, signatures
from tests.support.service import Service
from tests.support.signing import draft, opened, sign, values_of, wanted

__all__ = ["DONE", "approvals", "at_once", "completions", "same_signature", "signatures_on"]

DONE = "done"


def at_once(many: int, act: Callable[[int], object]) -> Counter[str]:
    """Let many threads act at the same moment; return how many did it, and which errors came."""
    barrier = Barrier(many)

    def run(n: int) -> str:
        barrier.wait()
        try:
            act(n)
        except SRError as error:
            return error.code
        return DONE

    with ThreadPoolExecutor(many) as pool:
        return Counter(pool.map(run, range(many)))


def signatures_on(service: Service, document: Document) -> list[tuple[str, str]]:
    """Return purpose and user of every signature in the lineage of a document."""
    query = (
        select(signatures.c.purpose, signatures.c.user_id)
        .join(documents, documents.c.sop_instance_uid == signatures.c.sop_instance_uid)
        .where(documents.c.lineage == document.lineage)
    )
    with service.context.database.read() as connection:
        return [(purpose, user) for purpose, user in connection.execute(query)]


def same_signature(service: Service, many: int) -> tuple[Document, Counter[str]]:
    """Let the author sign one draft many times at once, each in a session of its own."""
    document = draft(service)

    def act(_n: int) -> None:
        session = opened(service, document)
        sign_with_server_key(service.context, principal_for("anna"), session.session.id)

    return document, at_once(many, act)


def completions(service: Service, many: int) -> tuple[Document, set[str], Counter[str]]:
    """Complete one session many times at once; return also the different answers."""
    document = draft(service)
    session = opened(service, document)
    values = values_of(service, session)
    answers = set()

    def act(_n: int) -> None:
        anna = principal_for("anna")
        answers.add(str(complete_session(service.context, anna, session.session.id, values)))

    return document, answers, at_once(many, act)


def approvals(service: Service, many: int) -> tuple[Document, Counter[str]]:
    """Let author and supervisor, both with the role, approve one report many times at once."""
    document = sign(service, draft(service))
    roles = frozenset({Role.AUTHOR, Role.APPROVER})

    def act(n: int) -> None:
        login, certificate = (("anna", "author"), ("sam", "supervisor"))[n % 2]
        principal = replace(principal_for(login), roles=roles)
        session = open_session(
            service.context,
            principal,
            wanted(document),
            purpose=SignaturePurpose.VERIFICATION,
            chain=chain_of(service.world.pki, certificate),
        )
        sign_with_server_key(service.context, principal, session.session.id)

    return document, at_once(many, act)
