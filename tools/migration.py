"""Write the step that takes a database from the last step before it to sr/store/schema.py.

    python -m tools.migration 0003 what-it-is-for

Read what was written: renamed columns look like one dropped and one added. Until the first release
step 0001 is written anew instead: ``python -m tools.migration 0001 tables``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine

from sr.store.migration import migrate
from sr.store.schema import Moment, metadata

_STEPS = Path(__file__).parent.parent / "sr" / "store" / "migrations" / "versions"
_MODULE = '''"""Step {revision}: {what}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["upgrade"]

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    {upgrade}
'''


def main(revision: str, what: str) -> None:
    """Write the module of a step."""
    before = f"{int(revision) - 1:04d}" if int(revision) > 1 else None
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if before:
            migrate(connection, before)
        text = _text(connection, revision, what, before)
    path = _STEPS / f"v{revision}_{what.replace('-', '_')}.py"
    path.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)
    print(path)


def _text(connection: Connection, revision: str, what: str, before: str | None) -> str:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "render_as_batch": before is not None}
    )
    script = produce_migrations(context, metadata)
    written = render_python_code(script.upgrade_ops, render_item=_item).splitlines()
    code = "\n".join(line for line in written if not line.strip().startswith("#")).strip()
    return _MODULE.format(
        revision=revision,
        what=what.replace("-", " "),
        before=f'"{before}"' if before else None,
        upgrade=code,
    )


def _item(kind: str, item: object, _context: object) -> str | bool:
    """Write our type as what it is in the database, which stays when the type changes."""
    if kind == "type" and isinstance(item, Moment):
        return f"sa.String(length={item.impl.length})"
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
