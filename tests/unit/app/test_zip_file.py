"""Archives made to do harm: each is refused with its rule, and nothing leaves the folder."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sr.app.shipping.zip_file import is_zip, unpack, write_zip
from sr.errors import DatasetError, LimitError, SRError
from tests.support.console import srsign


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in members:
            made.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return target.getvalue()


def special(mode: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        info = zipfile.ZipInfo("a")
        info.create_system, info.external_attr = 3, mode << 16
        made.writestr(info, "/etc/passwd")
    return target.getvalue()


def commented() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("a", b"x")
        made.comment = b"PK\x05\x06"
    return target.getvalue()


def in_zip64() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made, made.open("a", "w", force_zip64=True) as file:
        file.write(b"x")
    data = bytearray(target.getvalue())
    directory = data.index(b"PK\x01\x02")
    extra = b"\x01\x00\x08\x00" + (1).to_bytes(8, "little")
    data[directory + 24 : directory + 28] = b"\xff" * 4
    data[directory + 30 : directory + 32] = len(extra).to_bytes(2, "little")
    data[directory + 47 : directory + 47] = extra
    size = len(data) - 22 - directory
    data[-10:-6] = size.to_bytes(4, "little")
    return bytes(data)


def edited(change: Callable[[bytearray, int], None], data: bytes | None = None) -> bytes:
    """Return an archive with something changed in the first entry of its directory."""
    copy = bytearray(data or archive(("a", b"content")))
    change(copy, copy.index(b"PK\x01\x02"))
    return bytes(copy)


def _flag(bit: int) -> Callable[[bytearray, int], None]:
    def change(data: bytearray, directory: int) -> None:
        data[directory + 8] |= bit
        data[6] |= bit

    return change


def _claims_more(data: bytearray, directory: int) -> None:
    data[directory + 24] += 1
    data[22] += 1


def _claims_less(data: bytearray, directory: int) -> None:
    data[directory + 24] -= 1


def _other_name_inside(data: bytearray, directory: int) -> None:
    data[30] = ord("b")


def _crc(data: bytearray, directory: int) -> None:
    data[directory + 16] ^= 1


def _content(data: bytearray, directory: int) -> None:
    data[33] ^= 1


def _offset(data: bytearray, directory: int) -> None:
    data[directory + 42] += 5


GOOD = archive(("a", b"content"), ("b/c", b"more"))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (archive(("../up", b"")), "FILE_NAME"),
        (archive(("/etc/passwd", b"")), "FILE_NAME"),
        (archive(("a/../../up", b"")), "FILE_NAME"),
        (archive(("C:\\up", b"")), "FILE_NAME"),
        (archive(("a\\b", b"")), "FILE_NAME"),
        (archive(("a", b""), ("A", b"")), "FILE_NAME"),
        (archive(("a", b""), ("a/b", b"")), "FILE_NAME"),
        (archive(("folder/", b"")), "ZIP_SPECIAL"),
        (special(stat.S_IFLNK | 0o777), "ZIP_SPECIAL"),
        (special(stat.S_IFIFO | 0o644), "ZIP_SPECIAL"),
        (special(stat.S_IFCHR | 0o644), "ZIP_SPECIAL"),
        (archive(("a", b"x"), method=zipfile.ZIP_BZIP2), "ZIP_METHOD"),
        (archive(("a", b"x"), method=zipfile.ZIP_LZMA), "ZIP_METHOD"),
        (edited(_flag(0x01)), "ZIP_ENCRYPTED"),
        (edited(_flag(0x40)), "ZIP_ENCRYPTED"),
        (in_zip64(), "ZIP_ZIP64"),
        (commented(), "ZIP_TRAILING"),
        (GOOD + b"\0", "ZIP_TRAILING"),
        (b"MZ" + GOOD, "ZIP_LEADING"),
        (GOOD[:-30], "ZIP_TRAILING"),
        (GOOD[:20], "ZIP_TRAILING"),
        (b"", "ZIP_TRAILING"),
        (edited(_claims_more), "ZIP_DAMAGED"),
        (edited(_claims_less), "ZIP_DAMAGED"),
        (edited(_other_name_inside), "ZIP_DAMAGED"),
        (edited(_crc), "ZIP_DAMAGED"),
        (edited(_content), "ZIP_DAMAGED"),
        (edited(_offset), "ZIP_DAMAGED"),
        (archive(*((f"{n}", b"") for n in range(2001))), "ZIP_SIZE"),
        (archive(("a", bytes(40 << 20)), method=zipfile.ZIP_DEFLATED), "ZIP_SIZE"),
    ],
    ids=range(30),
)
def test_an_archive_made_to_do_harm_is_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    """Names, kinds, methods, sizes and places that a plain archive does not have are refused."""
    path, room = tmp_path / "x.zip", tmp_path / "room"
    path.write_bytes(data)
    room.mkdir()
    with pytest.raises(DatasetError) as refused:
        unpack(path, room)
    assert refused.value.rule == rule
    outside = {p.name for p in tmp_path.iterdir()}
    assert outside == {"x.zip", "room"}


def test_an_archive_twice_the_same_name_is_refused(tmp_path: Path) -> None:
    """A name that stands twice is refused, whichever of the two a reader would take."""
    path = tmp_path / "x.zip"
    with pytest.warns(UserWarning, match="Duplicate"):
        path.write_bytes(archive(("a", b"1"), ("a", b"2")))
    with pytest.raises(DatasetError) as refused:
        unpack(path, tmp_path)
    assert refused.value.rule == "FILE_NAME"


def test_a_sound_archive_of_another_program_is_unpacked(tmp_path: Path) -> None:
    """Compressed or not, what other programs pack is unpacked with its digests."""
    path, room = tmp_path / "x.zip", tmp_path / "room"
    path.write_bytes(archive(("a", b"content" * 9), ("b/ö", b""), method=zipfile.ZIP_DEFLATED))
    room.mkdir()
    digests = unpack(path, room)
    assert list(digests) == ["a", "b/ö"]
    assert (room / "a").read_bytes() == b"content" * 9


def test_what_is_written_is_unpacked(tmp_path: Path) -> None:
    """Files and bytes come back, sorted, the same bytes each time, nothing compressed."""
    source = tmp_path / "source"
    source.write_bytes(bytes(3 << 20))
    members = {"z": b"1", "b/c": source, "a": b""}
    for name in ("one.zip", "two.zip"):
        write_zip(tmp_path / name, members)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    room = tmp_path / "room"
    room.mkdir()
    assert list(unpack(tmp_path / "one.zip", room)) == ["a", "b/c", "z"]
    assert (room / "b" / "c").read_bytes() == source.read_bytes()


def test_more_than_an_archive_holds_is_refused(tmp_path: Path) -> None:
    """Two GiB and more would need another format, and are refused before anything is written."""
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(LimitError):
        write_zip(tmp_path / "x.zip", {"a": huge})
    assert not (tmp_path / "x.zip").exists()


def test_what_is_a_zip_file(tmp_path: Path) -> None:
    """A DICOM file with the preamble of an archive is DICOM."""
    path = tmp_path / "x"
    for data, expected in (
        (GOOD, True),
        (b"PK\x05\x06" + bytes(18), True),
        (b"PK\x03\x04" + bytes(124) + b"DICM", False),
        (b"{}", False),
        (b"", False),
    ):
        path.write_bytes(data)
        assert is_zip(path) is expected


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, len(GOOD) - 1), mask=st.integers(1, 255))
def test_no_changed_byte_is_worse_than_an_error(tmp_path: Path, place: int, mask: int) -> None:
    """A changed byte anywhere is unpacked as something harmless or refused."""
    data = bytearray(GOOD)
    data[place] ^= mask
    path, room = tmp_path / "x.zip", tmp_path / f"{place}-{mask}"
    path.write_bytes(data)
    room.mkdir(exist_ok=True)
    try:
        unpack(path, room)
    except SRError:
        return


@pytest.mark.parametrize("data", [GOOD, b"MZ" + GOOD, GOOD + b"\0", GOOD[:20]])
def test_check_does_not_take_it_for_dicom(tmp_path: Path, data: bytes) -> None:
    """An archive that is no bundle, or a broken one, is 1: it cannot be checked."""
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert srsign("check", path).code == 1
    assert srsign("check", path, path).code == 3
