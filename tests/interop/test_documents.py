"""Other implementations read the documents we write, and find nothing wrong with them.

PixelMed takes seconds a file, so each SOP class is shown to it once, as rich as we can make it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

import highdicom
import pydicom
import pytest

from sr import compose
from sr.app.signatures.signing import sign_file
from sr.codes import Code, SignaturePurpose, key_object_title
from sr.dicomfile.splice import assemble, splice
from sr.document import ReferencedDigitalSignature, SecureReference
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.content import ByReference, ContentItem, Relationship, ValueType
from sr.document.evidence import Evidence
from sr.document.input import parse_report
from sr.document.input_table import InputFormat
from sr.document.key_object import KeyObjectSelection, build_key_objects
from sr.document.lifecycle import approve_edits
from sr.document.observer import DeviceObserver
from sr.document.relationship_tables import RELATIONSHIP_TABLES, DocumentClass
from sr.findings import Indication
from sr.mac import compute_mac
from tests.support.datasets import (
    AUTHOR,
    NOW,
    ct_evidence,
    ct_files,
    evidence_of,
    identity,
    instance,
    key_object,
    opened,
    report,
)
from tests.support.office import Office
from tests.support.peers import dciodvfy, dsrdump, pixelmed
from tests.support.reports import built, example
from tests.support.trees import document, node
from tests.support.trees import root as tree_root

pytestmark = pytest.mark.peer

_R = Relationship

RICH = """
class = "{kind}"
title = "CTChestReport"
language = "de"
procedure = ["24627-2", "LN", "CT Chest"]
[observer]
name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
organization = "Klinikum"
role_in_procedure = ["121094", "DCM", "Performing"]
[[request]]
accession_number = "A-1"
placer_order_number = "P-1"
[[section]]
heading = "History"
[[section.item]]
text = "Husten seit sechs Wochen."
[[section]]
heading = "Findings"
[[section.item]]
text = "Rundherd im linken Oberlappen, Größe ≈ 20 mm."
images = ["ct-1.dcm", "ct-2.dcm"]
{more}
[[section]]
heading = "KeyImages"
[[section.item]]
image = "ct-2.dcm"
purpose = "BestIllustrationOfFinding"
"""

NUMBERS = """
[[section.item.measurement]]
concept = "SCT.Diameter"
value = 20.0
unit = "mm"
images = ["ct-2.dcm"]
[[section.item]]
concept = "SCT.FindingSite"
code = "SCT.Lung"
images = ["ct-2.dcm"]
"""


def _signed_evidence() -> Evidence:
    first = ct_evidence()[0]
    signature = ReferencedDigitalSignature(digital_signature_uid="2.25.8", signature=bytes(256))
    return replace(first, reference=replace(first.reference, signatures=(signature,)))


@cache
def _rich(kind: str) -> bytes:
    """Return a report with everything the class allows and evidence of two studies."""
    more = "" if kind == "basic-text" else NUMBERS
    written = parse_report(RICH.format(kind=kind, more=more), InputFormat.TOML)
    prior = tuple(replace(e, label=f"prior/{n}.dcm") for n, e in enumerate(ct_evidence(arc=2)))
    evidence = (_signed_evidence(), *ct_evidence()[1:], *prior)
    return built(written, evidence, predecessors=(evidence_of(report(number=5)),))


@cache
def _everything(document_class: DocumentClass) -> bytes:
    """Return a document with every value type of the class, nested, and by reference."""
    types = RELATIONSHIP_TABLES[document_class].value_types
    items = [node(kind, _R.CONTAINS, anchor=kind) for kind in sorted(types)]
    number = node(
        ValueType.NUM,
        _R.CONTAINS,
        ByReference(relationship=_R.INFERRED_FROM, target=ValueType.SCOORD),
        ByReference(relationship=_R.HAS_PROPERTIES, target=ValueType.CODE),
        ByReference(relationship=_R.HAS_ACQ_CONTEXT, target=ValueType.DATE),
    )
    inner = node(ValueType.CONTAINER, _R.CONTAINS, number, *_contexts(document_class))
    outer = node(ValueType.CONTAINER, _R.CONTAINS, inner)
    by_reference = RELATIONSHIP_TABLES[document_class].by_reference
    return document(document_class, tree_root(*items, *([outer] if by_reference else [])))


def _contexts(document_class: DocumentClass) -> tuple[ContentItem, ...]:
    """Return one image for each relationship that gives it context."""
    rows = RELATIONSHIP_TABLES[document_class].rows
    return tuple(
        node(ValueType.IMAGE, _R.CONTAINS, node(target, row.relationship))
        for row in rows
        if ValueType.IMAGE in row.sources
        for target in sorted(row.targets)
    )


@cache
def _approved(mode: ApprovalMode) -> bytes:
    file = opened(report(preliminary=True))
    with_predecessor = mode is ApprovalMode.REISSUE_WITH_PREDECESSOR
    approval = Approval(
        observer=VerifyingObserver(
            name="Öztürk^Deniz",
            organization="Klinikum",
            identification=Code("4711", "99HR", "Deniz Öztürk"),
        ),
        approved_at=NOW + timedelta(hours=1),
        mode=mode,
        sop_instance_uid="" if mode is ApprovalMode.IN_PLACE else "2.25.901",
        predecessor=SecureReference(mac=compute_mac(file)) if with_predecessor else None,
    )
    return assemble(splice(file, approve_edits(file.dataset, approval)))


@cache
def _key_object(title: str, *modifiers: Code) -> bytes:
    device = DeviceObserver(
        uid="2.25.42", name="picker", manufacturer="Maker", model_name="Picker", serial_number="1"
    )
    ecg = evidence_of(instance("1.2.840.10008.5.1.4.1.1.9.1.1", SOPInstanceUID="2.25.77.8"))
    document = evidence_of(report(number=6))
    return key_object(
        title,
        evidence=(_signed_evidence(), *ct_evidence()[1:], ecg, document),
        title_modifiers=modifiers,
        language=Code("de", "RFC5646", "German"),
        description="Größe unscharf",
        observers=(AUTHOR, device),
    )


@cache
def _copy(number: int) -> bytes:
    """Return one of three identical documents."""
    return build_key_objects(
        KeyObjectSelection(title=key_object_title("113035"), observers=(AUTHOR,)),
        evidence=tuple(e for arc in (1, 2, 3) for e in ct_evidence(arc=arc)),
        identities=tuple(identity(n, series_instance_uid=f"2.25.900.0.{n}") for n in range(1, 4)),
    )[number]


DOCUMENTS = {
    "basic-text": lambda: _rich("basic-text"),
    "enhanced": lambda: _rich("enhanced"),
    "comprehensive": lambda: _rich("comprehensive"),
    "comprehensive-3d": lambda: _rich("comprehensive-3d"),
    "every-basic-text": lambda: _everything(DocumentClass.BASIC_TEXT),
    "every-enhanced": lambda: _everything(DocumentClass.ENHANCED),
    "every-comprehensive": lambda: _everything(DocumentClass.COMPREHENSIVE),
    "every-comprehensive-3d": lambda: _everything(DocumentClass.COMPREHENSIVE_3D),
    "template": lambda: built(example("ct-chest"), ct_evidence(8)),
    "without-evidence": lambda: report(evidence=()),
    "in-place": lambda: _approved(ApprovalMode.IN_PLACE),
    "reissued": lambda: _approved(ApprovalMode.REISSUE),
    "with-predecessor": lambda: _approved(ApprovalMode.REISSUE_WITH_PREDECESSOR),
    "key-object": lambda: _key_object("113000"),
    "quality-issue": lambda: _key_object("113010", Code("111210", "DCM", "Motion blur")),
    "best-in-set": lambda: _key_object("113013", Code("113014", "DCM", "Study")),
    "seal": lambda: key_object("113035", evidence=ct_evidence(8)),
    "seal-of-three-studies": lambda: _copy(1),
    "manifest": lambda: key_object("113031"),
}

# The validator's tables do not have the SHA-2 terms of PS3.3, our made-up code scheme, and TCOORD.
_KNOWN_WARNINGS = (
    "Unrecognized defined term = <SHA256>",
    "Unrecognized defined term = <99HR>",
    "TemporalRangeType(0040,a130)> - Attribute is not present in standard DICOM IOD",
    "ReferencedTimeOffsets(0040,a138)> - Attribute is not present in standard DICOM IOD",
)


def _written(name: str, folder: Path) -> Path:
    path = folder / f"{name}.dcm"
    path.write_bytes(DOCUMENTS[name]())
    return path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_dciodvfy_finds_no_error(name: str, tmp_path: Path) -> None:
    """The information object definition is met; the only warnings are terms it does not know."""
    result = dciodvfy(_written(name, tmp_path))
    unknown = [w for w in result.warnings if not any(known in w for known in _KNOWN_WARNINGS)]
    assert not result.errors, result.output
    assert not unknown


_BEYOND_HIGHDICOM = {
    *("basic-text", "every-basic-text"),  # it has no such class
    *("every-enhanced", "every-comprehensive", "every-comprehensive-3d"),
    *("key-object", "quality-issue", "best-in-set"),
}
"""What highdicom 0.28 cannot read: Basic Text SR, and WAVEFORM content items."""

CLASSES = ("basic-text", "enhanced", "comprehensive", "comprehensive-3d", "key-object")


@pytest.mark.parametrize("name", CLASSES)
def test_it_is_accepted_when_signed(name: str, office: Office, tmp_path: Path) -> None:
    """A report of each class, signed and approved, and a signed key object pass with both."""
    signed = tmp_path / "signed.dcm"
    if name == "key-object":
        sign_file(
            _written(name, tmp_path),
            signed,
            purpose=SignaturePurpose.SOURCE,
            credentials=office.credentials("archive"),
            ports=compose.ports(),
        )
    else:
        office.approve(_written(name, tmp_path), tmp_path / "authored.dcm", signed)
    assert office.judged(signed) == (Indication.PASSED, 0)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pydicom_reads_and_writes_it_back(name: str) -> None:
    """What pydicom read and decoded it writes again as the same bytes."""
    data = DOCUMENTS[name]()
    dataset = pydicom.dcmread(BytesIO(data))
    assert str(dataset)  # every element is decoded
    written = BytesIO()
    dataset.save_as(written)
    assert written.getvalue() == data


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - _BEYOND_HIGHDICOM))
def test_highdicom_reads_it(name: str) -> None:
    """Its own classes take the document, with the same evidence and as many items."""
    dataset = pydicom.dcmread(BytesIO(DOCUMENTS[name]()))
    key = dataset.SOPClassUID == DocumentClass.KEY_OBJECT_SELECTION.value
    if key:
        read = highdicom.ko.KeyObjectSelectionDocument.from_dataset(dataset)
    else:
        read = highdicom.sr.srread(BytesIO(DOCUMENTS[name]()))
    assert len(read.content[0].ContentSequence) == len(dataset.ContentSequence)
    evidence = "CurrentRequestedProcedureEvidenceSequence"
    assert read.get(evidence) == dataset.get(evidence)


def test_dciodvfy_accepts_the_synthetic_images(tmp_path: Path) -> None:
    """The images of the demo are valid CT images, without a warning."""
    for number, data in enumerate(ct_files(2)):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(data)
        result = dciodvfy(path)
        assert not result.errors
        assert not result.warnings


@pytest.mark.parametrize("name", DOCUMENTS)
def test_dsrdump_reads_it(name: str, tmp_path: Path) -> None:
    """DCMTK reads every document without an error."""
    result = dsrdump(_written(name, tmp_path))
    assert result.returncode == 0, result.output
    assert "E: " not in result.output


@pytest.mark.parametrize(
    "name", ["basic-text", "enhanced", "comprehensive", "comprehensive-3d", "reissued"]
)
def test_pixelmed_finds_no_error_in_a_report(name: str, tmp_path: Path) -> None:
    """PixelMed validates IOD and TID 2000."""
    result = pixelmed(_written(name, tmp_path))
    assert "Root Template Validation Complete" in result.output
    assert not result.errors, result.output


@pytest.mark.parametrize("name", ["every-comprehensive", "every-comprehensive-3d"])
def test_pixelmed_finds_no_error_by_reference(name: str, tmp_path: Path) -> None:
    """PixelMed follows relationships by reference and checks them against the IOD."""
    result = pixelmed(_written(name, tmp_path))
    assert not result.errors, result.output
    assert "illegal" not in result.output


@pytest.mark.parametrize("name", ["key-object", "seal-of-three-studies"])
def test_pixelmed_finds_no_error_in_a_key_object(name: str, tmp_path: Path) -> None:
    """PixelMed validates TID 2010, which highdicom's own output fails.

    Title modifiers are not shown to it: it takes CID 7011 and 7012 for their concept names.
    """
    result = pixelmed(_written(name, tmp_path))
    assert "KeyObjectSelection" in result.output
    assert not result.errors, result.output
    assert not result.warnings, result.output
