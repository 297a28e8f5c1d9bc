"""Where bytes come from: anything that can be read at an offset.

The core never opens files; an edge hands it a source. Nothing is mapped into memory, because a
file truncated meanwhile would kill the process instead of raising an error.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["BytesSource", "Source"]


class Source(Protocol):
    """Random access to immutable bytes.

    Cites: PS3.10 7.
    """

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end."""
        ...


class BytesSource:
    """A source over bytes in memory.

    Cites: PS3.10 7.
    """

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end."""
        return self._data[offset : offset + length]

    def view(self, start: int, end: int) -> memoryview:
        """Return bytes without copying them."""
        return memoryview(self._data)[start:end]
