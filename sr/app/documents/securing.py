"""How the references of a new document are to be secured, and the selections that may help.

A key object selection is relied on only after its own verdict, under the policy and the trust that
the caller states, is PASSED. What is judged and what is used are the same bytes.

Cites: PS3.17 Annex W, case 1 d; PS3.15 A.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.files import read_bytes
from sr.app.settings import current_settings
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.errors import EvidenceError
from sr.signature.documents import KEY_OBJECT_SELECTION
from sr.signature.reference_coverage import MACCoverage
from sr.signature.references import DocumentReference, document_references
from sr.verification import Demands, Verdict, gather, judge
from sr.verification.securing import ProofRules

__all__ = ["Securing", "Selection", "open_selection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Securing:
    """How references are to be secured."""

    check: CheckOptions
    """Policy, trust and time: for signatures that are copied, and for selections."""
    coverage: MACCoverage = MACCoverage.FULL
    trusted: tuple[Path, ...] = ()
    """Key object selections whose proofs are copied."""
    anchors: tuple[Path, ...] = ()
    """Key object selections that are cited beside what they secure."""

    @property
    def selections(self) -> tuple[Path, ...]:
        """Every selection that is relied on."""
        return (*self.trusted, *self.anchors)

    @property
    def rules(self) -> ProofRules:
        """What each proof has to obey."""
        return ProofRules(policy=self.check.trust_policy, at=self.check.at, coverage=self.coverage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A key object selection whose verdict is PASSED."""

    name: str
    file: DICOMFile
    verdict: Verdict
    references: Mapping[str, DocumentReference]
    """What it cites, by SOP Instance UID."""


def open_selection(path: Path, options: CheckOptions) -> Selection:
    """Return a key object selection that can be relied on.

    Raises:
        EvidenceError: It is no key object selection.
        VerdictError: Its own verdict is not PASSED.
        ConfigurationError: The path cannot be opened.
        DatasetError: Its bytes are not DICOM, or break a structural rule.
        TrustEvidenceError: Trust material does not parse.

    Cites: PS3.17 Annex W, case 1 d.3.
    """
    file = read(BytesSource(read_bytes(path)), limits=current_settings().limits)
    if file.sop_class_uid != KEY_OBJECT_SELECTION:
        raise EvidenceError(
            f"{path.name} is no key object selection: SOPClassUID (0008,0016) is "
            f"{file.sop_class_uid!r}",
            where="(0008,0016)",
        )
    verdict = judge(
        gather(file),
        subject=path.name,
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
        demands=Demands(purposes=options.purposes, signer=options.signer),
    )
    verdict.require_passed()
    cited = (r for r in document_references(file.dataset) if r.is_evidence)
    return Selection(
        name=path.name,
        file=file,
        verdict=verdict,
        references={reference.sop_instance_uid: reference for reference in cited},
    )
