"""Use case: write the next version of a report, or add to it.

Cites: PS3.3 C.17.2; PS3.4 O.3; PS3.15 A.4; PS3.16 TID 2000.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.checks.comparison import compare_evidence
from sr.app.documents.authoring import new_identity, read_input, report_file
from sr.app.documents.evidence import load_evidence, secure_reference
from sr.app.documents.evidence_folder import EvidenceFolder, Skipped, survey
from sr.app.documents.outputs import written_before
from sr.app.documents.securing import Securing
from sr.app.documents.selected_proofs import CopiedFrom
from sr.app.files import guard_output, open_dicom, write_atomically
from sr.app.ports import Ports
from sr.app.signatures.signable import require_intact
from sr.dicomfile import BytesSource, DICOMFile, canonicalise, read
from sr.document.addendum import addendum_only, check_addendum, with_kept_content
from sr.document.evidence import Evidence, read_evidence
from sr.document.identity import DocumentIdentity
from sr.document.input_position import InputText
from sr.document.predecessor import (
    Predecessor,
    check_amendable,
    check_same_subject,
    read_predecessor,
    relation_to,
)
from sr.document.report import compose_report
from sr.document.structured_report import build_structured_report
from sr.errors import EvidenceError, LifecycleError
from sr.findings import Finding, Status
from sr.signature import examine
from sr.signature.conformance import conformance_findings
from sr.signature.prepare import refuse
from sr.verification import gather
from sr.verification.facts import DocumentFacts, ReferenceResult

__all__ = ["Amendment", "AmendmentResult", "amend_document", "amend_file", "refuse_altered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """How a report is amended.

    Cites: PS3.3 C.17.2.
    """

    addendum: bool = False
    """Keep the content and add sections, instead of new content."""
    evidence_only: bool = False
    """Cite what is given as evidence, and nothing that only the predecessor cites."""
    allow_unsigned: bool = False
    """Amend a document that nobody signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentResult:
    """What was written."""

    sop_instance_uid: str
    predecessor: str
    """SOP Instance UID of the document that was amended."""
    dropped: tuple[str, ...]
    """Digital Signature UIDs of the signatures that stayed behind."""
    cited: int
    carried: int
    """How many of the cited instances rest on the proof that the predecessor had."""
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[Finding, ...] = ()
    copied: tuple[CopiedFrom, ...] = ()
    """Where proofs came from that were not computed."""


def amend_file(
    source: Path,
    report: Path,
    output: Path,
    *,
    amendment: Amendment,
    evidence: tuple[Path, ...],
    template: str | None,
    ports: Ports,
    sites: tuple[Path, ...] = (),
    securing: Securing | None = None,
) -> AmendmentResult:
    """Write an unsigned new version of a report from a report file, or from template values.

    Raises:
        LifecycleError: The document is not amended so.
        EvidenceError: Evidence is damaged, altered, contradictory, or cited but not there.
        VerdictError: A selection that is to be relied on is not PASSED.
        TemplateError: The input does not fit; names key path and line.
        ConfigurationError: A path does not make sense.

    Cites: PS3.3 C.17.2; PS3.15 A.4.
    """
    securing = securing or Securing(check=CheckOptions(at=ports.now()))
    guard_output(output, [source, report, *evidence, *securing.selections], in_place=False)
    file = open_dicom(source)
    old = written_before(output)
    given = load_evidence(evidence, securing=securing, without=old)
    refuse_altered(file, survey(evidence, without=old))
    data, result = amend_document(
        file,
        report_file(report),
        amendment=amendment,
        evidence=given.evidence,
        anchors=given.anchors,
        template=template,
        ports=ports,
        sites=sites,
    )
    write_atomically(output, data)
    return replace(result, skipped=given.skipped, notices=given.notices, copied=given.copied)


