"""Content inside something signed that no MAC reaches."""

from __future__ import annotations

from tests.support.forge import (
    MAC_PARAMETERS,
    SIGNATURES,
    Node,
    apart,
    at,
    edited,
    insert,
    leaf,
    mac_item,
    sequence,
    signature_item,
)
from tests.support.signed import author_report, plain_report, sign

__all__ = [
    "bulky_group_length",
    "bulky_group_length_in_item",
    "foreign_signature_group",
    "low_group",
    "low_group_in_item",
    "mac_parameters_alone_in_item",
    "padding_in_item",
    "padding_is_a_sequence",
    "signatures_alone_in_item",
    "smuggled_in_historic_signature",
    "smuggled_in_nested_signature",
]

_CONTENT = 0x0040A730
_SECRET = leaf(0x0040A160, "UT", "Not what was signed")


def _in_item(*new: Node) -> bytes:
    return edited(author_report(), lambda n: insert(at(n, _CONTENT).items[0], *new))


def low_group_in_item() -> bytes:
    return _in_item(leaf(0x00060010, "LO", "hidden"))


def padding_in_item() -> bytes:
    return _in_item(leaf(0xFFFCFFFC, "OB", b"hidden"))


def signatures_alone_in_item() -> bytes:
    return _in_item(sequence(SIGNATURES, [_SECRET]))


def mac_parameters_alone_in_item() -> bytes:
    return _in_item(sequence(MAC_PARAMETERS, [_SECRET]))


def bulky_group_length_in_item() -> bytes:
    return _in_item(leaf(0x00400000, "OB", bytes(64)))


def bulky_group_length() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00100000, "OB", bytes(64))))


def low_group() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00060010, "LO", "hidden")))


def foreign_signature_group() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0xFFFA0010, "LO", "hidden")))


def padding_is_a_sequence() -> bytes:
    return edited(author_report(), lambda n: insert(n, sequence(0xFFFCFFFC, [_SECRET])))


def smuggled_in_nested_signature() -> bytes:
    """A section's own signature is outside the MAC of the report that holds the section."""
    section = sign(plain_report(), path=((_CONTENT, 4),), uid="2.25.4711.8")
    signed = sign(section)

    def edit(nodes: list[Node]) -> None:
        insert(signature_item(at(nodes, _CONTENT).items[4]), _SECRET)

    return edited(signed, edit)


def smuggled_in_historic_signature() -> bytes:
    """An old signature in Original Attributes is not checked, so it could hold anything."""
    file = apart(plain_report())
    old = apart(author_report()).nodes
    parameters, item = mac_item(old), signature_item(old)
    modified = [sequence(MAC_PARAMETERS, parameters), sequence(SIGNATURES, item)]
    insert(file.nodes, sequence(0x04000561, [sequence(0x04000550, modified)]))
    signed = sign(file.bytes())

    def edit(nodes: list[Node]) -> None:
        insert(signature_item(at(nodes, 0x04000561, 0, 0x04000550).items[0]), _SECRET)

    return edited(signed, edit)
