"""The verdict on a signed document is kept with its signature, and not with its session too."""

from __future__ import annotations

from alembic import op

__all__ = ["upgrade"]

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.drop_column("session_items", "verdict")
