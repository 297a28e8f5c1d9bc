"""Takes a DICOM file apart into nodes that obey nothing, and puts them together again.

An attacker edits bytes, so these tools do too: a node may state a false length, tags may repeat or
be out of order, a signature may be made over anything. The MAC stream is written here once more,
after the standard's text and without ``sr.mac``, so that forged signatures are also a second
opinion about the stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import pack

from sr.codes import Code
from sr.dicomfile import BytesSource, DataSet, read
from sr.mac import MACAlgorithm
from tests.support.pki import Entity, demo_pki
from tests.support.signed import sign_digest

__all__ = [
    "AUTHORS",
    "CERTIFICATE",
    "MAC_PARAMETERS",
    "SIGNATURES",
    "VERIFIES",
    "File",
    "Node",
    "apart",
    "at",
    "edited",
    "encode",
    "forge_signature",
    "insert",
    "leaf",
    "listed_tags",
    "mac_item",
    "purpose_node",
    "remove",
    "sequence",
    "set_value",
    "signature_item",
    "stream",
]

MAC_PARAMETERS, SIGNATURES = 0x4FFE0001, 0xFFFAFFFA
CERTIFICATE = 0x04000115
AUTHORS = Code("1", "ASTM-sigpurpose", "Author's Signature")
VERIFIES = Code("5", "ASTM-sigpurpose", "Verification Signature")
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_OUTSIDE_MAC = frozenset({0x04000115, 0x04000120, 0x04000305, 0x04000310})
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF


@dataclass(slots=True, kw_only=True)
class Node:
    """One data element; exactly one of value, items and fragments counts."""

    tag: int
    vr: str
    value: bytes = b""
    items: list[list[Node]] | None = None
    fragments: list[bytes] | None = None
    stated: int | None = None
    """Length that the header states, where it is not the true one."""
    stated_items: dict[int, int] = field(default_factory=dict)
    """The same for items, by index."""
    reserved: bytes = b"\0\0"


@dataclass(slots=True, kw_only=True)
class File:
    """A Part 10 file in parts."""

    preamble: bytes
    meta: list[Node]
    nodes: list[Node]
    tail: bytes = b""

    def bytes(self) -> bytes:
        """Return the file; the group length of group 2 is made right."""
        rest = encode([n for n in self.meta if n.tag != 0x00020000])
        length = leaf(0x00020000, "UL", pack("<I", len(rest)))
        return self.preamble + b"DICM" + encode([length]) + rest + encode(self.nodes) + self.tail


def apart(data: bytes) -> File:
    """Return a file in explicit VR little endian as parts."""
    file = read(BytesSource(data))
    assert file.meta is not None
    return File(preamble=file.preamble or b"", meta=_nodes(file.meta), nodes=_nodes(file.dataset))


def _nodes(dataset: DataSet) -> list[Node]:
    nodes = []
    for e in dataset:
        node = Node(tag=e.tag, vr=e.vr)
        if e.items is not None:
            node.items = [_nodes(item) for item in e.items]
        elif e.fragments is not None:
            node.fragments = [dataset.source.read_at(*extent) for extent in e.fragments]
        else:
            node.value = dataset.value(e)
        nodes.append(node)
    return nodes


def edited(data: bytes, *edits: Callable[[list[Node]], object]) -> bytes:
    """Return a file after edits of its top-level nodes."""
    file = apart(data)
    for edit in edits:
        edit(file.nodes)
    return file.bytes()


def leaf(tag: int, vr: str, value: bytes | str) -> Node:
    """Return an element; text is padded to even length."""
    if isinstance(value, str):
        value = value.encode()
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    return Node(tag=tag, vr=vr, value=value)


def sequence(tag: int, *items: list[Node]) -> Node:
    """Return a sequence."""
    return Node(tag=tag, vr="SQ", items=list(items))


def at(nodes: list[Node], *path: int) -> Node:
    """Return the node at a path of tags and item indexes, e.g. ``(0x0040A730, 2, 0x0040A160)``."""
    tag, *rest = path
    node = next(n for n in nodes if n.tag == tag)
    if not rest:
        return node
    index, *inner = rest
    assert node.items is not None
    return at(node.items[index], *inner)


def insert(nodes: list[Node], *new: Node) -> None:
    """Put nodes where their tags belong."""
    nodes.extend(new)
    nodes.sort(key=lambda n: n.tag)


def remove(nodes: list[Node], *tags: int) -> list[Node]:
    """Take nodes out and return them."""
    taken = [n for n in nodes if n.tag in tags]
    nodes[:] = [n for n in nodes if n.tag not in tags]
    return taken


def set_value(*path: int, to: bytes | str) -> Callable[[list[Node]], None]:
    """Return the edit that gives an element another value."""

    def edit(nodes: list[Node]) -> None:
        node = at(nodes, *path)
        node.value = leaf(node.tag, node.vr, to).value

    return edit


def signature_item(nodes: list[Node], index: int = 0) -> list[Node]:
    """Return a Digital Signatures item."""
    items = at(nodes, SIGNATURES).items
    assert items is not None
    return items[index]


def mac_item(nodes: list[Node], index: int = 0) -> list[Node]:
    """Return a MAC Parameters item."""
    items = at(nodes, MAC_PARAMETERS).items
    assert items is not None
    return items[index]


def listed_tags(nodes: list[Node], index: int = 0) -> list[int]:
    """Return Data Elements Signed of a MAC Parameters item."""
    value = at(mac_item(nodes, index), 0x04000020).value
    halves = [int.from_bytes(value[i : i + 2], "little") for i in range(0, len(value), 2)]
    return [g << 16 | e for g, e in zip(halves[::2], halves[1::2], strict=True)]


def tag_list(tags: Iterable[int]) -> bytes:
    """Return the value of an AT element."""
    return b"".join(pack("<HH", tag >> 16, tag & 0xFFFF) for tag in tags)


def encode(nodes: Iterable[Node]) -> bytes:
    """Return nodes in explicit VR little endian, exactly in the order given."""
    return b"".join(_encode(node) for node in nodes)


def _encode(node: Node) -> bytes:
    head = pack("<HH", node.tag >> 16, node.tag & 0xFFFF) + node.vr.encode("latin_1")
    body, length = _body(node)
    if node.stated is not None:
        length = node.stated
    if node.vr in _LONG:
        return head + node.reserved + pack("<I", length) + body
    return head + pack("<H", length) + body


def _body(node: Node) -> tuple[bytes, int]:
    if node.fragments is not None:
        items = (_ITEM + pack("<I", len(f)) + f for f in node.fragments)
        return b"".join(items) + _END + bytes(4), _UNDEFINED
    if node.items is None:
        return node.value, len(node.value)
    parts = []
    for index, item in enumerate(node.items):
        content = encode(item)
        length = node.stated_items.get(index, len(content))
        closing = b"\xfe\xff\x0d\xe0" + bytes(4) if length == _UNDEFINED else b""
        parts.append(_ITEM + pack("<I", length) + content + closing)
    body = b"".join(parts)
    return (body + _END + bytes(4) if node.stated == _UNDEFINED else body), len(body)


def stream(nodes: Iterable[Node], tags: Iterable[int], item: Iterable[Node] = ()) -> bytes:
    """Return the MAC stream: listed elements, then those of the signature item.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    wanted = frozenset(tags)
    signed = [n for n in nodes if n.tag in wanted and _signable(n)]
    tail = [n for n in item if n.tag not in _OUTSIDE_MAC]
    return b"".join(map(_mac_bytes, signed + tail))


