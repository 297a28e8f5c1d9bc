"""On which line something stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.document.input_position import InputText
from sr.document.input_table import InputFormat
from sr.errors import DocumentError, EvidenceError, TemplateError

TOML = """\
title = "x"

# comment
[observer]
name = {alphabetic = "a"}
[[section]]
heading = "Findings"
[[section.item]]
text = \"\"\"
two
lines\"\"\"
[[section.item]]
value = 1
images = [
  "a",
  {image = "b"},
]
[[section]]
heading = "Summary"
item = [{text = "x"}]
"""
LINES = {
    "title": 1,
    "observer": 4,
    "observer.name": 5,
    "observer.name.alphabetic": 5,
    "section": 6,
    "section[1].heading": 7,
    "section[1].item[1]": 8,
    "section[1].item[1].text": 9,
    "section[1].item[2]": 12,
    "section[1].item[2].unit": 12,
    "section[1].item[2].images[2].image": 14,
    "section[2]": 18,
    "section[2].item[1].text": 20,
    "section[2].item[1].text.x[3]": 20,
    "section[3]": 6,
    "nothing": None,
    "": None,
}


def _toml(text: str = TOML) -> InputText:
    return InputText(text=text, notation=InputFormat.TOML, name="x.toml")


@pytest.mark.parametrize("path", LINES)
def test_lines_of_toml(path: str) -> None:
    """A path has the line on which its statement begins; a missing key that of its table."""
    assert _toml().line_of(path) == LINES[path]


def test_lines_of_json() -> None:
    """Keys and entries are found whatever stands between."""
    text = '{"a":\n1, "b" :\n [ {"c": "}"},\n\n{"c\\n": [[], {}], "d": {"e": 1}}]}'
    source = InputText(text=text, notation=InputFormat.JSON)
    found = {p: source.line_of(p) for p in ("a", "b", "b[1].c", "b[2]", "b[2].d.e", "b[3]", "x")}
    assert found == {"a": 1, "b": 2, "b[1].c": 3, "b[2]": 5, "b[2].d.e": 5, "b[3]": 2, "x": None}


def test_lines_of_yaml() -> None:
    """Keys and entries are found; what is missing has the line of what it is missing in."""
    text = "a: 1\nb:\n  - c: 2\n  -\n    d: {e: 3}\n"
    source = InputText(text=text, notation=InputFormat.YAML)
    found = {p: source.line_of(p) for p in ("a", "b", "b[1].c", "b[2].d.e", "b[2].x", "x")}
    assert found == {"a": 1, "b": 2, "b[1].c": 3, "b[2].d.e": 5, "b[2].x": 5, "x": None}


@pytest.mark.parametrize("notation", InputFormat)
def test_an_unreadable_text_has_no_lines(notation: InputFormat) -> None:
    """Looking for a line never fails by itself."""
    assert InputText(text="{ [ \x00", notation=notation).line_of("a") is None


def test_a_text_too_long_has_no_lines() -> None:
    """A line is a help and may not cost much."""
    assert _toml("a = 1\n" + "#" * 600_000).line_of("a") is None
    assert _toml('a = """\n' + "x\n" * 2000 + '"""\nb = 1').line_of("b") is None


@settings(max_examples=30, deadline=None)
@given(st.integers(min_value=0, max_value=300), st.integers(min_value=0, max_value=20))
def test_every_line_is_found(before: int, blank: int) -> None:
    """However much stands above, the line is right in all notations."""
    table = {f"k{n}": n for n in range(before)} | {"it": "x"}
    toml = "\n".join(f"{k} = {json.dumps(v)}" for k, v in table.items()).replace(
        "it =", "\n" * blank + "it ="
    )
    texts = {
        InputFormat.TOML: (toml, before + blank + 1),
        InputFormat.JSON: (json.dumps(table, indent=1), before + 2),
        InputFormat.YAML: ("\n".join(f"{k}: {v}" for k, v in table.items()), before + 1),
    }
    for notation, (text, line) in texts.items():
        assert InputText(text=text, notation=notation).line_of("it") == line


@pytest.mark.parametrize("kind", [TemplateError, EvidenceError])
def test_an_error_says_the_line(kind: type[DocumentError]) -> None:
    """Class, path and hint of an error stay; file and line are added to its message."""
    with pytest.raises(kind) as caught, _toml("a = 1\nb = 2\n").blamed():
        raise kind("b: is wrong", where="b", hint="write 3")
    assert str(caught.value).startswith("x.toml, line 2: ")
    assert (caught.value.where, caught.value.hint) == ("b", "write 3")


@pytest.mark.parametrize("where", [None, "(0040,A730)[2]", "PatientName (0010,0010)"])
def test_an_error_about_something_else_stays(where: str | None) -> None:
    """What blames no key of the file is not the file's fault."""
    error = EvidenceError("it is wrong", where=where)
    with pytest.raises(EvidenceError) as caught, _toml().blamed():
        raise error
    assert caught.value is error
