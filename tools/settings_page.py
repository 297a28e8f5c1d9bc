"""The page of all settings, from what the code says of each: ``python -m tools.settings_page``.

Tests hold ``docs/settings.md`` against it.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import MISSING, fields
from pathlib import Path
from textwrap import dedent
from typing import get_type_hints

from sr.app.settings import Settings

__all__ = ["settings_page"]

_HEAD = """# Which settings are there?

Defaults, then `/etc/srsign/config.toml`, `~/.config/srsign/config.toml`, `./srsign.toml`, and
`SRSIGN_SECTION__KEY` in the environment; what comes later wins, and an unknown key is an error.
`srsign config show --origin` prints the values that count. This page is made by `make settings`.
"""


def settings_page() -> str:
    """Return the page, in Markdown."""
    kinds = get_type_hints(Settings)
    text = "".join(_section(field.name, kinds[field.name]) for field in fields(Settings))
    return _HEAD + text.replace("``", "`")


def _section(name: str, kind: type) -> str:
    said = _said(kind)
    rows = [
        f"| `{field.name}` | {_default(field.default)} | {said.get(field.name, '')} |\n"
        for field in fields(kind)
        if field.default is not MISSING
    ]
    about = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
    return f"\n## [{name}]\n\n{about}\n\n| key | default | what |\n|---|---|---|\n" + "".join(rows)


def _default(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else "–"


def _said(kind: type) -> dict[str, str]:
    """Return the text below each field of a class."""
    (body,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - for the type checker
    said = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            text = ast.literal_eval(below.value)
            said[ast.unparse(field.target)] = " ".join(text.split())
    return said


if __name__ == "__main__":
    Path("docs/settings.md").write_text(settings_page(), encoding="utf-8")
