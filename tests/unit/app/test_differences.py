"""Differences between two versions of a document."""

from __future__ import annotations

import pytest

from sr.app.views.differences import Change, attribute_changes, content_changes
from sr.dicomfile import BytesSource, DataSet, read
from tests.support.signed import approved_report, author_report, plain_report

MAY_CHANGE = {
    "InstanceCreationDate",
    "InstanceCreationTime",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "TimezoneOffsetFromUTC",
    "VerifyingObserverSequence",
    "VerificationFlag",
}


def _dataset(data: bytes) -> DataSet:
    return read(BytesSource(data)).dataset


def _replaced(data: bytes, old: bytes, new: bytes) -> DataSet:
    assert len(old) == len(new)
    assert old in data
    return _dataset(data.replace(old, new))


def test_signing_changes_nothing() -> None:
    """A signature is no change of what is signed."""
    before, after = _dataset(plain_report()), _dataset(author_report())
    assert not attribute_changes(before, after)
    assert not content_changes(before, after)


def test_approving_changes_what_it_may() -> None:
    """Between author's and approved document only flag, observer, UIDs and dates differ."""
    before, after = _dataset(author_report()), _dataset(approved_report())
    changed = {change.keyword: change for change in attribute_changes(before, after)}
    assert {"VerificationFlag", "VerifyingObserverSequence"} <= changed.keys() <= MAY_CHANGE
    flag, observer = changed["VerificationFlag"], changed["VerifyingObserverSequence"]
    assert (flag.before, flag.after) == ("UNVERIFIED", "VERIFIED")
    assert observer.before is None
    assert observer.after is not None
    assert not content_changes(before, after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"srsign demo", b"srsign demi"),
        (b"Klinikum M", b"Klinikum N"),
        (b"UNVERIFIED", b"UNVERIFIEX"),
    ],
)
def test_one_value_is_one_change(old: bytes, new: bytes) -> None:
    """A value that differs is told, with the top-level attribute that holds it."""
    data = author_report()
    assert attribute_changes(_dataset(data), _replaced(data, old, new))


def test_one_letter_of_the_content_is_a_line() -> None:
    """A letter that differs deep in the content is a line removed and a line added."""
    data = author_report()
    lines = content_changes(_dataset(data), _replaced(data, b"Rundherd", b"Rundhexd"))
    told = [line.change for line in lines if line.change is not Change.SAME]
    assert told
    assert told.count(Change.REMOVED) == told.count(Change.ADDED)
    assert any(line.depth for line in lines)


def test_what_did_not_change_is_left_out() -> None:
    """Lines that both versions have are there only as headings above one that changed."""
    data = author_report()
    lines = content_changes(_dataset(data), _replaced(data, b"Rundherd", b"Rundhexd"))
    for n, line in enumerate(lines):
        if line.change is Change.SAME:
            assert lines[n + 1].depth > line.depth


def test_bytes_that_read_the_same_differ() -> None:
    """Trailing blanks do not show, and are a change all the same."""
    data = author_report()
    changed = _replaced(data, b"UNVERIFIED", b"UNVERIFIE ")
    assert attribute_changes(_dataset(data), changed)
