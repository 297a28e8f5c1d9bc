"""Write docs/facts.schema.json from the classes that facts consist of.

Run it when one of them changed; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

from sr.app.checks.facts import facts_schema

TARGET = Path(__file__).parent.parent / "docs" / "facts.schema.json"


def text() -> str:
    """Return the content of the file."""
    return json.dumps(facts_schema(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="ascii")
    print(f"{TARGET.name}: {len(facts_schema()['$defs'])} classes")
