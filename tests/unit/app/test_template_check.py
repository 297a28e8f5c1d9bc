"""Trying report templates before anybody relies on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr import compose
from sr.app.documents.template_check import TemplateCheck, check_templates
from sr.document.template import template_ids
from sr.errors import ConfigurationError, TemplateError
from tests.support.site import SOUND, write_template

FAULTS: dict[str, tuple[str, str, str, str]] = {
    # name: file, old, new, step that fails
    "no-citation": ("template.toml", 'cites = "PS3.16 TID 2000"', "", "declaration"),
    "unknown-type": ("template.toml", '"rows"', '"table"', "declaration"),
    "undeclared": ("report.toml.j2", "{{ side }}", "{{ size }} {{ side }}", "inputs"),
    "unused": ("report.toml.j2", "{{ side }}", "left", "inputs"),
    "no-jinja": ("report.toml.j2", "{% endfor %}", "", "inputs"),
    "absent-part": ("report.toml.j2", "[[section]]", "{% include 'x' %}[[section]]", "inputs"),
    "incomplete-example": ("example.toml", 'side = "left"', "", "example"),
    "unreadable-example": ("example.toml", 'side = "left"', "side = left", "example"),
    "unquoted": ("report.toml.j2", '"{{ observer }}"', "{{ observer }}", "example"),
    "other-class": ("report.toml.j2", '"basic-text"', '"enhanced"', "example"),
    "no-report": ("report.toml.j2", 'heading = "Findings"', "", "example"),
    "no-such-image": ("report.toml.j2", '"all"', '["ct-99.dcm"]', "example"),
    "number-in-basic-text": (
        *("report.toml.j2", 'text = "On the {{ side }}."'),
        *('value = 1 # \nconcept = "SCT.Diameter"\nunit = "{% if side %}mm{% endif %}"', "example"),
    ),
    "one-choice-fails": (
        *("report.toml.j2", '"Findings"', "\"{{ 'Findings' if side == 'left' else 'Nonsense' }}\""),
        "choices",
    ),
    "optional-is-needed": ("report.toml.j2", "more or []", "more", "choices"),
    "one-flag-fails": ("report.toml.j2", "'!' if row.urgent", "1 / 0 if row.urgent", "choices"),
    "field-is-needed": ("report.toml.j2", "{{ '!' if row.urgent }}", "{{ row.urgent }}", "example"),
}


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TemplateCheck]:
    """Return what became of a sound template and of one for each fault."""
    site = tmp_path_factory.mktemp("site")
    write_template(site / "sound", SOUND)
    for name, (file, old, new, _) in FAULTS.items():
        assert old in SOUND[file], name
        files = SOUND | {file: SOUND[file].replace(old, new, 1)}
        files["template.toml"] = files["template.toml"].replace('"sound"', f'"{name}"')
        write_template(site / name, files)
    write_template(site / "no-example", {k: v for k, v in SOUND.items() if k != "example.toml"})
    ids = ("sound", "no-example", *FAULTS)
    return {
        done.template_id: done
        for done in check_templates(ids, sites=(site,), ports=compose.ports())
    }


def test_a_sound_template_goes_the_whole_way(tried: dict[str, TemplateCheck]) -> None:
    """Five steps, the last of them a verdict on the approved report."""
    done = tried["sound"]
    assert done.passed
    names = [step.name for step in done.steps]
    assert names == ["declaration", "inputs", "example", "choices", "signatures"]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_at_its_step(tried: dict[str, TemplateCheck], name: str) -> None:
    """Everything before works, the step fails and says why, and nothing is tried after it."""
    done = tried[name]
    assert not done.passed
    assert [step.passed for step in done.steps[:-1]] == [True] * (len(done.steps) - 1)
    assert (done.steps[-1].name, done.steps[-1].passed) == (FAULTS[name][3], False)
    assert done.steps[-1].message


def test_a_template_needs_an_example(tried: dict[str, TemplateCheck]) -> None:
    """Without an example there is nothing to try; its folder and id have to agree as well."""
    assert tried["no-example"].steps[-1].name == "declaration"


def test_the_shipped_templates_pass() -> None:
    """Every template that is shipped goes the whole way."""
    done = list(check_templates((), sites=(), ports=compose.ports()))
    assert [d.template_id for d in done] == list(template_ids())
    assert [(d.template_id, d.steps[-1]) for d in done if not d.passed] == []


def test_an_unknown_template_is_an_error(tmp_path: Path) -> None:
    """An id that nobody has is no failed check."""
    with pytest.raises(TemplateError):
        list(check_templates(("nonsense",), sites=(), ports=compose.ports()))


def test_a_site_that_redefines_is_an_error(tmp_path: Path) -> None:
    """So is a site that redefines a shipped template."""
    write_template(tmp_path / "ct-chest", SOUND)
    with pytest.raises(ConfigurationError):
        list(check_templates((), sites=(tmp_path,), ports=compose.ports()))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and reports of the trial are gone afterwards."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    site = tmp_path / "site"
    write_template(site / "sound", SOUND)
    (done,) = check_templates(("sound",), sites=(site,), ports=compose.ports())
    assert done.passed
    assert not list(temporary.iterdir())
