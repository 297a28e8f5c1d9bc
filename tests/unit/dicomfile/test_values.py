"""Text for people: every repertoire of PS3.3 C.12.1.1.2, and honest about what cannot be read."""

from __future__ import annotations

from struct import pack

import pytest

from sr.dicomfile import BytesSource, DataSet, read
from sr.dicomfile.values import decode_text
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, part10

LE = EXPLICIT


@pytest.mark.parametrize(
    ("charset", "value", "text"),
    [
        ("", b"Meier^Anna", "Meier^Anna"),
        ("ISO_IR 6", b"Meier", "Meier"),
        ("ISO_IR 100", b"M\xfcller", "Müller"),
        ("ISO 2022 IR 100", b"M\xfcller", "Müller"),
        ("ISO_IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
        ("ISO_IR 144", b"\xbb\xee\xda", "Люк"),
        ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
        ("ISO_IR 166", b"\xca\xb3", "สณ"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東=".encode(), "Wang^XiaoDong=王^小東="),
        ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        ("GBK", b"\xcd\xf5", "王"),
        (
            "\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (
            "ISO 2022 IR 13\\ISO 2022 IR 87",
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
        ),
        ("\\ISO 2022 IR 159", b'\x1b$(D"o\x1b(B x', "™ x"),
        (
            "\\ISO 2022 IR 149",
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6",
            "Hong^Gildong=洪^吉洞=홍^길",
        ),
        (
            "\\ISO 2022 IR 58",
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            "Zhang^XiaoDong=张^小东=",
        ),
        (
            "ISO 2022 IR 100\\ISO 2022 IR 126",
            b"\xc4 is \x1b-F\xc4\xe9\x1b-A\xe4",
            "Ä is Διä",
        ),
    ],
)  # fmt: skip
def test_repertoires(charset, value, text):
    """The examples of PS3.5 annexes H, I and J, and one for each single-byte repertoire."""
    assert decode_text(value, charset) == text


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        ("", b"M\xfcller"),
        ("ISO_IR 6", b"\x80"),
        ("ISO_IR 192", b"M\xfcller"),
        ("nonsense", b"\xe4"),
        ("ISO_IR 126", b"\xff"),
        ("\\ISO 2022 IR 87", b"\x1b$B\xff\xff\x1b(B"),
        ("\\ISO 2022 IR 149", b"\xfb\xf3"),
        ("GB18030", b"\xff"),
    ],
)
def test_bytes_outside_the_repertoire_show(charset, value):
    """What the declared repertoire does not define is shown as U+FFFD, never as other letters."""
    assert "\ufffd" in decode_text(value, charset)


def test_escapes_do_not_count_where_they_are_not_declared():
    """An escape sequence cannot switch the repertoire of a value that declares none."""
    assert decode_text(b"\x1b-F\xc4", "ISO_IR 100").endswith("Ä")


@pytest.mark.parametrize("value", [b"AB  ", b"AB\0", b"AB \0"])
def test_padding_is_not_text(value):
    """Trailing pad characters are not part of the text; leading spaces are."""
    assert decode_text(value, "") == "AB"
    assert decode_text(b" " + value, "") == " AB"


def _dataset(body: bytes, syntax: str = "explicit") -> DataSet:
    return read(BytesSource(part10(body, syntax))).dataset


def test_items_inherit_the_character_set():
    """Items use the character set of what encloses them, unless they have their own."""
    name = LE.element(0x00100010, "PN", b"\xe4\xb6")
    latin = LE.element(0x00080005, "CS", b"ISO_IR 100")
    empty = LE.element(0x00080005, "CS")
    deep = LE.sequence(0x0040A730, LE.item(name))
    body = LE.element(0x00080000, "UL", b"\x14\0\0\0") + LE.element(0x00080005, "CS", b"ISO_IR 101")
    body += LE.sequence(
        0x00081115,
        LE.item(name),
        LE.item(latin + name + deep),
        LE.item(empty + name),
        LE.item(LE.element(0x00080000, "UL", b"\x0a\0\0\0") + latin + name),
    )
    items = _dataset(body).items(0x00081115)
    assert [item.text(0x00100010) for item in items] == ["äś", "ä¶", "\ufffd\ufffd", "ä¶"]
    assert items[1].items(0x0040A730)[0].text(0x00100010) == "ä¶"


@pytest.mark.parametrize("encoder", [EXPLICIT, BIG_ENDIAN])
def test_numbers(encoder):
    """Numbers and tags are read in the byte order of the data set."""
    order = encoder.order
    body = encoder.element(0x00280009, "AT", pack(order + "HHHH", 0x18, 0x1063, 0x7FE0, 0x10))
    body += encoder.element(0x00280010, "US", pack(order + "H", 512))
    dataset = _dataset(body, "explicit" if encoder.little else "big")
    assert dataset.numbers(0x00280009) == (0x00181063, 0x7FE00010)
    assert dataset.numbers(0x00280010) == (512,)
    assert dataset.numbers(0x00280011) == ()


def test_absent_empty_and_misplaced_values():
    """What is absent, empty or of another kind gives nothing, and does not raise."""
    body = LE.element(0x00100010, "PN") + LE.sequence(0x0040A730, LE.item())
    dataset = _dataset(body)
    assert dataset.text(0x00100010) == dataset.text(0x00100020) == dataset.text(0x0040A730) == ""
    assert dataset.texts(0x00100010) == dataset.texts(0x00100020) == ()
    assert dataset.bytes(0x00100010) == b""
    assert dataset.bytes(0x00100020) is dataset.bytes(0x0040A730) is None
    assert dataset.items(0x00100010) == dataset.items(0x00100020) == ()
    assert dataset.numbers(0x0040A730) == ()
    assert 0x00100010 in dataset
    assert 0x00100020 not in dataset


def test_values_are_split_after_decoding():
    """A backslash that is the second byte of a character does not separate values."""
    body = LE.element(0x00080005, "CS", b"GB18030 ")
    body += LE.element(0x00101001, "PN", b"\xd0\x5c\\B")
    assert _dataset(body).texts(0x00101001) == (b"\xd0\x5c".decode("gb18030"), "B")
