"""Documents of other toolkits: signed when they conform, else what is missing is named."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import highdicom as hd
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sr.app.checks.check import check_file
from sr.app.documents.authoring import create_report
from sr.app.signatures.signing import sign_file
from sr.codes import SignaturePurpose as P
from sr.dicomfile import BytesSource, read
from sr.errors import ProfileViolationError
from sr.findings import Indication
from sr.mac import compute_mac
from tests.support.datasets import ct_files
from tests.support.desk import PORTS, Desk
from tests.support.office import Office, open_office
from tests.support.peers import run_peer

DSR2XML, XML2DSR = Path("/usr/bin/dsr2xml"), Path("/usr/bin/xml2dsr")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return an office of its own."""
    return open_office(tmp_path_factory.mktemp("office"))


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Return a desk in the office."""
    return Desk(office, tmp_path)


def image() -> Dataset:
    return dcmread(BytesIO(ct_files()[0]))


def highdicom_report() -> Dataset:
    """Return an Enhanced SR over one image, as highdicom makes it."""
    root = hd.sr.ContainerContentItem(name=codes.LN.DiagnosticImagingReport, template_id="2000")
    picture = image()
    cited = hd.sr.ImageContentItem(
        name=codes.DCM.SourceOfMeasurement,
        referenced_sop_class_uid=picture.SOPClassUID,
        referenced_sop_instance_uid=picture.SOPInstanceUID,
        relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
    )
    text = hd.sr.TextContentItem(
        name=codes.DCM.Finding,
        value="No nodule.",
        relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
    )
    root.ContentSequence = hd.sr.ContentSequence([text, cited], is_root=False)
    return hd.sr.EnhancedSR(
        evidence=[picture],
        content=root,
        series_instance_uid=hd.UID(),
        series_number=1,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Other",
        is_complete=True,
        specific_character_set="ISO_IR 192",
    )


def highdicom_selection() -> Dataset:
    """Return a key object selection, as highdicom makes it."""
    content = hd.ko.KeyObjectSelection(codes.DCM.OfInterest, [image()])
    return hd.ko.KeyObjectSelectionDocument(
        evidence=[image()],
        content=content,
        series_instance_uid=hd.UID(),
        series_number=1,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Other",
    )


def secured(dataset: Dataset) -> Dataset:
    """Add the proofs that highdicom does not know, as another system would."""
    mac = compute_mac(read(BytesSource(ct_files()[0])))
    study = dataset.CurrentRequestedProcedureEvidenceSequence[0]
    item = Dataset()
    item.MACCalculationTransferSyntaxUID = mac.transfer_syntax_uid
    item.MACAlgorithm = "SHA256"
    item.DataElementsSigned = list(mac.data_elements_signed)
    item.MAC = mac.mac
    reference = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    reference.ReferencedSOPInstanceMACSequence = [item]
    return dataset


def signed(desk: Desk, dataset: Dataset, purpose: P) -> Indication:
    """Sign a foreign document and return what a check says of it."""
    source, output = desk.folder / "foreign.dcm", desk.output
    dataset.save_as(source, enforce_file_format=True)
    credentials = desk.office.credentials("archive")
    sign_file(source, output, purpose=purpose, credentials=credentials, ports=PORTS)
    return check_file(output, desk.options()).signatures[0].indication


FOREIGN = {"report": (highdicom_report, P.AUTHOR), "selection": (highdicom_selection, P.SOURCE)}


@pytest.mark.parametrize("name", FOREIGN)
def test_without_proof_it_is_refused(desk: Desk, name: str) -> None:
    """A document as highdicom leaves it has no proof, and the item without it is named."""
    make, purpose = FOREIGN[name]
    with pytest.raises(ProfileViolationError) as caught:
        signed(desk, make(), purpose)
    assert {f.rule for f in caught.value.findings} == {"EVIDENCE_UNSECURED"}
    assert caught.value.where == "(0040,A375)[0].(0008,1115)[0].(0008,1199)[0]"
    assert not desk.output.exists()


@pytest.mark.parametrize("name", FOREIGN)
def test_with_proof_it_is_signed(desk: Desk, name: str) -> None:
    """The same document with a MAC for its image is signed, and passes."""
    make, purpose = FOREIGN[name]
    assert signed(desk, secured(make()), purpose) is Indication.PASSED


def verified(dataset: Dataset) -> None:
    dataset.VerificationFlag = "VERIFIED"


def uncited(dataset: Dataset) -> None:
    sequence = dataset.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    sequence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def without(keyword: str) -> Callable[[Dataset], None]:
    return lambda dataset: delattr(dataset, keyword)


SPOILT = {
    "verified without observer": (verified, "SR_VERIFYING_OBSERVER"),
    "cited, not listed": (uncited, "EVIDENCE_TREE"),
    "no completion flag": (without("CompletionFlag"), "DOC_ATTRIBUTE"),
    "no value type": (without("ValueType"), "DOC_ATTRIBUTE"),
    "no series": (without("SeriesInstanceUID"), "DOC_ATTRIBUTE"),
    "no content date": (without("ContentDate"), "DOC_ATTRIBUTE"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_missing_is_named(desk: Desk, name: str) -> None:
    """A foreign report that does not conform is refused by the rule it breaks."""
    edit, rule = SPOILT[name]
    dataset = secured(highdicom_report())
    edit(dataset)
    with pytest.raises(ProfileViolationError) as caught:
        signed(desk, dataset, P.AUTHOR)
    assert rule in {f.rule for f in caught.value.findings}
    assert not desk.output.exists()


@pytest.mark.peer
def test_a_report_rewritten_by_xml2dsr_lost_its_proof(desk: Desk) -> None:
    """DCMTK's round trip through XML leaves the MACs out, so the result is refused."""
    xml, source = desk.folder / "report.xml", desk.folder / "dcmtk.dcm"
    assert run_peer(DSR2XML, desk.office.draft, xml).returncode == 0
    assert run_peer(XML2DSR, xml, source).returncode == 0
    with pytest.raises(ProfileViolationError) as caught:
        signed(desk, dcmread(source), P.AUTHOR)
    assert {f.rule for f in caught.value.findings} == {"EVIDENCE_UNSECURED"}
    assert len(caught.value.findings) == 3


@pytest.mark.peer
def test_a_report_of_xml2dsr_without_images_is_signed(desk: Desk) -> None:
    """A DCMTK report that cites nothing conforms, is signed, and passes."""
    xml, source = desk.folder / "report.xml", desk.folder / "dcmtk.dcm"
    text = desk.file(
        'title = "CTChestReport"\nlanguage = "en"\n{more}{images}[observer]\nname = "A^B"\n'
        '[patient]\nname = "C^D"\nid = "1"\n[[section]]\nheading = "Findings"\n'
        '[[section.item]]\ntext = "Nothing."\n'
    )
    plain = desk.folder / "plain.dcm"
    create_report(text, plain, evidence=(), template=None, ports=PORTS)
    assert run_peer(DSR2XML, plain, xml).returncode == 0
    assert run_peer(XML2DSR, xml, source).returncode == 0
    assert signed(desk, dcmread(source), P.AUTHOR) is Indication.PASSED
