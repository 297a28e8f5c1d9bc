"""The splice writer: a few elements in, every other byte as it was."""

from __future__ import annotations

from struct import pack, unpack

import pytest

from sr.dicomfile import BytesSource, read
from sr.dicomfile.splice import AppendItem, Edit, SetElement, SetMeta, assemble, splice
from sr.errors import EncodingError
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    CountingSource,
    Encoder,
    deflated,
    part10,
)

SQ = 0x0040A730
PARAMETERS, SIGNATURES = 0x4FFE0001, 0xFFFAFFFA
NICKNAME = {EXPLICIT: "explicit", IMPLICIT: "implicit", BIG_ENDIAN: "big"}
ENCODERS = pytest.mark.parametrize("e", NICKNAME, ids=NICKNAME.values())
LENGTHS = pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
LE = EXPLICIT


def _name(e: Encoder = LE, value: bytes = b"A^B ") -> bytes:
    return e.element(0x00100010, "PN", value)


def _id(e: Encoder = LE, value: bytes = b"42") -> bytes:
    return e.element(0x00100020, "LO", value)


def edited(body: bytes, *edits: Edit, syntax: str = "explicit") -> bytes:
    """Return the data set after the edits; the rest of the file must not have changed."""
    empty = part10(b"", syntax)
    result = assemble(splice(read(BytesSource(empty + body)), edits))
    assert result.startswith(empty)
    read(BytesSource(result))
    return result[len(empty) :]


@ENCODERS
def test_no_edit_changes_nothing(e):
    """A file without edits comes out byte for byte."""
    body = _name(e) + e.sequence(SQ, e.item(_id(e), undefined=True), undefined=True)
    assert edited(body, syntax=NICKNAME[e]) == body


@ENCODERS
def test_element_is_replaced(e):
    """A new value replaces the old one and nothing around it."""
    new = _name(e, b"Longer^Name ")
    edit = SetElement(tag=0x00100010, encoded=new)
    assert edited(_name(e) + _id(e), edit, syntax=NICKNAME[e]) == new + _id(e)


@pytest.mark.parametrize("tag", [0x00080005, 0x00100015, 0x00100030])
def test_element_is_inserted_in_tag_order(tag):
    """An absent element is put where tags still ascend: first, between, last."""
    new = LE.element(tag, "CS", b"AB")
    parts = sorted([_name(), _id(), new], key=lambda p: unpack("<HH", p[:4]))
    assert edited(_name() + _id(), SetElement(tag=tag, encoded=new)) == b"".join(parts)


def test_element_is_removed():
    """An element without encoding disappears; removing an absent one changes nothing."""
    body = _name() + _id()
    assert edited(body, SetElement(tag=0x00100010, encoded=None)) == _id()
    assert edited(body, SetElement(tag=0x00100030, encoded=None)) == body


@pytest.mark.parametrize("turn", [1, -1])
def test_edits_at_one_place_are_ordered(turn):
    """Insertions at the same offset, and a removal beside them, come out in tag order."""
    tags = (0x00100012, 0x00100013, 0x00100014)
    new = [LE.element(tag, "CS", b"AB") for tag in tags]
    inserted = [SetElement(tag=t, encoded=n) for t, n in zip(tags, new, strict=True)][::turn]
    result = edited(_name() + _id(), *inserted, SetElement(tag=0x00100020, encoded=None))
    assert result == _name() + b"".join(new)


@ENCODERS
@pytest.mark.parametrize("items_undefined", [False, True])
@LENGTHS
def test_item_is_appended(e, undefined, items_undefined):
    """An item goes to the end of a sequence, before the delimiter where it has one."""
    old = [e.item(_name(e), undefined=items_undefined), e.item(undefined=items_undefined)]
    tail = e.element(0x00420010, "ST", b"ab")
    body = e.sequence(SQ, *old, undefined=undefined) + tail
    expected = e.sequence(SQ, *old, e.item(_id(e)), undefined=undefined) + tail
    assert edited(body, AppendItem(tag=SQ, content=_id(e)), syntax=NICKNAME[e]) == expected


@ENCODERS
@LENGTHS
def test_item_is_appended_to_an_empty_sequence(e, undefined):
    """The first item of an empty sequence is an item like others."""
    body = e.sequence(SQ, undefined=undefined)
    expected = e.sequence(SQ, e.item(_id(e)), undefined=undefined)
    assert edited(body, AppendItem(tag=SQ, content=_id(e)), syntax=NICKNAME[e]) == expected


