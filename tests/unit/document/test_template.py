"""Report templates."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.document.input_table import InputFormat, InputTable, read_input
from sr.document.report_input import TextInput
from sr.document.template import load_template, render_report, render_text, template_ids
from sr.errors import TemplateError

TOML = InputFormat.TOML

DECLARATION = """
id = "small"
title = "Small"
description = "One sentence."
tid = "2000"
class = "comprehensive"
cites = "PS3.16 TID 2000"
[[input]]
key = "observer"
type = "text"
description = "who"
[[input]]
key = "count"
type = "number"
required = false
description = "how many"
"""

REPORT = """
class = "comprehensive"
title = "CTReport"
[observer]
name = "{{ observer }}"
[[section]]
heading = "Findings"
[[section.item]]
text = "There are {{ count }}."
"""


def _folder(tmp_path: Path, declaration: str = DECLARATION, report: str = REPORT) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "template.toml").write_text(declaration, encoding="utf-8")
    (folder / "report.toml.j2").write_text(report, encoding="utf-8")
    return tmp_path


def _values(text: str) -> dict[str, object]:
    return tomllib.loads(text, parse_float=Decimal)


def _render(tmp_path: Path, values: str, report: str = REPORT) -> str:
    template = load_template("small", _folder(tmp_path, report=report))
    return render_text(template, read_input(values, TOML))


@pytest.mark.parametrize("template_id", template_ids())
def test_every_shipped_template_renders_its_example(template_id: str) -> None:
    """The example beside each template makes a report of the class it declares."""
    template = load_template(template_id)
    report = render_report(template, template.example, TOML)
    assert report.document_class is template.document_class
    assert template.cites


def test_a_branch_of_everything() -> None:
    """The chest template follows its inputs."""
    template = load_template("ct-chest")
    values = template.example
    values = values.replace("contrast = false", 'contrast = true\ncomparison = "CT of 2025"')
    values = values.replace('effusion = "none"', 'effusion = "bilateral"\ncomplete = false')
    values = values.replace("lymph_nodes = false", 'lymph_nodes = true\nother_findings = ["Scar."]')
    report = render_report(template, values, TOML)
    texts = [i.text for s in report.sections for i in s.items if isinstance(i, TextInput)]
    assert "CT of the chest with intravenous contrast. Comparison: CT of 2025" in texts
    assert "Bilateral pleural effusions." in texts
    assert "Enlarged mediastinal or hilar lymph nodes." in texts
    assert "Scar." in texts
    assert report.completion == "PARTIAL"


def test_json_values_render_too() -> None:
    """Values may be written as JSON."""
    template = load_template("ct-chest")
    values = tomllib.loads(template.example)
    report = render_report(template, json.dumps(values), InputFormat.JSON)
    assert report == render_report(template, template.example, TOML)


_TEXT = st.text(min_size=1, max_size=40).filter(str.strip)
_ATTACKS = st.sampled_from(
    [
        '"',
        "\\",
        '\\"',
        '"\n[observer]\nname = "X',
        '"\r\n[[section]]\n',
        '""" x',
        "{{ observer_name }}",
        "{% for i in range(9) %}",
        "\x00",
        "\x7f\x1b",
        "a\u2028\u0085b",
        "'''",
        "# comment",
        "ẞ山田",
    ]
)


@given(_TEXT | _ATTACKS, _TEXT | _ATTACKS)
def test_values_never_become_structure(clinical: str, impression: str) -> None:
    """Whatever a text holds, it comes out as that text, at its place, and nothing else changes."""
    template = load_template("ct-chest")
    plain = _values(template.example)
    values = plain | {"clinical_information": clinical, "impression": impression}
    rendered = tomllib.loads(render_text(template, InputTable(values)))
    expected = tomllib.loads(render_text(template, InputTable(plain)))
    assert rendered["section"][0]["item"][0].pop("text") == clinical
    assert rendered["section"][3]["item"][0].pop("text") == impression
    expected["section"][0]["item"][0].pop("text")
    expected["section"][3]["item"][0].pop("text")
    assert rendered == expected


