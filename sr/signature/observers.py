"""Who takes part in a report by name, and when two spellings of a name are one person.

Cites: PS3.3 C.17.2, Table C.17-3b; PS3.16 TID 1003.
"""

from __future__ import annotations

from itertools import chain
from unicodedata import combining, normalize

from sr.dicomfile.dataset import DataSet

__all__ = [
    "VERIFYING_OBSERVERS",
    "attestors",
    "authors",
    "name_key",
    "states_its_observer",
    "verifying_observers",
]

VERIFYING_OBSERVERS = 0x0040A073
_AUTHOR_OBSERVERS, _PARTICIPANTS = 0x0040A078, 0x0040A07A
_PARTICIPATION_TYPE = 0x0040A080
_PERSON_NAME, _VERIFYING_NAME = 0x0040A123, 0x0040A075
_CONTENT, _CONCEPT_NAME, _CODE_VALUE = 0x0040A730, 0x0040A043, 0x00080100
_NAMES_AN_OBSERVER = frozenset({"121008", "121012"})
_PERSON_OBSERVER_NAME = "121008"


def authors(dataset: DataSet) -> tuple[str, ...]:
    """Return the person names of the header's authors and of the tree's own observer context.

    Cites: PS3.3 C.17.2 Author Observer Sequence; PS3.16 TID 1003.
    """
    observers = (i for i in dataset.items(_CONTENT) if _concept(i) == _PERSON_OBSERVER_NAME)
    named = (item.text(_PERSON_NAME) for item in chain(dataset.items(_AUTHOR_OBSERVERS), observers))
    return tuple(name for name in named if name)


def attestors(dataset: DataSet) -> tuple[str, ...]:
    """Return the persons who attested the report before anybody verified it.

    Cites: PS3.3 C.17.2 Participant Sequence (ATTEST).
    """
    return tuple(
        item.text(_PERSON_NAME)
        for item in dataset.items(_PARTICIPANTS)
        if item.text(_PARTICIPATION_TYPE) == "ATTEST"
    )


def verifying_observers(dataset: DataSet) -> tuple[str, ...]:
    """Return the names in Verifying Observer Sequence, empty where one is not given.

    Cites: PS3.3 C.17.2 Verifying Observer Sequence.
    """
    return tuple(item.text(_VERIFYING_NAME) for item in dataset.items(VERIFYING_OBSERVERS))


def states_its_observer(dataset: DataSet) -> bool:
    """Return whether the tree itself says who observed, and inherits it from no header.

    Cites: PS3.16 TID 1001, TID 1002.
    """
    return any(_concept(item) in _NAMES_AN_OBSERVER for item in dataset.items(_CONTENT))


def name_key(name: str) -> frozenset[str]:
    """Return what two spellings of a person's name have in common: family and given name.

    Letter case, accents, titles and middle names do not make another person. That errs towards
    refusing.

    Cites: PS3.5 6.2.1.
    """
    alphabetic = name.split("=", maxsplit=1)[0]
    decomposed = normalize("NFKD", " ".join(alphabetic.split("^")[:2])).casefold()
    return frozenset("".join(c for c in decomposed if not combining(c)).split())


def _concept(item: DataSet) -> str:
    return next((c.text(_CODE_VALUE) for c in item.items(_CONCEPT_NAME)), "")
