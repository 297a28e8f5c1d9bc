"""``srsign keyobject``: titles and their modifiers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.files import open_dicom
from tests.support.console import srsign
from tests.support.office import Office


def _select(office: Office, folder: Path, *options: str) -> int:
    select = ("keyobject", *options, "--evidence", office.images, "-o", folder / "kos.dcm")
    return srsign(*select).code


@pytest.mark.parametrize(
    ("options", "modifiers"),
    [
        (["--title", "128203"], []),
        (["--title", "rejected-for-patient-safety-reasons"], []),
        (["--title", "best-in-set", "--modifier", "series"], ["113015"]),
        (
            ["--title", "113010", "--modifier", "motion-blur", "--modifier", "111209"],
            ["111210", "111209"],
        ),
    ],
)
def test_titles_and_modifiers(
    office: Office, tmp_path: Path, options: list[str], modifiers: list[str]
) -> None:
    """Every title of CID 7010 has a name, and those that need a modifier get one."""
    assert _select(office, tmp_path, *options) == 0
    root = open_dicom(tmp_path / "kos.dcm").dataset
    rows = [i for i in root.items(0x0040A730) if i.text(0x0040A010) == "HAS CONCEPT MOD"]
    assert [i.items(0x0040A168)[0].text(0x00080100) for i in rows] == modifiers


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--title", "best-in-set"], 1),
        (["--title", "best-in-set", "--modifier", "motion-blur"], 1),
        (["--title", "quality-issue", "--modifier", "series"], 1),
        (["--title", "best-in-set", "--modifier", "nonsense"], 2),
        (["--title", "nonsense"], 2),
    ],
)
def test_wrong_modifiers_are_refused(
    office: Office, tmp_path: Path, options: list[str], code: int
) -> None:
    """What TID 2010 does not allow is not written."""
    assert _select(office, tmp_path, *options) == code
    assert not list(tmp_path.iterdir())
