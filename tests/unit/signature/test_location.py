"""Where signatures are, and how people say it."""

from __future__ import annotations

import pytest

from sr.errors import ConfigurationError
from sr.signature.location import item_at, parse_item_path, signed_levels
from tests.unit.signature.crafted import BODY, changed, opened, signed

SQ = 0x0040A730


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("ContentSequence[4]", ((SQ, 4),)),
        ("(0040,A730)[4]", ((SQ, 4),)),
        ("0040A730[4]", ((SQ, 4),)),
        ("0040,a730[0]", ((SQ, 0),)),
        ("ContentSequence[1].ContentSequence[0]", ((SQ, 1), (SQ, 0))),
        ("ContentSequence[1] . ContentSequence[0]", ((SQ, 1), (SQ, 0))),
    ],
)
def test_paths(text, path):
    """A path is written with keywords or tags, items count from 0."""
    assert parse_item_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "ContentSequence", "ContentSequence[]", "ContentSequence[-1]", "ContentSequence[x]",
        "ContentSequence[1]ContentSequence[1]", ".", "[1]", "NoSuchSequence[1]",
        "ContentSequence[1].", "ContentSequence[" + "9" * 5000 + "]",
    ],
)  # fmt: skip
def test_texts_that_are_no_path(text):
    """Anything else is refused with a message, not a crash."""
    with pytest.raises(ConfigurationError):
        parse_item_path(text)


@pytest.mark.parametrize("path", [((SQ, 1),), ((0x00081115, 0),), ((0x00100010, 0),)])
def test_items_that_are_not_there(path):
    """A path that leads nowhere is refused."""
    with pytest.raises(ConfigurationError):
        item_at(opened(BODY).dataset, path)


def test_levels_are_walked_outermost_first():
    """Every item may be signed, except those of the signature sequences and of history."""
    history = (0x04000561, "SQ", [signed(body=[(0x00100010, "PN", b"A^B ")])])
    inner = signed(body=[(SQ, "SQ", [signed(), []])])
    nodes = changed(signed(body=changed(BODY, (SQ, "SQ", [inner, signed()]))), history)
    locations = [level.location for level in signed_levels(opened(nodes).dataset)]
    assert locations == [
        "", "(0040,A730)[0]", "(0040,A730)[0].(0040,A730)[0]", "(0040,A730)[1]",
    ]  # fmt: skip


@pytest.mark.parametrize("part", [{"signatures": ()}, {"parameters": ()}])
def test_either_sequence_makes_a_level_signed(part):
    """A level with only one of the two sequences is looked at as well."""
    nodes = changed(BODY, (SQ, "SQ", [[], signed(**part)]))
    (level,) = signed_levels(opened(nodes).dataset)
    assert level.location == "(0040,A730)[1]"
    assert level.at(0xFFFAFFFA, 0) == "(0040,A730)[1].(FFFA,FFFA)[0]"
    assert level.at(0x00100010) == "(0040,A730)[1].(0010,0010)"
