"""Values that a document may carry."""

from __future__ import annotations

import pytest

from sr.document.values import canonical_person_name, checked, is_uid
from sr.errors import DocumentError, EvidenceError


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("CS", "MONOCHROME2"),
        ("DA", "20260228"),
        ("DS", "-12.50"),
        ("DS", "1E-3"),
        ("DT", "20261120093015.000000+0100"),
        ("LO", "x" * 64),
        ("LO", "  leading blanks stay"),
        ("PN", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("PN", "Bono"),
        ("SH", "ä" * 16),
        ("ST", "two\r\nlines"),
        ("TM", "235960.123456"),
        ("UC", "x" * 5000),
        ("UI", "2.25.0"),
        ("UT", "a\\b\tc" + "x" * 70000),
    ],
)
def test_fitting_values_pass_unchanged(vr: str, value: str) -> None:
    """A value that its representation can carry comes back as it was."""
    assert checked(vr, value, "it") == value


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("CS", "lower"),
        ("CS", "X" * 17),
        ("DA", "2026-11-20"),
        ("DA", "20261301"),
        ("DA", "20260230"),
        ("DS", "12,5"),
        ("DS", "1" * 17),
        ("DS", "nan"),
        ("DS", "١٢"),
        ("DT", "20261120T093015"),
        ("LO", "x" * 65),
        ("LO", "a\\b"),
        ("LO", "a\nb"),
        ("PN", "a^b^c^d^e^f"),
        ("PN", "a=b=c=d"),
        ("PN", "x" * 65),
        ("PN", "Meier\\Anna"),
        ("SH", "x" * 17),
        ("ST", "x" * 1025),
        ("TM", "09:30"),
        ("TM", "2460"),
        ("UC", "a\\b"),
        ("UI", "2.25."),
        ("UI", "1." * 32 + "10"),
        ("UT", "a\0b"),
        ("UT", "a\x1bb"),
        ("UT", "a\ud800b"),
        ("LO", "a\x85b"),
    ],
)
def test_unfitting_values_are_refused(vr: str, value: str) -> None:
    """Nothing is truncated, split at a backslash or warned about: it is refused."""
    with pytest.raises(DocumentError):
        checked(vr, value, "it")


def test_the_caller_chooses_the_error() -> None:
    """Whoever hands the value in is blamed by the class of the error."""
    with pytest.raises(EvidenceError) as caught:
        checked("LO", "a\\b", "PatientID (0010,0020)", error=EvidenceError)
    assert caught.value.where == "PatientID (0010,0020)"


def test_trailing_blanks_are_padding() -> None:
    """Trailing blanks are not part of a value, so they are never signed as such."""
    assert checked("LO", "Klinikum  ", "it") == "Klinikum"


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Meier^Anna^^^", "Meier^Anna"),
        ("Meier ^ Anna", "Meier^Anna"),
        ("Meier^Anna==", "Meier^Anna"),
        ("=山田^太郎", "=山田^太郎"),
        ("^^^", ""),
    ],
)
def test_person_names_lose_empty_ends(name: str, canonical: str) -> None:
    """Delimiters at the end of a name or a group say nothing."""
    assert canonical_person_name(name) == canonical


def test_uids_in_use_may_have_leading_zeros() -> None:
    """What a careless device made has to be cited under the UID it has."""
    assert is_uid("1.02", in_use=True)
    assert not is_uid("1.02\n", in_use=True)


@pytest.mark.parametrize("text", ["", "2", "1.2.840.", ".1", "1..2", "1.2.a", "1.02", "1.2\n"])
def test_what_is_no_uid(text: str) -> None:
    """A UID has at least two components of digits without leading zeros."""
    assert not is_uid(text)
