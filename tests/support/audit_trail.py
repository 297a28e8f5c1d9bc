"""What was written to the audit since a moment."""

from __future__ import annotations

from sr.store.audit import EventQuery, search_rows
from tests.support.service import Service

__all__ = ["Trail"]


class Trail:
    """The audit of a service, from a moment on."""

    def __init__(self, service: Service) -> None:
        self._database = service.context.database
        self._begun = 0

    def begin(self) -> None:
        """Forget the events so far: what comes next is what is looked at."""
        with self._database.read() as connection:
            self._begun = search_rows(connection, EventQuery(), limit=1)[0].sequence

    def who_wrote(self, action: str) -> str | None:
        """Return who wrote the last event of that kind since, if anybody did."""
        with self._database.read() as connection:
            found = search_rows(connection, EventQuery(actions=(action,)), limit=1)
        if not found or found[0].sequence <= self._begun:
            return None
        return str(found[0].columns["user_id"])
