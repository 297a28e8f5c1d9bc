"""``srsign create``: notations, explanations and errors of report files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.document.report_explanation import EXAMPLE
from sr.document.report_schema import report_schema
from tests.support.console import srsign
from tests.support.office import Office

YAML = """
title: CTReport
observer: {name: Meier^Anna, organization: NO}
section:
  - heading: Findings
    item:
      - text: Nodule.
        images: all
"""


def _create(office: Office, folder: Path, name: str, text: str, *more: object) -> tuple[int, str]:
    (folder / name).write_text(text, encoding="utf-8")
    out = folder / "report.dcm"
    ended = srsign("create", folder / name, "--evidence", office.images, "-o", out, *more)
    assert out.exists() == (ended.code == 0)
    return ended.code, ended.err


@pytest.mark.parametrize("name", ["report.yaml", "report.yml", "REPORT.YAML"])
def test_a_report_in_yaml(office: Office, tmp_path: Path, name: str) -> None:
    """The suffix decides the notation, in either case."""
    code, said = _create(office, tmp_path, name, YAML)
    assert code == 0, said
    dataset = open_dicom(tmp_path / "report.dcm").dataset
    assert dataset.items(0x0040A078)[0].text(0x00080080) == "NO"


def test_a_report_in_json(office: Office, tmp_path: Path) -> None:
    """JSON does as well."""
    values = {
        "title": "CTReport",
        "observer": {"name": "A^B"},
        "section": [{"heading": "Findings", "item": [{"text": "x"}]}],
    }
    assert _create(office, tmp_path, "report.json", json.dumps(values))[0] == 0


@pytest.mark.parametrize("name", ["report.txt", "report", "report.xml"])
def test_other_notations_are_a_misuse(office: Office, tmp_path: Path, name: str) -> None:
    """A file of another kind is refused by its name."""
    assert _create(office, tmp_path, name, YAML)[0] == 2


FAULTS = {
    "syntax": (EXAMPLE.replace("[observer]", "[observer"), 6),
    "unknown key": (EXAMPLE.replace("organization", "organisation"), 8),
    "unknown code": (EXAMPLE.replace('"Findings"', '"findings"'), 14),
    "no such instance": (EXAMPLE.replace("003.dcm", "999.dcm"), 18),
    "no such frame": (EXAMPLE.replace('"003.dcm"', '{ image = "ct-3.dcm", frames = [9] }'), 18),
    "not in this class": (EXAMPLE.replace("comprehensive", "basic-text"), 20),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_says_the_line(office: Office, tmp_path: Path, name: str) -> None:
    """Wherever the fault is found out, reading or building, it is found in the file."""
    text, line = FAULTS[name]
    if name == "not in this class":
        text = text.replace("003.dcm", "ct-3.dcm")
    code, said = _create(office, tmp_path, "report.toml", text)
    assert (code, "report.toml" in said, f"line {line}" in said) == (1, True, True), said


def test_the_format_is_explained() -> None:
    """--explain needs no other argument, and prints an example."""
    ended = srsign("create", "--explain")
    assert (ended.code, ended.err) == (0, "")
    assert "[[section.item.measurement]]" in ended.out
    assert 'title = "CTChestReport"' in ended.out


def test_the_schema_is_printed() -> None:
    """--schema prints what is published."""
    ended = srsign("create", "--schema")
    assert (ended.code, ended.json) == (0, report_schema())
