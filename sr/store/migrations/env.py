"""What Alembic runs: the steps, in the transaction of whoever asks for them."""

from __future__ import annotations

from alembic import context

from sr.store.schema import metadata

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
)
context.run_migrations()