_VALUES = st.recursive(
    _TEXT | _ATTACKS | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(_VALUES)
def test_the_toml_filter_writes_whole_values(value: object) -> None:
    """What the filter writes reads back as the value."""
    from sr.document.template import _toml

    assert tomllib.loads(f"x = {_toml(value)}") == {"x": value}


def test_a_quote_cannot_leave_its_string(tmp_path: Path) -> None:
    """Escaping is automatic, the template need not think of it."""
    rendered = _render(tmp_path, "observer = 'A\"\\nclass = \"x'\ncount = 3")
    assert tomllib.loads(rendered)["observer"]["name"] == 'A"\\nclass = "x'


@pytest.mark.parametrize(
    "values",
    [
        "",
        'observer = ""',
        "observer = 3",
        'observer = "A"\ncount = "many"',
        'observer = "A"\ncount = true',
        'observer = "A"\nother = 1',
        'observer = ["A"]',
    ],
)
def test_wrong_values_are_refused(values: str, tmp_path: Path) -> None:
    """Missing, unknown and mistyped inputs stop before the template runs."""
    with pytest.raises(TemplateError) as caught:
        _render(tmp_path, values)
    assert caught.value.where is not None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("effusion", '"some"'),
        ("contrast", '"yes"'),
        ("nodules", '"one"'),
        ("nodules", "[1]"),
        ("nodules", '[{lobe = "left upper lobe"}]'),
        ("nodules", '[{lobe = "lung", attenuation = "solid", diameter = 1, image = "a"}]'),
        ("other_findings", '"x"'),
        ("other_findings", "[1]"),
    ],
)
def test_wrong_choices_and_rows_are_refused(key: str, value: str) -> None:
    """Choices, flags, lists and rows have to be what the declaration says."""
    template = load_template("ct-chest")
    values = _values(template.example) | tomllib.loads(f"{key} = {value}")
    with pytest.raises(TemplateError) as caught:
        render_text(template, InputTable(values))
    assert (caught.value.where or "").startswith(key)


@pytest.mark.parametrize(
    "report",
    [
        REPORT.replace("{{ observer }}", "{{ nobody }}"),
        REPORT.replace("{{ observer }}", "{{ observer.__class__ }}"),
        REPORT.replace("{{ observer }}", "{{ observer.__class__.__mro__ }}"),
        REPORT.replace("{{ observer }}", "{{ [] }}"),
        REPORT.replace("{{ observer }}", "{{ true }}"),
        REPORT.replace("{{ observer }}", "{{ (observer, nobody) | toml }}"),
        REPORT.replace("{{ observer }}", "{{ observer"),
        REPORT.replace("{{ observer }}", "{% include '../other/report.toml.j2' %}"),
        REPORT.replace("{{ observer }}", "{% include 'absent.j2' %}"),
        REPORT.replace("{{ observer }}", "{{ 1 / 0 }}"),
        REPORT.replace("{{ observer }}", "{{ 'x' * 2000000 }}"),
        REPORT.replace("{{ observer }}", "{{ range(10000000) | list | length }}"),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_a_template_stays_in_its_sandbox(report: str, tmp_path: Path) -> None:
    """Undeclared names, attributes of Python, other folders and endless output are refused."""
    with pytest.raises(TemplateError):
        _render(tmp_path, 'observer = "A"\ncount = 1', report)


def test_an_optional_input_is_none(tmp_path: Path) -> None:
    """A template has to deal with inputs that are not given."""
    with pytest.raises(TemplateError):
        _render(tmp_path, 'observer = "A"')
    (tmp_path / "again").mkdir()
    report = REPORT.replace("{{ count }}", "{{ count or 'some' }}")
    assert "There are some." in _render(tmp_path / "again", 'observer = "A"', report)


@pytest.mark.parametrize(
    "declaration",
    [
        DECLARATION.replace('cites = "PS3.16 TID 2000"', ""),
        DECLARATION.replace('id = "small"', 'id = "other"'),
        DECLARATION.replace('"number"', '"integer"'),
        DECLARATION.replace('key = "count"', 'key = "observer"'),
        DECLARATION.replace('key = "count"', 'key = "how many"'),
        DECLARATION.replace('type = "number"', 'type = "choice"'),
        DECLARATION.replace('type = "number"', 'type = "rows"'),
        DECLARATION.replace('type = "number"', 'type = "number"\nchoices = ["1"]'),
        DECLARATION.replace('"comprehensive"', '"fancy"'),
        DECLARATION + "colour = 1\n",
        "id = ",
    ],
)
def test_a_wrong_declaration_does_not_load(declaration: str, tmp_path: Path) -> None:
    """Every template says what it is, what it follows and what it takes."""
    with pytest.raises(TemplateError):
        load_template("small", _folder(tmp_path, declaration))


def test_a_template_keeps_to_the_class_it_declares(tmp_path: Path) -> None:
    """The declaration is a promise."""
    declaration = DECLARATION.replace('"comprehensive"', '"basic-text"')
    template = load_template("small", _folder(tmp_path, declaration))
    with pytest.raises(TemplateError):
        render_report(template, 'observer = "A^B"\ncount = 2', TOML)


@pytest.mark.parametrize("template_id", ["nonsense", "../ct-chest", "", "ct-chest/"])
def test_unknown_templates_are_refused(template_id: str) -> None:
    """A template is known by the name of its folder, and by nothing else."""
    with pytest.raises(TemplateError):
        load_template(template_id)


def test_a_template_without_report_is_refused(tmp_path: Path) -> None:
    """A declaration alone renders nothing."""
    root = _folder(tmp_path)
    (root / "small" / "report.toml.j2").unlink()
    template = load_template("small", root)
    with pytest.raises(TemplateError):
        render_text(template, InputTable({"observer": "A"}))
    with pytest.raises(TemplateError):
        _ = template.example
