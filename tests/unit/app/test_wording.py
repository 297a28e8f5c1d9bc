"""Values in the form people read."""

from __future__ import annotations

import pytest

from sr.app.views.wording import class_name, date_time, direction, person_name, visible


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("20261120", "2026-11-20"),
        ("093015", "09:30:15"),
        ("093015.123456", "09:30:15"),
        ("20261120093015+0100", "2026-11-20 09:30:15 +01:00"),
        ("202611200930", "2026-11-20 09:30"),
        ("+0100", "+01:00"),
    ],
)
def test_dates_and_times(stored: str, shown: str) -> None:
    """DA, TM and DT values become ISO 8601."""
    assert date_time(stored) == shown


@pytest.mark.parametrize("stored", ["", "yesterday", "2026", "2026-11-20", "20261120-", "0930"])
def test_what_is_no_date_stays(stored: str) -> None:
    """What does not have the form is shown as it is stored."""
    assert date_time(stored) == stored


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Meier^Anna", "Meier, Anna"),
        ("Meier^Anna^Maria^Dr.^MD", "Meier, Dr. Anna Maria, MD"),
        ("Meier", "Meier"),
        ("^Anna", "Anna"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou · 山田 太郎 · やまだ たろう"),
        ("A^B^C^D^E^F^G", "A, D B C, E"),
        ("", ""),
    ],
)
def test_person_names(stored: str, shown: str) -> None:
    """The family name comes first, the groups stand side by side."""
    assert person_name(stored) == shown


@pytest.mark.parametrize(
    "character",
    "\x00\x07\x1b\x7f\x9b\u00ad\u061c\u180e\u200b\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ue000"
    "\ufeff\ufff9\U000e0041",
)
def test_what_hides_is_shown(character: str) -> None:
    """Control, direction and private characters become visible."""
    shown = visible(f"a{character}b")
    assert character not in shown
    assert f"U+{ord(character):04X}" in shown


@pytest.mark.parametrize(
    "text", ["Größe\nzwei\tdrei", "日本語", "مرحبا", "a\u200cb", "\u0601", "\ufffd"]
)
def test_what_people_write_stays(text: str) -> None:
    """Letters of any script, line breaks, tabs and joiners stay."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("مرحبا Dr.", "rtl"),
        ("12 (שלום)", "rtl"),
        ("Dr. مرحبا", "ltr"),
        ("日本語", "ltr"),
        ("12", "ltr"),
        ("", "ltr"),
    ],
)
def test_directions(text: str, found: str) -> None:
    """The first letter says which way a text is written; digits and signs do not."""
    assert direction(text) == found


def test_line_ends_are_one_kind() -> None:
    """CR LF, CR and form feed end a line."""
    assert visible("a\r\nb\rc\fd") == "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "CT Image"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "Comprehensive SR"),
        ("1.2.3", "1.2.3"),
        ("", "unknown class"),
    ],
)
def test_classes(uid: str, name: str) -> None:
    """A SOP class has the name of PS3.6, else its UID."""
    assert class_name(uid) == name
