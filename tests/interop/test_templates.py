"""Other implementations find nothing wrong with what the shipped templates make.

PixelMed takes seconds a report, so most of its runs are left to ``make prove``. Its edition of
PS3.16 is older than the codes of the templates, and what it does not know it leaves unvalidated; so
each report is shown to it a second time in words it knows, with the rows of TID 2000 in force.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import highdicom
import pydicom
import pytest

from sr.codes import Code
from sr.document.content import ContentItem, Node, walk
from sr.document.relationship_tables import DocumentClass
from sr.document.report_input import CodedInput, ReportInput, SectionInput, TextInput
from sr.document.template import template_ids
from sr.findings import Indication
from tests.support.office import Office
from tests.support.peers import dciodvfy, dsrdump, pixelmed
from tests.support.reports import built, composed, example

IDS = template_ids()
SAMPLED = "mr-knee"

_OURS = {DocumentClass.BASIC_TEXT}
"""Classes that highdicom does not read."""
_KNOWN_TO_PIXELMED = {"1500", "2000"}

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
def test_pydicom_reads_it_back_equal(template_id: str) -> None:
    """Every item has the relationship, type, concept and value that was meant, in its place."""
    meant = composed(example(template_id)).content
    dataset = pydicom.dcmread(io.BytesIO(_document(template_id)))
    assert list(_read(dataset)) == [_meant(item) for _, _, item in walk(meant)]
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == meant.template_id


def _meant(item: Node) -> tuple[object, ...]:
    assert isinstance(item, ContentItem)
    value = getattr(item, "value", None) or getattr(item, "sop_instance_uid", None)
    points = getattr(item, "points", None)
    return (
        item.relationship,
        item.value_type,
        item.concept,
        [number for point in points for number in point] if points else value,
    )


def _read(dataset: pydicom.Dataset) -> Iterator[tuple[object, ...]]:
    for item in dataset.get("ContentSequence", ()):
        names = item.get("ConceptNameCodeSequence")
        value = _VALUES[item.ValueType](item)
        yield item.RelationshipType, item.ValueType, _code(names[0]) if names else None, value
        yield from _read(item)


def _code(item: pydicom.Dataset) -> Code:
    return Code(item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning)


def _cited(item: pydicom.Dataset) -> object:
    return item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID


_VALUES: dict[str, Callable[[pydicom.Dataset], object]] = {
    "CONTAINER": lambda item: None,
    "TEXT": lambda item: item.TextValue.replace("\r\n", "\n"),
    "CODE": lambda item: _code(item.ConceptCodeSequence[0]),
    "NUM": lambda item: item.MeasuredValueSequence[0].NumericValue.original_string,
    "PNAME": lambda item: str(item.PersonName),
    "DATE": lambda item: item.Date,
    "UIDREF": lambda item: item.UID,
    "IMAGE": _cited,
    "COMPOSITE": _cited,
    "SCOORD": lambda item: list(item.GraphicData),
    "SCOORD3D": lambda item: list(item.GraphicData),
}


@pytest.mark.parametrize("template_id", [i for i in IDS if example(i).document_class not in _OURS])
def test_highdicom_reads_it_back(template_id: str) -> None:
    """What highdicom reads is what was meant, but for a name that it gives to nameless images."""
    read = highdicom.sr.srread(io.BytesIO(_document(template_id)))
    meant = [_meant(item) for _, _, item in walk(composed(example(template_id)).content)]
    assert list(_read(read)) == [
        (relationship, kind, concept or (_SOURCE if kind == "IMAGE" else None), value)
        for relationship, kind, concept, value in meant
    ]


_SOURCE = Code("260753009", "SCT", "Source")


@pytest.mark.parametrize("template_id", [i for i in IDS if example(i).groups])
def test_highdicom_knows_the_measurements(template_id: str) -> None:
    """Its own reader of TID 1500 finds each finding, site, outline, measurement and evaluation."""
    content = highdicom.sr.srread(io.BytesIO(_document(template_id))).content
    outlined = content.get_planar_roi_measurement_groups()
    (group,) = outlined or content.get_image_measurement_groups()
    (meant,) = example(template_id).groups
    assert (group.tracking_identifier, group.tracking_uid) == (meant.tracking, meant.tracking_uid)
    assert group.finding_type.value == meant.finding.value
    assert [site.value.value for site in group.finding_sites] == [meant.site.value]
    measured = [(str(m.value), m.unit.value) for m in group.get_measurements()]
    assert measured == [(m.value, m.unit.value) for m in meant.measurements]
    evaluated = [e.value.value for e in group.get_qualitative_evaluations()]
    assert evaluated == [e.code.value for e in meant.evaluations]
    assert bool(outlined) == (meant.region is not None)
    if outlined:
        assert group.roi.value.tolist() == [list(point) for point in meant.region.points]


@pytest.mark.peer
@pytest.mark.parametrize(
    "template_id",
    [i if i == SAMPLED else pytest.param(i, marks=pytest.mark.prove) for i in IDS],
)
def test_pixelmed_finds_no_error(template_id: str, tmp_path: Path) -> None:
    """PixelMed validates the IOD, and the root templates it knows, and raises no error."""
    result = pixelmed(_written(template_id, tmp_path))
    known = example(template_id).root_template in _KNOWN_TO_PIXELMED
    found = f"Found Root Template TID_{example(template_id).root_template}"
    assert (found in result.output) == known
    assert ("Root Template Validation Complete" in result.output) == known
    assert not result.errors, result.output


@pytest.mark.peer
@pytest.mark.prove
@pytest.mark.parametrize("template_id", [i for i in IDS if example(i).groups])
def test_pixelmed_knows_every_row_of_a_measurement_report(template_id: str, tmp_path: Path) -> None:
    """It finds each item in TID 1500 and its includes, but for evaluations: its groups had none."""
    evaluated = [e.concept for group in example(template_id).groups for e in group.evaluations]
    warnings = pixelmed(_written(template_id, tmp_path)).warnings
    assert len(warnings) == len(evaluated)
    for warning, concept in zip(warnings, evaluated, strict=True):
        assert f'"Measurement Group")/CODE ({concept.value},{concept.scheme},' in warning


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
@pytest.mark.parametrize("template_id", [i for i in IDS if example(i).root_template == "2000"])
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


@pytest.mark.peer
@pytest.mark.parametrize("template_id", IDS)
def test_signed_and_approved_it_passes(template_id: str, office: Office, tmp_path: Path) -> None:
    """Both our check and dcmsign +rs accept the report of every template, signed and approved."""
    approved = tmp_path / "approved.dcm"
    office.approve(_written(template_id, tmp_path), tmp_path / "authored.dcm", approved)
    assert office.judged(approved) == (Indication.PASSED, 0)
