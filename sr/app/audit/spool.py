"""Messages that wait for a collector: files in a folder, in the order of their rows.

A file goes only when the collector has read it. The folder has a bound; what does not fit stays in
the trail, where it is anyway, and is taken later. So a collector that is away for long costs disk
up to the bound and no message, and one that answers gets each once; after a crash perhaps twice,
with the same sequence number.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sr.app.files import read_bytes, write_atomically
from sr.errors import ConfigurationError, DatasetError

__all__ = ["Spool", "Spooled"]

_CURSOR, _LOCK = "taken", "lock"
_DIGITS = 20
_SUFFIX = ".msg"
_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """How full a spool is."""

    messages: int
    octets: int
    is_full: bool
    """Whether the rest has to wait in the trail."""
    taken: int
    """Number of the last row whose message was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """A folder with messages."""

    folder: Path
    most_messages: int = 10_000
    most_octets: int = 64 << 20

    @property
    def state(self) -> Spooled:
        """How full it is now.

        Raises:
            ConfigurationError: The folder cannot be read.
            DatasetError: Its cursor is damaged; rule ``SPOOL``.
        """
        waiting = self._waiting()
        octets = sum(path.stat().st_size for path in waiting)
        return Spooled(
            messages=len(waiting),
            octets=octets,
            is_full=len(waiting) >= self.most_messages or octets >= self.most_octets,
            taken=max(self._cursor(), _number(waiting[-1]) if waiting else 0),
        )

    def take(self, messages: Iterable[tuple[int, bytes]]) -> Spooled:
        """Write messages down until there are no more, or the spool is full.

        Args:
            messages: Row numbers and messages, ascending; those taken before are passed over.

        Raises:
            ConfigurationError: The folder cannot be written, or another process works on it.
            DatasetError: Its cursor is damaged; rule ``SPOOL``.
        """
        with self._alone():
            now = self.state
            waiting, octets, taken = now.messages, now.octets, now.taken
            for number, message in messages:
                if number <= taken:
                    continue
                if waiting >= self.most_messages or octets + len(message) > self.most_octets:
                    break
                write_atomically(self.folder / f"{number:0{_DIGITS}}{_SUFFIX}", message)
                waiting, octets, taken = waiting + 1, octets + len(message), number
            write_atomically(self.folder / _CURSOR, b"%d\n" % taken)
            return self.state

    def forward(self, deliver: Callable[[Sequence[bytes]], None]) -> int:
        """Deliver what waits, oldest first; return how many messages went.

        Args:
            deliver: Returns when all messages given were read, and raises otherwise.

        Raises:
            ExternalServiceError: From ``deliver``; what was not delivered still waits.
            ConfigurationError: The folder cannot be read, or another process works on it.
        """
        with self._alone():
            gone = 0
            waiting = iter(self._waiting())
            while batch := tuple(islice(waiting, _BATCH)):
                deliver([read_bytes(path) for path in batch])
                for path in batch:
                    path.unlink()
                gone += len(batch)
            return gone

    def _waiting(self) -> tuple[Path, ...]:
        try:
            return tuple(sorted(self.folder.glob(f"{'[0-9]' * _DIGITS}{_SUFFIX}")))
        except OSError as error:
            raise ConfigurationError(f"{self.folder} cannot be read: {error.strerror}") from error

    def _cursor(self) -> int:
        path = self.folder / _CURSOR
        if not path.exists():
            return 0
        text = read_bytes(path).strip()
        if not text.isdigit():
            raise DatasetError(f"{path} does not hold a number", rule="SPOOL", cites="")
        return int(text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder; two processes would send everything twice."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self.folder} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise ConfigurationError(f"another process works on the spool {self.folder}") from error
        finally:
            os.close(descriptor)


def _number(path: Path) -> int:
    return int(path.name.removesuffix(_SUFFIX))
