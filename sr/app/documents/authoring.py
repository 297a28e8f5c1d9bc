"""Use cases: write a report, select key objects, seal a study.

What is written cites every instance with proof. A title that promises a signature is never written
without one.

Cites: PS3.15 A.4; PS3.16 TID 2000, TID 2010; PS3.17 Annex W.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.documents.evidence import load_evidence
from sr.app.documents.evidence_folder import Skipped
from sr.app.documents.outputs import names_for, written_before
from sr.app.documents.securing import Securing
from sr.app.documents.selected_proofs import CopiedFrom
from sr.app.files import guard_output, read_bytes, write_atomically
from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials, SigningResult, sign_bytes, signer_of
from sr.codes import SIGNED_TITLES, Code, SignaturePurpose, key_object_title
from sr.dicomfile import canonicalise
from sr.document.constraints import DocumentClass
from sr.document.evidence import Evidence
from sr.document.identity import DocumentIdentity
from sr.document.input import read_report
from sr.document.input_position import InputText
from sr.document.input_table import InputFormat
from sr.document.key_object import KeyObjectSelection, build_key_objects, studies_of
from sr.document.observer import DeviceObserver
from sr.document.report import compose_report, subject_of
from sr.document.report_input import ReportInput
from sr.document.structured_report import build_structured_report
from sr.document.template import load_template, read_rendered, render_input
from sr.errors import ConfigurationError, EvidenceError
from sr.findings import Finding

__all__ = [
    "AuthoringResult",
    "IdenticalDocument",
    "author_key_objects",
    "author_report",
    "create_key_object",
    "create_report",
    "new_identity",
    "read_input",
    "report_file",
    "require_signature",
    "seal",
]

_FORMATS = {
    ".toml": InputFormat.TOML,
    ".json": InputFormat.JSON,
    ".yaml": InputFormat.YAML,
    ".yml": InputFormat.YAML,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdenticalDocument:
    """A copy of a document, written into another study.

    Cites: PS3.3 C.17.2.2.
    """

    output: Path
    study_instance_uid: str
    digital_signature_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoringResult:
    """What was written."""

    output: Path
    cited: int
    """Instances cited, each with proof."""
    skipped: tuple[Skipped, ...]
    """Files of the evidence folders that are no instances to cite."""
    notices: tuple[Finding, ...] = ()
    digital_signature_uid: str | None = None
    copied: tuple[CopiedFrom, ...] = ()
    """Where proofs came from that were not computed."""
    identical: tuple[IdenticalDocument, ...] = ()
    """The copies in the other studies of the evidence; only a key object selection has any."""


def create_report(
    source: Path,
    output: Path,
    *,
    evidence: tuple[Path, ...],
    template: str | None,
    ports: Ports,
    sites: tuple[Path, ...] = (),
    securing: Securing | None = None,
) -> AuthoringResult:
    """Write an unsigned report from a report file, or from values for a template.

    Raises:
        TemplateError: The input does not fit; names the key path.
        EvidenceError: Evidence is damaged, contradictory, or cited but not there.
        ConfigurationError: A path does not make sense.

    Cites: PS3.16 TID 2000; PS3.15 A.4.
    """
    securing = _securing(securing, ports)
    guard_output(output, [source, *evidence, *securing.selections], in_place=False)
    loaded = load_evidence(evidence, securing=securing, without=written_before(output))
    written = report_file(source)
    data = author_report(
        written.text,
        written.notation,
        evidence=loaded.evidence,
        anchors=loaded.anchors,
        template=template,
        name=written.name,
        ports=ports,
        sites=sites,
    )
    write_atomically(output, data)
    return AuthoringResult(
        output=output,
        cited=loaded.cited,
        skipped=loaded.skipped,
        notices=loaded.notices,
        copied=loaded.copied,
    )


def author_report(
    text: str,
    notation: InputFormat,
    *,
    evidence: tuple[Evidence, ...],
    template: str | None,
    name: str,
    ports: Ports,
    sites: tuple[Path, ...] = (),
    anchors: tuple[Evidence, ...] = (),
    identity: DocumentIdentity | None = None,
) -> bytes:
    """Return an unsigned report as a DICOM file.

    Args:
        text: A report, or the values for a template.
        notation: How it is written.
        evidence: Everything it may cite.
        template: Id of the template, ``None`` for a report as it stands.
        name: The file's name, for messages.
        ports: Time and UIDs.
        sites: Folders with templates beside the shipped ones.
        anchors: Key object selections that are listed as evidence, and that no statement cites.
        identity: Of a draft that is written anew; ``None`` for a new document.

    Raises:
        TemplateError: The input does not fit; names key path and line.
        EvidenceError: The evidence is contradictory, or cited but not there.

    Cites: PS3.16 TID 2000; PS3.15 A.4.
    """
    source, report = read_input(InputText(text=text, notation=notation, name=name), template, sites)
    with source.blamed():
        subject = subject_of(report, evidence, study_instance_uid=ports.new_uid())
        return canonicalise(
            build_structured_report(
                compose_report(report, subject=subject, evidence=evidence, new_uid=ports.new_uid),
                subject=subject,
                evidence=(*evidence, *anchors),
                identity=identity or new_identity(ports),
            )
        )


def read_input(
    source: InputText,
    template: str | None,
    sites: tuple[Path, ...],
    *,
    inherits: tuple[DocumentClass, Code] | None = None,
) -> tuple[InputText, ReportInput]:
    """Return a report and the file it stands in, rendered first where there is a template.

    Raises:
        TemplateError: The input does not fit; names key path and line.

    Cites: PS3.16 TID 2000.
    """
    if template is None:
        return source, read_report(source, inherits=inherits)
    chosen = load_template(template, sites)
    rendered = render_input(chosen, source)
    return rendered, read_rendered(chosen, rendered)


def report_file(path: Path) -> InputText:
    """Return a report file as text, not yet read.

    Raises:
        ConfigurationError: It cannot be opened, or is in another notation or encoding.
    """
    return InputText(text=_text_of(path), notation=_format_of(path), name=path.name)


def create_key_object(
    output: Path,
    *,
    title: Code,
    evidence: tuple[Path, ...],
    ports: Ports,
    description: str = "",
    modifiers: tuple[Code, ...] = (),
    credentials: Credentials | None = None,
    purpose: SignaturePurpose | None = None,
    profile: str | None = None,
    securing: Securing | None = None,
) -> AuthoringResult:
    """Write a key object selection, signed where credentials and a purpose are given.

    Evidence of several studies gives one document in each: ``KOS.dcm`` in the study of the first
    instance, ``KOS-2.dcm`` and so on in the others, each signed, each listing the others.

    Raises:
        ConfigurationError: The title promises a signature and there is none, or a path is wrong.
        EvidenceError: There is no evidence, or it is damaged or contradictory.
        TemplateError: The title needs a modifier, or takes others.
        ProfileViolationError: The result would break a rule.
        SigningError: The key could not sign.

    Cites: PS3.16 TID 2010; PS3.15 A.4; PS3.3 C.17.6.2.
    """
    require_signature(title, credentials, purpose)
    securing = _securing(securing, ports)
    guard_output(output, [*evidence, *securing.selections], in_place=False)
    earlier = written_before(output)
    loaded = load_evidence(evidence, securing=securing, without=earlier)
    selected = (*loaded.evidence, *loaded.anchors)
    documents = author_key_objects(
        title, selected, description=description, modifiers=modifiers, ports=ports
    )
    outputs = names_for(output, len(documents), earlier=earlier)
    signed: tuple[SigningResult, ...] = ()
    if credentials is not None and purpose is not None:
        with signer_of(credentials) as signer:
            made = [
                sign_bytes(
                    data,
                    purpose=purpose,
                    signer=signer,
                    ports=ports,
                    profile=profile,
                    identity=securing.check.trust_policy.identity,
                )
                for data in documents
            ]
        documents, signed = tuple(data for data, _ in made), tuple(result for _, result in made)
    for path, data in zip(outputs, documents, strict=True):
        write_atomically(path, data)
    signatures = [s.digital_signature_uid for s in signed] if signed else [None] * len(documents)
    studies = (study.study_instance_uid for study in studies_of(selected))
    first, *others = (
        IdenticalDocument(output=path, study_instance_uid=study, digital_signature_uid=signature)
        for path, study, signature in zip(outputs, studies, signatures, strict=True)
    )
    return AuthoringResult(
        output=first.output,
        cited=loaded.cited,
        skipped=loaded.skipped,
        copied=loaded.copied,
        notices=(
            *loaded.notices,
            *dict.fromkeys(n for result in signed for n in result.notices),
        ),
        digital_signature_uid=first.digital_signature_uid,
        identical=tuple(others),
    )


def seal(
    folder: Path,
    output: Path,
    *,
    credentials: Credentials,
    ports: Ports,
    profile: str | None = None,
    securing: Securing | None = None,
) -> AuthoringResult:
    """Seal everything in a folder: Signed Complete Acquisition Content, source signature.

    Raises:
        EvidenceError: There is nothing to seal, or something is damaged.
        ConfigurationError: A path or URI does not make sense.
        SigningError: The key could not sign.

    Cites: PS3.17 Annex W, case 1; PS3.16 CID 7010 (113035).
    """
    return create_key_object(
        output,
        title=key_object_title("113035"),
        evidence=(folder,),
        ports=ports,
        securing=securing,
        credentials=credentials,
        purpose=SignaturePurpose.SOURCE,
        profile=profile,
    )


def author_key_objects(
    title: Code,
    evidence: tuple[Evidence, ...],
    *,
    ports: Ports,
    description: str = "",
    modifiers: tuple[Code, ...] = (),
) -> tuple[bytes, ...]:
    """Return the unsigned key object selections that cite all the evidence, one for each study.

    Raises:
        EvidenceError: There is none, or it is contradictory.
        TemplateError: The title needs a modifier, or takes others.

    Cites: PS3.16 TID 2010; PS3.3 C.17.6.2.
    """
    if not evidence:
        raise EvidenceError("there is no instance to cite in the evidence folders")
    selection = KeyObjectSelection(
        title=title,
        description=description,
        title_modifiers=modifiers,
        observers=(
            DeviceObserver(uid=ports.new_uid(), manufacturer="srsign", model_name="srsign"),
        ),
    )
    identities = tuple(new_identity(ports) for _ in studies_of(evidence))
    documents = build_key_objects(selection, evidence=evidence, identities=identities)
    return tuple(canonicalise(data) for data in documents)


def require_signature(
    title: Code, credentials: Credentials | None, purpose: SignaturePurpose | None
) -> None:
    """Refuse a title that promises a signature where none will be made.

    Raises:
        ConfigurationError: Key or purpose is missing.

    Cites: PS3.16 CID 7010; PS3.15 A.4.
    """
    if (credentials is None) != (purpose is None):
        raise ConfigurationError("a signature needs both a key and a purpose")
    if title.value in SIGNED_TITLES and credentials is None:
        raise ConfigurationError(
            f"the title {title.meaning!r} (ConceptNameCodeSequence (0040,A043)) promises a "
            "signature, but no key and purpose are given",
            where="(0040,A043)",
            hint="add --key, --cert and --purpose, or choose a title without 'Signed'",
        )


def _securing(securing: Securing | None, ports: Ports) -> Securing:
    return securing or Securing(check=CheckOptions(at=ports.now()))


def new_identity(ports: Ports) -> DocumentIdentity:
    """Return who a document is that is written now, in a series of its own."""
    return DocumentIdentity(
        sop_instance_uid=ports.new_uid(),
        series_instance_uid=ports.new_uid(),
        created_at=ports.now(),
    )


def _format_of(source: Path) -> InputFormat:
    try:
        return _FORMATS[source.suffix.lower()]
    except KeyError as error:
        raise ConfigurationError(
            f"{source.name} is neither .toml, .json nor .yaml",
            hint="report files are TOML, JSON or YAML",
        ) from error


def _text_of(source: Path) -> str:
    try:
        return read_bytes(source).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{source.name} is not UTF-8 text") from error
