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
    elements: int = 500_000
    items: int = 200_000
    fragments: int = 500_000
    nesting: int = 64
    value_bytes: int = 256 * 2**20
    """Largest value that is loaded whole; pixel data is streamed and not limited by this."""
    inflated_bytes: int = 2 * 2**30
    inflation_ratio: int = 100
    """Inflated bytes for each deflated one; the first 16 MiB are free."""
