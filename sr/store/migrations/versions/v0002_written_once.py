"""Signed documents, signatures and the audit are written once: triggers refuse to change them."""

from __future__ import annotations

from alembic import op

__all__ = ["upgrade"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ALWAYS = ("signatures", "audit_events", "audit_heads")
_FUNCTION = """
CREATE FUNCTION srsign_written_once() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'written once'; END $$
"""


def upgrade() -> None:
    """Make the triggers."""
    make = _on_postgresql if op.get_bind().dialect.name == "postgresql" else _on_sqlite
    make()


def _on_sqlite() -> None:
    for table, when in (*((table, "") for table in _ALWAYS), ("versions", "WHEN old.signed")):
        for event in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} {when} "
                f"BEGIN SELECT RAISE(ABORT, 'written once'); END"
            )


def _on_postgresql() -> None:
    op.execute(_FUNCTION)
    for table, when in (*((table, "") for table in _ALWAYS), ("versions", "WHEN (old.signed)")):
        for event in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} "
                f"FOR EACH ROW {when} EXECUTE FUNCTION srsign_written_once()"
            )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION srsign_written_once()"
        )
