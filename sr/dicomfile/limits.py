"""How much of a file the reader is willing to look at.

Cites: PS3.5 7 sets no limits; these protect the reader from files made to exhaust it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds; beyond one the reader stops with a ``LimitError``.

    Cites: PS3.5 7.5 (nesting is unlimited in the standard).
    """

    file_bytes: int = 16 * 2**30
    """Largest file."""
    elements: int = 500_000
    """In the whole file, at every level."""
    items: int = 200_000
    """Of sequences."""
    fragments: int = 500_000
    """Of encapsulated pixel data."""
    nesting: int = 64
    """Of sequences in sequences."""
    value_bytes: int = 256 * 2**20
    """Largest value that is loaded whole; pixel data is streamed and not limited by this."""
    inflated_bytes: int = 2 * 2**30
    """Of a file in the deflated transfer syntax."""
    inflation_ratio: int = 100
    """Inflated bytes for each deflated one; the first 16 MiB are free."""
