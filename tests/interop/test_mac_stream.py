"""Our MAC stream against the one dcmsign dumps: whole streams, byte for byte."""

from __future__ import annotations

from pathlib import Path
from struct import pack

import pydicom.data
import pytest

from sr.dicomfile import BytesSource, DICOMFile, read
from sr.errors import DatasetError
from sr.mac import Padding, mac_stream, signable_tags
from sr.mac.stream import chunk_bytes
from sr.signature import LocatedSignature, examine
from tests.support.dcmsign_keys import PeerSigner, peer_signer
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoder, part10
from tests.support.peers import dcmsign_sign
from tests.support.signed import approved_report, seal, signed_image

pytestmark = pytest.mark.peer

BUNDLED = Path(pydicom.data.__file__).parent / "test_files"

SAMPLE = [
    "CT_small.dcm",
    "MR_small_padded.dcm",
    "badVR.dcm",
    "liver_1frame.dcm",
    "reportsi.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
    "examples_overlay.dcm",
    "SC_rgb_small_odd.dcm",
    "ExplVR_LitEndNoMeta.dcm",
    "MR_small_implicit.dcm",
    "nested_priv_SQ.dcm",
    "priv_SQ.dcm",
    "rtplan.dcm",
    "rtstruct.dcm",
    "no_meta_group_length.dcm",
    "ExplVR_BigEnd.dcm",
    "MR_small_expb.dcm",
    "liver_expb_1frame.dcm",
    "rtdose_expb_1frame.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "image_dfl.dcm",
    "693_J2KI.dcm",
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "MR_small_jp2klossless.dcm",
    "JPEG-lossy.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "rtdose_rle_1frame.dcm",
]
"""Every transfer syntax, every oddity of its own."""

STRICTER = {
    "UN_sequence.dcm": "lists a private sequence whose VR it guessed",
    "dicomdirtests/DICOMDIR-nooffset": "a sequence ends beyond its parent",
}
"""What we refuse and dcmsign signs."""


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PeerSigner:
    return peer_signer(tmp_path_factory.mktemp("keys"))


def compare(data: bytes, signer: PeerSigner, folder: Path) -> DICOMFile | None:
    """Let dcmsign sign the file and compare streams; ``None`` where it refuses to."""
    source, target, dump = folder / "in.dcm", folder / "out.dcm", folder / "dump"
    source.write_bytes(data)
    done = dcmsign_sign(
        source, target, key=signer.key, certificate=signer.certificate, profile="-pf", dump=dump
    )
    if done.returncode:
        return None
    expected = dump.read_bytes()
    located = examine(_opened(target.read_bytes())).signatures[-1]
    file = _opened(data)
    assert expected in (_stream(file, located, p) for p in Padding)
    return file


def _opened(data: bytes) -> DICOMFile:
    return read(BytesSource(data), allow_odd_lengths=True)


def _stream(file: DICOMFile, located: LocatedSignature, padding: Padding) -> bytes:
    """Return our stream over the original file, with the tags and the item dcmsign wrote."""
    assert located.parameters is not None
    chunks = mac_stream(
        file.dataset,
        located.parameters.data_elements_signed,
        signature_item=located.item,
        padding=padding,
    )
    return b"".join(block for chunk in chunks for block in chunk_bytes(chunk))


@pytest.mark.parametrize("name", SAMPLE)
def test_bundled_file(name, signer, tmp_path):
    """The stream over a file of another project is dcmsign's."""
    assert compare((BUNDLED / name).read_bytes(), signer, tmp_path) is not None


@pytest.mark.prove
def test_every_bundled_file(signer, tmp_path):
    """Over every file that dcmsign signs, except where we are stricter and say so."""
    compared, refused = 0, set()
    for path in sorted(p for p in BUNDLED.rglob("*") if p.is_file()):
        try:
            compared += compare(path.read_bytes(), signer, tmp_path) is not None
        except DatasetError:
            refused.add(str(path.relative_to(BUNDLED)))
    assert refused == set(STRICTER)
    assert compared > 150


@pytest.mark.parametrize("make", [approved_report, seal, signed_image])
def test_our_documents(make, signer, tmp_path):
    """The stream over documents and images that we made and signed is dcmsign's."""
    assert compare(make(), signer, tmp_path) is not None


TEXTS = {
    "AE": 0x00080054, "AS": 0x00101010, "CS": 0x00080060, "DA": 0x00080020, "DS": 0x00181050,
    "DT": 0x0008002A, "IS": 0x00200013, "LO": 0x00081030, "LT": 0x00104000, "PN": 0x00081050,
    "SH": 0x00081010, "ST": 0x00080081, "TM": 0x00080030, "UC": 0x00080119, "UR": 0x00080120,
    "UT": 0x00081197,
}  # fmt: skip
"""One attribute a string VR."""


def _head(e: Encoder) -> bytes:
    return e.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0")


def _strings(value: bytes) -> bytes:
    elements = {tag: EXPLICIT.element(tag, vr, value) for vr, tag in TEXTS.items()}
    inner = EXPLICIT.item(*(elements[tag] for tag in sorted(elements)))
    elements[0x00080016] = _head(EXPLICIT)
    elements[0x0040A730] = EXPLICIT.sequence(0x0040A730, inner)
    return part10(b"".join(elements[tag] for tag in sorted(elements)))


