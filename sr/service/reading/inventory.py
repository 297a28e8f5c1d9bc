"""Use case: search the signatures that the service knows, whose certificates, when, how good.

Cites: PS3.15 A.5; PS3.16 CID 7007.
"""

from __future__ import annotations

from sr.app.audit import AuditAction
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.store.signature_search import FoundSignature, SignatureQuery, search_signatures

__all__ = ["find_signatures"]


def find_signatures(
    context: Context, principal: Principal, query: SignatureQuery, *, limit: int, offset: int = 0
) -> tuple[FoundSignature, ...]:
    """Return signatures, the latest first.

    Args:
        context: The service.
        principal: Who asks.
        query: Which.
        limit: At most so many.
        offset: After so many.

    Raises:
        AccessError: The principal does not search signatures.
    """
    require(principal, Permission.SEARCH_SIGNATURES)
    with context.database.write() as connection:
        found = search_signatures(connection, query, limit=limit, offset=offset)
        record(context, connection, principal, AuditAction.SEARCHED, subject="signatures")
    return found