@ENCODERS
def test_sequence_is_created(e):
    """An absent sequence is created with the item, in tag order."""
    result = edited(_name(e), AppendItem(tag=SQ, content=_id(e)), syntax=NICKNAME[e])
    assert result == _name(e) + e.sequence(SQ, e.item(_id(e)))


def test_two_sequences_are_created_in_order():
    """Both signature sequences appear at the end, before trailing padding and in order."""
    padding = LE.element(0xFFFCFFFC, "OB", b"\0\0")
    result = edited(
        _name() + padding,
        AppendItem(tag=PARAMETERS, content=b""),
        AppendItem(tag=SIGNATURES, content=_id()),
    )
    created = LE.sequence(PARAMETERS, LE.item()) + LE.sequence(SIGNATURES, LE.item(_id()))
    assert result == _name() + created + padding


@pytest.mark.parametrize("turn", [1, -1])
def test_levels_that_end_together(turn):
    """Where items and sequences end at one offset, each edit lands at its own level."""
    deep = LE.sequence(0x00081115, LE.item(_name()))
    body = LE.sequence(SQ, LE.item(deep))
    path = ((SQ, 0),)
    edits = [
        SetElement(tag=0x00100020, encoded=_id(), path=(*path, (0x00081115, 0))),
        AppendItem(tag=0x00081115, content=_id(), path=path),
        SetElement(tag=0x00100010, encoded=_name(), path=path),
        AppendItem(tag=SQ, content=_name()),
        AppendItem(tag=PARAMETERS, content=_name()),
        AppendItem(tag=SIGNATURES, content=_id()),
    ]
    inner = LE.sequence(0x00081115, LE.item(_name(), _id()), LE.item(_id()))
    assert edited(body, *edits[::turn]) == (
        LE.sequence(SQ, LE.item(inner, _name()), LE.item(_name()))
        + LE.sequence(PARAMETERS, LE.item(_name()))
        + LE.sequence(SIGNATURES, LE.item(_id()))
    )


def test_two_items_create_one_sequence():
    """Two items for a sequence that is not there make one sequence of two items."""
    result = edited(_name(), AppendItem(tag=SQ, content=b""), AppendItem(tag=SQ, content=_id()))
    assert result == _name() + LE.sequence(SQ, LE.item(), LE.item(_id()))


def test_two_items_are_appended_to_one_sequence():
    """Items appended to one sequence stand in the order of the edits."""
    body = LE.sequence(SQ, LE.item())
    result = edited(body, AppendItem(tag=SQ, content=_name()), AppendItem(tag=SQ, content=_id()))
    assert result == LE.sequence(SQ, LE.item(), LE.item(_name()), LE.item(_id()))


@ENCODERS
@pytest.mark.parametrize("items_undefined", [False, True])
@LENGTHS
def test_enclosing_lengths_follow(e, undefined, items_undefined):
    """An edit deep inside changes the length of everything around it that has one."""

    def wrap(*content: bytes) -> bytes:
        deep = e.item(*content, undefined=items_undefined)
        inner = e.sequence(SQ, e.item(), deep, undefined=undefined)
        outer = e.item(e.element(0x0040A040, "CS", b"TEXT"), inner, undefined=items_undefined)
        return _name(e) + e.sequence(SQ, outer, e.item(), undefined=undefined)

    path = ((SQ, 0), (SQ, 1))
    result = edited(
        wrap(_name(e)),
        SetElement(tag=0x00100010, encoded=_name(e, b"Longer^Name "), path=path),
        AppendItem(tag=0x00081115, content=_id(e), path=path),
        SetElement(tag=0x00100020, encoded=_id(e), path=path),
        syntax=NICKNAME[e],
    )
    assert result == wrap(e.sequence(0x00081115, e.item(_id(e))), _name(e, b"Longer^Name "), _id(e))


def test_edits_in_several_items_of_one_sequence():
    """Growth in two items adds up in the sequence that holds both."""
    body = LE.sequence(SQ, LE.item(_name()), LE.item(_name()))
    result = edited(
        body,
        SetElement(tag=0x00100020, encoded=_id(), path=((SQ, 0),)),
        SetElement(tag=0x00100010, encoded=None, path=((SQ, 1),)),
    )
    assert result == LE.sequence(SQ, LE.item(_name(), _id()), LE.item())


