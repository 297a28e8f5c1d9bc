"""What somebody may have meant who wrote a word that is not known.

Only for hints: nothing is ever corrected by itself.

Cites: nothing of DICOM; this is about our own file formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

__all__ = ["did_you_mean"]

_SEPARATORS = str.maketrans("", "", " _-./®'")
_CLOSE_ENOUGH = 0.75
_AT_MOST = 3


def did_you_mean(word: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """Return a question that names the closest known words, empty where none is close.

    Case and separators do not count, so that ``CT chest report`` finds ``CTChestReport``.

    Args:
        word: What was written.
        known: Words; as a mapping, what to write instead by word.
    """
    words = known if isinstance(known, Mapping) else {candidate: candidate for candidate in known}
    folded: dict[str, str] = {}
    for candidate, instead in words.items():
        folded.setdefault(_fold(candidate), instead)
    wanted = _fold(word)
    close = (
        [wanted]
        if wanted in folded
        else get_close_matches(wanted, folded, n=_AT_MOST, cutoff=_CLOSE_ENOUGH)
    )
    return f"did you mean {' or '.join(repr(folded[name]) for name in close)}?" if close else ""


def _fold(word: str) -> str:
    return word.casefold().translate(_SEPARATORS)
