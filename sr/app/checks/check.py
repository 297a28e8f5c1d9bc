"""Use case: check a file and say one honest verdict.

Cites: ETSI EN 319 102-1 5; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sr.app.checks.comparison import compare_evidence
from sr.app.checks.facts import FactsRecord, is_facts
from sr.app.checks.record import read_records
from sr.app.documents.evidence_folder import EvidenceFolder, survey
from sr.app.files import open_dicom, read_bytes
from sr.app.trust.trust_store import TrustStore
from sr.dicomfile import DICOMFile
from sr.errors import DatasetError, NotDICOMError
from sr.findings import Finding, Indication, Status, SubIndication
from sr.trust import (
    TrustMaterial,
    TrustPolicy,
    load_policy,
    parse_certificates,
    parse_crls,
    parse_ocsp,
    parse_policy,
)
from sr.verification import Demands, DocumentFacts, Verdict, gather, judge
from sr.verification.document import format_failure_verdict
from sr.verification.record import RecordedSignature

__all__ = [
    "CheckOptions",
    "check_file",
    "exit_code",
    "gather_file",
    "gather_opened",
    "gather_record",
    "judge_record",
    "load_material",
    "named_policy",
    "refusal",
    "worst_exit_code",
]

_WORST_FIRST = (130, 10, 13, 12, 11, 3, 0)


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """How to check: whom to trust, under which policy, against which evidence."""

    at: datetime
    """The time to judge at, aware."""
    anchors: tuple[Path, ...] = ()
    timestamp_anchors: tuple[Path, ...] = ()
    """For time-stamps only; where there are none, ``anchors`` count for them too."""
    intermediates: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()
    ocsps: tuple[Path, ...] = ()
    store: Path | None = None
    """Folder that ``srsign trust`` keeps; counts where no anchor is given."""
    policy: str = "standard"
    """Id of a shipped policy, or path of a policy file."""
    evidence: tuple[Path, ...] | None = None
    """``None`` when references are not to be checked."""
    purposes: tuple[str, ...] = ()
    signer: str | None = None
    records: tuple[Path, ...] = ()
    """Verdicts that were kept, as JSON."""
    extra: tuple[Path, ...] = field(default=())
    """Folders whose uncited instances are reported as unexpected."""

    @cached_property
    def material(self) -> TrustMaterial:
        """Anchors, intermediates and revocation lists, read once."""
        return load_material(self)

    @cached_property
    def trust_policy(self) -> TrustPolicy:
        """The policy, read once."""
        return named_policy(self.policy)

    @cached_property
    def record(self) -> tuple[RecordedSignature, ...] | None:
        """What kept verdicts tell, read once; ``None`` where none was given."""
        return read_records(self.records)

    @cached_property
    def folder(self) -> EvidenceFolder | None:
        """The evidence, surveyed once."""
        return None if self.evidence is None else survey(self.evidence)


def named_policy(name: str) -> TrustPolicy:
    """Return a policy by the id of a shipped one or the path of a file.

    Raises:
        ConfigurationError: The file cannot be read.
        ProfileError: The policy is unknown or malformed.
    """
    path = Path(name).expanduser()
    if path.suffix == ".toml" or path.is_file():
        return parse_policy(read_bytes(path).decode("utf-8", "replace"), path.name)
    return load_policy(name)


def load_material(options: CheckOptions) -> TrustMaterial:
    """Return the trust material that options name.

    Raises:
        TrustEvidenceError: A file holds no certificate or revocation list.
        ConfigurationError: A file cannot be read.
    """
    kept = TrustMaterial()
    if options.store is not None and not options.anchors:
        kept = TrustStore(options.store).material()
    return TrustMaterial(
        anchors=(*kept.anchors, *_all(options.anchors, parse_certificates)),
        timestamp_anchors=_all(options.timestamp_anchors, parse_certificates),
        intermediates=(*kept.intermediates, *_all(options.intermediates, parse_certificates)),
        crls=(*kept.crls, *_all(options.crls, parse_crls)),
        ocsps=(*kept.ocsps, *_all(options.ocsps, parse_ocsp)),
    )


def check_file(path: Path, options: CheckOptions) -> Verdict:
    """Return the verdict on a file.

    Bytes that are DICOM but break a structural rule or a limit get a verdict too.

    Raises:
        ConfigurationError: The path cannot be opened.
        NotDICOMError: The bytes are not DICOM.
        TrustEvidenceError: Trust material does not parse.
        ProfileError: The policy is unknown or malformed.

    Cites: ETSI EN 319 102-1 5.
    """
    return judge_record(gather_record(path, options), options)


def gather_record(path: Path, options: CheckOptions) -> FactsRecord:
    """Return what is found about a file, evidence compared where it was given.

    Raises:
        ConfigurationError: The path cannot be opened.
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5.1.4; PS3.15 A.4.
    """
    return gather_opened(path, options)[0]


def gather_opened(path: Path, options: CheckOptions) -> tuple[FactsRecord, DICOMFile | None]:
    """Return what is found about a file, and the file itself unless a structural rule refused it.

    Raises:
        ConfigurationError: The path cannot be opened.
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5.1.4; PS3.15 A.4.
    """
    try:
        file = open_dicom(path)
        facts = gather_file(file, options)
    except NotDICOMError as error:
        if is_facts(path):
            error.hint = "these are facts that --facts saved; --replay judges them"
        raise
    except DatasetError as error:
        return FactsRecord(subject=path.name, facts=None, refusal=refusal(error)), None
    return FactsRecord(subject=path.name, facts=facts), file


def judge_record(
    record: FactsRecord, options: CheckOptions, *, proven_at: datetime | None = None
) -> Verdict:
    """Return the verdict on what was found, now or at another time.

    Args:
        record: From ``gather_record``, or from a file.
        options: Whom to trust, and the time to judge at.
        proven_at: When something beside the document proves that all of it existed.

    Raises:
        TrustEvidenceError: Trust material does not parse.
        ProfileError: The policy is unknown or malformed.

    Cites: ETSI EN 319 102-1 5.
    """
    policy = options.trust_policy
    if record.facts is None:
        assert record.refusal is not None  # noqa: S101 - a record has one or the other
        return format_failure_verdict(
            record.refusal, subject=record.subject, policy=policy.id, judged_at=options.at
        )
    return judge(
        record.facts,
        subject=record.subject,
        policy=policy,
        material=options.material,
        judged_at=options.at,
        demands=Demands(purposes=options.purposes, signer=options.signer),
        record=options.record,
        proven_at=proven_at,
    )


def gather_file(file: DICOMFile, options: CheckOptions) -> DocumentFacts:
    """Return the facts about a file, evidence compared where it was given.

    A damaged file beside the evidence is among them: nobody can say what it would have been.

    Cites: PS3.15 A.4.
    """
    folder = options.folder
    if folder is None:
        return gather(file)
    facts = gather(file, compare_evidence(file, folder))
    return replace(facts, findings=(*facts.findings, *folder.findings))


def exit_code(verdict: Verdict) -> int:
    """Return the exit code of a verdict: 0, 10, 11, 12 or 13."""
    if verdict.indication is Indication.FAILED:
        return 10
    if verdict.indication is Indication.NOT_SIGNED:
        return 12
    if verdict.references.differs:
        return 13
    if any(f.rule == "REQUIRED_PURPOSE" and f.status is Status.FAIL for f in verdict.findings):
        return 12
    return 11 if verdict.indication is Indication.INDETERMINATE else 0


def worst_exit_code(codes: Iterable[int]) -> int:
    """Return the exit code of several results; one that could not be judged counts as 3."""
    known = {code if code in _WORST_FIRST else 3 for code in codes}
    return next((code for code in _WORST_FIRST if code in known), 0)


def _all(paths: tuple[Path, ...], parse: object) -> tuple[bytes, ...]:
    return tuple(der for path in paths for der in parse(read_bytes(path)))  # type: ignore[operator]


def refusal(error: DatasetError) -> Finding:
    """Return the finding that bytes break a structural rule."""
    return Finding(
        rule=error.rule,
        status=Status.FAIL,
        message=str(error),
        where=error.where,
        cites=error.cites,
        sub_indication=SubIndication.FORMAT_FAILURE,
    )
