"""What a signer is told although nothing forbids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, canonicalise, read
from sr.findings import Finding, Status
from sr.mac.peer import PEER_BUFFER_BYTES
from sr.signature import PreparedSignature, SigningRequest, prepare
from tests.support.datasets import ct_evidence, ct_files, key_object, report
from tests.support.dicom_bytes import EXPLICIT as LE
from tests.support.dicom_bytes import part10
from tests.support.pki import demo_pki
from tests.support.signed import SIGNED_AT

CONTENT, CODES, PIXELS = 0x00289145, 0x00081140, 0x7FE00010


def prepared(data: bytes, path: tuple[tuple[int, int], ...] = ()) -> PreparedSignature:
    request = SigningRequest(
        purpose=SignaturePurpose.SOURCE,
        certificate=demo_pki().archive.der,
        signed_at=SIGNED_AT,
        digital_signature_uid="2.25.4730.1",
        path=path,
    )
    return prepare(read(BytesSource(data)), request)


def notices(data: bytes, rule: str = "PEER_WILL_TRUNCATE") -> tuple[Finding, ...]:
    return tuple(f for f in prepared(data).findings if f.rule == rule)


def image(*elements: bytes, pixels: int = 100_000) -> bytes:
    uids = LE.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")
    uids += LE.element(0x00080018, "UI", b"1.2.3.4\0")
    return part10(uids + b"".join(elements) + LE.element(PIXELS, "OW", b"\0" * pixels))


FLAT = LE.sequence(CODES, LE.item(LE.element(0x00080104, "LO", b"AB")), LE.item())
NESTED = LE.sequence(CONTENT, LE.item(FLAT))
EMPTY = LE.sequence(CONTENT, LE.item(LE.sequence(CODES)))
SAFE = {
    "large image": image(),
    "large image with items": image(FLAT),
    "large image with many items": image(FLAT, LE.sequence(CONTENT, *[LE.item()] * 9000)),
    "large image, nested sequence without items": image(EMPTY),
    "small image, nested": image(NESTED, pixels=1000),
    "key object, few references": canonicalise(key_object()),
    "report, few references": canonicalise(report()),
}


@pytest.mark.parametrize("data", SAFE.values(), ids=SAFE)
def test_no_notice_where_dcmsign_reads_everything(data: bytes) -> None:
    """No notice where nothing is nested twice, or where the stream fits dcmsign's buffer."""
    assert notices(data) == ()


def test_no_notice_for_a_large_ct_image() -> None:
    """An ordinary CT image is far larger than dcmsign's buffer and no reason for a notice."""
    data = canonicalise(ct_files()[0])
    assert prepared(data).stream_bytes > PEER_BUFFER_BYTES
    assert notices(data) == ()


@pytest.mark.parametrize("number", [40, 100])
@pytest.mark.parametrize("make", [key_object, report])
def test_many_references_give_the_notice(make: object, number: int) -> None:
    """Key objects and reports with many references are told, with the element it begins at."""
    first = ct_evidence(1)[0]
    cited = tuple(replace(first, sop_instance_uid=f"2.25.1000.{n:04}") for n in range(number))
    (notice,) = notices(canonicalise(make(evidence=cited)))  # type: ignore[operator]
    assert notice.status is Status.NOTICE
    assert (notice.where or "").startswith("(0040,A375)[0].(0008,1115)[0].(0008,1199)[")


def test_nesting_beside_a_large_value_gives_the_notice() -> None:
    """Where the border misses what is nested the notice stays, but names no element."""
    (notice,) = notices(image(NESTED))
    assert notice.where is None


def test_an_item_counts_from_itself() -> None:
    """A signature in an item is in danger only through what is nested within that item."""
    large = LE.element(0x0040A160, "UT", b"x" * 20_000)
    flat = image(LE.sequence(CONTENT, LE.item(LE.sequence(CODES, LE.item(large)))), pixels=10)
    assert [f.rule for f in prepared(flat).findings] == ["PEER_WILL_TRUNCATE"]
    assert prepared(flat, ((CONTENT, 0),)).findings == ()


@pytest.mark.parametrize(
    ("value", "told"), [(b"A^B ", False), (b"A^B   ", True), (b"  A^B   ", True), (b"", False)]
)
def test_padding_that_others_rewrite(value: bytes, *, told: bool) -> None:
    """Padding that DCMTK would rewrite is a warning, at any depth."""
    element = LE.element(0x00100010, "PN", value)
    for data in (
        image(element),
        image(LE.sequence(CONTENT, LE.item(element))),
    ):
        found = notices(data, "PADDING_NOT_CANONICAL")
        assert [f.status for f in found] == ([Status.WARN] if told else [])
