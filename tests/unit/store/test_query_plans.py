"""Lists are read from an index, however many documents there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from sr.store.database import Database, open_database
from sr.store.document_search import DocumentQuery, search_documents
from sr.store.documents import DocumentKind, DocumentState

_REPORTS, _WAITING = (DocumentKind.REPORT,), (DocumentState.DRAFT, DocumentState.RETURNED)


def _plan(database: Database, query: DocumentQuery) -> str:
    """Return how SQLite would carry out the statement of a search."""
    said: list[tuple[str, Any]] = []

    def hear(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        said.append((statement, parameters))

    with database.read() as connection:
        event.listen(database.engine, "before_cursor_execute", hear)
        search_documents(connection, query, limit=50)
        event.remove(database.engine, "before_cursor_execute", hear)
        statement, parameters = said[-1]
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row.detail for row in rows)


@pytest.mark.parametrize(
    "query",
    [
        DocumentQuery(kinds=_REPORTS),
        DocumentQuery(kinds=_REPORTS, owner="anna"),
        DocumentQuery(kinds=_REPORTS, states=_WAITING[:1]),
        DocumentQuery(states=_WAITING, owner="anna"),
    ],
)
def test_lists_use_an_index(tmp_path: Path, query: DocumentQuery) -> None:
    """No list of the API or of the pages looks at every document."""
    plan = _plan(open_database(f"sqlite:///{tmp_path / 'srsign.db'}"), query)
    assert "USING INDEX ix_documents_" in plan
    assert "SCAN documents" not in plan


def test_a_scan_would_be_seen(tmp_path: Path) -> None:
    """A search for a part of a title has to look at every document, and the plan says so."""
    plan = _plan(open_database(f"sqlite:///{tmp_path / 'srsign.db'}"), DocumentQuery(title="CT"))
    assert "SCAN documents" in plan