@ENCODERS
def test_group_lengths_follow(e):
    """Retired group lengths, of the edited group and of enclosing ones, stay true."""

    def length(tag: int, content: bytes) -> bytes:
        return e.element(tag, "UL", pack(e.order + "I", len(content))) + content

    def wrap(*content: bytes) -> bytes:
        inner = length(0x00100000, b"".join(content))
        return _name(e) + length(0x00400000, e.sequence(SQ, e.item(inner)))

    edit = SetElement(tag=0x00100020, encoded=_id(e), path=((SQ, 0),))
    assert edited(wrap(_name(e)), edit, syntax=NICKNAME[e]) == wrap(_name(e), _id(e))


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (SetElement(tag=0x00100010, encoded=None, path=((SQ, 2),)), "NO_SUCH_ITEM"),
        (SetElement(tag=0x00100010, encoded=None, path=((0x00081115, 0),)), "NO_SUCH_ITEM"),
        (SetElement(tag=0x00100010, encoded=None, path=((0x00100010, 0),)), "NO_SUCH_ITEM"),
        (AppendItem(tag=0x00100010, content=b""), "NO_SUCH_ITEM"),
        (AppendItem(tag=0x00091001, content=b""), "VR_UN"),
        (AppendItem(tag=SQ, content=b"", path=((0x00091001, 0),)), "VR_UN"),
        (SetMeta(tag=0x00020003, encoded=b""), "META_ABSENT"),
    ],
    ids=["index", "absent", "leaf", "append leaf", "append un", "in un", "meta"],
)
def test_impossible_edits(edit, rule):
    """An edit of what is not there, or of a sequence nobody declared, is refused."""
    unknown = IMPLICIT.item() + IMPLICIT.delimiter(0xFFFEE0DD)
    body = LE.element(0x00091001, "UN", unknown, length=UNDEFINED) + _name()
    body += LE.sequence(SQ, LE.item(), LE.item())
    with pytest.raises(EncodingError) as caught:
        edited(body, edit)
    assert caught.value.rule == rule


def test_meta_is_replaced():
    """An edit of File Meta Information keeps its group length true."""
    data = part10(_name())
    new = LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1.1.1\0")
    result = assemble(splice(read(BytesSource(data)), [SetMeta(tag=0x00020010, encoded=new)]))
    rest = LE.element(0x00020001, "OB", b"\0\1") + new
    meta = LE.element(0x00020000, "UL", pack("<I", len(rest))) + rest
    assert result == part10(_name(), meta=meta)


def test_meta_without_group_length_is_not_edited():
    """Without a group length to correct, File Meta Information is left alone."""
    meta = LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    file = read(BytesSource(part10(_name(), meta=meta)))
    with pytest.raises(EncodingError):
        splice(file, [SetMeta(tag=0x00020010, encoded=meta)])


def test_deflated_round_trip():
    """A deflated data set is edited and deflated again, padded to even length."""
    for value in (b"A^B ", b"Longer^Name ", b"Yet^Another^Name"):
        file = read(BytesSource(part10(deflated(_name() + _id()), "deflated")))
        new = _name(LE, value)
        result = assemble(splice(file, [SetElement(tag=0x00100010, encoded=new)]))
        again = read(BytesSource(result))
        assert again.dataset.source.read_at(0, 1000) == new + _id()
        assert again.transfer_syntax.deflated
        assert len(result) % 2 == 0


def test_bare_data_set():
    """A data set without File Meta Information stays without."""
    body = LE.element(0x00080018, "UI", b"1.2.3\0")
    result = assemble(
        splice(read(BytesSource(body)), [SetElement(tag=0x00100010, encoded=_name())])
    )
    assert result == body + _name()


def test_preamble_is_kept():
    """The preamble is nobody's to change."""
    data = part10(_name(), preamble=b"II*\0" + bytes(124))
    assert assemble(splice(read(BytesSource(data)), []))[:128] == data[:128]


def test_large_values_are_not_loaded():
    """Pieces refer to the original; a large value is copied in blocks."""
    body = _name() + LE.element(0x7FE00010, "OW", bytes(8 << 20))
    source = CountingSource(part10(body))
    pieces = splice(read(source), [AppendItem(tag=SIGNATURES, content=b"")])
    assert source.bytes_read < 1 << 20
    assert sum(len(b) for p in pieces for b in p.blocks()) == source.size + 20
    assert max(length for _, length in source.reads) <= 1 << 20


def test_a_file_that_shrinks_while_it_is_copied():
    """A copy that would be shorter than it should is an error, not a file."""
    source = CountingSource(part10(_name() + LE.element(0x00104000, "LT", bytes(3000))))
    pieces = splice(read(source), [])
    source.data = source.data[:-10]
    with pytest.raises(EncodingError) as caught:
        assemble(pieces)
    assert caught.value.rule == "TRUNCATED"
