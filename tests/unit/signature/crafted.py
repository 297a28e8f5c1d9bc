"""Signature items spelt out element by element, so that a test can break any one of them."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from sr.dicomfile import BytesSource, DICOMFile, read
from sr.findings import Finding, Status
from sr.signature import examine
from tests.support.dicom_bytes import EXPLICIT, Node, part10, tree

__all__ = [
    "BODY",
    "MAC_PARAMETERS",
    "SIGNATURE",
    "at",
    "changed",
    "failures",
    "opened",
    "signed",
    "tags",
]

MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE = 0x4FFE0001, 0xFFFAFFFA


def tags(*values: int) -> bytes:
    """Return the value of an AT element, little endian."""
    return b"".join(pack("<HH", v >> 16, v & 0xFFFF) for v in values)


BODY: tuple[Node, ...] = (
    (0x00080018, "UI", b"1.2.3\0"),
    (0x00100010, "PN", b"A^B "),
    (0x0040A730, "SQ", [[(0x0040A160, "UT", b"text")]]),
)

MAC_PARAMETERS: tuple[Node, ...] = (
    (0x04000005, "US", b"\0\0"),
    (0x04000010, "UI", b"1.2.840.10008.1.2.1\0"),
    (0x04000015, "CS", b"SHA256"),
    (0x04000020, "AT", tags(0x00080018, 0x00100010, 0x0040A730)),
)

SIGNATURE: tuple[Node, ...] = (
    (0x04000005, "US", b"\0\0"),
    (0x04000100, "UI", b"1.2.3.4\0"),
    (0x04000105, "DT", b"20261120090000+0000 "),
    (0x04000110, "CS", b"X509_1993_SIG "),
    (0x04000115, "OB", b"certificate "),
    (0x04000120, "OB", b"signature "),
    (
        0x04000401,
        "SQ",
        [
            [
                (0x00080100, "SH", b"1 "),
                (0x00080102, "SH", b"ASTM-sigpurpose "),
                (0x00080104, "LO", b"Author's Signature"),
            ]
        ],
    ),
)


def changed(item: Sequence[Node], *nodes: Node, without: Sequence[int] = ()) -> tuple[Node, ...]:
    """Return an item with elements replaced, added or left out, in tag order."""
    kept = {n[0]: n for n in item if n[0] not in without} | {n[0]: n for n in nodes}
    return tuple(kept[tag] for tag in sorted(kept))


def signed(
    *,
    body: Sequence[Node] = BODY,
    parameters: Sequence[Sequence[Node]] = (MAC_PARAMETERS,),
    signatures: Sequence[Sequence[Node]] = (SIGNATURE,),
) -> tuple[Node, ...]:
    """Return a level with both sequences; a sequence without items is left out."""
    added: list[Node] = []
    if parameters:
        added.append((MAC_PARAMETERS_SEQUENCE, "SQ", parameters))
    if signatures:
        added.append((DIGITAL_SIGNATURES_SEQUENCE, "SQ", signatures))
    return changed(body, *added)


def opened(nodes: Sequence[Node], syntax: str = "explicit") -> DICOMFile:
    """Return the file with these elements."""
    return read(BytesSource(part10(tree(nodes, EXPLICIT), syntax)))


def failures(nodes: Sequence[Node], syntax: str = "explicit") -> set[str]:
    """Return the rules that the structure of these elements breaks."""
    return {f.rule for f in findings(nodes, syntax) if f.status is Status.FAIL}


def findings(nodes: Sequence[Node], syntax: str = "explicit") -> tuple[Finding, ...]:
    """Return everything that is noticed about the structure of these elements."""
    structure = examine(opened(nodes, syntax))
    return structure.findings + tuple(f for s in structure.signatures for f in s.findings)


def at(nodes: Sequence[Node], rule: str) -> list[str | None]:
    """Return where a rule is broken."""
    return [f.where for f in findings(nodes) if f.rule == rule]
