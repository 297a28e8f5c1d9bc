"""ZIP files: written the same every time, and unpacked as if somebody had made them to do harm.

Written without compression, in the order of their names, with one fixed time, so that the same
members give the same bytes. Unpacked into a folder of our own, in blocks, after the directory was
found harmless; whatever is not a plain file under a plain name is refused, not skipped.

Cites: APPNOTE.TXT 4.3, 4.4 (PKWARE).
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO

from sr.app.files import FileSource
from sr.app.settings import current_settings
from sr.errors import ConfigurationError, DatasetError, LimitError
from sr.verification.file_list import check_names

__all__ = ["is_zip", "unpack", "write_zip"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX, _REGULAR = 3, stat.S_IFREG | 0o644
_LARGEST = (1 << 31) - 1  # bytes, of a member and of the whole, without ZIP64
_MEMBERS, _DIRECTORY_ENTRY = 2000, 2048
_BLOCK = 1 << 20
_FREE = 16 << 20  # bytes that any ratio may inflate to
_END, _END_BYTES = b"PK\x05\x06", 22
_ZIP64_LOCATOR, _ZIP64_LOCATOR_BYTES = b"PK\x06\x07", 20
_ZIP64_EXTRA = 1
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CITES = "APPNOTE.TXT 4.3"


def is_zip(path: Path) -> bool:
    """Return whether a file begins as a ZIP file does.

    Raises:
        ConfigurationError: The file cannot be opened.

    Cites: APPNOTE.TXT 4.3.7.
    """
    source = FileSource(path)
    return source.read_at(0, 4) in (b"PK\x03\x04", _END) and source.read_at(128, 4) != b"DICM"


def write_zip(path: Path, members: Mapping[str, bytes | Path], *, large: bool = False) -> None:
    """Write a new ZIP file; the caller gives it its final name.

    Args:
        path: A file that is not there yet.
        members: Contents by name.
        large: Whether it may need the ZIP64 format, which ``unpack`` refuses.

    Raises:
        LimitError: Without ``large``, a member or the whole reaches 2 GiB.
        DatasetError: A name is refused, see ``check_names``.
        ConfigurationError: A file cannot be read or written.

    Cites: APPNOTE.TXT 4.4.
    """
    check_names(members)
    total = sum(_size(content) + 1024 for content in members.values())
    if total > _LARGEST and not large:
        raise LimitError(f"{total} bytes do not fit into one archive", rule="ZIP_SIZE")
    try:
        with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
            for name in sorted(members):
                _add(archive, name, members[name])
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def unpack(path: Path, folder: Path) -> dict[str, str]:
    """Unpack a ZIP file into an empty folder and return each member's SHA-256, hexadecimal.

    Raises:
        DatasetError: The file is damaged, or a member is no plain file with a plain name, stands
            twice, is encrypted or compressed in another way; rule ``ZIP_…`` or ``FILE_NAME``.
        LimitError: Too many members, too large, or inflated beyond measure.
        ConfigurationError: The file cannot be read, or the folder not written.

    Cites: APPNOTE.TXT 4.3, 4.4.
    """
    _check_end(path)
    with _opened(path) as archive:
        members = archive.infolist()
        _check_directory(members)
        try:
            return {each.filename: _extract(archive, each, folder) for each in members}
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise _refused("ZIP_DAMAGED", f"the archive is damaged: {error}") from error
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be unpacked: {error.strerror}") from error


def _add(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr = _UNIX, _REGULAR << 16
    info.file_size = _size(content)
    with archive.open(info, "w") as target:
        if isinstance(content, bytes):
            target.write(content)
            return
        source = FileSource(content)
        for offset in range(0, source.size, _BLOCK):
            target.write(source.read_at(offset, _BLOCK))


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else FileSource(content).size


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, IndexError) as error:
        raise _refused("ZIP_FORMAT", f"{path.name} is not a ZIP file: {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error


def _check_end(path: Path) -> None:
    """Refuse a comment, bytes in front or behind, and ZIP64; then there is one directory."""
    source = FileSource(path)
    end = source.read_at(max(0, source.size - _END_BYTES), _END_BYTES)
    if len(end) < _END_BYTES or not end.startswith(_END):
        raise _refused("ZIP_TRAILING", "bytes or a comment follow the directory of the archive")
    locator = source.read_at(
        max(0, source.size - _END_BYTES - _ZIP64_LOCATOR_BYTES), _ZIP64_LOCATOR_BYTES
    )
    sizes = end[8:20]
    if locator.startswith(_ZIP64_LOCATOR) or b"\xff\xff" in (sizes[:2], sizes[2:4]):
        raise _refused("ZIP_ZIP64", "the archive is in the ZIP64 format")
    count = int.from_bytes(end[10:12], "little")
    directory, offset = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    if offset + directory + _END_BYTES != source.size:
        raise _refused("ZIP_LEADING", "the archive does not begin where its directory says")
    if count > _MEMBERS or directory > _MEMBERS * _DIRECTORY_ENTRY:
        raise _limit(f"the archive has {count} members, at most {_MEMBERS} are unpacked")


def _check_directory(members: list[zipfile.ZipInfo]) -> None:
    limits = current_settings().limits
    if len(members) > _MEMBERS:  # whatever the end of the directory says
        raise _limit(f"the archive has {len(members)} members, at most {_MEMBERS} are unpacked")
    for each in members:
        _check_member(each)
    check_names(each.orig_filename for each in members)
    stored = sum(each.compress_size for each in members)
    total = sum(each.file_size for each in members)
    if total > min(_LARGEST, limits.file_bytes):
        raise _limit(f"the archive would unpack to {total} bytes")
    if total > _FREE and total > limits.inflation_ratio * stored:
        raise _limit(f"the archive would unpack {stored} bytes to {total}")


def _check_member(member: zipfile.ZipInfo) -> None:
    name, mode = member.orig_filename, member.external_attr >> 16
    if member.flag_bits & _ENCRYPTED:
        raise _refused("ZIP_ENCRYPTED", f"{name[:80]!r} is encrypted")
    if member.compress_type not in _METHODS:
        raise _refused("ZIP_METHOD", f"{name[:80]!r} is compressed by {member.compress_type}")
    if name.endswith("/") or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
        raise _refused("ZIP_SPECIAL", f"{name[:80]!r} is a link, a folder or a device")
    if _ZIP64_EXTRA in _extra_ids(member.extra):
        raise _refused("ZIP_ZIP64", f"{name[:80]!r} is in the ZIP64 format")


def _extra_ids(extra: bytes) -> Iterable[int]:
    position = 0
    while position + 4 <= len(extra):
        yield int.from_bytes(extra[position : position + 2], "little")
        position += 4 + int.from_bytes(extra[position + 2 : position + 4], "little")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> str:
    target = folder / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as file:
        digest, size = _copy(source, file, member.file_size)
    if size != member.file_size:
        raise _refused("ZIP_DAMAGED", f"{member.filename!r} has {size} bytes, not as many as said")
    return digest


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> tuple[str, int]:
    digest, size = sha256(), 0
    while block := source.read(_BLOCK):
        size += len(block)
        if size > most:
            break
        digest.update(block)
        target.write(block)
    return digest.hexdigest(), size


def _limit(message: str) -> LimitError:
    return LimitError(message, rule="ZIP_SIZE", cites=_CITES)


def _refused(rule: str, message: str) -> DatasetError:
    return DatasetError(message, rule=rule, cites=_CITES)
