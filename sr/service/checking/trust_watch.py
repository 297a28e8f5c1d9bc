"""Use case: what somebody changes in the operator's folder of certificates goes to the audit.

What is changed through the service is in the audit as it happens. A folder is changed with other
programs, so it is held against what the audit last said of it: at the start, and again and again.

Cites: RFC 5937; PS3.15 A.5.3.
"""

from __future__ import annotations

from sqlalchemy import Connection

from sr.app.audit import AuditAction, Outcome, decode_event
from sr.app.trust.trust_store import TrustStore
from sr.errors import ConfigurationError
from sr.service.access import THE_SERVICE
from sr.service.context import Context
from sr.service.events import record
from sr.store.audit import EventQuery, search_rows

__all__ = ["TrustWatch"]

_FOLDER = "folder "
"""Before the use, in what such an event says."""
_ADDED, _REMOVED = AuditAction.TRUST_ANCHOR_ADDED, AuditAction.TRUST_ANCHOR_REMOVED
_MOST = 10_000


class TrustWatch:
    """Looks at the folder, and knows what it saw last."""

    def __init__(self, context: Context, store: TrustStore) -> None:
        self._context = context
        self._store = store
        self._seen: frozenset[tuple[str, str]] | str | None = None

    def look(self) -> None:
        """Write what was changed since the audit last said something of the folder.

        Raises:
            ExternalServiceError: The database does not take it.
        """
        found = self._found()
        if found == self._seen:
            return
        with self._context.database.write() as connection:
            if isinstance(found, str):
                self._record(connection, _ADDED, "", found, outcome=Outcome.SERIOUS_FAILURE)
            else:
                said = _said(connection)
                for subject, use in sorted(found - said):
                    self._record(connection, _ADDED, subject, use)
                for subject, use in sorted(said - found):
                    self._record(connection, _REMOVED, subject, use)
        self._seen = found

    def _found(self) -> frozenset[tuple[str, str]] | str:
        """Return fingerprint and use of each certificate, or what is wrong with the folder."""
        try:
            kept = self._store.kept()
        except ConfigurationError as error:  # e.g. a file that is not what its name says
            return str(error)
        return frozenset((each.certificate.sha256, each.use.value) for each in kept)

    def _record(
        self,
        connection: Connection,
        action: AuditAction,
        subject: str,
        detail: str,
        *,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> None:
        record(
            self._context,
            connection,
            THE_SERVICE,
            action,
            outcome=outcome,
            subject=subject,
            detail=_FOLDER + detail,
        )


def _said(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return what is in the folder as far as the audit knows."""
    query = EventQuery(
        actions=(_ADDED, _REMOVED), outcomes=(Outcome.SUCCESS,), user_id=THE_SERVICE.user_id
    )
    last: dict[tuple[str, str], AuditAction] = {}
    for row in reversed(search_rows(connection, query, limit=_MOST)):
        event = decode_event(row.encoded)
        last[event.subject, event.detail.removeprefix(_FOLDER)] = event.action
    return frozenset(each for each, action in last.items() if action is _ADDED)
