"""What a key object selection contributes to a new document: its proofs, or itself as an anchor.

Copied proofs are not computed again, so that an instance which was changed since shows when the new
document is checked. An anchor is cited beside what it secures, and what it says is compared.

Cites: PS3.17 Annex W, case 1 d.2, d.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.documents.evidence_folder import EvidenceFolder
from sr.app.documents.securing import Selection
from sr.app.files import open_dicom
from sr.document.evidence import Evidence, read_evidence
from sr.errors import EvidenceError
from sr.findings import Finding, Status
from sr.signature.references import DocumentReference, MACReference
from sr.verification.facts import ReferenceResult
from sr.verification.reference_rules import judge_references
from sr.verification.references import compare_reference
from sr.verification.securing import ProofRules, copy_proof, prove

__all__ = [
    "CopiedFrom",
    "SelectedProof",
    "anchor_evidence",
    "copied_from",
    "copy_notices",
    "copy_proofs",
    "require_anchored",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFrom:
    """A selection whose proofs were taken over without hashing the instances again."""

    selection: str
    """File name."""
    sop_instance_uid: str
    policy: str
    """The policy under which it is PASSED."""
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedProof:
    """What came of looking for an instance in a selection."""

    selection: Selection
    evidence: Evidence | None = None
    """The instance, with the proof of the selection."""
    refusal: str = ""
    """Why that proof is not taken over."""


def copy_proofs(
    folder: EvidenceFolder, selections: tuple[Selection, ...]
) -> dict[Path, SelectedProof]:
    """Return what the selections say about the instances of a folder; the first one counts.

    Raises:
        EvidenceError: Nothing in the folder is in a selection, or an instance is not what it says.

    Cites: PS3.17 Annex W, case 1 d.3.
    """
    citable = frozenset(folder.paths)
    copies: dict[Path, SelectedProof] = {}
    for selection in selections:
        found = 0
        for uid, said in selection.references.items():
            paths = [path for path in folder.by_uid.get(uid, ()) if path in citable]
            found += len(paths)
            for path in paths:
                if path not in copies:
                    copies[path] = _copy(path, said, selection, alone=len(paths) == 1)
        _require_some(selection, found)
    return copies


def _copy(
    path: Path, said: DocumentReference, selection: Selection, *, alone: bool
) -> SelectedProof:
    """Return the instance in a file with the proof of a selection.

    Where several files claim to be the instance, all of them are hashed, so that two different
    objects are told apart.
    """
    if not alone:
        return SelectedProof(selection=selection, refusal="several files hold the instance")
    file = open_dicom(path, allow_odd_lengths=True)
    try:
        proof = copy_proof(file, said)
    except EvidenceError as error:
        raise EvidenceError(
            f"{path} is not what {selection.name} says: {error}",
            where=error.where,
            hint="it was changed since, or is another instance; nothing was written",
        ) from error
    if isinstance(proof, str):
        return SelectedProof(selection=selection, refusal=proof)
    item = read_evidence(file.dataset, reference=proof, label=path.name)
    return SelectedProof(selection=selection, evidence=item)


def copied_from(
    selections: tuple[Selection, ...], copies: Iterable[SelectedProof]
) -> tuple[CopiedFrom, ...]:
    """Return how many proofs were taken over from each selection."""
    taken = Counter(c.selection.file.sop_instance_uid for c in copies if c.evidence)
    return tuple(
        CopiedFrom(
            selection=selection.name,
            sop_instance_uid=uid,
            policy=selection.verdict.policy,
            instances=taken[uid],
        )
        for selection in selections
        if (uid := selection.file.sop_instance_uid)
    )


def copy_notices(
    selections: tuple[Selection, ...], copies: Iterable[SelectedProof], *, total: int
) -> tuple[Finding, ...]:
    """Return what an author should know about proofs that were taken over, or were not.

    Args:
        selections: Where from.
        copies: What came of it.
        total: How many instances are cited.

    Cites: PS3.17 Annex W, case 1 d.3.
    """
    copies = tuple(copies)
    notices = [
        _notice(
            "EVIDENCE_COPIED",
            f"the proofs of {copied.instances} of {total} instances are those of "
            f"{copied.selection} ({copied.sop_instance_uid}), PASSED under policy "
            f"{copied.policy}; these instances were not hashed",
        )
        for copied in copied_from(selections, copies)
    ]
    refused = Counter((c.selection.name, c.refusal) for c in copies if c.refusal)
    notices += [
        _notice(
            "EVIDENCE_NOT_COPIED",
            f"the proofs of {count} instances in {name} were not taken over, but computed: {why}",
        )
        for (name, why), count in refused.items()
    ]
    return tuple(notices)


def _notice(rule: str, message: str) -> Finding:
    return Finding(
        rule=rule,
        status=Status.NOTICE,
        message=message,
        where="(0040,A375)",
        cites="PS3.17 Annex W, case 1 d.3",
    )


def require_anchored(
    anchor: Selection,
    evidence: tuple[Evidence, ...],
    folder: EvidenceFolder,
    options: CheckOptions,
) -> None:
    """Refuse an anchor that secures nothing of the evidence, or something else than is there.

    A MAC that was just computed over the same elements is compared with the anchor's; otherwise the
    file is.

    Raises:
        EvidenceError: Naming the instance.

    Cites: PS3.17 Annex W, case 1 d.2.
    """
    secured = [item for item in evidence if item.sop_instance_uid in anchor.references]
    _require_some(anchor, len(secured))
    for item in secured:
        said = anchor.references[item.sop_instance_uid]
        if not _says_the_same(said, item):
            _require_matching(anchor, said, folder, options)


def _says_the_same(said: DocumentReference, item: Evidence) -> bool:
    """Whether both have the same MAC over the same elements, of an instance of the same class."""
    own = item.reference.mac
    return own is not None and (said.sop_class_uid, said.macs) == (
        item.sop_class_uid,
        (
            MACReference(
                transfer_syntax_uid=own.transfer_syntax_uid,
                algorithm=own.algorithm.value,
                data_elements_signed=own.data_elements_signed,
                mac=own.mac,
            ),
        ),
    )


def _require_matching(
    anchor: Selection, said: DocumentReference, folder: EvidenceFolder, options: CheckOptions
) -> None:
    compared = compare_reference(said, tuple(folder.find(said.sop_instance_uid)))
    (judged,) = judge_references(
        (compared,),
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
    )
    if judged.result is not ReferenceResult.MATCHED:
        raise EvidenceError(
            f"{said.sop_instance_uid} is {judged.result} by what {anchor.name} says of it",
            where=said.where,
            hint="it was changed since, or is another instance; nothing was written",
        )


def _require_some(selection: Selection, count: int) -> None:
    if not count:
        raise EvidenceError(
            f"{selection.name} cites none of the instances of the evidence",
            where="(0040,A375)",
            hint="give the selection that was made over these instances",
        )


def anchor_evidence(anchor: Selection, rules: ProofRules) -> Evidence:
    """Return an anchor as an instance that is cited, with its own proof.

    Cites: PS3.17 Annex W, case 1 d.2.
    """
    reference = prove(anchor.file, rules).reference
    return read_evidence(anchor.file.dataset, reference=reference, label=anchor.name)
