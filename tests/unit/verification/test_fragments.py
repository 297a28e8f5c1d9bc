"""Where fragments begin and end: what a MAC fixes, looked at directly."""

from __future__ import annotations

import pytest

from sr.verification.fragments import ambiguous_fragments
from tests.support.datasets import opened
from tests.vectors.generators.fragments import DELIMITER, MARKER, picture

PIXELS = 0x7FE00010
BLOCK = 1 << 20


def places(data: bytes, *tags: int) -> tuple[str, ...]:
    return ambiguous_fragments(opened(data).dataset, tags or (PIXELS,))


@pytest.mark.parametrize("marker", [MARKER, DELIMITER])
@pytest.mark.parametrize("position", [0, BLOCK - 4, BLOCK - 3, BLOCK - 1, BLOCK, 2 * BLOCK - 2])
def test_a_marker_is_found_wherever_it_stands(marker: bytes, position: int) -> None:
    """Reading in blocks does not lose a marker at the border of two."""
    fragment = bytes(position) + marker + bytes(2 * BLOCK - position)
    assert places(picture(fragment + bytes(len(fragment) % 2))) == ("(7FE0,0010)",)


@pytest.mark.parametrize("almost", [b"\xfe\xff\x00", b"\xfe\xff\x01\xe0", b"\xff\xfe\xe0\x00"])
def test_other_bytes_are_no_marker(almost: bytes) -> None:
    """Only the exact bytes of a tag can be taken for one."""
    fragment = b"disc" + almost + b"none"
    assert places(picture(fragment + bytes(len(fragment) % 2))) == ()


@pytest.mark.parametrize(("frames", "fixed"), [(1, False), (2, True), (3, False)])
def test_two_fragments_are_two_frames(frames: int, fixed: bool) -> None:
    """Two fragments could be one with a marker inside, unless there are two frames."""
    assert (places(picture(b"half", b"half", frames=frames)) == ()) is fixed


def test_one_fragment_may_hold_many_frames() -> None:
    """A video is one fragment, which nobody can cut without a marker inside."""
    assert places(picture(b"a whole video.", frames=300)) == ()


def test_no_fragment_is_not_fixed() -> None:
    """An offset table alone could be one with the picture joined to it."""
    assert places(picture()) == ("(7FE0,0010)",)


def test_what_is_not_covered_is_not_looked_at() -> None:
    """A MAC says nothing about elements that it does not list."""
    assert places(picture(MARKER + b"none"), 0x00100010) == ()
