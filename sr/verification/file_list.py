"""Lists of files with their digests: our own in JSON, and the unkeyed ones that others write.

Our list has one file a line and no escapes, so that ``sed`` and ``sha256sum`` can check it. It is
read only in exactly the form in which it is written: nobody can see another list in it than we do.

Cites: FIPS 180-4; the format of GNU coreutils ``sha256sum``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sr.errors import DatasetError
from sr.mac.algorithm import MACAlgorithm

__all__ = [
    "FileEntry",
    "Sidecar",
    "check_names",
    "checksums",
    "file_list",
    "parse_checksums",
    "parse_file_list",
    "parse_sidecar",
]

_TYPE = "srsign-integrity"
_SCHEMA_VERSION = 1
_HEAD = f'{{\n  "type": "{_TYPE}",\n  "schema_version": {_SCHEMA_VERSION},\n'
_LONGEST_PART, _LONGEST_PATH = 255, 1024  # bytes, as file systems have it
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BARE = re.compile(r"([0-9a-fA-F]{32,128})", re.ASCII)
_LINE = re.compile(r"([0-9a-fA-F]{32,128}) [ *](.+)", re.ASCII)
_TAGGED = re.compile(r"([A-Z0-9-]+) ?\((.+)\) ?= ?([0-9a-fA-F]{32,128})", re.ASCII)
_KEYS = ("sha256", "sha-256", "sha512", "sha-512", "hash", "digest", "checksum")
_BY_LENGTH = {
    32: MACAlgorithm.MD5,
    40: MACAlgorithm.SHA1,
    56: MACAlgorithm.SHA224,
    64: MACAlgorithm.SHA256,
    96: MACAlgorithm.SHA384,
    128: MACAlgorithm.SHA512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file as listed."""

    path: str
    """Relative, parts joined by ``/``."""
    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal, lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """One file in a list that anybody could have written."""

    path: str
    """Empty where the list leaves it to its own name."""
    algorithm: MACAlgorithm
    digest: bytes


def check_names(paths: Iterable[str]) -> None:
    """Refuse paths that do not mean the same file everywhere, or that leave their folder.

    Raises:
        DatasetError: Rule ``FILE_NAME``: absolute, with ``..``, control characters, backslash,
            quote or colon, with blanks at an end, too long, not normalised, or twice but for case.

    Cites: RFC 8493 6.1.1 (similar rules for BagIt).
    """
    paths = tuple(paths)
    folders = {path.casefold()[:n] for path in paths for n, c in enumerate(path) if c == "/"}
    seen: dict[str, str] = {}
    for path in paths:
        fault = _fault(path)
        folded = path.casefold()
        if fault is None and folded in seen:
            fault = f"is the same as {seen[folded]!r} where case does not count"
        if fault is None and folded in folders:
            fault = "is that of a folder too"
        if fault is not None:
            raise DatasetError(
                f"the file name {path[:80]!r} {fault}", rule="FILE_NAME", cites="RFC 8493"
            )
        seen[folded] = path


