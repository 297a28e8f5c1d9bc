"""The page of rules says the truth: every rule on it is broken by a vector or a named test."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sr.findings import SubIndication

ROOT = Path(__file__).resolve().parent.parent
TABLE = re.compile(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \| ([^|]*) ?\|$", re.MULTILINE)
IN_CODE = re.compile(r"`([^`]+)`")
WORD = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
ROWS = [
    (rule, means, tuple(IN_CODE.findall(files)))
    for rules, means, files in TABLE.findall((ROOT / "docs" / "rules.md").read_text("utf-8"))
    for rule in IN_CODE.findall(rules)
]


def _broken_by_vectors() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests" / "vectors").glob("*/vector.toml"):
        vector = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= {*vector["rules"], *vector.get("also", ())}
    return found


BROKEN = _broken_by_vectors()


def test_the_table_is_read() -> None:
    """There are rules on the page, none of them twice."""
    names = [rule for rule, _, _ in ROWS]
    assert len(names) > 90
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("rule", "means", "files"), ROWS, ids=[row[0] for row in ROWS])
def test_every_rule_is_shown(rule: str, means: str, files: tuple[str, ...]) -> None:
    """A vector breaks the rule, or the named test asserts on it; its meaning is a known word."""
    named = [name for name in files if f'"{rule}"' in (ROOT / name).read_text("utf-8")]
    assert rule in BROKEN or named
    words = {word.removesuffix("_") for word in WORD.findall(means)} - {"NO_POE"}
    assert words <= {sub.value for sub in SubIndication}


def test_every_rule_of_a_vector_is_on_the_page() -> None:
    """What fails a vector that must fail is explained to people."""
    listed = {rule for rule, _, _ in ROWS}
    for path in (ROOT / "tests" / "vectors").glob("*/vector.toml"):
        vector = tomllib.loads(path.read_text(encoding="utf-8"))
        if vector["expect"] == "failed" and vector.get("sub_indication") != "FORMAT_FAILURE":
            assert listed & set(vector["rules"]), path.parent.name
