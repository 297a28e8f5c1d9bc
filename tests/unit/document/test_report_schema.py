"""The published JSON Schema of a report file, and its explanation in words."""

from __future__ import annotations

import copy
import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sr.document.declaration import Form
from sr.document.input import parse_report
from sr.document.input_table import InputFormat
from sr.document.report_explanation import EXAMPLE, explain_report
from sr.document.report_format import REPORT
from sr.document.report_schema import report_schema
from sr.errors import TemplateError

VALIDATOR = Draft202012Validator(report_schema())

RICH: dict[str, Any] = {
    "class": "enhanced",
    "title": ["18748-4", "LN", "Diagnostic Imaging Report"],
    "title_in_words": "Befund",
    "language": "de-CH",
    "completion": "PARTIAL",
    "completion_description": "Messungen folgen",
    "preliminary": True,
    "observer": {"name": {"alphabetic": "A^B", "phonetic": "C^D"}, "organization": "Klinikum"},
    "request": [{"accession_number": "A-1", "study_instance_uid": "2.25.4"}],
    "patient": {"name": "Müller^Jördis", "id": "1", "birth_date": "19610314", "sex": "F"},
    "study": {"date": "20261120", "time": "093000", "referring_physician": "W^J"},
    "section": [
        {
            "heading": "Findings",
            "item": [
                {
                    "text": "x",
                    "concept": "Finding",
                    "images": ["a", {"image": "b", "frames": [1], "purpose": "Baseline"}],
                    "measurement": [{"concept": "SCT.Diameter", "value": 12.5, "unit": "mm"}],
                },
                {"code": "SCT.Nodule", "images": "all"},
                {"concept": "SCT.Diameter", "value": "3", "unit": ["cm", "UCUM", "cm"]},
                {"image": "c", "frames": []},
            ],
        }
    ],
}


def _reads(values: object) -> bool:
    try:
        parse_report(json.dumps(values), InputFormat.JSON)
    except TemplateError:
        return False
    return True


def test_the_published_schema_is_current(repository: Path) -> None:
    """``srsign create --schema > docs/report.schema.json`` leaves no difference."""
    published = (repository / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert published == json.dumps(report_schema(), indent=2) + "\n"


def test_the_schema_is_one() -> None:
    """It is JSON Schema itself, and every reference in it leads somewhere."""
    schema = report_schema()
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    refs = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert refs == set(schema["$defs"])


def test_examples_fit(repository: Path) -> None:
    """The examples people start from satisfy schema and reader."""
    shipped = (repository / "examples" / "report.toml").read_text(encoding="utf-8")
    for text in (EXAMPLE, shipped):
        values = tomllib.loads(text)
        assert _reads(values)
        assert VALIDATOR.is_valid(values)
    assert _reads(RICH)
    assert VALIDATOR.is_valid(RICH)


def _forms(form: Form) -> list[Form]:
    return [form, *(f for key in form.keys for inner in key.forms for f in _forms(inner))]


def test_every_example_of_a_key_fits_its_place() -> None:
    """What the declaration shows as example satisfies the schema at that key."""
    defs = report_schema()["$defs"]
    for form in _forms(REPORT):
        properties = (defs.get(form.schema_name or form.name) or report_schema())["properties"]
        for key in (key for key in form.keys if key.example):
            schema = {"$defs": defs, **properties[key.name]}
            value = tomllib.loads(f"x = {key.example}")["x"]
            assert Draft202012Validator(schema).is_valid(value), (form.name, key.name)


BROKEN = {
    "no title": lambda v: v.pop("title"),
    "no observer": lambda v: v.pop("observer"),
    "no section": lambda v: v.update(section=[]),
    "no item": lambda v: v["section"][0].update(item=[]),
    "study alone": lambda v: v.pop("patient"),
    "unknown key": lambda v: v.update(colour=1),
    "unknown key inside": lambda v: v["section"][0]["item"][0].update(bold=True),
    "unknown class": lambda v: v.update({"class": "fancy"}),
    "language by name": lambda v: v.update(language="German"),
    "blank name": lambda v: v["observer"].update(name=" "),
    "unknown group of a name": lambda v: v["observer"].update(name={"latin": "A"}),
    "name of nothing": lambda v: v["observer"].update(name={}),
    "two kinds": lambda v: v["section"][0]["item"][0].update(code="SCT.Lung"),
    "no kind": lambda v: v["section"][0]["item"][0].pop("text"),
    "number as flag": lambda v: v.update(preliminary=1),
    "text as number": lambda v: v["section"][0]["item"][2].update(value="large"),
    "too long": lambda v: v["request"][0].update(accession_number="x" * 17),
    "control character": lambda v: v["request"][0].update(accession_number="a\nb"),
    "backslash": lambda v: v["observer"].update(organization="a\\b"),
    "no date": lambda v: v["patient"].update(birth_date="14.3.1961"),
    "no UID": lambda v: v["request"][0].update(study_instance_uid="none"),
    "half a code": lambda v: v.update(title=["1", "2"]),
    "unit with a blank": lambda v: v["section"][0]["item"][2].update(unit="square mm"),
    "one image": lambda v: v["section"][0]["item"][0].update(images="a"),
    "frame as text": lambda v: v["section"][0]["item"][3].update(frames=["1"]),
    "null": lambda v: v.update(title_in_words=None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_wrong_for_both(name: str) -> None:
    """Each fault of structure is refused by the schema and by the reader."""
    values = copy.deepcopy(RICH)
    BROKEN[name](values)
    assert not VALIDATOR.is_valid(values)
    assert not _reads(values)


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "all", "Findings", "Finding", "SCT.Lung", "mm", "2.25.1", "1"])
    | st.lists(st.sampled_from(["a", "b", "c", 1]), max_size=3)
    | st.dictionaries(st.sampled_from(["image", "text", "name", "id"]), st.just("x"), max_size=2)
)


