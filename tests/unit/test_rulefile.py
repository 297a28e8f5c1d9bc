"""Rule files are read strictly: nothing unknown, nothing uncited, nothing of the wrong type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

import pytest

from sr.errors import ProfileFormatError, UnknownProfileError
from sr.rulefile import RuleTable, read_rules

BASE = """
id = "base"
title = "Base"
cites = "PS3.15 C"

[key]
bits = 2048
kinds = ["RSA"]
cites = "PS3.15 C.1"

[conditions]
when = { VerificationFlag = "VERIFIED" }
cites = "PS3.15 C.4"

[[require]]
name = "first"
cites = "PS3.15 C.1"
"""


class Kind(StrEnum):
    """A defined term."""

    ONE = "one"


def _find(file_id: str) -> str:
    if file_id != "base":
        raise UnknownProfileError(file_id)
    return BASE


def _rules(text: str) -> RuleTable:
    return read_rules('id = "x"\ntitle = "X"\ncites = "c"\n' + text, "x.toml", _find)


def _drain(rules: RuleTable) -> dict[str, object]:
    """Read everything the base file may hold, as a loader would."""
    key, conditions = rules.table("key"), rules.table("conditions")
    values = {
        "id": rules.text("id"),
        "title": rules.text("title"),
        "extends": rules.text("extends", ""),
        "bits": key.integer("bits", 0),
        "kinds": key.texts("kinds", ()),
        "when": conditions.mapping("when", {}),
        "names": [row.text("name") for row in rules.tables("require")],
    }
    rules.done()
    return values


def test_a_file_is_read_as_it_stands() -> None:
    """Texts, numbers, arrays, mappings and rows arrive typed."""
    assert _drain(read_rules(BASE, "base.toml", _find)) == {
        "id": "base",
        "title": "Base",
        "extends": "",
        "bits": 2048,
        "kinds": ("RSA",),
        "when": {"VerificationFlag": "VERIFIED"},
        "names": ["first"],
    }


def test_an_extension_changes_keys_and_adds_rows() -> None:
    """A child replaces values and mappings, adds rows, and keeps its own id and title."""
    child = _rules(
        'extends = "base"\n[key]\nbits = 3072\ncites = "c"\n'
        '[conditions]\nwhen = { CompletionFlag = "COMPLETE" }\ncites = "c"\n'
        '[[require]]\nname = "second"\ncites = "c"\n'
    )
    assert _drain(child) == {
        "id": "x",
        "title": "X",
        "extends": "base",
        "bits": 3072,
        "kinds": ("RSA",),
        "when": {"CompletionFlag": "COMPLETE"},
        "names": ["first", "second"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a = " + "[" * 3000,
        "a = " + "1" * 5000,
        "id = 1",
        "a = 1",
        "[key]\nbits = 1\n",
        "[key]\nbits = 1\ncites = ''\n",
        "[key]\nbits = 1\ncites = 1\n",
        "[key]\nbit = 1\ncites = 'c'\n",
        "[[require]]\nname = 'n'\n",
        "[[require]]\nnam = 'n'\ncites = 'c'\n",
        "require = ['n']\n",
        "key = 1\n",
        "extends = 'x'",
        "extends = 'base'\n[key]\nbits = 3072\n",
        "extends = 1",
    ],
    ids=repr,
)
def test_what_is_not_a_rule_file_does_not_load(text: str) -> None:
    """Unknown keys, missing citations, wrong types and circles are all errors."""
    with pytest.raises(ProfileFormatError):
        _drain(_rules(text))


def test_a_parent_must_exist() -> None:
    """Extending what is not there says so."""
    with pytest.raises(UnknownProfileError):
        _rules("extends = 'nobody'")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1", lambda t: t.text("v")),
        ("true", lambda t: t.integer("v")),
        ("'1'", lambda t: t.integer("v")),
        ("1", lambda t: t.flag("v")),
        ("'a'", lambda t: t.texts("v")),
        ("['a', 1]", lambda t: t.texts("v")),
        ("['a', 'a']", lambda t: t.texts("v")),
        ("'2026-01-01'", lambda t: t.day("v")),
        ("2026-01-01T00:00:00Z", lambda t: t.day("v")),
        ("'two'", lambda t: t.term("v", Kind)),
        ("{ a = 1 }", lambda t: t.mapping("v")),
        ("'a'", lambda t: t.table("v")),
        ("'a'", lambda t: t.tables("v")),
    ],
)
def test_the_wrong_type_is_refused(value: str, read: Callable[[RuleTable], object]) -> None:
    """No value is coerced into another type."""
    with pytest.raises(ProfileFormatError):
        read(_rules(f"v = {value}"))


def test_the_right_type_is_not() -> None:
    """Each reader takes its own type, and its default where the key is missing."""
    rules = _rules("d = 2026-01-01\nt = 'one'\nf = true")
    assert rules.day("d") == date(2026, 1, 1)
    assert rules.term("t", Kind) is Kind.ONE
    assert rules.flag("f") is True
    assert rules.term("none", Kind, Kind.ONE) is Kind.ONE
    assert "d" in rules
    assert "none" not in rules
    with pytest.raises(ProfileFormatError):
        rules.integer("none")