def _signable(node: Node) -> bool:
    group, element = node.tag >> 16, node.tag & 0xFFFF
    never = node.tag in (0x00080001, MAC_PARAMETERS, 0xFFFCFFFC) or element == 0
    return group >= 8 and group != 0xFFFA and not never and node.vr != "UN"


def _mac_bytes(node: Node) -> bytes:
    head = pack("<HH", node.tag >> 16, node.tag & 0xFFFF) + node.vr.encode("latin_1")
    if node.items is not None:
        items = (_ITEM + b"".join(_mac_bytes(n) for n in i if _signable(n)) for i in node.items)
        return head + b"\0\0" + b"".join(items) + _END
    if node.fragments is not None:
        return head[:4] + b"OB\0\0" + b"".join(_ITEM + f for f in node.fragments) + _END
    long = b"\0\0" + pack("<I", len(node.value))
    return head + (long if node.vr in _LONG else pack("<H", len(node.value))) + node.value


def purpose_node(code: Code) -> Node:
    """Return Digital Signature Purpose Code Sequence."""
    item = [
        leaf(0x00080100, "SH", code.value),
        leaf(0x00080102, "SH", code.scheme),
        leaf(0x00080104, "LO", code.meaning),
    ]
    return sequence(0x04000401, item)


def forge_signature(
    nodes: list[Node],
    signer: Entity | None = None,
    *,
    tags: Iterable[int] | None = None,
    listed: Iterable[int] | None = None,
    purpose: Code | None = AUTHORS,
    claimed: str = "20261120090000+0000",
    uid: str = "2.25.4711.9",
    mac_id: int = 7,
    algorithm: str = "SHA256",
    transfer_syntax: str = EXPLICIT_LITTLE,
    certificate: bytes | None = None,
    extra: Iterable[Node] = (),
    value: Callable[[Entity, bytes], bytes] | None = None,
    stream_prefix: bytes = b"",
) -> None:
    """Append a signature that no rule has looked at; the value is genuine all the same.

    Args:
        nodes: The level to sign.
        signer: Author by default.
        tags: What is signed; everything signable by default.
        listed: What Data Elements Signed says; ``tags`` by default.
        purpose: ``None`` leaves the purpose out.
        claimed: Digital Signature DateTime.
        uid: Digital Signature UID.
        mac_id: MAC ID Number.
        algorithm: MAC Algorithm as stored; one that hashlib does not know is signed as SHA256.
        transfer_syntax: MAC Calculation Transfer Syntax UID.
        certificate: Stored instead of the signer's own.
        extra: More elements of the signature item; they are signed as well.
        value: Makes the signature value from signer and digest.
        stream_prefix: Signed in front of everything else.
    """
    signer = signer or demo_pki().author
    covered = tuple(n.tag for n in nodes if _signable(n)) if tags is None else tuple(tags)
    stored = signer.der if certificate is None else certificate
    item = [
        leaf(0x04000005, "US", pack("<H", mac_id)),
        leaf(0x04000100, "UI", uid),
        leaf(0x04000105, "DT", claimed),
        leaf(0x04000110, "CS", "X509_1993_SIG"),
        leaf(CERTIFICATE, "OB", stored + b"\0" * (len(stored) % 2)),
        *([purpose_node(purpose)] if purpose is not None else []),
        *extra,
    ]
    item.sort(key=lambda n: n.tag)
    known = MACAlgorithm(algorithm) if algorithm in list(MACAlgorithm) else MACAlgorithm.SHA256
    signed = stream_prefix + stream(nodes, covered, item)
    digest = hashlib.new(known.value.lower(), signed, usedforsecurity=False).digest()
    made = value(signer, digest) if value else sign_digest(signer.key, known, digest)
    insert(item, leaf(0x04000120, "OB", made + b"\0" * (len(made) % 2)))
    parameters = [
        leaf(0x04000005, "US", pack("<H", mac_id)),
        leaf(0x04000010, "UI", transfer_syntax),
        leaf(0x04000015, "CS", algorithm),
        leaf(0x04000020, "AT", tag_list(covered if listed is None else listed)),
    ]
    for tag, content in ((MAC_PARAMETERS, parameters), (SIGNATURES, item)):
        if not any(n.tag == tag for n in nodes):
            insert(nodes, sequence(tag))
        present = at(nodes, tag).items
        assert present is not None
        present.append(content)