def file_list(entries: Iterable[FileEntry]) -> bytes:
    """Return our list of some files, sorted by path.

    Raises:
        DatasetError: A name is refused; see ``check_names``.

    Cites: RFC 8259.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    check_names(entry.path for entry in ordered)
    lines = (
        f'    {{"path": {json.dumps(entry.path, ensure_ascii=False)}, '
        f'"size": {entry.size}, "sha256": "{entry.sha256}"}}'
        for entry in ordered
    )
    return (f'{_HEAD}  "files": [\n' + ",\n".join(lines) + "\n  ]\n}\n").encode()


def parse_file_list(data: bytes) -> tuple[FileEntry, ...] | None:
    """Return the files that a list of ours names; ``None`` for anything that is none of ours.

    Raises:
        DatasetError: It begins as ours, and then is not; rule ``FILE_LIST`` or ``FILE_NAME``.

    Cites: RFC 8259.
    """
    if not data.startswith(_HEAD.encode()):
        return None
    try:
        entries = tuple(_entry(each) for each in json.loads(data)["files"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused("it is not a list of files") from error
    if file_list(entries) != data:
        raise _refused("it is not in the form in which such lists are written")
    return entries


def checksums(digests: Mapping[str, str]) -> bytes:
    """Return SHA-256 digests by name as ``sha256sum`` writes and checks them, sorted by name.

    Raises:
        DatasetError: A name is refused; see ``check_names``.

    Cites: the format of GNU coreutils ``sha256sum``.
    """
    check_names(digests)
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def parse_checksums(data: bytes) -> dict[str, str]:
    """Return the digests by name that ``checksums`` wrote, in exactly that form.

    Raises:
        DatasetError: It is anything else; rule ``FILE_LIST`` or ``FILE_NAME``.

    Cites: the format of GNU coreutils ``sha256sum``.
    """
    try:
        lines = data.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise _refused("it is no text") from error
    found = {line[66:]: line[:64] for line in lines}
    if not all(map(_SHA256.fullmatch, found.values())) or checksums(found) != data:
        raise _refused("it is not in the form in which such lists are written")
    return found


def parse_sidecar(data: bytes) -> tuple[Sidecar, ...]:
    """Return the digests in a list without key, of one of the usual forms.

    One digest alone, lines of ``sha256sum``, tagged lines, or a JSON object with one digest.

    Raises:
        DatasetError: There is none in it; rule ``FILE_LIST`` or ``FILE_NAME``.

    Cites: the formats of GNU coreutils ``sha256sum``.
    """
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise _refused("it is no text") from error
    if text.startswith("{"):
        return (_from_json(text),)
    lines = text.splitlines()
    if len(lines) == 1 and (bare := _BARE.fullmatch(lines[0].strip())):
        return (_sidecar("", bare[1]),)
    found = tuple(_from_line(line) for line in lines)
    if not found:
        raise _refused("it is empty")
    check_names(each.path for each in found)
    return found


def _fault(path: str) -> str | None:
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts):
        return "is not a path inside a folder"
    if not path.isprintable() or any(c in path for c in '\\":'):
        return "has a character that does not mean the same everywhere"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "has a part that begins or ends with a blank, or ends with a dot"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in Unicode normal form C"
    longest = max(len(part.encode()) for part in parts)
    if longest > _LONGEST_PART or len(path.encode()) > _LONGEST_PATH:
        return "is too long"
    return None


def _entry(member: dict[str, Any]) -> FileEntry:
    path, size, sha256 = member["path"], member["size"], member["sha256"]
    if not isinstance(path, str) or type(size) is not int or size < 0:
        raise TypeError(path)
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        raise ValueError(sha256)
    return FileEntry(path=path, size=size, sha256=sha256)


def _from_json(text: str) -> Sidecar:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused("it is not JSON") from error
    found = {
        value
        for key, value in members.items()
        if key.lower() in _KEYS and isinstance(value, str) and _BARE.fullmatch(value)
    }
    if len(found) != 1:
        raise _refused("its JSON object does not hold one digest")
    return _sidecar("", found.pop())


def _from_line(line: str) -> Sidecar:
    if match := _LINE.fullmatch(line):
        return _sidecar(match[2].removeprefix("./"), match[1])
    if match := _TAGGED.fullmatch(line):
        entry = _sidecar(match[2].removeprefix("./"), match[3])
        if match[1].replace("-", "") == entry.algorithm.value:
            return entry
    raise _refused(f"{line[:80]!r} is no digest and file name")


def _sidecar(path: str, digest: str) -> Sidecar:
    algorithm = _BY_LENGTH.get(len(digest))
    if algorithm is None:
        raise _refused(f"no digest has {len(digest)} hexadecimal digits")
    return Sidecar(path=path, algorithm=algorithm, digest=bytes.fromhex(digest))


def _refused(what: str) -> DatasetError:
    return DatasetError(f"not a usable list of files: {what}", rule="FILE_LIST", cites="RFC 8259")
