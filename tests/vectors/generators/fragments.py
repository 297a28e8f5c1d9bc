"""Encapsulated pictures whose fragment borders a MAC does not fix."""

from __future__ import annotations

from struct import pack

from sr.codes import SignaturePurpose
from tests.support.datasets import ct_files
from tests.support.forge import (
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    remove,
    sequence,
    set_value,
)
from tests.support.pki import demo_pki

__all__ = [
    "cut_in_two_at_the_marker",
    "delimiter_inside_fragment",
    "encapsulated_picture",
    "encapsulated_picture_of_two_frames",
    "extended_offsets_disagree",
    "fewer_fragments_than_frames",
    "hashed_as_native",
    "marker_inside_fragment",
    "marker_inside_icon",
    "more_fragments_than_frames",
    "offset_table_disagrees",
    "offset_table_is_a_picture",
    "two_fragments_cut_elsewhere",
]

JPEG = "1.2.840.10008.1.2.4.50"
MARKER, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_PIXELS = 0x7FE00010


def picture(
    *fragments: bytes, frames: int = 1, table: bytes = b"", extra: tuple[Node, ...] = ()
) -> bytes:
    """Return an image of those fragments, unsigned."""
    file = apart(ct_files()[0])
    remove(file.nodes, _PIXELS)
    insert(file.nodes, Node(tag=_PIXELS, vr="OB", fragments=[table, *fragments]), *extra)
    if frames > 1:
        insert(file.nodes, leaf(0x00280008, "IS", str(frames)))
    set_value(0x00020010, to=JPEG)(file.meta)
    return file.bytes()


def _signed(data: bytes, syntax: str = JPEG) -> bytes:
    source = SignaturePurpose.SOURCE.code

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, demo_pki().archive, purpose=source, transfer_syntax=syntax)

    return edited(data, edit)


def encapsulated_picture() -> bytes:
    return _signed(picture(b"one fragment"))


def encapsulated_picture_of_two_frames() -> bytes:
    table = pack("<II", 0, 8 + 10)
    return _signed(picture(b"first frame."[:10], b"second", frames=2, table=table))


def marker_inside_fragment() -> bytes:
    return _signed(picture(b"disc" + MARKER + b"none"))


def delimiter_inside_fragment() -> bytes:
    return _signed(picture(b"disc" + DELIMITER + bytes(4)))


def cut_in_two_at_the_marker() -> bytes:
    """The evil twin: no fragment holds the marker any more, and the MAC is the same."""
    return edited(marker_inside_fragment(), _cut)


def _cut(nodes: list[Node]) -> None:
    at(nodes, _PIXELS).fragments = [b"", b"disc", b"none"]


def more_fragments_than_frames() -> bytes:
    return _signed(picture(b"half", b"half"))


def fewer_fragments_than_frames() -> bytes:
    return _signed(picture(b"half", b"half", frames=3))


def two_fragments_cut_elsewhere() -> bytes:
    """Two frames, two fragments, before and after: only the border has moved."""
    first = _signed(picture(b"aa" + MARKER + b"bb", b"cc", frames=2))

    def edit(nodes: list[Node]) -> None:
        at(nodes, _PIXELS).fragments = [b"", b"aa", b"bb" + MARKER + b"cc"]

    return edited(first, edit)


def offset_table_disagrees() -> bytes:
    return _signed(picture(b"aaaa", b"bbbb", frames=2, table=pack("<II", 0, 4)))


def offset_table_is_a_picture() -> bytes:
    return _signed(picture(b"one fragment", table=b"another picture."))


def extended_offsets_disagree() -> bytes:
    offsets = leaf(0x7FE00001, "OV", pack("<QQ", 0, 12))
    lengths = leaf(0x7FE00002, "OV", pack("<QQ", 4, 2))
    return _signed(picture(b"aaaa", b"bbbb", frames=2, extra=(offsets, lengths)))


def marker_inside_icon() -> bytes:
    pixels = Node(tag=_PIXELS, vr="OB", fragments=[b"", b"icon" + MARKER + b"none"])
    icon = [leaf(0x00280010, "US", b"\1\0"), pixels]
    return _signed(picture(b"one fragment", extra=(sequence(0x00880200, icon),)))


def hashed_as_native() -> bytes:
    return _signed(picture(b"one fragment"), "1.2.840.10008.1.2.1")
