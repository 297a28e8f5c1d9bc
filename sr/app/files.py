"""Files at the edge: opened for reading at offsets, written whole or not at all.

Cites: PS3.10 7.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

from sr.app.settings import current_settings
from sr.dicomfile import BytesSource, DICOMFile, Source, read
from sr.dicomfile.splice import Piece
from sr.errors import ConfigurationError
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest

__all__ = [
    "FileSource",
    "digest_file",
    "guard_output",
    "open_dicom",
    "read_bytes",
    "write_atomically",
]

_WHOLE_BELOW = 1 << 20
_SMALL, _WINDOW = 1 << 14, 1 << 16
_BLOCK = 1 << 20
_READ_ONLY = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""A named pipe that nobody writes to would be waited for."""


class FileSource:
    """A source over an open file; the descriptor is closed with the object.

    Reads name their own offset, so a source may be shared by threads.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, _READ_ONLY)
            weakref.finalize(self, os.close, self._descriptor)
            self.size = _size(self._descriptor)
        except OSError as error:
            raise _unreadable(path, error) from error
        self._path = path
        self._window = (0, b"")

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; small reads share one larger."""
        if length > _SMALL:
            return self._pread(offset, length)
        start, window = self._window
        if offset < start or offset + length > start + len(window):
            start, window = offset, self._pread(offset, _WINDOW)
            self._window = start, window
        return window[offset - start : offset - start + length]

    def _pread(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise _unreadable(self._path, error) from error


def open_dicom(path: Path, *, allow_odd_lengths: bool = False) -> DICOMFile:
    """Return a DICOM file, small ones in memory, large ones read where needed.

    Raises:
        ConfigurationError: The path cannot be opened.
        NotDICOMError: The bytes are not DICOM.
        DatasetError: They break a structural rule, or a limit was reached.

    Cites: PS3.10 7.1.
    """
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder, expected a file")
    source: Source = FileSource(path)
    if source.size <= _WHOLE_BELOW:
        source = BytesSource(source.read_at(0, source.size))
    return read(source, limits=current_settings().limits, allow_odd_lengths=allow_odd_lengths)


def read_bytes(path: Path) -> bytes:
    """Return the content of a small file such as a certificate.

    Raises:
        ConfigurationError: The path cannot be opened.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def digest_file(path: Path, algorithm: MACAlgorithm = MACAlgorithm.SHA256) -> bytes:
    """Return the digest of a file, read in blocks.

    Raises:
        ConfigurationError: The file cannot be read.
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.

    Cites: FIPS 180-4.
    """
    source, digest = FileSource(path), new_digest(algorithm)
    for offset in range(0, source.size, _BLOCK):
        digest.update(source.read_at(offset, _BLOCK))
    return digest.digest()


def guard_output(output: Path, inputs: Iterable[Path], *, in_place: bool) -> None:
    """Refuse to write over an input, unless that is what was asked for.

    Raises:
        ConfigurationError: The output is one of the inputs, or its folder does not exist.
    """
    if not output.parent.is_dir():
        raise ConfigurationError(f"the folder {output.parent} does not exist")
    if output.is_dir():
        raise ConfigurationError(f"{output} is a folder, expected a file name")
    for path in inputs:
        if not in_place and output.exists() and path.exists() and output.samefile(path):
            raise ConfigurationError(
                f"{output} is an input and would be overwritten",
                hint="name another output, or say --in-place",
            )


def write_atomically(path: Path, data: bytes | Iterable[Piece]) -> None:
    """Write a file so that, at any moment, its name shows the old content or the new, whole.

    Written under another name in the same folder, synced, renamed, folder synced.

    Raises:
        ConfigurationError: It cannot be written; the old content is untouched.
    """
    pieces = (Piece(data),) if isinstance(data, bytes) else data
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                for block in piece.blocks():
                    file.write(block)
            file.flush()
            os.fchmod(file.fileno(), _mode(path))
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = ""
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return status.st_size


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path} cannot be read: {error.strerror}")
