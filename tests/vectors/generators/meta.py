"""What nothing signs: preamble, File Meta Information, padding."""

from __future__ import annotations

from sr.dicomfile import BytesSource, read
from tests.support.forge import apart, edited, forge_signature, insert, leaf, remove, set_value
from tests.support.signed import author_report, plain_report, signed_image

__all__ = [
    "class_absent",
    "class_absent_everywhere",
    "class_differs",
    "data_set_alone",
    "declared_big_endian",
    "declared_compressed",
    "declared_deflated",
    "declared_implicit",
    "declared_unknown",
    "instance_absent",
    "instance_differs",
    "padding_at_the_end",
    "preamble_of_a_picture",
    "report_declared_compressed",
    "transfer_syntax_absent",
]

_CLASS, _INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010


def _meta(tag: int, value: str, data: bytes = b"") -> bytes:
    file = apart(data or author_report())
    set_value(tag, to=value)(file.meta)
    return file.bytes()


def _without(tag: int) -> bytes:
    file = apart(author_report())
    remove(file.meta, tag)
    return file.bytes()


def class_differs() -> bytes:
    return _meta(_CLASS, "1.2.840.10008.5.1.4.1.1.2")


def instance_differs() -> bytes:
    return _meta(_INSTANCE, "2.25.5")


def class_absent() -> bytes:
    return _without(_CLASS)


def class_absent_everywhere() -> bytes:
    """Nobody knows what this is, so no rule about reports applies to it."""
    file = apart(plain_report())
    remove(file.meta, _CLASS)
    remove(file.nodes, 0x00080016, 0x0040A375, 0x0040A730)
    forge_signature(file.nodes)
    return file.bytes()


def instance_absent() -> bytes:
    return _without(_INSTANCE)


def transfer_syntax_absent() -> bytes:
    return _without(_SYNTAX)


def data_set_alone() -> bytes:
    data = author_report()
    return data[read(BytesSource(data)).dataset.start :]


def declared_implicit() -> bytes:
    return _meta(_SYNTAX, "1.2.840.10008.1.2")


def declared_big_endian() -> bytes:
    return _meta(_SYNTAX, "1.2.840.10008.1.2.2")


def declared_deflated() -> bytes:
    return _meta(_SYNTAX, "1.2.840.10008.1.2.1.99")


def declared_unknown() -> bytes:
    return _meta(_SYNTAX, "2.25.1")


def declared_compressed() -> bytes:
    """A native picture that a reader will hand to a JPEG decoder."""
    return _meta(_SYNTAX, "1.2.840.10008.1.2.4.50", signed_image())


def report_declared_compressed() -> bytes:
    return _meta(_SYNTAX, "1.2.840.10008.1.2.4.50")


def preamble_of_a_picture() -> bytes:
    return b"II*\0" + bytes(124) + author_report()[128:]


def padding_at_the_end() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0xFFFCFFFC, "OB", bytes(32))))
