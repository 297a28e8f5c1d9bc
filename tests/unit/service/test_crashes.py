"""A service that is killed at any point: nothing torn, nothing lost, nothing signed twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.crashes import kill_under_load
from tests.support.service import open_service
from tests.support.signing import draft, sign
from tests.support.soundness import faults


def test_killed_a_few_times(tmp_path: Path) -> None:
    """Four kills under load leave a sound database with everything that was acknowledged."""
    outcome = kill_under_load(tmp_path / "service", 4, seed=8, longest=0.7)
    assert outcome.killed == 4
    assert outcome.acknowledged
    assert (outcome.lost, outcome.faults) == ([], [])


@pytest.mark.prove
def test_killed_two_hundred_times(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """So do two hundred, some of them between keeping a value and storing the document."""
    outcome = kill_under_load(tmp_path / "service", 200, seed=200, longest=1.5)
    record_property("acknowledged", len(outcome.acknowledged))
    record_property("finished at a start", outcome.finished)
    assert outcome.killed == 200
    assert outcome.finished > 0
    assert (outcome.lost, outcome.faults) == ([], [])


_DAMAGE = {
    "content": "UPDATE versions SET content = x'00' WHERE signed",
    "version": "DELETE FROM versions WHERE signed",
    "signature": "DELETE FROM signatures",
    "event": "DELETE FROM audit_events WHERE sequence = 2",
    "last events": "DELETE FROM audit_events WHERE action = 'signed'",
    "intent": "DELETE FROM session_items",
    "revision": "UPDATE documents SET revision = 9",
    "double": "INSERT INTO signatures SELECT 99, '1.2', sop_instance_uid, purpose, user_id, "
    "signer_subject, signer_issuer, signer_serial, certificate_sha256, certificate_not_after, "
    "mac_algorithm, 'x', claimed_at, proven_at, indication, sub_indication, verdict "
    "FROM signatures",
}


@pytest.mark.parametrize("damage", _DAMAGE)
def test_damage_is_found(tmp_path: Path, damage: str) -> None:
    """The look at everything finds each planted damage, so that it may be believed."""
    service = open_service(tmp_path)
    sign(service, draft(service))
    assert faults(service) == []
    with service.context.database.write() as connection:
        for table in ("versions", "signatures", "audit_events"):
            for event in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {table}_no_{event}"))
    with service.context.database.write() as connection:
        connection.execute(text(_DAMAGE[damage]))
    assert faults(service) != []
