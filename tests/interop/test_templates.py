"""Other implementations find nothing wrong with what the shipped templates make.

PixelMed takes seconds a report, so most of its runs are left to ``make prove``. Its edition of
PS3.16 is older than the codes of the templates, and what it does not know it leaves unvalidated; so
each report is shown to it a second time in words it knows, with the rows of TID 2000 in force.
"""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import highdicom
import pydicom
import pytest

from sr import compose
from sr.app.check import CheckOptions, check_file
from sr.app.signing import ApprovalMode, approve_file, sign_file
from sr.codes import Code, SignaturePurpose
from sr.document.content import walk
from sr.document.report_input import CodedInput, ReportInput, SectionInput, TextInput
from sr.document.template import template_ids
from sr.findings import Indication
from tests.support.office import Office, open_office
from tests.support.peers import dciodvfy, dcmsign_verify, dsrdump, pixelmed
from tests.support.reports import built, composed, example

IDS = template_ids()
SAMPLED = "mr-knee"

_UNKNOWN_TERM = "Unrecognized defined term = <SHA256>"


@cache
def _document(template_id: str) -> bytes:
    return built(example(template_id))


def _written(template_id: str, folder: Path) -> Path:
    path = folder / f"{template_id}.dcm"
    path.write_bytes(_document(template_id))
    return path


@pytest.mark.peer
@pytest.mark.parametrize("template_id", IDS)
def test_dciodvfy_finds_no_error(template_id: str, tmp_path: Path) -> None:
    """The information object definition is met; the only warning is a term it does not know."""
    result = dciodvfy(_written(template_id, tmp_path))
    assert not result.errors, result.output
    assert all(_UNKNOWN_TERM in warning for warning in result.warnings), result.output


@pytest.mark.peer
@pytest.mark.parametrize("template_id", IDS)
def test_dsrdump_reads_it(template_id: str, tmp_path: Path) -> None:
    """DCMTK reads every report without an error."""
    result = dsrdump(_written(template_id, tmp_path))
    assert result.returncode == 0, result.output
    assert "E: " not in result.output


@pytest.mark.parametrize("template_id", IDS)
def test_pydicom_and_highdicom_read_it_back(template_id: str) -> None:
    """Both read the content tree item by item as it was meant."""
    meant = composed(example(template_id)).content
    dataset = pydicom.dcmread(io.BytesIO(_document(template_id)))
    assert [i.value_type for _, _, i in walk(meant)] == list(_value_types(dataset))
    if dataset.SOPClassUID != "1.2.840.10008.5.1.4.1.1.88.11":  # highdicom has no Basic Text SR
        read = highdicom.sr.srread(io.BytesIO(_document(template_id)))
        assert len(read.content[0].ContentSequence) == len(meant.children)


def _value_types(dataset: pydicom.Dataset) -> list[str]:
    return [
        value_type
        for item in dataset.get("ContentSequence", ())
        for value_type in (item.ValueType, *_value_types(item))
    ]


@pytest.mark.peer
@pytest.mark.parametrize(
    "template_id",
    [i if i == SAMPLED else pytest.param(i, marks=pytest.mark.prove) for i in IDS],
)
def test_pixelmed_finds_no_error(template_id: str, tmp_path: Path) -> None:
    """PixelMed validates the IOD, finds TID 2000 by its identifier, and raises no error."""
    result = pixelmed(_written(template_id, tmp_path))
    assert "Found Root Template TID_2000" in result.output
    assert "Root Template Validation Complete" in result.output
    assert not result.errors, result.output


# What CID 7000, 7001 and 7002 were called when PixelMed's tables were made.
_TITLE = Code("18748-4", "LN", "Diagnostic Imaging Report")
_HEADINGS = {
    "Clinical Information": Code("121060", "DCM", "History"),
    "Current Procedure Descriptions": Code("121064", "DCM", "Current Procedure Descriptions"),
    "Findings": Code("121070", "DCM", "Findings"),
    "Impressions": Code("121072", "DCM", "Impressions"),
    "Indications for Procedure": Code("121062", "DCM", "Request"),
    "Recommendations": Code("121074", "DCM", "Recommendations"),
}
_CONCEPTS = {
    "History": Code("121060", "DCM", "History"),
    "Request": Code("121062", "DCM", "Request"),
}

# SNOMED CT values instead of SNOMED RT ones, and images whose purpose TID 2001 wants.
_NEWER_THAN_PIXELMED = ("/NUM (", "/IMAGE")


def _in_older_words(report: ReportInput) -> ReportInput:
    return replace(
        report,
        title=_TITLE,
        title_in_words="",
        sections=tuple(_older_section(section) for section in report.sections),
    )


def _older_section(section: SectionInput) -> SectionInput:
    items = tuple(
        replace(item, concept=_CONCEPTS.get(item.concept.meaning, item.concept))
        if isinstance(item, TextInput | CodedInput)
        else item
        for item in section.items
    )
    return replace(section, heading=_HEADINGS[section.heading.meaning], items=items)


@pytest.mark.peer
@pytest.mark.prove
@pytest.mark.parametrize("template_id", IDS)
def test_pixelmed_knows_every_row(template_id: str, tmp_path: Path) -> None:
    """In the words of its edition, PixelMed finds each item in TID 2000 and its includes."""
    path = tmp_path / "older.dcm"
    path.write_bytes(built(_in_older_words(example(template_id))))
    result = pixelmed(path)
    assert not result.errors, result.output
    unknown = [w for w in result.warnings if not any(k in w for k in _NEWER_THAN_PIXELMED)]
    assert not unknown, result.output


@pytest.mark.peer
@pytest.mark.prove
def test_pixelmed_misspells_a_relationship(tmp_path: Path) -> None:
    """Its TID 1210 wants HAS CONCEPT MOD with two blanks; nothing else is wrong with our title."""
    path = tmp_path / "titled.dcm"
    report = replace(_in_older_words(example("free-text")), title_in_words="Befund")
    path.write_bytes(built(report))
    (error,) = pixelmed(path).errors
    assert "expected HAS  CONCEPT MOD - found HAS CONCEPT MOD" in error


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return a PKI and a folder of images."""
    return open_office(tmp_path_factory.mktemp("office"))


def _approved(template_id: str, office: Office, folder: Path) -> Path:
    ports = compose.ports()
    draft = _written(template_id, folder)
    authored, approved = folder / "authored.dcm", folder / "approved.dcm"
    sign_file(
        draft,
        authored,
        purpose=SignaturePurpose.AUTHOR,
        credentials=office.credentials("author"),
        ports=ports,
    )
    approve_file(
        authored,
        approved,
        observer="Weber^Sam",
        organization="srsign DEMO",
        mode=ApprovalMode.REISSUE,
        credentials=office.credentials("supervisor"),
        ports=ports,
    )
    return approved


@pytest.mark.peer
@pytest.mark.parametrize("template_id", IDS)
def test_signed_and_approved_it_passes(template_id: str, office: Office, tmp_path: Path) -> None:
    """Both our check and dcmsign +rs accept the report of every template, signed and approved."""
    approved = _approved(template_id, office, tmp_path)
    options = CheckOptions(
        at=compose.current_time(),
        anchors=(office.pki.certificate("root"),),
        intermediates=(office.pki.certificate("issuing"),),
        crls=office.pki.revocation_lists,
    )
    assert check_file(approved, options).indication is Indication.PASSED
    verified = dcmsign_verify(
        approved,
        anchor=office.pki.certificate("root"),
        intermediate=office.pki.certificate("issuing"),
    )
    assert verified.returncode == 0, verified.output