@settings(deadline=None)
@given(st.data())
def test_the_schema_refuses_nothing_that_can_be_read(data: st.DataObject) -> None:
    """However a report is changed, what the reader takes the schema takes as well."""
    values = copy.deepcopy(RICH)
    for _ in range(data.draw(st.integers(1, 2))):
        _change(data, values)
    assert VALIDATOR.is_valid(values) or not _reads(values)


def _change(data: st.DataObject, values: Any) -> None:
    """Descend at random, then replace, remove or add something."""
    while values and data.draw(st.booleans()):
        inner = list(values.values() if isinstance(values, dict) else values)
        chosen = data.draw(st.sampled_from(inner))
        if not isinstance(chosen, dict | list):
            break
        values = chosen
    value = data.draw(_VALUES)
    if isinstance(values, list):
        values.append(value)
    else:
        known = [*values, "text", "frames", "qualifier", "department", "id", "procedure"]
        key = data.draw(st.sampled_from(known))
        if data.draw(st.booleans()):
            values[key] = value
        else:
            values.pop(key, None)


def test_every_key_is_explained() -> None:
    """The explanation names every table, key, term and example that is declared."""
    lines = list(explain_report())
    text = "\n".join(lines)
    for form in _forms(REPORT):
        for key in form.keys:
            shown = f"{key.name}]" if key.forms else f"  {key.name} "
            assert shown in text, key.name
            assert all(term in text for term in key.terms)
    assert all(line.strip() in text for line in EXAMPLE.splitlines())


@pytest.mark.parametrize("width", [72, 100])
def test_the_explanation_fits(width: int) -> None:
    """No line of prose is wider than the terminal, where words allow it."""
    wide = [line for line in explain_report(width) if len(line) > width]
    assert all(len(line.split()) <= 3 for line in wide)


def test_numbers_stay_decimal_in_the_example() -> None:
    """The example in words is a report."""
    report = parse_report(EXAMPLE, InputFormat.TOML)
    item = report.sections[0].items[0]
    assert Decimal(item.measurements[0].value) == 20  # type: ignore[union-attr]
