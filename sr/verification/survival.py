"""Which signatures, and which proofs in other documents, an edit would leave standing.

Nothing is edited and no digest is computed: a signature survives where the edit touches nothing
that it covers. One that does not verify now has nothing to survive.

Cites: PS3.3 C.12.1.1.3.1.1, Table C.17-3a; PS3.15 C.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sr.codes import Code
from sr.dicomfile.dataset import DICOMFile
from sr.mac.selection import signable_tag
from sr.signature.location import signed_levels
from sr.signature.references import DocumentReference
from sr.verification.edits import Change, Edit, Touched
from sr.verification.facts import DocumentFacts, SignatureFacts

__all__ = ["Outcome", "Reason", "Survival", "survival"]


Path = tuple[tuple[int, int], ...]
_SOP_INSTANCE_UID = 0x00080018


class Reason(StrEnum):
    """Why something survives an edit, or does not."""

    NOT_COVERED = "not_covered"
    """It covers nothing that changes."""
    OTHER_INSTANCE = "other_instance"
    """The result is another instance; this one stays."""
    COVERED = "covered"
    """It covers what changes."""
    LOSES_VR = "loses_vr"
    """It covers what loses its value representation."""
    INSIDE = "inside"
    """It is part of what is replaced or removed."""
    LEFT_BEHIND = "left_behind"
    """The result is a new document without signatures."""
    UID = "uid"
    """The instance is not found under its UID any more."""
    BROKEN_ALREADY = "broken_already"
    """It does not verify now."""
    NO_PROOF = "no_proof"
    """There is nothing that could be compared."""


_GOOD = frozenset({Reason.NOT_COVERED, Reason.OTHER_INSTANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an edit does to one signature, or to the proof in one reference."""

    of: str
    """Digital Signature UID, or the path of the reference."""
    number: int = 0
    """The signature's number, from 1."""
    purpose: Code | None = None
    location: str = ""
    document: str = ""
    """Name of the document that holds the reference."""
    reason: Reason
    because: tuple[Touched, ...] = ()

    @property
    def survives(self) -> bool:
        """Whether it would still verify, or match."""
        return self.reason in _GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What one edit does."""

    edit: str
    signatures: tuple[Outcome, ...]
    references: tuple[Outcome, ...]
    unnoticed: tuple[Touched, ...]
    """What changes without breaking any signature."""


def survival(
    file: DICOMFile,
    facts: DocumentFacts,
    edit: Edit,
    references: Iterable[tuple[str, DocumentReference]] = (),
) -> Survival:
    """Return what an edit would do.

    Args:
        file: The file as it stands.
        facts: From `gather`.
        edit: From `parse_edit`.
        references: References to this instance, each with the name of the document that holds it.

    Cites: PS3.3 C.12.1.1.3.1.1, Table C.17-3a.
    """
    paths = {level.location: level.path for level in signed_levels(file.dataset)}
    signatures = tuple(_signature(s, paths[s.location], edit) for s in facts.signatures)
    covered = {t for o in signatures for t in o.because}
    return Survival(
        edit=edit.name,
        signatures=signatures,
        references=tuple(
            _reference(name, reference, signatures, edit) for name, reference in references
        ),
        unnoticed=() if edit.signs or edit.without_signatures else _unnoticed(edit, covered),
    )


def _unnoticed(edit: Edit, covered: set[Touched]) -> tuple[Touched, ...]:
    return tuple(t for t in edit.touched if t not in covered and t.change is not Change.VR)


def _signature(signature: SignatureFacts, path: Path, edit: Edit) -> Outcome:
    because: tuple[Touched, ...] = ()
    if not signature.integrity.is_intact:
        reason = Reason.BROKEN_ALREADY
    elif edit.without_signatures:
        reason = Reason.LEFT_BEHIND
    else:
        reason, because = _effect(path, signature.data_elements_signed, edit)
    return Outcome(
        of=signature.digital_signature_uid,
        number=signature.number,
        purpose=signature.purpose,
        location=signature.location,
        reason=reason,
        because=because,
    )


def _effect(path: Path, covers: tuple[int, ...], edit: Edit) -> tuple[Reason, tuple[Touched, ...]]:
    listed = frozenset(covers)
    inside = tuple(t for t in edit.touched if _encloses(t, path))
    if inside:
        return Reason.INSIDE, inside
    hit = tuple(t for t in edit.touched if _is_covered(t, path, listed))
    if not hit:
        return Reason.NOT_COVERED, ()
    lost = all(t.change is Change.VR for t in hit)
    return Reason.LOSES_VR if lost else Reason.COVERED, hit


def _encloses(touched: Touched, path: Path) -> bool:
    """Whether an element that changes as a whole holds the signature."""
    depth = len(touched.path)
    return (
        touched.change is not Change.VR
        and len(path) > depth
        and path[:depth] == touched.path
        and path[depth][0] == touched.tag
    )


def _is_covered(touched: Touched, path: Path, covers: frozenset[int]) -> bool:
    """Whether an element, or what holds it, is in the MAC of a signature at some level."""
    depth = len(path)
    if touched.path[:depth] != path:
        return False
    steps = [tag for tag, _ in touched.path[depth:]] + [touched.tag]
    return steps[0] in covers and all(signable_tag(tag) for tag in steps)


def _reference(
    name: str, reference: DocumentReference, signatures: tuple[Outcome, ...], edit: Edit
) -> Outcome:
    reason, because = _proof(reference, signatures, edit)
    return Outcome(of=reference.where, document=name, reason=reason, because=because)


def _proof(
    reference: DocumentReference, signatures: tuple[Outcome, ...], edit: Edit
) -> tuple[Reason, tuple[Touched, ...]]:
    if edit.another_instance:
        return Reason.OTHER_INSTANCE, ()
    moved = tuple(t for t in edit.touched if not t.path and t.tag == _SOP_INSTANCE_UID)
    if moved:
        return Reason.UID, moved
    for mac in reference.macs:
        return _effect((), mac.data_elements_signed, edit)
    copied = {s.digital_signature_uid for s in reference.signatures}
    named = sorted((o for o in signatures if o.of in copied), key=lambda o: not o.survives)
    return (named[0].reason, named[0].because) if named else (Reason.NO_PROOF, ())
