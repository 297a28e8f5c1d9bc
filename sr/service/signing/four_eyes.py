"""Four eyes: who wrote a report, or signed it as an author, does not approve it, nor in reverse.

The signer's certificate is compared with those in the document when a signature is prepared. Here
the persons behind accounts are compared, over every document of the lineage: another certificate or
account of the same person does not help, nor does a session that was opened before.

Cites: PS3.15 C.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from sr.app.signatures.signable import APPROVING, NOT_AUTHORING
from sr.codes import SignaturePurpose
from sr.errors import LifecycleError
from sr.service.access import Principal
from sr.store.documents import Document, writers_of
from sr.store.people import is_one_of
from sr.store.signatures import signers_of

__all__ = ["require_four_eyes"]

_AUTHORING = frozenset(SignaturePurpose) - NOT_AUTHORING


def require_four_eyes(
    connection: Connection,
    principal: Principal,
    documents: Sequence[Document],
    purpose: SignaturePurpose,
) -> None:
    """Refuse signatures of which one would make author and approver one person.

    Called when signatures are prepared, and again in the transaction that stores them.

    Raises:
        LifecycleError: The principal took the other part in a document before.

    Cites: PS3.15 C.4.
    """
    lineages = {each.lineage for each in documents}
    if purpose in APPROVING:
        signers = signers_of(connection, lineages, _AUTHORING)
        owners = {each.owner for each in documents}
        taken = signers | writers_of(connection, lineages) | owners
    elif purpose in _AUTHORING:
        taken = signers_of(connection, lineages, APPROVING)
    else:
        return
    if taken and is_one_of(connection, principal.user_id, taken):
        raise LifecycleError(
            "author and approver would be one person",
            where="(0040,A073)",
            hint="approval needs a second person",
        )
