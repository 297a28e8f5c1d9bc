"""The model of dcmsign's writer against dcmsign itself, byte for byte, and what we make of both.

dcmsign dumps the bytes that its MAC covers; every shape is tried with borders in many places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, DataSet, DICOMFile, read
from sr.mac import MACChunk, Padding, mac_stream
from sr.mac.peer import PEER_BUFFER_BYTES, PeerStream, peer_stream
from sr.mac.stream import chunk_bytes
from sr.signature import examine
from sr.verification import gather
from sr.verification.facts import Integrity
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoder, part10
from tests.support.peers import dcmsign, dcmsign_sign
from tests.support.pki import demo_pki
from tests.support.signed import sign

pytestmark = pytest.mark.peer

LE = EXPLICIT
CT = b"1.2.840.10008.5.1.4.1.1.2\0"
FILLER, EVIDENCE, SERIES, REFERENCES = 0x00281201, 0x0040A375, 0x00081115, 0x00081199
CONTENT, SHARED, FRAMES, PIXELS = 0x0040A730, 0x52009229, 0x52009230, 0x7FE00010


class Shape(NamedTuple):
    """A data set whose border can be moved."""

    make: Callable[[int], bytes]
    syntax: str = "explicit"
    loses: bool | None = True
    """Whether dcmsign leaves something out; ``None`` where it depends on the border."""


def head(encoder: Encoder = LE, filler: int = 0) -> bytes:
    """Return identity and so many bytes of ballast."""
    return (
        encoder.element(0x00080016, "UI", CT)
        + encoder.element(0x00080018, "UI", b"1.2.3.4\0")
        + (encoder.element(FILLER, "OW", b"\1" * filler) if filler else b"")
    )


def reference(number: int, listed: int, encoder: Encoder = LE) -> bytes:
    """Return one secure reference whose MAC lists so many tags."""
    mac = encoder.item(
        encoder.element(0x04000010, "UI", b"1.2.840.10008.1.2.1\0"),
        encoder.element(0x04000015, "CS", b"SHA256"),
        encoder.element(0x04000020, "AT", b"\0\x08\0\x18" * listed),
        encoder.element(0x04000404, "OB", bytes(range(32))),
    )
    return encoder.item(
        encoder.element(0x00081150, "UI", CT),
        encoder.element(0x00081155, "UI", b"1.2.3.%08d" % number),
        encoder.sequence(0x04000403, mac),
    )


def key_object(shift: int, number: int, listed: int, encoder: Encoder = LE) -> bytes:
    """Return something like a key object selection: evidence of depth four, then content."""
    cited = [reference(n, listed, encoder) for n in range(number)]
    series = encoder.item(
        encoder.sequence(REFERENCES, *cited), encoder.element(0x0020000E, "UI", b"1.2\0")
    )
    study = encoder.item(
        encoder.sequence(SERIES, series), encoder.element(0x0020000D, "UI", b"1.2.9\0")
    )
    shown = encoder.item(encoder.element(0x00081155, "UI", b"1.2.3.44"))
    content = encoder.item(
        encoder.sequence(REFERENCES, shown), encoder.element(0x0040A010, "CS", b"CONTAINS")
    )
    return (
        head(encoder)
        + encoder.element(0x00104000, "LT", b"A" * shift)
        + encoder.sequence(EVIDENCE, study)
        + encoder.sequence(CONTENT, *[content] * number)
    )


def multi_frame(shift: int, frames: int, *, shared: int = 1) -> bytes:
    """Return something like an enhanced multi-frame image: many short nested sequences."""
    position = LE.sequence(0x00209113, LE.item(LE.element(0x00200032, "DS", b"-12\\3.5\\77")))
    frame = LE.sequence(0x00209111, LE.item(LE.element(0x00209157, "UL", b"\1\0\0\0" * 2)))
    measures = LE.sequence(0x00289110, LE.item(LE.element(0x00280030, "DS", b"1\\1 ")))
    return (
        head()
        + LE.element(0x00104000, "LT", b"A" * shift)
        + LE.sequence(SHARED, LE.item(measures * shared))
        + LE.sequence(FRAMES, *[LE.item(frame, position)] * frames)
        + LE.element(PIXELS, "OW", b"\0" * 20_000)
    )


def tree(depth: int, breadth: int) -> bytes:
    """Return a content tree; every level holds text beside and below its children."""
    if not depth:
        return LE.element(0x0040A160, "UT", b"Befund. " * 9)
    children = [LE.item(tree(depth - 1, breadth)) for _ in range(breadth)]
    return LE.element(0x0040A160, "UT", b"Text") + LE.sequence(CONTENT, *children)


def every_unit(shift: int, *, nested: bool, encoder: Encoder = LE) -> bytes:
    """Return each kind of header and delimiter once, in an item or in a nested one."""
    units = encoder.item(
        encoder.element(0x00080104, "LO", b"AB"),
        encoder.sequence(SERIES),
        encoder.sequence(REFERENCES, encoder.item()),
        encoder.element(0x0040A160, "UT", b"ABCD"),
        encoder.element(0x00420011, "OB"),
        encoder.element(0x00700022, "FL", b"\1\2\3\4" * 2),
    )
    inner = encoder.item(encoder.sequence(CONTENT, units, units)) if nested else units
    return (
        head(encoder, PEER_BUFFER_BYTES - 400 + shift)
        + encoder.sequence(CONTENT, inner, encoder.item(), units)
        + encoder.sequence(SHARED)
        + encoder.sequence(
            FRAMES, encoder.item(encoder.sequence(0x00289145, encoder.item(units[8:18])))
        )
    )


def icon(shift: int, *, nested: bool) -> bytes:
    """Return an encapsulated image with an encapsulated icon inside an item."""
    picture = LE.encapsulated(PIXELS, b"", *[b"\xff\xd8\xff\xd9"] * 4000)
    icons = LE.sequence(0x00880200, LE.item(picture))
    return (
        head()
        + LE.element(0x00104000, "LT", b"A" * shift)
        + (LE.sequence(0x00289145, LE.item(icons)) if nested else icons)
        + LE.encapsulated(PIXELS, b"\0\0\0\0", *[b"\xff\xd8" * 5000] * 3)
    )


def long_value(shift: int, encoder: Encoder, vr: str, tag: int) -> bytes:
    """Return a nested value of several buffers, and one beside it."""
    value = encoder.element(tag, vr, encoder.value(vr, bytes(range(256)) * 250))
    nested = encoder.item(encoder.sequence(CONTENT, encoder.item(value)))
    return head(encoder, 1_000 + shift) + encoder.sequence(CONTENT, nested, encoder.item(value))


SHAPES = {
    "key object, small": Shape(lambda n: key_object(n, 12, 60), loses=False),
    "key object, 30 references": Shape(lambda n: key_object(n, 30, 130)),
    "key object, 300 references": Shape(lambda n: key_object(n, 300, 78)),
    "key object, implicit VR": Shape(lambda n: key_object(n, 90, 78, IMPLICIT), "implicit"),
    "key object, big endian": Shape(lambda n: key_object(n, 90, 78, BIG_ENDIAN), "big"),
    "multi-frame, 40 frames": Shape(lambda n: multi_frame(n, 40), loses=False),
    "multi-frame, 900 frames": Shape(lambda n: multi_frame(n, 900), loses=None),
    "tree of depth 3": Shape(lambda n: head(LE, 10_000 + n) + tree(3, 6)),
    "tree of depth 12": Shape(lambda n: head(LE, 12_000 + n) + tree(12, 1), loses=False),
    "tree of depth 9": Shape(lambda n: head(LE, 100 + n) + tree(9, 2)),
    "text, nested": Shape(lambda n: long_value(n, LE, "UT", 0x0040A160)),
    "numbers, nested, big endian": Shape(
        lambda n: long_value(n, BIG_ENDIAN, "FD", 0x00720074), "big"
    ),
    "text too long for its VR": Shape(
        lambda n: long_value(n, IMPLICIT, "ST", 0x00400280), "implicit"
    ),
    "icon": Shape(lambda n: icon(n, nested=False), "jpeg", loses=False),
    "icon, nested": Shape(lambda n: icon(n, nested=True), "jpeg"),
}


def joined(chunks: Iterable[MACChunk]) -> bytes:
    return b"".join(block for chunk in chunks for block in chunk_bytes(chunk))


class Compared(NamedTuple):
    """One data set as dcmsign signed it, and as we see that."""

    file: DICOMFile
    standard: bytes
    dump: bytes
    models: tuple[PeerStream, ...]


def _key_files(folder: Path) -> tuple[Path, Path]:
    archive = demo_pki().archive
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_bytes(archive.key_pem())
    certificate.write_bytes(archive.pem)
    return key, certificate


def compared(folder: Path, data: bytes, item: str | None = None) -> Compared:
    """Let dcmsign sign, and model what it hashed from the file given and from the file written."""
    source, target, dump = (folder / name for name in ("in.dcm", "out.dcm", "dump"))
    source.write_bytes(data)
    key, certificate = _key_files(folder)
    if item is None:
        result = dcmsign_sign(
            source, target, key=key, certificate=certificate, profile="-pf", purpose="14", dump=dump
        )
    else:
        result = dcmsign(
            "+si", key, certificate, item, "-pf", "+m2", "+sp", "14", "+d", dump, source, target
        )
    assert result.returncode == 0, result.output
    file = read(BytesSource(target.read_bytes()))
    (located,) = examine(file).signatures
    assert located.parameters is not None
    covers, tail = located.parameters.data_elements_signed, located.item
    level = located.level.dataset
    given: DataSet = read(BytesSource(data)).dataset
    for tag, index in located.level.path:
        given = given.items(tag)[index]
    return Compared(
        file,
        joined(mac_stream(level, covers, signature_item=tail)),
        dump.read_bytes(),
        (
            peer_stream(level, covers, signature_item=tail, padding=Padding.AS_STORED),
            peer_stream(level, covers, signature_item=tail),
            peer_stream(given, covers, signature_item=tail),
        ),
    )


def agree(found: Compared) -> bool:
    """Assert that the model is what dcmsign hashed; return whether it lost anything."""
    missing = len(found.standard) - len(found.dump)
    for model in found.models:
        assert joined(model.chunks) == found.dump
        assert (model.truncation.bytes_missing if model.truncation else 0) == missing
    (facts,) = gather(found.file).signatures
    assert facts.integrity is (Integrity.INTACT_PEER_TRUNCATED if missing else Integrity.INTACT)
    assert facts.truncation == found.models[1].truncation
    return missing > 0


@pytest.mark.parametrize("shift", [0, 2, 6, 10, 14, 40])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_model_is_what_dcmsign_hashes(shape: Shape, shift: int, tmp_path: Path) -> None:
    """Byte for byte, whatever the shape and wherever in it the border falls."""
    found = compared(tmp_path, part10(shape.make(shift), shape.syntax))
    assert agree(found) in ((True, False) if shape.loses is None else (shape.loses,))


@pytest.mark.parametrize("nested", [False, True], ids=["in an item", "in a nested item"])
@pytest.mark.parametrize("free", [400, 364, 330, 290, 256, 230, 222, 218, 216, 212, 200, 188, 120])
def test_the_model_knows_each_border(free: int, tmp_path: Path, *, nested: bool) -> None:
    """Headers, item tags and delimiters wait for the room they need in dcmsign."""
    agree(compared(tmp_path, part10(every_unit(400 - free, nested=nested))))


@pytest.mark.parametrize("shift", [0, 6, 12])
def test_depth_counts_from_the_signed_item(shift: int, tmp_path: Path) -> None:
    """A signature in an item loses what is nested there, not what only the data set nests."""
    inner = LE.sequence(CONTENT, LE.item(LE.element(0x0040A160, "UT", b"x" * 40_000)))
    flat = head(LE, 100 + shift) + LE.sequence(CONTENT, LE.item(inner))
    deep = head(LE, 100 + shift) + LE.sequence(
        CONTENT, LE.item(LE.sequence(CONTENT, LE.item(inner)))
    )
    assert not agree(compared(tmp_path, part10(flat), "ContentSequence[0]"))
    assert agree(compared(tmp_path, part10(deep), "ContentSequence[0]"))


def test_both_find_the_same_alterations(tmp_path: Path) -> None:
    """Whichever cited UID is altered: we call altered what dcmsign calls corrupted, and no more."""
    number = 40
    found = compared(tmp_path, part10(key_object(0, number, 130)))
    data = (tmp_path / "out.dcm").read_bytes()
    series = found.file.dataset.items(EVIDENCE)[0].items(SERIES)[0]
    path = tmp_path / "altered.dcm"
    seen = []
    for item in series.items(REFERENCES):
        uid = item.get(0x00081155)
        assert uid is not None
        at = uid.end - 8
        altered = data[:at] + b"9" + data[at + 1 :]
        path.write_bytes(altered)
        (facts,) = gather(read(BytesSource(altered))).signatures
        corrupted = "document corrupted" in dcmsign("--verify", "-v", path).output
        assert facts.integrity is (
            Integrity.OTHER_BYTES if corrupted else Integrity.INTACT_PEER_TRUNCATED
        )
        seen.append(corrupted)
    assert set(seen) == {True, False}
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("number", [1, 5, 12, 20, 22, 24, 26, 28, 40, 100])
def test_the_model_predicts_dcmsign_on_our_signatures(number: int, tmp_path: Path) -> None:
    """DCMTK calls our correct signature corrupted exactly where the model loses something."""
    signed = sign(part10(key_object(0, number, 130)), demo_pki().archive, SignaturePurpose.SOURCE)
    path = tmp_path / "signed.dcm"
    path.write_bytes(signed)
    file = read(BytesSource(signed))
    (located,) = examine(file).signatures
    assert located.parameters is not None
    model = peer_stream(
        file.dataset, located.parameters.data_elements_signed, signature_item=located.item
    )
    corrupted = "document corrupted" in dcmsign("--verify", "-v", path).output
    assert corrupted is (model.truncation is not None)
    assert gather(file).signatures[0].integrity is Integrity.INTACT


LEAVES = (
    (0x00080070, "LO"), (0x00080104, "LO"), (0x00100010, "PN"), (0x00104000, "LT"),
    (0x00181063, "DS"), (0x00280010, "US"), (FILLER, "OW"), (0x0040A160, "UT"),
    (0x00420011, "OB"), (0x00700022, "FL"), (0x00741057, "IS"),
)  # fmt: skip
SEQUENCES = (0x00081115, 0x00081140, REFERENCES, 0x00082112, EVIDENCE, CONTENT, SHARED, FRAMES)
SHORT = frozenset(("LO", "PN", "DS", "IS"))


def random_level(r: Random, encoder: Encoder, depth: int, budget: list[int]) -> list[bytes]:
    """Return elements in ascending order; the budget bounds the size of the whole."""
    tags = [(tag, vr) for tag, vr in LEAVES if r.random() < 0.4]
    tags += [(tag, "SQ") for tag in SEQUENCES if r.random() < (0.5 if depth < 2 else 0.25)]
    if encoder.explicit and r.random() < 0.05:
        tags.append((0x00111001, "UN"))
    return [
        random_sequence(r, encoder, depth, budget, tag)
        if vr == "SQ"
        else encoder.element(tag, vr, random_value(r, vr))
        for tag, vr in sorted(tags)
    ]


def random_sequence(r: Random, encoder: Encoder, depth: int, budget: list[int], tag: int) -> bytes:
    items = []
    for _ in range(r.choice((0, 1, 1, 2, 3, 8, 20) if depth < 3 else (0, 1, 2))):
        if budget[0] <= 0 or depth > 7:
            break
        inner = random_level(r, encoder, depth + 1, budget)
        items.append(encoder.item(*inner, undefined=r.random() < 0.3))
        budget[0] -= len(items[-1]) // (depth + 1)
    return encoder.sequence(tag, *items, undefined=r.random() < 0.3)


def random_value(r: Random, vr: str) -> bytes:
    length = r.choice((0, r.randrange(0, 40), r.randrange(0, 40), r.randrange(0, 20_000)))
    if vr in SHORT:
        return b"1" * (length % 5 * 2)
    return b"x" * (length // 4 * 4)


@pytest.mark.prove
@pytest.mark.parametrize("block", range(20))
def test_the_model_is_what_dcmsign_hashes_of_anything(block: int, tmp_path: Path) -> None:
    """Random data sets in three encodings, some with values of unknown VR."""
    losses = 0
    for seed in range(100 * block, 100 * block + 100):
        r = Random(seed)
        encoder, syntax = r.choice(
            ((LE, "explicit"), (LE, "explicit"), (BIG_ENDIAN, "big"), (IMPLICIT, "implicit"))
        )
        budget = [r.choice((5_000, 60_000, 200_000))]
        body = random_level(r, encoder, 0, budget)
        losses += agree(compared(tmp_path, part10(head(encoder) + b"".join(body), syntax)))
    assert losses > 10


@pytest.mark.prove
@pytest.mark.parametrize("nested", [False, True], ids=["in an item", "in a nested item"])
@pytest.mark.parametrize("encoding", ["explicit", "big"])
def test_the_model_knows_every_border(encoding: str, tmp_path: Path, *, nested: bool) -> None:
    """The border at every even offset of a stream that has each kind of unit."""
    encoder = {"explicit": LE, "big": BIG_ENDIAN}[encoding]
    losses = [
        agree(compared(tmp_path, part10(every_unit(n, nested=nested, encoder=encoder), encoding)))
        for n in range(0, 560, 2)
    ]
    assert set(losses) == {True, False}
