"""Report templates."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from sr.document.input_position import InputText
from sr.document.input_table import InputFormat, InputTable, read_input
from sr.document.report_input import TextInput
from sr.document.template import (
    find_templates,
    load_template,
    read_template,
    render_input,
    render_report,
    render_text,
    template_ids,
    used_inputs,
)
from sr.errors import ConfigurationError, TemplateError

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
    template = load_template("small", [_folder(tmp_path, report=report)])
    return render_text(template, read_input(values, TOML))


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
        load_template("small", [_folder(tmp_path, declaration)])


def test_a_template_keeps_to_the_class_it_declares(tmp_path: Path) -> None:
    """The declaration is a promise."""
    declaration = DECLARATION.replace('"comprehensive"', '"basic-text"')
    template = load_template("small", [_folder(tmp_path, declaration)])
    with pytest.raises(TemplateError):
        render_report(template, 'observer = "A^B"\ncount = 2', TOML)


def test_a_template_keeps_to_the_root_template_it_declares(tmp_path: Path) -> None:
    """So is the root template: a report of another one is refused."""
    declaration = DECLARATION.replace('tid = "2000"', 'tid = "2005"')
    template = load_template("small", [_folder(tmp_path, declaration)])
    with pytest.raises(TemplateError):
        render_report(template, 'observer = "A^B"\ncount = 2', TOML)


@pytest.mark.parametrize(
    "spoilt", ["{% if %}", "{% include 'absent.j2' %}", "{{ unfinished", "{% for x in y %}"]
)
def test_a_template_that_cannot_be_read_uses_nothing(spoilt: str, tmp_path: Path) -> None:
    """What is no Jinja2, or includes what is not there, is named and not guessed at."""
    template = load_template("small", [_folder(tmp_path, report=spoilt)])
    with pytest.raises(TemplateError):
        used_inputs(template)


@pytest.mark.parametrize("template_id", ["nonsense", "../ct-chest", "", "ct-chest/"])
def test_unknown_templates_are_refused(template_id: str) -> None:
    """A template is known by the name of its folder, and by nothing else."""
    with pytest.raises(TemplateError):
        load_template(template_id)


def test_a_template_without_report_is_refused(tmp_path: Path) -> None:
    """A declaration alone renders nothing."""
    root = _folder(tmp_path)
    (root / "small" / "report.toml.j2").unlink()
    template = load_template("small", [root])
    with pytest.raises(TemplateError):
        render_text(template, InputTable({"observer": "A"}))
    with pytest.raises(TemplateError):
        _ = template.example


def test_a_site_adds_templates(tmp_path: Path) -> None:
    """The templates of a site stand beside the shipped ones."""
    site = _folder(tmp_path)
    assert set(template_ids([site])) == {*template_ids(), "small"}
    assert load_template("small", [site]).title == "Small"
    assert load_template("ct-chest", [site]) == load_template("ct-chest")


@pytest.mark.parametrize("twice", ["shipped", "another site"])
def test_a_site_redefines_nothing(tmp_path: Path, twice: str) -> None:
    """An id that is taken is refused and named, whatever is asked for."""
    site = _folder(tmp_path)
    sites = [site, site]
    if twice == "shipped":
        (site / "small").rename(site / "ct-chest")
        sites = [site]
    with pytest.raises(ConfigurationError) as caught:
        find_templates(sites)
    assert ("ct-chest" if twice == "shipped" else "small") in str(caught.value)
    with pytest.raises(ConfigurationError):
        load_template("mr-knee", sites)


@pytest.mark.parametrize(
    ("site", "cause"),
    [("absent", FileNotFoundError), ("empty", None), ("file", NotADirectoryError)],
)
def test_a_site_without_templates_is_a_mistake(
    tmp_path: Path, site: str, cause: type[OSError] | None
) -> None:
    """A folder that is not there, or that holds no template, is most likely misspelt."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError) as caught:
        find_templates([tmp_path / site])
    assert isinstance(caught.value.__cause__, cause or type(None))


def test_errors_name_the_line(tmp_path: Path) -> None:
    """A wrong declaration, wrong values and a wrong rendering name file and line."""
    site = _folder(tmp_path, DECLARATION.replace('"number"', '"integer"'))
    with pytest.raises(TemplateError, match=r"template\.toml, line 14"):
        read_template(site / "small")
    (site / "small" / "template.toml").write_text(DECLARATION, encoding="utf-8")
    template = read_template(site / "small")
    values = InputText(text="# x\nobserver = 3", notation=TOML, name="values.toml")
    with pytest.raises(TemplateError, match=r"values\.toml, line 2"):
        render_input(template, values)
    with pytest.raises(TemplateError, match="line 5"):
        render_report(template, 'observer = "A\\\\B"\ncount = 1', TOML)


def test_a_misspelt_id_is_answered() -> None:
    """The closest id is named."""
    with pytest.raises(TemplateError) as caught:
        load_template("ct_chest")
    assert "'ct-chest'" in (caught.value.hint or "")


@pytest.mark.parametrize("value", ["a\u0000b", "a\u0002b", "a\u007fb", "a\u0085b"])
def test_control_characters_are_refused_early(tmp_path: Path, value: str) -> None:
    """What no report can carry does not get as far as the template."""
    template = load_template("small", [_folder(tmp_path)])
    with pytest.raises(TemplateError) as caught:
        render_report(template, json.dumps({"observer": value, "count": 1}), InputFormat.JSON)
    assert caught.value.where == "observer"
