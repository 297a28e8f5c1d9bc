"""The header, the references and all attributes of a document as a page shows them.

Each attribute knows which signatures cover it, so that the page can mark what nobody signed.

Cites: PS3.3 C.7.1.1, C.7.2.1, C.17.2; PS3.15 C.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sr.app.views.wording import class_name, date_time, meaning, person_name, visible
from sr.dicomfile import DataSet, Element, format_tag, keyword_for_tag
from sr.dicomfile.vr import PADDED_VRS
from sr.findings import Indication
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE
from sr.signature.references import document_references
from sr.verification import Verdict

__all__ = [
    "Attribute",
    "Field",
    "Row",
    "attributes",
    "cited_rows",
    "header_fields",
    "running_head",
    "title_of",
]

_LONGEST = 200
_SEQUENCES = frozenset({MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of the header."""

    label: str
    value: str
    uncovered: bool
    """Present, but no valid signature covers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One top-level element."""

    tag: str
    keyword: str
    value: str
    signatures: tuple[tuple[int, Indication], ...]
    """The signatures that list it, as the page counts them, and what became of them."""
    uncovered: bool
    """No valid signature covers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instance that the document cites, with its proof."""

    sop_class: str
    sop_instance_uid: str
    proofs: tuple[str, ...]
    result: str


_DATE, _NAME, _TEXT = date_time, person_name, visible
_FIELDS = {
    "Patient": (
        ("Name", (0x00100010,), _NAME),
        ("ID", (0x00100020, 0x00100021), _TEXT),
        ("Born", (0x00100030,), _DATE),
        ("Sex", (0x00100040,), _TEXT),
    ),
    "Study": (
        ("Description", (0x00081030,), _TEXT),
        ("Date", (0x00080020, 0x00080030), _DATE),
        ("Accession", (0x00080050,), _TEXT),
        ("Study ID", (0x00200010,), _TEXT),
        ("Referrer", (0x00080090,), _NAME),
    ),
    "Document": (
        ("Written", (0x00080023, 0x00080033, 0x00080201), _DATE),
        ("Completion", (0x0040A491,), _TEXT),
        ("Stage", (0x0040A496,), _TEXT),
        ("Approval", (0x0040A493,), _TEXT),
        ("Instance", (0x00080018,), _TEXT),
    ),
}
_HEAD = ((0x00100010, _NAME), (0x00100020, _TEXT), (0x00100030, _DATE))
_OBSERVERS = (
    ("Author", 0x0040A078, ((0x0040A123, _NAME), (0x00080080, _TEXT))),
    (
        "Approved by",
        0x0040A073,
        ((0x0040A075, _NAME), (0x0040A027, _TEXT), (0x0040A030, _DATE)),
    ),
)


def title_of(dataset: DataSet) -> str:
    """Return the document title.

    Cites: PS3.3 C.17.3.
    """
    return next((meaning(code) for code in dataset.items(0x0040A043)), "Document without title")


def running_head(dataset: DataSet) -> tuple[str, ...]:
    """Return what stands on every page of paper: whom and what it is about.

    Cites: PS3.3 C.7.1.1.
    """
    said = (word(dataset.text(tag)) for tag, word in _HEAD)
    return (*(text for text in said if text), title_of(dataset))


def header_fields(dataset: DataSet, verdict: Verdict) -> dict[str, tuple[Field, ...]]:
    """Return the header by group; attributes that are absent or empty are left out.

    Cites: PS3.3 C.7.1.1, C.7.2.1, C.17.2.
    """
    uncovered = frozenset(verdict.uncovered)
    groups = {
        group: tuple(
            Field(label=label, value=value, uncovered=not uncovered.isdisjoint(tags))
            for label, tags, word in rows
            if (value := _value(dataset, tags, word))
        )
        for group, rows in _FIELDS.items()
    }
    groups["Document"] += tuple(
        Field(label=label, value=value, uncovered=sequence in uncovered)
        for label, sequence, parts in _OBSERVERS
        for item in dataset.items(sequence)
        if (value := ", ".join(word(text) for tag, word in parts if (text := item.text(tag))))
    )
    return groups


def _value(dataset: DataSet, tags: tuple[int, ...], word: object) -> str:
    texts = [text for tag in tags if (text := dataset.text(tag))]
    assert callable(word)  # noqa: S101 - the table holds functions only
    return " ".join(word(text) for text in texts)


def attributes(dataset: DataSet, verdict: Verdict) -> tuple[Attribute, ...]:
    """Return every top-level attribute and which signatures list it.

    Cites: PS3.3 C.12.1.1.3.
    """
    covers = [
        (number, signature.indication, frozenset(signature.covers))
        for number, signature in enumerate(verdict.signatures, start=1)
        if not signature.location
    ]
    uncovered = frozenset(verdict.uncovered)
    return tuple(
        Attribute(
            tag=format_tag(element.tag),
            keyword=keyword_for_tag(element.tag) or "private",
            value=_shown(dataset, element),
            signatures=tuple((n, outcome) for n, outcome, tags in covers if element.tag in tags),
            uncovered=element.tag in uncovered,
        )
        for element in dataset
        if element.tag not in _SEQUENCES
    )


def _shown(dataset: DataSet, element: Element) -> str:
    if element.items is not None:
        count = len(element.items)
        return f"{count} item" + ("" if count == 1 else "s")
    length = element.end - element.value
    if element.vr not in PADDED_VRS:
        return f"{length} bytes ({element.vr})"
    text = visible(dataset.text(element.tag))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({length} bytes)"


def cited_rows(dataset: DataSet, results: Mapping[str, str]) -> tuple[Row, ...]:
    """Return every instance of the evidence sequences with its proof.

    Cites: PS3.15 A.4; PS3.3 Table C.17-3a.
    """
    return tuple(
        Row(
            sop_class=class_name(reference.sop_class_uid),
            sop_instance_uid=visible(reference.sop_instance_uid),
            proofs=(
                *(visible(f"MAC {mac.algorithm}") for mac in reference.macs),
                *("signature" for _ in reference.signatures),
            ),
            result=results.get(reference.sop_instance_uid, ""),
        )
        for reference in document_references(dataset)
        if reference.is_evidence
    )
