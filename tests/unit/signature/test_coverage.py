"""What is not covered, and what a reader would lose by it."""

from __future__ import annotations

import pytest

from sr.findings import LimitationCode as L
from sr.signature.coverage import APPROVAL_MAY_TOUCH, author_tags, coverage_class, uncovered_tags
from tests.unit.signature.crafted import BODY, changed, opened, signed


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (0x00100010, L.IDENTITY_NOT_COVERED),
        (0x00101002, L.IDENTITY_NOT_COVERED),
        (0x0020000D, L.IDENTITY_NOT_COVERED),
        (0x00080050, L.IDENTITY_NOT_COVERED),
        (0x00080018, L.INSTANCE_NOT_COVERED),
        (0x0040A525, L.INSTANCE_NOT_COVERED),
        (0x00080005, L.CHARSET_NOT_COVERED),
        (0x0040A493, L.STATUS_NOT_COVERED),
        (0x0040A073, L.STATUS_NOT_COVERED),
        (0x0040A730, L.CONTENT_NOT_COVERED),
        (0x0040A375, L.CONTENT_NOT_COVERED),
        (0x00080016, L.CONTENT_NOT_COVERED),
        (0x7FE00010, L.CONTENT_NOT_COVERED),
        (0x00280010, L.CONTENT_NOT_COVERED),
        (0x54000100, L.CONTENT_NOT_COVERED),
        (0x60003000, L.CONTENT_NOT_COVERED),
        (0x30060039, L.CONTENT_NOT_COVERED),
        (0x00091001, L.PRIVATE_NOT_COVERED),
        (0x00110010, L.PRIVATE_NOT_COVERED),
        (0x00080070, L.OTHER_NOT_COVERED),
    ],
)
def test_classes(tag, code):
    """Each element belongs to the limitation that says what its loss would mean."""
    assert coverage_class(tag) is code


def test_author_tags_leave_room_for_approval():
    """An author signature leaves out exactly what approval may touch."""
    everything = (0x00080005, 0x00080018, 0x00100010, 0x0040A360, 0x0040A493, 0x0040A730)
    assert author_tags(everything) == (0x00080005, 0x00100010, 0x0040A360, 0x0040A730)
    assert {
        0x00080012, 0x00080013, 0x00080018, 0x00200013, 0x0040A525, 0x0040A493, 0x0040A073,
        0x0040A496,
    } == APPROVAL_MAY_TOUCH  # fmt: skip


def test_uncovered_tags():
    """Everything no signature lists is named, except what carries the signatures."""
    body = changed(
        BODY,
        (0x00080000, "UL", b"\0\0\0\0"),
        (0x00091001, "UN", b"ab"),
        (0xFFFCFFFC, "OB", b"\0\0"),
    )
    dataset = opened(signed(body=body)).dataset
    assert uncovered_tags(dataset, [0x00100010]) == (0x00080018, 0x00091001, 0x0040A730)
    assert uncovered_tags(dataset, []) == (0x00080018, 0x00091001, 0x00100010, 0x0040A730)
    assert uncovered_tags(dataset, (e.tag for e in dataset)) == ()
