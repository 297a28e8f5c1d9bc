"""Measurement reports: groups as written, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sr.document.content import Coded, Number, Reference, Relationship, UIDReference, walk
from sr.document.input import parse_report
from sr.document.input_table import InputFormat
from sr.document.regions import SpatialCoordinates, SpatialCoordinates3D
from sr.document.report_input import Region3DInput, ReportInput
from sr.document.report_schema import report_schema
from sr.errors import DocumentError, EvidenceError, TemplateError
from tests.support.reports import DOSE_REPORT, IMAGES, built, composed

VALIDATOR = Draft202012Validator(report_schema())

_R = Relationship


def _values(**group: Any) -> dict[str, Any]:
    measurement = {"concept": "SCT.Diameter", "value": 20.5, "unit": "mm", "images": ["002.dcm"]}
    return {
        "class": "comprehensive-3d",
        "tid": "1500",
        "title": "OncologyMeasurementReport",
        "procedure": "cid100.Angiography",
        "observer": {"name": "Meier^Anna"},
        "group": [{"tracking": "Nodule 1", "measurement": [measurement]} | group],
    }


def _read(**group: Any) -> ReportInput:
    return parse_report(json.dumps(_values(**group)), InputFormat.JSON)


OUTLINE = {"image": "002.dcm", "type": "POLYLINE", "points": [[1, 2], [3.5, "4.25"]]}
IN_SPACE = {"frame_of_reference_uid": "2.25.5", "type": "POINT", "points": [[1, 2, 3]]}


def test_a_group_says_all_there_is_to_say() -> None:
    """Finding, site with side and modifier, method, outline, measurement and evaluations."""
    report = _read(
        tracking_uid="2.25.3",
        finding="SCT.Nodule",
        site="SCT.Lung",
        laterality="Left",
        site_modifier=["1", "99X", "Apical"],
        method=["2", "99X", "By eye"],
        region=OUTLINE,
        measurement=[
            {
                "concept": "SCT.Diameter",
                "value": "12.50",
                "unit": "mm",
                "derivation": "Mean",
                "method": ["3", "99X", "Ruler"],
                "qualifier": "MeasurementFailure",
            }
        ],
        evaluation=[
            {"concept": "SCT.Shape", "code": "SCT.Round"},
            {"concept": "SCT.Shape", "text": "Like a ball."},
        ],
    )
    items = {
        item.concept.meaning: item
        for _, _, item in walk(composed(report).content)
        if not isinstance(item, Reference) and hasattr(item, "concept")
    }
    assert items["Tracking Unique Identifier"].value == "2.25.3"
    assert items["Diameter"].value == "12.50"
    assert [child.value.meaning for child in items["Diameter"].children] == ["Ruler", "Mean"]
    assert [child.value.meaning for child in items["Finding Site"].children] == ["Left", "Apical"]
    outline = items["Image Region"]
    assert isinstance(outline, SpatialCoordinates)
    assert outline.points == ((1.0, 2.0), (3.5, 4.25))
    assert built(report)


def test_an_outline_in_space() -> None:
    """It refers to a frame of reference instead of an image."""
    report = _read(region_3d=IN_SPACE)
    assert isinstance(report.groups[0].region, Region3DInput)
    (outline,) = (
        item
        for _, _, item in walk(composed(report).content)
        if isinstance(item, SpatialCoordinates3D)
    )
    assert (outline.points, outline.frame_of_reference_uid) == (((1.0, 2.0, 3.0),), "2.25.5")
    assert built(report)


def test_a_finding_without_uid_gets_one() -> None:
    """Every finding can be followed: two of them have two UIDs."""
    values = _values()
    values["group"] *= 2
    report = parse_report(json.dumps(values), InputFormat.JSON)
    drawn = [i.value for _, _, i in walk(composed(report).content) if isinstance(i, UIDReference)]
    assert len(set(drawn)) == 2


def test_the_library_has_the_images_that_are_cited() -> None:
    """By modality, once each, in the order of the evidence; others are evidence only."""
    values = _values()
    measurement = values["group"][0]["measurement"][0]
    values["group"][0]["measurement"] = [
        measurement,
        measurement | {"images": ["003.dcm", "002.dcm"]},
    ]
    content = composed(parse_report(json.dumps(values), InputFormat.JSON)).content
    library = next(c for c in content.children if c.concept.meaning == "Image Library")
    (group,) = library.children
    modality, *images = group.children
    assert isinstance(modality, Coded)
    assert modality.value.value == "CT"
    assert [i.sop_instance_uid for i in images] == [i.sop_instance_uid for i in IMAGES[1:3]]


def test_no_image_is_no_library() -> None:
    """Numbers that no image is named for stand alone."""
    values = _values()
    del values["group"][0]["measurement"][0]["images"]
    content = composed(parse_report(json.dumps(values), InputFormat.JSON)).content
    assert [c for c in content.children if c.concept.meaning == "Image Library"] == []
    assert [i.value for _, _, i in walk(content) if isinstance(i, Number)] == ["20.5"]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"tracking": " "}, "group[1].tracking"),
    "no UID": ({"tracking_uid": "one"}, "group[1].tracking_uid"),
    "side without site": ({"laterality": "Left"}, "group[1].site"),
    "modifier without site": ({"site_modifier": "SCT.Left"}, "group[1].site"),
    "two outlines": ({"region": OUTLINE, "region_3d": IN_SPACE}, "group[1].region_3d"),
    "nothing measured": ({"measurement": []}, "group[1].measurement"),
    "no unit": (
        {"measurement": [{"concept": "SCT.Diameter", "value": 1}]},
        "group[1].measurement[1].unit",
    ),
    "evaluation of nothing": ({"evaluation": [{"text": "x"}]}, "group[1].evaluation[1].concept"),
    "evaluation without value": (
        {"evaluation": [{"concept": "SCT.Shape"}]},
        "group[1].evaluation[1]",
    ),
    "no shape": ({"region": {"image": "002.dcm", "points": [[1, 2]]}}, "group[1].region.type"),
    "an empty shape": ({"region": {**OUTLINE, "type": None}}, "group[1].region.type"),
    "many points": ({"region": OUTLINE | {"type": "MULTIPOINT"}}, "group[1].region.type"),
    "ellipsoid": ({"region_3d": IN_SPACE | {"type": "ELLIPSOID"}}, "group[1].region_3d.type"),
    "no points": ({"region": OUTLINE | {"points": []}}, "group[1].region.points"),
    "points as numbers": ({"region": OUTLINE | {"points": [1, 2]}}, "group[1].region.points"),
    "points as text": ({"region": OUTLINE | {"points": "1"}}, "group[1].region.points"),
    "a point in words": (
        {"region": OUTLINE | {"points": [[1, "x"]]}},
        "group[1].region.points[1].2",
    ),
    "no frame of reference": (
        {"region_3d": IN_SPACE | {"frame_of_reference_uid": "x"}},
        "group[1].region_3d.frame_of_reference_uid",
    ),
    "outline of nothing": (
        {"region": {"type": "POINT", "points": [[1, 1]]}},
        "group[1].region.image",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_group_that_is_wrong_is_named(name: str) -> None:
    """The reader says where, and the schema refuses it as well."""
    group, where = FAULTS[name]
    with pytest.raises(TemplateError) as caught:
        _read(**group)
    assert caught.value.where == where
    assert not VALIDATOR.is_valid(_values(**group))
    assert VALIDATOR.is_valid(_values())


def test_a_group_of_nothing_is_refused() -> None:
    """A finding is measured or evaluated."""
    values = _values()
    del values["group"][0]["measurement"]
    with pytest.raises(TemplateError) as caught:
        parse_report(json.dumps(values), InputFormat.JSON)
    assert caught.value.where == "group[1]"
    assert not VALIDATOR.is_valid(values)


@pytest.mark.parametrize(
    ("region", "error"),
    [
        (OUTLINE | {"image": "999.dcm"}, EvidenceError),
        (OUTLINE | {"image": "all"}, EvidenceError),
        (OUTLINE | {"image": "dose.dcm"}, EvidenceError),
        (OUTLINE | {"points": [[1, 2, 3], [4, 5, 6]]}, TemplateError),
        (OUTLINE | {"points": [[1, 2]]}, TemplateError),
        (OUTLINE | {"points": [[1, 2], [1, 1e9]]}, EvidenceError),
        (OUTLINE | {"frames": [2]}, EvidenceError),
    ],
)
def test_an_impossible_outline_is_refused(
    region: dict[str, Any], error: type[DocumentError]
) -> None:
    """One image of the evidence, enough points, and all of them in the picture."""
    with pytest.raises(error) as caught:
        built(_read(region=region), (*IMAGES, DOSE_REPORT))
    assert (caught.value.where or "").startswith("group[1].region")
