"""The files that are measured: made once, the same everywhere, kept in ``benchmarks/data``.

They are written byte by byte, so that making them needs no other library. Values are plausible,
pixels are random, because neither a hash nor a scanner looks at them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from struct import pack

from benchmarks.documents import write_report
from sr.app.ports import Ports
from sr.dicomfile import BytesSource, DataSet, read
from sr.dicomfile.dataset import Encoding
from sr.dicomfile.tags import dictionary_vr
from sr.dicomfile.writer import element, sequence, tags, text

__all__ = ["DATA", "WORKLOADS", "Workload", "count_elements", "small_series"]

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC)

_EXPLICIT, _IMPLICIT = Encoding(True, True), Encoding(False, True)
_EXPLICIT_UID, _IMPLICIT_UID = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
_JPEG_2000_UID = "1.2.840.10008.1.2.4.90"
_CT, _ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
_ITEM = b"\xfe\xff\x00\xe0"
_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
_PIXEL_DATA, _SOP_INSTANCE_UID, _RELATIONSHIP = 0x7FE00010, 0x00080018, 0x0020

_CT_TAGS = {
    0x0008: "0005 0008 0012 0013 0016 0018 0020 0021 0022 0023 0030 0031 0032 0033 0050 0060 0070 "
    "0080 0081 0090 1010 1030 103E 1040 1048 1050 1060 1070 1090",
    0x0010: "0010 0020 0021 0030 0032 0040 1010 1020 1030 2154 2160 2180 21C0 4000",
    0x0018: "0010 0015 0022 0050 0060 0090 1000 1020 1030 1040 1041 1044 1046 1049 1100 1110 1111 "
    "1120 1130 1140 1150 1151 1152 1160 1170 1190 1200 1201 1210 5100 9305 9306 9307 9309 9310 "
    "9311 9323 9324 9345",
    0x0020: "000D 000E 0010 0011 0012 0013 0032 0037 0052 0060 1040 1041 4000",
    0x0028: "0002 0004 0010 0011 0030 0100 0101 0102 0103 0106 0107 0120 0301 0303 1050 1051 1052 "
    "1053 1054 1055 2110",
    0x0032: "1032 1033 1060",
    0x0040: "0002 0003 0004 0005 0006 0007 0009 0010 0244 0245 0253 0254 2017",
    0x0088: "0140",
}
"""Elements of a CT image as scanners send them."""
_CT_SEQUENCES = {
    0x00081032: (0x00080100, 0x00080102, 0x00080104),
    0x00081111: (0x00081150, 0x00081155),
    0x00081140: (0x00081150, 0x00081155),
    0x00082218: (0x00080100, 0x00080102, 0x00080104),
    0x00400275: (0x0020000D, 0x00321060, 0x00400007, 0x00400009, 0x00401001),
}
_ITEMS = {0x00081140: 3}
_PRIVATE = ((0x0019, "SIEMENS CT VA1 DUMMY", 18), (0x0029, "SIEMENS CSA HEADER", 6))
_VALUES = {
    "AE": "STATION1", "AS": "065Y", "CS": "DERIVED", "DA": "20261120", "DS": "0.48828125",
    "DT": "20261120093015.123456", "IS": "120", "LO": "Klinikum Musterstadt", "LT": "Bemerkung",
    "PN": "Mustermann^Erika", "SH": "CT-ROOM-4", "ST": "Musterallee 1", "TM": "093015.123456",
    "UC": "unlimited", "UR": "http://example.org/", "UT": "Text",
}  # fmt: skip
_VARIED: dict[int, Callable[[int], str]] = {
    0x00080013: lambda n: f"0930{15 + n // 8 % 45:02}.{n * 137 % 1000:03}",
    0x00080033: lambda n: f"0930{15 + n // 8 % 45:02}.{n * 137 % 1000:03}",
    0x00081160: lambda n: str(n + 1),
    0x00181150: lambda n: str(480 + n % 40),
    0x00181151: lambda n: str(80 + n * 7 % 200),
    0x00181152: lambda n: str(n * 7 % 180),
    0x00200013: lambda n: str(n + 1),
    0x00200032: lambda n: f"-125.0\\-125.0\\{-612.5 + 1.25 * n:g}",
    0x00201041: lambda n: f"{-612.5 + 1.25 * n:g}",
    0x00281050: lambda n: str(40 + 10 * (n % 7)),
    0x00321060: lambda n: "CT Thorax" + " mit KM" * (n % 2),
}
"""What differs from slice to slice, in length as well."""
_FIXED = {
    0x00080005: b"ISO_IR 100",
    0x00080016: _CT.encode() + b"\0",
    0x00080060: b"CT",
    0x00280002: b"\x01\0",
    0x00280010: b"\0\x02",
    0x00280011: b"\0\x02",
    0x00280100: b"\x10\0",
    0x00280101: b"\x0c\0",
    0x00280102: b"\x0b\0",
    0x00280103: b"\0\0",
    0x00200037: b"1\\0\\0\\0\\1\\0 ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of file, as several instances."""

    name: str
    title: str
    target: float | None
    """Time over that of reading and hashing; ``None`` where none is promised."""
    instances: int
    write: Callable[[Path, int], None]
    is_large: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files, whether or not they exist."""
        return tuple(DATA / self.name / f"{n:04}.dcm" for n in range(self.instances))

    def make(self) -> tuple[Path, ...]:
        """Make the files that are not there; return all."""
        (DATA / self.name).mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(self.paths):
            if not path.exists():
                partial = path.with_suffix(".part")
                self.write(partial, number)
                partial.replace(path)
        return self.paths


def small_series(number: int) -> tuple[Path, ...]:
    """Return the files of a series of small images, each with a UID of its own.

    Small, so that what grows with the number of instances is not hidden behind the hash.
    """
    folder = DATA / "series"
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{n:05}.dcm" for n in range(number))
    for n, path in enumerate(paths):
        if not path.exists():
            path.write_bytes(_ct(n, _EXPLICIT, _EXPLICIT_UID, _random(n, 2 * 64 * 64)))
    return paths


def count_elements(data: bytes) -> int:
    """Return the number of elements of a file, those in items too, File Meta Information not."""
    return _count(read(BytesSource(data)).dataset)


def _count(dataset: DataSet) -> int:
    inside = (i for e in dataset for i in e.items or ())
    return len(dataset.elements) + sum(_count(item) for item in inside)


def _random(seed: int, length: int) -> bytes:
    return random.Random(seed).randbytes(length)


def _uid(tag: int, number: int) -> str:
    """Return a UID; study, series and frame of reference are the same for all."""
    return f"1.2.826.0.1.3680043.8.498.{tag}.{0 if tag >> 16 == _RELATIONSHIP else number}"


def _value(tag: int, vr: str, number: int) -> bytes:
    if tag in _FIXED:
        return _FIXED[tag]
    if tag in _VARIED:
        value = _VARIED[tag](number).encode()
        return value + b" " * (len(value) & 1)
    if vr == "UI":
        value = _uid(tag, number).encode()
        return value + b"\0" * (len(value) & 1)
    if vr in _VALUES:
        value = _VALUES[vr].encode()
        return value + b" " * (len(value) & 1)
    if vr == "FD":
        return pack("<d", 100.0 + number)
    return bytes(4 if vr in ("FL", "SL", "UL", "AT") else 2)


def _leaf(tag: int, number: int, encoding: Encoding) -> bytes:
    vr = dictionary_vr(tag)
    vr = "US" if "|" in vr else vr
    return element(tag, vr, _value(tag, vr, number), encoding)


def _header(number: int, encoding: Encoding, *, private: bool = True) -> list[tuple[int, bytes]]:
    """Return the elements of a CT image before the pixels, ascending, with their tags."""
    leaves = (group << 16 | int(n, 16) for group, row in _CT_TAGS.items() for n in row.split())
    found = {tag: _leaf(tag, number, encoding) for tag in leaves}
    for tag, inside in _CT_SEQUENCES.items():
        content = b"".join(_leaf(t, number, encoding) for t in inside)
        found[tag] = sequence(tag, [content] * _ITEMS.get(tag, 1), encoding)
    for group, creator, elements in _PRIVATE if private else ():
        block = group << 16 | 0x1000
        found[group << 16 | 0x10] = text(group << 16 | 0x10, "LO", creator, encoding)
        for n in range(elements):
            found[block + 8 + n] = element(block + 8 + n, "DS", b"1.25\\-0.5 ", encoding)
    return sorted(found.items())


def _part10(
    transfer_syntax: str, sop_class: str, number: int, body: Iterable[bytes]
) -> Iterator[bytes]:
    meta = (
        element(0x00020001, "OB", b"\0\1")
        + text(0x00020002, "UI", sop_class)
        + text(0x00020003, "UI", _uid(_SOP_INSTANCE_UID, number))
        + text(0x00020010, "UI", transfer_syntax)
        + text(0x00020012, "UI", "2.25.4711")
    )
    yield bytes(128) + b"DICM" + element(0x00020000, "UL", len(meta).to_bytes(4, "little")) + meta
    yield from body


def _ct(number: int, encoding: Encoding, transfer_syntax: str, pixels: bytes) -> bytes:
    header = b"".join(data for _, data in _header(number, encoding))
    body = (header, element(_PIXEL_DATA, "OW", pixels, encoding))
    return b"".join(_part10(transfer_syntax, _CT, number, body))


def _write_ct(encoding: Encoding, transfer_syntax: str) -> Callable[[Path, int], None]:
    def write(path: Path, number: int) -> None:
        pixels = _random(number, 2 * 512 * 512)
        path.write_bytes(_ct(number + 80, encoding, transfer_syntax, pixels))

    return write


def _write_jpeg_2000(path: Path, number: int) -> None:
    """Write one frame in one fragment; no decoder looks at it."""
    payload = _random(number, 187 * 1024).replace(b"\xfe\xff", b"\xfe\xfe")
    header = b"".join(data for _, data in _header(number + 80, _EXPLICIT, private=False))
    pixels = (
        element(_PIXEL_DATA, "OB", b"")[:8] + b"\xff\xff\xff\xff",
        _ITEM + bytes(4),
        _ITEM + len(payload).to_bytes(4, "little"),
        payload,
        _DELIMITER,
    )
    path.write_bytes(b"".join(_part10(_JPEG_2000_UID, _CT, number + 80, (header, *pixels))))


def _frame(number: int) -> bytes:
    """Return the functional groups of one frame: 69 elements, as an enhanced CT has them."""

    def group(tag: int, *inside: int) -> bytes:
        return sequence(tag, [b"".join(_leaf(t, number, _EXPLICIT) for t in inside)])

    codes = (0x00080100, 0x00080102, 0x00080104)
    derived = b"".join(
        (
            sequence(0x00082112, [_references(number)] * 2),
            sequence(0x00089215, [b"".join(_leaf(t, number, _EXPLICIT) for t in codes)]),
        )
    )
    return b"".join(
        (
            sequence(0x00089124, [derived]),
            group(0x00189226, 0x00080008, 0x00189004),
            group(0x00189301, 0x00180022, 0x00189302, 0x00189303),
            group(0x00189304, 0x00181120, 0x00181130, 0x00181140, 0x00189305, 0x00189306),
            group(0x00189312, 0x00180060, 0x00181100, 0x00189313, 0x00189318),
            group(0x00189314, 0x00181210, 0x00189315, 0x00189316, 0x00189322),
            group(0x00189321, 0x00181150, 0x00181151, 0x00189323, 0x00189328, 0x00189330),
            group(0x00189325, 0x00180060, 0x00187050),
            group(0x00189329, 0x00080008, 0x00189004),
            group(0x00209111, 0x00189073, 0x00189074, 0x00189151, 0x00209056, 0x00209057),
            group(0x00209113, 0x00200032),
            group(0x00209116, 0x00200037),
            group(0x00289110, 0x00180050, 0x00280030),
            group(0x00289132, 0x00281050, 0x00281051),
            group(0x00289145, 0x00281052, 0x00281053, 0x00281054),
        )
    )


def _references(number: int) -> bytes:
    return b"".join(_leaf(t, number, _EXPLICIT) for t in (0x00081150, 0x00081155, 0x00081160))


def _enhanced(number: int, frames: int, described: int) -> bytes:
    """Return an enhanced CT without its pixels; ``described`` frames have functional groups."""
    items = {
        tag: data
        for tag, data in _header(number, _EXPLICIT, private=False)
        if tag >> 16 not in (0x0018, 0x0032)
    } | {
        0x00080016: text(0x00080016, "UI", _ENHANCED_CT),
        0x00280008: text(0x00280008, "IS", str(frames)),
        0x00280009: tags(0x00280009, [0x52009230]),
        0x00209221: sequence(0x00209221, [text(0x00209164, "UI", "2.25.1.1")]),
        0x52009230: sequence(0x52009230, [_frame(n) for n in range(described)]),
    }
    return b"".join(data for _, data in sorted(items.items()))


def _write_header_heavy(path: Path, number: int) -> None:
    frames = 516
    body = _enhanced(number, frames, frames)
    pixels = element(_PIXEL_DATA, "OW", _random(number, frames * 2 * 64 * 64))
    path.write_bytes(b"".join(_part10(_EXPLICIT_UID, _ENHANCED_CT, number, (body, pixels))))


def _write_large(path: Path, number: int) -> None:
    """Write 1.5 GB of pixels; the zeros of most frames need no blocks on most disks."""
    frame, frames = 2 * 512 * 512, 2861
    body = _enhanced(number, frames, 1)
    length = (frame * frames).to_bytes(4, "little")
    with path.open("wb") as file:
        for data in _part10(_EXPLICIT_UID, _ENHANCED_CT, number, (body,)):
            file.write(data)
        file.write(element(_PIXEL_DATA, "OW", b"")[:8] + length)
        start = file.tell()
        for n in range(0, frames, 16):
            file.seek(start + n * frame)
            file.write(_random(n, frame))
        file.truncate(start + frame * frames)


def _write_report(path: Path, number: int) -> None:
    """Write a report that cites three images with their MACs."""
    images = [_outline(n) for n in range(3)]
    path.write_bytes(
        write_report(images, number, Ports(now=lambda: NOW, new_uid=_counted_uids(number)))
    )


def _outline(number: int) -> bytes:
    """Return an image that says little of itself, so that its MAC lists few elements."""
    header = _header(number, _EXPLICIT, private=False)
    kept = (data for tag, data in header if tag >> 16 in (0x0008, 0x0020))
    return b"".join(_part10(_EXPLICIT_UID, _CT, number, kept))


def _counted_uids(number: int) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"2.25.4711.{number}.{next(numbers)}"


WORKLOADS = (
    Workload(
        name="ct-explicit",
        title="CT 512x512, explicit",
        target=1.10,
        instances=40,
        write=_write_ct(_EXPLICIT, _EXPLICIT_UID),
    ),
    Workload(
        name="ct-implicit",
        title="CT 512x512, implicit",
        target=1.20,
        instances=40,
        write=_write_ct(_IMPLICIT, _IMPLICIT_UID),
    ),
    Workload(
        name="jpeg-2000",
        title="JPEG 2000, 187 KiB",
        target=1.30,
        instances=40,
        write=_write_jpeg_2000,
    ),
    Workload(name="report", title="SR, 7 KB", target=None, instances=40, write=_write_report),
    Workload(
        name="header-heavy",
        title="enhanced CT, 516 frames",
        target=2.0,
        instances=2,
        write=_write_header_heavy,
    ),
    Workload(
        name="large",
        title="multi-frame, 1.5 GB",
        target=1.02,
        instances=1,
        write=_write_large,
        is_large=True,
    ),
)