def amend_document(
    file: DICOMFile,
    text: InputText,
    *,
    amendment: Amendment,
    evidence: tuple[Evidence, ...],
    template: str | None,
    ports: Ports,
    sites: tuple[Path, ...] = (),
    anchors: tuple[Evidence, ...] = (),
    identity: DocumentIdentity | None = None,
) -> tuple[bytes, AmendmentResult]:
    """Return the next version of a report as a DICOM file.

    Args:
        file: The document as it stands.
        text: The new content, or values for a template.
        amendment: What kind of change it is.
        evidence: Instances at hand; others keep the proof that the document has for them.
        template: Id of the template, ``None`` for a report as it stands.
        ports: Time and UIDs.
        sites: Folders with templates beside the shipped ones.
        anchors: Key object selections that are listed as evidence, and that no statement cites.
        identity: Of a draft that is written anew; ``None`` for a new document.

    Raises:
        LifecycleError: The document is not amended so.
        EvidenceError: Evidence is contradictory, or cited but not there.
        TemplateError: The input does not fit; names key path and line.

    Cites: PS3.3 C.17.2; PS3.15 A.4.
    """
    dataset = file.dataset
    check_amendable(dataset)
    facts = _sound(file, allow_unsigned=amendment.allow_unsigned)
    covered = frozenset(tag for s in facts.top_level for tag in s.data_elements_signed)
    before = read_predecessor(dataset, covered=covered)
    inherits = (before.document_class, before.title) if amendment.addendum else None
    source, report = read_input(text, template, sites, inherits=inherits)
    check_same_subject(report, before)
    if amendment.addendum:
        check_addendum(report, dataset, before)
    listed = (*evidence, *anchors)
    carried = _carried(before, listed, amendment)
    citable = tuple(e for e in carried if e.sop_instance_uid in before.citable)
    with source.blamed():
        composed = compose_report(
            report, subject=before.subject, evidence=(*evidence, *citable), new_uid=ports.new_uid
        )
        data = build_structured_report(
            addendum_only(composed, report) if amendment.addendum else composed,
            subject=before.subject,
            evidence=(*listed, *carried),
            identity=identity or new_identity(ports),
            predecessors=(
                read_evidence(dataset, reference=secure_reference(file, at=ports.now())),
                *before.earlier,
            ),
            relation=relation_to(dataset, addendum=amendment.addendum),
        )
    data = with_kept_content(data, dataset) if amendment.addendum else canonicalise(data)
    made = read(BytesSource(data))
    refuse(list(conformance_findings(made, examine(made), None)))
    return data, AmendmentResult(
        sop_instance_uid=made.sop_instance_uid,
        predecessor=file.sop_instance_uid,
        dropped=tuple(s.digital_signature_uid for s in facts.signatures),
        cited=len(listed) + len(carried),
        carried=len(carried),
    )


def _sound(file: DICOMFile, *, allow_unsigned: bool) -> DocumentFacts:
    """Return the facts about a document whose signatures, just now, all verify."""
    facts = gather(file)
    require_intact(facts)
    for finding in facts.findings:
        if finding.status is Status.FAIL:
            raise LifecycleError(
                f"the document is not sound and is not amended: {finding.message}",
                where=finding.where,
                hint="srsign check says what is wrong",
            )
    if not facts.top_level and not allow_unsigned:
        raise LifecycleError(
            "nobody signed this document (DigitalSignaturesSequence (FFFA,FFFA)): a draft is not "
            "amended",
            where="(FFFA,FFFA)",
            hint="write it anew with srsign create, or say --allow-unsigned where the unsigned "
            "document has been sent out",
        )
    return facts


def _carried(
    before: Predecessor, evidence: tuple[Evidence, ...], amendment: Amendment
) -> tuple[Evidence, ...]:
    """Return what the new version cites on the word of its predecessor."""
    given = {item.sop_instance_uid for item in evidence}
    if amendment.evidence_only and not amendment.addendum:
        return ()
    for reference in before.unproven:
        if reference.sop_instance_uid not in given:
            raise EvidenceError(
                f"ReferencedSOPInstanceUID (0008,1155) {reference.sop_instance_uid} has no "
                "proof in the document that a signature covers, and is not in the evidence",
                where=reference.where,
                hint="give the folder that holds it with --evidence",
            )
    return tuple(e for e in before.carried if e.sop_instance_uid not in given)


def refuse_altered(file: DICOMFile, folder: EvidenceFolder) -> None:
    """Refuse evidence that is not what the document said it was.

    Raises:
        EvidenceError: An instance was altered since, or nobody can say.

    Cites: PS3.15 A.4.
    """
    for compared in compare_evidence(file, folder):
        if compared.result in (ReferenceResult.ALTERED, ReferenceResult.UNDECIDED):
            raise EvidenceError(
                f"ReferencedSOPInstanceUID (0008,1155) {compared.sop_instance_uid} is "
                f"{compared.result} since the document was written ({compared.file})",
                where=compared.where,
                hint="get the instance as it was; one that was corrected has a UID of its own",
            )