@pytest.mark.parametrize(
    "value",
    [
        b"", b"AB", b"ABC ", b"AB  ", b"ABC   ", b"    ", b" AB ", b"A \\B", b"A\\  ", b"AB\0\0",
        b"AB \0", b"A\0B ", b"AB\0 ", b"AB\n ", b"\\\\  ", b"\xc4\xd6\xdc ",
    ],
)  # fmt: skip
def test_padding_of_strings(value, signer, tmp_path):
    """Canonical padding is dcmsign's for every string VR, at the top level and inside items."""
    assert compare(_strings(value), signer, tmp_path) is not None


@pytest.mark.parametrize(
    "value",
    [
        b"1.2\0", b"1.2\0\0\0", b"1.2 ", b" 1.2", b"1. 2", b"1.2\n", b"1.2\\3\0", b"\0\0",
        b"1\0.2", b"1.2\0 \0",
    ],
)  # fmt: skip
def test_padding_of_uids(value, signer, tmp_path):
    """Canonical padding of UIDs is dcmsign's."""
    body = _head(EXPLICIT) + EXPLICIT.element(0x0020000D, "UI", value)
    assert compare(part10(body), signer, tmp_path) is not None


AMBIGUOUS = [
    0x00143050, 0x00189810, 0x00221452, 0x00280071, 0x00280104, 0x00280106, 0x00280107,
    0x00280110, 0x00280120, 0x00281101, 0x00281200, 0x00283002, 0x00283006, 0x00409211,
    0x00603004, 0x50003000, 0x5000200C, 0x54000110, 0x5400100A, 0x54001010, 0x60003000,
    0x60203000, 0x7F000010, 0x7FE00010,
]  # fmt: skip
"""Attributes for which PS3.6 offers several value representations."""


@pytest.mark.parametrize("representation", [0, 1])
def test_ambiguous_vrs(representation, signer, tmp_path):
    """Where implicit VR leaves a choice, it is the one dcmsign makes."""
    elements = {t: IMPLICIT.element(t, "OW", b"\2\1") for t in AMBIGUOUS}
    elements[0x00280103] = IMPLICIT.element(0x00280103, "US", pack("<H", representation))
    body = b"".join(elements[tag] for tag in sorted(elements))
    assert compare(part10(_head(IMPLICIT) + body, "implicit"), signer, tmp_path) is not None


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_waveform_bits(bits, signer, tmp_path):
    """The bits of a waveform decide its value representation in its own item only."""
    allocated = IMPLICIT.element(0x54001004, "US", pack("<H", bits))
    data = IMPLICIT.element(0x54001010, "OW", b"\2\1")
    channel = IMPLICIT.sequence(
        0x003A0200, IMPLICIT.item(IMPLICIT.element(0x54000110, "OB", b"\2\1"))
    )
    groups = IMPLICIT.sequence(
        0x54000100, IMPLICIT.item(channel + allocated + data), IMPLICIT.item(data)
    )
    assert compare(part10(_head(IMPLICIT) + groups, "implicit"), signer, tmp_path) is not None


@pytest.mark.parametrize(("outer", "inner"), [(0, 1), (1, 0), (None, 1), (1, 1)])
def test_pixel_representation_of_an_item(outer, inner, signer, tmp_path):
    """An item's own Pixel Representation decides about its numbers."""

    def representation(value: int | None) -> bytes:
        return b"" if value is None else IMPLICIT.element(0x00280103, "US", pack("<H", value))

    number = IMPLICIT.element(0x00280106, "US", b"\2\1")
    body = representation(outer) + number
    body += IMPLICIT.sequence(0x00283000, IMPLICIT.item(representation(inner) + number))
    body += IMPLICIT.element(0x00409211, "US", b"\2\1")
    assert compare(part10(_head(IMPLICIT) + body, "implicit"), signer, tmp_path) is not None


@pytest.mark.parametrize("length", [65534, 65536, 70000])
@pytest.mark.parametrize("nested", [False, True])
def test_values_beyond_a_16_bit_length(length, nested, signer, tmp_path):
    """A value too long for its VR in explicit encoding enters as dcmsign has it."""
    value = IMPLICIT.element(0x30060050, "DS", b"1\\" * (length // 2))
    body = IMPLICIT.sequence(0x30060039, IMPLICIT.item(value)) if nested else value
    assert compare(part10(_head(IMPLICIT) + body, "implicit"), signer, tmp_path) is not None


@pytest.mark.parametrize(
    ("e", "syntax"), [(EXPLICIT, "explicit"), (IMPLICIT, "implicit"), (BIG_ENDIAN, "big")]
)
@pytest.mark.parametrize("undefined", [False, True])
def test_what_is_never_covered(e, syntax, undefined, signer, tmp_path):
    """Both leave out the same elements, at the top level and inside items."""
    count = e.element(0x00080000, "UL", bytes(4)) + e.element(0x00080001, "UL", bytes(4))
    inner = e.item(count, e.element(0x00100010, "PN", b"A^B "), undefined=undefined)
    body = count + _head(e) + e.element(0x00090010, "LO", b"ACME")
    body += e.sequence(0x0040A730, inner, e.item(undefined=undefined), undefined=undefined)
    body += e.sequence(0x0040DB00, undefined=undefined) if e.explicit else b""
    body += e.element(0xFFFCFFFC, "OB", bytes(8))
    file = compare(part10(body, syntax), signer, tmp_path)
    assert file is not None
    assert 0x00080000 not in signable_tags(file.dataset, private=True)
