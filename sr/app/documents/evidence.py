"""The instances that a new document cites, each with its proof.

Cites: PS3.15 A.4; PS3.17 Annex W.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.checks.mac_cache import remembered_mac
from sr.app.documents.evidence_folder import DAMAGED, Skipped, survey
from sr.app.documents.securing import Securing, open_selection
from sr.app.documents.selected_proofs import (
    CopiedFrom,
    anchor_evidence,
    copied_from,
    copy_notices,
    copy_proofs,
    require_anchored,
)
from sr.app.files import open_dicom
from sr.app.pool import each, jobs_for
from sr.app.settings import current_settings
from sr.dicomfile import DICOMFile
from sr.document.evidence import Evidence, read_evidence
from sr.document.reference import SecureReference
from sr.errors import EvidenceError, SRError
from sr.findings import Finding
from sr.signature.reference_coverage import MACCoverage
from sr.verification.securing import ProofRules, prove

__all__ = ["LoadedEvidence", "load_evidence", "secure_reference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedEvidence:
    """The instances in some folders, each with its proof."""

    evidence: tuple[Evidence, ...]
    skipped: tuple[Skipped, ...]
    """What was left out, and why."""
    anchors: tuple[Evidence, ...] = ()
    """Key object selections that secure instances of the evidence, to be cited beside them."""
    copied: tuple[CopiedFrom, ...] = ()
    """Where proofs came from that were not computed."""
    notices: tuple[Finding, ...] = ()

    @property
    def cited(self) -> int:
        """How many instances a document over it cites."""
        return len(self.evidence) + len(self.anchors)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """An instance with its proof, or why there is none."""

    evidence: Evidence | None = None
    fault: str = ""
    notices: tuple[Finding, ...] = ()


def load_evidence(
    paths: Iterable[Path],
    *,
    securing: Securing,
    without: Iterable[Path] = (),
    tolerant: bool = False,
) -> LoadedEvidence:
    """Return the instances in some folders with their proofs, and what was left out.

    Args:
        paths: Files, folders and DICOMDIRs.
        securing: What proofs cover, and which selections may help.
        without: Files that do not count.
        tolerant: Leave out what is damaged or contradictory instead of refusing.

    Raises:
        EvidenceError: A file is damaged, two different objects have one UID, or an instance is not
            what a selection says.
        VerdictError: A selection that is to be relied on is not PASSED.
        ConfigurationError: A path does not exist.

    Cites: PS3.15 A.4 b; PS3.17 Annex W, case 1 d.
    """
    folder = survey(paths, without=without)
    selections = tuple(open_selection(path, securing.check) for path in securing.trusted)
    anchors = tuple(open_selection(path, securing.check) for path in securing.anchors)
    copies = copy_proofs(folder, selections)
    proofs = {path: _Proof(evidence=c.evidence) for path, c in copies.items() if c.evidence}
    rest = [path for path in folder.paths if path not in proofs]
    proven = each(partial(_prove, rules=securing.rules), rest, jobs=jobs_for(len(rest)))
    proofs |= zip(rest, proven, strict=True)
    skipped = list(folder.skipped)
    evidence: dict[str, Evidence] = {}
    for path in folder.paths:
        item = proofs[path].evidence
        if item is None:
            skipped.append(Skipped(path=path, reason=proofs[path].fault, rule=DAMAGED))
            continue
        known = evidence.setdefault(item.sop_instance_uid, item)
        if known.reference != item.reference:
            reason = f"{known.label} is a different object with the same SOPInstanceUID (0008,0018)"
            skipped.append(Skipped(path=path, reason=reason, rule="EVIDENCE_CONFLICT"))
    if not tolerant:
        _require_sound(skipped, len(evidence))
    for anchor in anchors:
        evidence.pop(anchor.file.sop_instance_uid, None)
    cited = tuple(evidence.values())
    for anchor in anchors:
        require_anchored(anchor, cited, folder, securing.check)
    return LoadedEvidence(
        evidence=cited,
        skipped=tuple(skipped),
        anchors=tuple(anchor_evidence(anchor, securing.rules) for anchor in anchors),
        copied=copied_from(selections, copies.values()),
        notices=(
            *(notice for proof in proofs.values() for notice in proof.notices),
            *copy_notices(selections, copies.values(), total=len(cited)),
        ),
    )


def _require_sound(skipped: list[Skipped], readable: int) -> None:
    broken = [s for s in skipped if s.broken]
    if broken:
        listed = "; ".join(f"{s.path}: {s.reason}" for s in broken)
        raise EvidenceError(
            f"{len(broken)} evidence files cannot be cited: {listed}",
            hint=f"nothing was written; the other {readable} files are readable",
        )


def _prove(path: Path, *, rules: ProofRules) -> _Proof:
    memory = current_settings().mac.cache if rules.coverage is MACCoverage.FULL else ""
    try:
        file = open_dicom(path, allow_odd_lengths=True)
        mac = remembered_mac(Path(memory), path, file) if memory else None
        proven = prove(file, rules, mac=mac)
        item = read_evidence(file.dataset, reference=proven.reference, label=path.name)
    except SRError as error:
        return _Proof(fault=str(error))
    return _Proof(evidence=item, notices=proven.notices)


def secure_reference(
    file: DICOMFile, *, at: datetime, coverage: MACCoverage = MACCoverage.FULL
) -> SecureReference:
    """Return the proof of a document that another one succeeds, or of any other instance.

    Args:
        file: The document.
        at: Now; its signatures are copied where the default policy finds them good enough.
        coverage: What its MAC covers.

    Raises:
        EncodingError: Nothing in it can be covered by a MAC.

    Cites: PS3.3 Table C.17-3a, C.17.2 (Predecessor Documents Sequence).
    """
    rules = ProofRules(policy=CheckOptions(at=at).trust_policy, at=at, coverage=coverage)
    return prove(file, rules).reference
