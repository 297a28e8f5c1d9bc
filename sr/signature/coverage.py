"""What signatures do not cover, sorted by what a reader would lose.

Cites: PS3.15 C.4 (its minimum leaves out patient, character set and instance).
"""

from __future__ import annotations

from collections.abc import Iterable

from sr.dicomfile.dataset import DataSet
from sr.dicomfile.tags import is_private
from sr.findings import LimitationCode
from sr.mac.selection import (
    DIGITAL_SIGNATURES_SEQUENCE,
    MAC_PARAMETERS_SEQUENCE,
    TRAILING_PADDING,
)

__all__ = ["APPROVAL_MAY_TOUCH", "author_tags", "coverage_class", "uncovered_tags"]

_IDENTITY_GROUP = 0x0010
_IDENTITY = frozenset({0x0020000D, 0x00080050, 0x00120040})
_INSTANCE = frozenset({0x00080018, 0x00080012, 0x00080013, 0x00200013, 0x0040A525})
_CHARSET = frozenset({0x00080005, 0x00080006})
_STATUS = frozenset({0x0040A491, 0x0040A492, 0x0040A493, 0x0040A496, 0x0040A073})
_CONTENT = frozenset(
    {0x00080016, 0x00081115, 0x00081199, 0x00880200}
    | {0x00200020, 0x00200032, 0x00200037, 0x00200052, 0x00200060, 0x00200062}
)
"""Beside the groups below: class, references, icon, and which way round a picture is."""
_CONTENT_GROUPS = frozenset(
    {0x0028, 0x003A, 0x0042, 0x0048, 0x0054, 0x0062, 0x0066, 0x0068, 0x0070, 0x2050}
    | {0x3002, 0x3004, 0x3006, 0x3008, 0x300A, 0x300C, 0x300E, 0x3010, 0x5200, 0x5400, 0x7FE0}
)
_REPEATING_CONTENT = frozenset({0x50, 0x60})
"""Curves and overlays: what is drawn over a picture."""
_SR_CONTENT = range(0x0040A000, 0x0040E000)

APPROVAL_MAY_TOUCH = frozenset(_INSTANCE | {0x0040A493, 0x0040A073, 0x0040A496})
"""What an author signature leaves out so that it survives approval and a new SOP Instance UID."""


def coverage_class(tag: int) -> LimitationCode:
    """Return which limitation it is when an element is not covered.

    Cites: PS3.15 C.4.
    """
    if is_private(tag):
        return LimitationCode.PRIVATE_NOT_COVERED
    for code, tags in _BY_TAG:
        if tag in tags:
            return code
    if tag >> 16 == _IDENTITY_GROUP:
        return LimitationCode.IDENTITY_NOT_COVERED
    if tag >> 16 in _CONTENT_GROUPS or tag >> 24 in _REPEATING_CONTENT or tag in _SR_CONTENT:
        return LimitationCode.CONTENT_NOT_COVERED
    return LimitationCode.OTHER_NOT_COVERED


_BY_TAG = (
    (LimitationCode.IDENTITY_NOT_COVERED, _IDENTITY),
    (LimitationCode.INSTANCE_NOT_COVERED, _INSTANCE),
    (LimitationCode.CHARSET_NOT_COVERED, _CHARSET),
    (LimitationCode.STATUS_NOT_COVERED, _STATUS),
    (LimitationCode.CONTENT_NOT_COVERED, _CONTENT),
)


def author_tags(signable: Iterable[int]) -> tuple[int, ...]:
    """Return what an author signature covers: all but what approval may touch.

    Cites: PS3.15 C.4; PS3.4 O.3.
    """
    return tuple(tag for tag in signable if tag not in APPROVAL_MAY_TOUCH)


def uncovered_tags(dataset: DataSet, covered: Iterable[int]) -> tuple[int, ...]:
    """Return the top-level tags that no given signature covers, whether or not one could.

    The two signature sequences, group lengths and trailing padding are left out.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    known = frozenset(covered)
    return tuple(
        e.tag
        for e in dataset
        if e.tag not in known and e.tag not in _NOT_CONTENT and e.tag & 0xFFFF != 0
    )


_NOT_CONTENT = frozenset(
    {MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE, TRAILING_PADDING, 0x00080001}
)
