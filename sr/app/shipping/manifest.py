"""Use cases: write a shipping manifest, and check a shipment against it.

Cites: PS3.17 Annex W, case 2; PS3.16 CID 7010 (113031).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sr.app.checks.check import CheckOptions, check_file
from sr.app.documents.authoring import AuthoringResult, create_key_object
from sr.app.documents.evidence_folder import DAMAGED, EvidenceFolder, survey
from sr.app.documents.securing import Securing
from sr.app.files import open_dicom
from sr.app.ports import Ports
from sr.app.shipping.zip_file import write_zip
from sr.app.signatures.signing import Credentials
from sr.codes import SignaturePurpose, key_object_title
from sr.dicomfile import DICOMFile
from sr.errors import ConfigurationError, SRError
from sr.findings import Finding, Indication, Status, SubIndication
from sr.mac import MACAlgorithm
from sr.mac.stream import digest_chunks, mac_stream
from sr.signature.references import IDENTICAL, DocumentReference, document_references
from sr.verification import Candidate, Verdict
from sr.verification.facts import ReferenceResult
from sr.verification.references import compare_reference

__all__ = ["check_manifest", "create_manifest"]

_SELECTION = (0x00080016, 0x0040A043, 0x0040A375, 0x0040A504, 0x0040A730)
"""What identical documents have in common: class, title, evidence, template, content."""


def create_manifest(
    folders: tuple[Path, ...],
    output: Path,
    *,
    credentials: Credentials,
    ports: Ports,
    package: Path | None = None,
    profile: str | None = None,
    securing: Securing | None = None,
) -> AuthoringResult:
    """Write a Signed Manifest over everything in some folders; pack it where asked.

    Raises:
        EvidenceError: There is nothing to ship, or something is damaged.
        ConfigurationError: A path or URI does not make sense.
        SigningError: The key could not sign.

    Cites: PS3.17 Annex W, case 2.
    """
    if package is not None and package.exists():
        raise ConfigurationError(f"{package} exists already; a package is never added to")
    result = create_key_object(
        output,
        title=key_object_title("113031"),
        evidence=folders,
        ports=ports,
        credentials=credentials,
        purpose=SignaturePurpose.SOURCE,
        profile=profile,
        securing=securing,
    )
    if package is not None:
        manifests = (output, *(copy.output for copy in result.identical))
        _pack(package, manifests, folders)
    return result


def check_manifest(manifest: Path, folders: tuple[Path, ...], options: CheckOptions) -> Verdict:
    """Return the verdict on a manifest and the shipment it came with.

    Beside altered and missing instances it counts unexpected ones: readable or not, DICOM files
    that the manifest does not list. The manifest itself never counts, nor do its copies in other
    studies, as long as they are what it says that they are.

    Raises:
        ConfigurationError: A path cannot be opened.
        NotDICOMError: The manifest is not DICOM.

    Cites: PS3.17 Annex W, case 2.
    """
    options = replace(options, evidence=folders)
    verdict = check_file(manifest, options)
    if verdict.indication is Indication.FAILED and not verdict.sop_instance_uid:
        return verdict
    assert options.folder is not None  # noqa: S101 - it has evidence
    unexpected = _unexpected(manifest, options.folder, verdict)
    if not unexpected:
        return verdict
    findings = tuple(
        Finding(
            rule="EVIDENCE_UNEXPECTED",
            status=Status.FAIL,
            message=f"{file} is not what the manifest lists",
            cites="PS3.17 Annex W",
            where="(0040,A375)",
            sub_indication=SubIndication.EVIDENCE_MISMATCH,
        )
        for file in unexpected
    )
    decided = verdict.indication is not Indication.PASSED
    return replace(
        verdict,
        indication=verdict.indication if decided else Indication.INDETERMINATE,
        sub_indication=verdict.sub_indication if decided else SubIndication.EVIDENCE_MISMATCH,
        findings=(*verdict.findings, *findings),
        references=replace(verdict.references, unexpected=unexpected),
    )


def _unexpected(manifest: Path, folder: EvidenceFolder, verdict: Verdict) -> tuple[str, ...]:
    file = open_dicom(manifest)
    references = document_references(file.dataset)
    listed = {reference.sop_instance_uid for reference in references if reference.is_evidence}
    copies = {
        candidate.label
        for reference in references
        if reference.sequence == IDENTICAL
        for candidate in folder.find(reference.sop_instance_uid)
        if _is_copy(file, reference, candidate)
    }
    items = verdict.references.items or ()
    used = {item.file for item in items if item.file}
    altered = {item.file for item in items if item.result is ReferenceResult.ALTERED}
    extra = [
        path
        for uid, paths in folder.by_uid.items()
        for path in paths
        if str(path) not in copies
        and (uid not in listed or (str(path) not in used and not _same_content(path, paths, used)))
    ]
    damaged = [s.path for s in folder.skipped if s.rule == DAMAGED]
    return tuple(
        str(path)
        for path in sorted({*extra, *damaged})
        if str(path) not in altered and not path.samefile(manifest)
    )


def _is_copy(manifest: DICOMFile, reference: DocumentReference, candidate: Candidate) -> bool:
    """Whether a file is the copy of the manifest that it claims to be.

    Where the manifest carries no proof of the copy, it must at least say the same.

    Cites: PS3.3 C.17.2.2.
    """
    if reference.is_secured:
        return compare_reference(reference, (candidate,)).result is ReferenceResult.MATCHED
    try:
        other = candidate.read()
        return _said(other) == _said(manifest)
    except SRError:
        return False


def _said(file: DICOMFile) -> bytes:
    present = tuple(tag for tag in _SELECTION if tag in file.dataset)
    return digest_chunks(mac_stream(file.dataset, present), MACAlgorithm.SHA256)


def _same_content(path: Path, paths: tuple[Path, ...], used: set[str]) -> bool:
    """Whether a second copy of a listed instance is the same file."""
    return any(other.read_bytes() == path.read_bytes() for other in paths if str(other) in used)


def _pack(package: Path, manifests: tuple[Path, ...], folders: tuple[Path, ...]) -> None:
    """Copy manifests and instances into a ZIP file or a new folder, under neutral names.

    The package is made under another name beside its own and appears whole.
    """
    first, *copies = manifests
    instances = survey(folders, without=manifests).paths
    members = (
        {"MANIFEST.dcm": first}
        | {f"MANIFEST-{number}.dcm": path for number, path in enumerate(copies, start=2)}
        | {f"DICOM/{number:05d}.dcm": path for number, path in enumerate(instances, start=1)}
    )
    try:
        with tempfile.TemporaryDirectory(prefix=f".{package.name}.", dir=package.parent) as room:
            made = Path(room) / "package"
            if package.suffix.lower() == ".zip":
                write_zip(made, members, large=True)
            else:
                _write_folder(made, members)
            made.rename(package)
    except OSError as error:
        raise ConfigurationError(f"{package} cannot be written: {error.strerror}") from error


def _write_folder(package: Path, members: Mapping[str, Path]) -> None:
    for name, path in members.items():
        target = package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
