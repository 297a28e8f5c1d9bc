"""The same service on PostgreSQL: tables, triggers, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from sr.codes import SignaturePurpose
from sr.errors import ExternalServiceError
from sr.store.database import open_database
from sr.store.documents import DocumentState
from sr.store.schema import metadata
from tests.support.postgresql import postgresql
from tests.support.races import DONE, approvals, same_signature, signatures_on
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, sign
from tests.support.written_once import CHANGES, HEAD_ROW

pytestmark = pytest.mark.peer

_CHANGES = {what: sql for what, sql in CHANGES.items() if not sql.startswith("REPLACE")} | {
    f"{table} emptied": f"TRUNCATE {table} CASCADE"
    for table in ("versions", "signatures", "audit_events", "audit_heads")
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service on PostgreSQL, opened by several at once."""
    with postgresql() as url:
        with ThreadPoolExecutor(4) as pool:
            for database in pool.map(open_database, [url] * 4):
                database.close()
        service = open_service(tmp_path_factory.mktemp("service"), url=url)
        sign(service, draft(service))
        with service.context.database.write() as connection:
            connection.execute(text(HEAD_ROW))
        yield service
        service.context.database.close()


def test_steps_lead_to_the_schema(service: Service) -> None:
    """PostgreSQL too has the tables of the schema after all steps, and nothing else."""
    with service.context.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert not compare_metadata(context, metadata)


def test_sign_and_approve(service: Service) -> None:
    """A report is signed and approved as it is on SQLite."""
    signed = sign(service, draft(service))
    approved = sign(service, signed, "sam", SignaturePurpose.VERIFICATION)
    assert (approved.state, approved.indication) == (DocumentState.APPROVED, "PASSED")
    assert now(service, signed).state is DocumentState.SUPERSEDED


@pytest.mark.parametrize("change", _CHANGES)
def test_what_is_written_once_stays(service: Service, change: str) -> None:
    """Signed bytes, signatures, events and heads are neither changed, deleted nor emptied."""
    with pytest.raises(ExternalServiceError), service.context.database.write() as connection:
        connection.execute(text(_CHANGES[change]))


def test_many_sign_at_once(service: Service) -> None:
    """Ten at once who sign one draft make one signature; the others are told of a conflict."""
    document, outcomes = same_signature(service, 10)
    assert signatures_on(service, document) == [("1", "anna")]
    assert outcomes[DONE] == 1
    assert set(outcomes) <= {DONE, "conflict"}


def test_many_approve_at_once(service: Service) -> None:
    """Of twenty approvals by author and supervisor one succeeds, the supervisor's."""
    document, outcomes = approvals(service, 20)
    assert sorted(signatures_on(service, document)) == [("1", "anna"), ("5", "sam")]
    assert outcomes[DONE] == 1
