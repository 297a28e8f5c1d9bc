"""Files that two readers would read differently, or that end where they should not."""

from __future__ import annotations

from tests.support.forge import (
    SIGNATURES,
    Node,
    apart,
    at,
    edited,
    encode,
    insert,
    leaf,
    mac_item,
    sequence,
    signature_item,
)
from tests.support.signed import author_report, plain_report

__all__ = [
    "child_longer_than_item",
    "deeply_nested",
    "delimiter_with_value",
    "duplicate_in_content_item",
    "duplicate_in_mac_parameters",
    "duplicate_patient",
    "duplicate_purpose",
    "invalid_vr",
    "item_shorter_than_its_children",
    "odd_length",
    "out_of_order",
    "reserved_bytes",
    "sequence_longer_than_file",
    "sequence_shorter_than_its_items",
    "text_of_undefined_length",
    "trailing_bytes",
    "truncated",
    "two_certificates",
    "value_overruns_the_file",
]

_CONTENT, _UNDEFINED = 0x0040A730, 0xFFFFFFFF


def duplicate_patient() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00100010, "PN", "Opfer^Otto")))


def duplicate_in_content_item() -> bytes:
    def edit(nodes: list[Node]) -> None:
        insert(at(nodes, _CONTENT).items[0], leaf(0x0040A010, "CS", "CONTAINS"))

    return edited(author_report(), edit)


def duplicate_purpose() -> bytes:
    def edit(nodes: list[Node]) -> None:
        item = signature_item(nodes)
        insert(item, at(item, 0x04000401))

    return edited(author_report(), edit)


def duplicate_in_mac_parameters() -> bytes:
    def edit(nodes: list[Node]) -> None:
        item = mac_item(nodes)
        insert(item, at(item, 0x04000020))

    return edited(author_report(), edit)


def two_certificates() -> bytes:
    def edit(nodes: list[Node]) -> None:
        item = signature_item(nodes)
        insert(item, at(item, 0x04000115))

    return edited(author_report(), edit)


def out_of_order() -> bytes:
    def edit(nodes: list[Node]) -> None:
        nodes[4], nodes[5] = nodes[5], nodes[4]

    return edited(author_report(), edit)


def sequence_shorter_than_its_items() -> bytes:
    """Readers that follow the sequence see less than those that follow the item."""

    def edit(nodes: list[Node]) -> None:
        node = at(nodes, _CONTENT)
        node.stated = len(encode([node])) - 12 - 20

    return edited(author_report(), edit)


def sequence_longer_than_file() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(nodes, SIGNATURES).stated = 100_000

    return edited(author_report(), edit)


def item_shorter_than_its_children() -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(nodes, _CONTENT)
        node.stated_items[0] = len(encode(node.items[0])) - 8

    return edited(author_report(), edit)


def child_longer_than_item() -> bytes:
    def edit(nodes: list[Node]) -> None:
        last = at(nodes, _CONTENT).items[0][-1]
        last.stated = len(encode([last])) + 40

    return edited(author_report(), edit)


def value_overruns_the_file() -> bytes:
    def edit(nodes: list[Node]) -> None:
        nodes[-1].stated = None
        nodes.append(Node(tag=0xFFFCFFFC, vr="OB", value=bytes(4), stated=4000))

    return edited(author_report(), edit)


def truncated() -> bytes:
    return author_report()[:-7]


def trailing_bytes() -> bytes:
    return author_report() + b"<script>"


def odd_length() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00104000, "LT", b"odd")))


def reserved_bytes() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(nodes, _CONTENT).reserved = b"\0\1"

    return edited(author_report(), edit)


def invalid_vr() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(nodes, 0x00100020).vr = "L0"

    return edited(author_report(), edit)


def text_of_undefined_length() -> bytes:
    return edited(
        author_report(),
        lambda n: insert(n, Node(tag=0x00104001, vr="UT", stated=_UNDEFINED)),
    )


def delimiter_with_value() -> bytes:
    """The delimiter of an item states a length, so somebody may skip what follows."""

    def edit(nodes: list[Node]) -> None:
        at(nodes, _CONTENT).stated_items[0] = _UNDEFINED

    return edited(author_report(), edit).replace(
        b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\x0d\xe0\x10\0\0\0", 1
    )


def deeply_nested() -> bytes:
    """More levels than any document needs, and than many readers survive."""
    node = sequence(_CONTENT)
    for _ in range(70):
        node = sequence(_CONTENT, [node])
    file = apart(plain_report())
    at(file.nodes, _CONTENT).items.append([node])
    return file.bytes()
