"""``srsign template`` and ``create --templates``: templates of a site beside the shipped ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.document.template import template_ids
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.site import SOUND, write_template

BROKEN = SOUND | {
    "template.toml": SOUND["template.toml"].replace('"sound"', '"broken"'),
    "example.toml": 'observer = "A^B"\n',
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with one template that works."""
    write_template(tmp_path / "site" / "sound")
    return tmp_path / "site"


def test_a_site_is_listed_and_shown(site: Path) -> None:
    """With --templates the site's own templates stand among the others."""
    listed = srsign("template", "list", "--templates", site, "--json").json["templates"]
    assert [t["id"] for t in listed] == sorted([*template_ids(), "sound"])
    assert "sound  " not in srsign("template", "list").out
    shown = srsign("template", "show", "sound", "--templates", site).out
    assert "left | right" in shown
    assert "observer *" in shown
    assert srsign("template", "show", "sound").code == 1


def test_an_example_and_what_it_renders(site: Path) -> None:
    """Both can be printed to start from."""
    show = ("template", "show", "sound", "--templates", site)
    assert srsign(*show, "--example").out == SOUND["example.toml"]
    rendered = srsign(*show, "--rendered").out
    assert 'text = "On the left."' in rendered
    write_template(site / "broken", BROKEN)
    assert srsign("template", "show", "broken", "--templates", site, "--rendered").code == 1


def test_the_environment_names_sites(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SRSIGN_TEMPLATES holds one folder or several; the option replaces it."""
    other = tmp_path / "other"
    files = SOUND | {"template.toml": SOUND["template.toml"].replace('"sound"', '"third"')}
    write_template(other / "third", files)
    monkeypatch.setenv("SRSIGN_TEMPLATES", f"{site}{os.pathsep}{other}")
    assert {"sound", "third"} <= _ids("template", "list")
    assert _ids("template", "list", "--templates", str(site)) == {*template_ids(), "sound"}
    monkeypatch.setenv("SRSIGN_TEMPLATES", str(tmp_path / "absent"))
    assert srsign("template", "list").code in (1, 2)


def _ids(*arguments: str) -> set[str]:
    return {template["id"] for template in srsign(*arguments, "--json").json["templates"]}


@pytest.mark.parametrize("command", [("list",), ("show", "sound"), ("check",)])
def test_a_redefinition_is_refused_and_named(site: Path, command: tuple[str, ...]) -> None:
    """No command goes on when a site has an id that is shipped."""
    (site / "sound").rename(site / "mr-knee")
    ended = srsign("template", *command, "--templates", site)
    assert (ended.code, ended.out) == (2, "")
    assert "mr-knee" in ended.err


def test_a_report_from_a_site(office: Office, site: Path, tmp_path: Path) -> None:
    """``create`` takes the site's template, and nothing without the site."""
    values, out = tmp_path / "values.yaml", tmp_path / "report.dcm"
    values.write_text("observer: A^B\nside: right\n", encoding="utf-8")
    create = ("create", values, "--template", "sound", "--evidence", office.images, "-o", out)
    assert (srsign(*create).code, out.exists()) == (1, False)
    assert srsign(*create, "--templates", site).code == 0
    assert open_dicom(out).dataset.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.88.11"


def test_a_check_of_some_templates(site: Path) -> None:
    """One that works and one that does not: 3. None works: 1. All work: 0."""
    write_template(site / "broken", BROKEN)
    check = ("template", "check", "--templates", site)
    mixed = srsign(*check, "sound", "broken", "--json")
    assert mixed.code == 3
    results = {t["id"]: t for t in mixed.json["templates"]}
    assert (results["sound"]["passed"], results["broken"]["passed"]) == (True, False)
    assert results["broken"]["steps"][-1]["name"] == "example"
    told = srsign(*check, "broken")
    assert told.code == 1
    assert "side" in told.out
    assert srsign(*check, "sound").code == 0
    assert srsign(*check, "nonsense").code == 1
