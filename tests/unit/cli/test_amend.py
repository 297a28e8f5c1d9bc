"""``srsign amend`` and ``srsign survives`` on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.console import srsign
from tests.support.desk import ADDENDUM, NEW, Desk
from tests.support.forge import set_value
from tests.support.office import Office


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Return a desk in the office."""
    return Desk(office, tmp_path)


def test_amend_says_what_it_took_over(desk: Desk) -> None:
    """--json names the new document, its predecessor and what stayed behind."""
    ended = srsign("amend", desk.office.report, desk.file(NEW), "-o", desk.output, "--json")
    assert ended.code == 0
    assert (ended.json["cited"], ended.json["carried_over"]) == (3, 3)
    assert len(ended.json["signatures_left_behind"]) == 2
    assert ended.json["sop_instance_uid"] != ended.json["predecessor"]


def test_an_amended_document_is_not_signed(desk: Desk) -> None:
    """What amend writes is NOT_SIGNED until somebody signs it."""
    report = desk.file(ADDENDUM)
    assert srsign("amend", desk.office.report, report, "--addendum", "-o", desk.output).code == 0
    assert srsign("check", desk.output, *desk.office.trust).code == 12


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [
        ("draft.dcm", [], 1),
        ("seal.dcm", [], 1),
        ("absent.dcm", [], 1),
        ("report.dcm", ["--addendum", "--evidence-only"], 2),
        ("report.dcm", ["--evidence", "absent"], 2),
        ("report.dcm", ["--template", "no-such-template"], 1),
    ],
)
def test_a_refused_amendment_writes_nothing(
    desk: Desk, source: str, options: list[str], code: int
) -> None:
    """Wrong moves are 1, wrong options 2; no output appears."""
    report = desk.file(NEW)
    ended = srsign("amend", desk.office.folder / source, report, *options, "-o", desk.output)
    assert (ended.code, ended.out, list(desk.folder.iterdir())) == (code, "", [report])


def test_survives_ends_with_the_code_of_what_it_says(desk: Desk) -> None:
    """0 all survives, 10 a signature breaks, 13 only a proof elsewhere, 12 nothing is signed."""
    report, image = desk.office.report, next(desk.office.images.iterdir())
    broken = desk.forged(set_value(0x00100020, to="OTHER"))
    said = {
        ("survives", report, "--edit", "sign"): 0,
        ("survives", report, "--edit", "sign", "--edit", "set:PatientID"): 10,
        ("survives", report, "--edit", "amend"): 10,
        ("survives", broken, "--edit", "sign"): 10,
        ("survives", image, "--edit", "coerce", "--cited-by", report): 13,
        ("survives", image, "--edit", "implicit-vr", "--cited-by", report): 0,
        ("survives", image, "--edit", "coerce"): 12,
        ("survives", report, "--edit", "approve"): 1,
        ("survives", report, "--edit", "nonsense"): 2,
        ("survives", report): 2,
    }
    assert {arguments: srsign(*arguments).code for arguments in said} == said


def test_survives_changes_nothing(desk: Desk) -> None:
    """The file is only read."""
    copy = Path(shutil.copy(desk.office.report, desk.folder / "copy.dcm"))
    before = copy.read_bytes()
    for edit in ("remove:PatientName", "new-uid", "amend"):
        assert srsign("survives", copy, "--edit", edit).code == 10
    assert (copy.read_bytes(), list(desk.folder.iterdir())) == (before, [copy])


def test_survives_tells_reasons_to_machines(desk: Desk) -> None:
    """--json has, for each edit, every signature with reason and elements."""
    edits = ("--edit", "new-uid", "--edit", "set:PatientName")
    ended = srsign("survives", desk.office.report, *edits, "--json")
    first, second = ended.json["edits"]
    assert [s["reason"] for s in first["signatures"]] == ["not_covered", "covered"]
    assert [s["survives"] for s in second["signatures"]] == [False, False]
    assert second["signatures"][0]["because"] == ["(0010,0010) PatientName"]


def test_the_edits_are_listed() -> None:
    """--list needs no file, and names each word."""
    ended = srsign("survives", "--list")
    assert ended.code == 0
    assert {"set:ATTRIBUTE", "implicit-vr", "coerce"} <= set(ended.out.split())
