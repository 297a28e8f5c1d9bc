"""What a document says about the instances it cites, found without looking at them.

A document that contradicts itself about its evidence is not sound, whether or not the evidence is
at hand.

Cites: PS3.3 C.17.2.3, Table C.17-3a; PS3.15 A.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import format_tag
from sr.findings import Finding, Status, SubIndication
from sr.signature.references import PREDECESSORS, DocumentReference

__all__ = ["citation_findings"]

_CONTENT_SEQUENCE, _REFERENCED = 0x0040A730, 0x00081199
_CLASS, _INSTANCE = 0x00081150, 0x00081155


def citation_findings(
    document: DICOMFile, cited: tuple[DocumentReference, ...]
) -> tuple[Finding, ...]:
    """Return where a document contradicts itself about what it cites.

    An evidence item without any proof is not among these, see ``EVIDENCE_UNSECURED``.

    Args:
        document: The document as read.
        cited: All of its references.

    Cites: PS3.3 C.17.2.3, Table C.17-3a; PS3.15 A.4.
    """
    evidence = tuple(r for r in cited if r.is_evidence)
    return (
        *(f for r in evidence for f in _proofs(r)),
        *_contradictions(evidence),
        *_self(document, cited),
        *_unlisted(document, evidence),
    )


def _proofs(reference: DocumentReference) -> Iterator[Finding]:
    if len(reference.macs) > 1:
        yield _finding(
            "EVIDENCE_MAC_CONFLICT",
            "ReferencedSOPInstanceMACSequence (0400,0403) has more than one item",
            reference.where,
        )
    for mac in reference.macs:
        if not mac.is_sound:
            yield _finding(
                "EVIDENCE_MAC_FORMAT",
                "an item of ReferencedSOPInstanceMACSequence (0400,0403) is malformed: its "
                "algorithm, the length of its MAC or its list of tags",
                reference.where,
            )


def _contradictions(evidence: tuple[DocumentReference, ...]) -> Iterator[Finding]:
    first: dict[str, DocumentReference] = {}
    for reference in evidence:
        known = first.setdefault(reference.sop_instance_uid, reference)
        if _said(known) != _said(reference):
            yield _finding(
                "EVIDENCE_MAC_CONFLICT",
                f"{reference.sop_instance_uid} is cited twice, with different class or proof",
                reference.where,
            )


def _said(reference: DocumentReference) -> tuple[object, ...]:
    return reference.sop_class_uid, reference.macs, reference.signatures


def _self(document: DICOMFile, cited: tuple[DocumentReference, ...]) -> Iterator[Finding]:
    for reference in cited:
        own = reference.sop_instance_uid == document.sop_instance_uid
        if own and (reference.is_evidence or reference.sequence == PREDECESSORS):
            yield _finding("EVIDENCE_SELF", "the document cites itself", reference.where)


def _unlisted(document: DICOMFile, evidence: tuple[DocumentReference, ...]) -> Iterator[Finding]:
    listed = {r.sop_instance_uid: r.sop_class_uid for r in evidence}
    for sop_class_uid, uid in document.dataset.answer(_tree):
        if uid not in listed:
            fault = "which no evidence sequence lists"
        elif sop_class_uid != listed[uid]:
            fault = f"as of class {sop_class_uid!r}; as evidence it is of class {listed[uid]!r}"
        else:
            continue
        yield _finding(
            "EVIDENCE_TREE", f"the content cites {uid!r}, {fault}", format_tag(_CONTENT_SEQUENCE)
        )


def _tree(dataset: DataSet) -> tuple[tuple[str, str], ...]:
    """Return class and instance of what the content cites, each once."""
    return tuple(dict.fromkeys(_tree_references(dataset.items(_CONTENT_SEQUENCE))))


def _tree_references(content: Sequence[DataSet]) -> Iterator[tuple[str, str]]:
    for item in content:
        # Not by tag, which would make an index of each of many items.
        for element in item.elements:
            if element.tag == _REFERENCED:
                yield from _referenced(element.items or ())
            elif element.tag == _CONTENT_SEQUENCE:
                yield from _tree_references(element.items or ())


def _referenced(references: Sequence[DataSet]) -> Iterator[tuple[str, str]]:
    """Yield what a content item cites; an image may name its presentation state one level down."""
    for reference in references:
        yield reference.text(_CLASS), reference.text(_INSTANCE)
        yield from _referenced(reference.items(_REFERENCED))


def _finding(rule: str, message: str, where: str) -> Finding:
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=where,
        cites="PS3.15 A.4",
        sub_indication=SubIndication.EVIDENCE_COVERAGE,
    )
