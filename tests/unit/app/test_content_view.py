"""The content tree as a page tells it: every kind of value whole, in order, and linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.app.views.content_view import Node, content_root, language_of, targets_of
from sr.app.views.render import page_of
from sr.document.part10 import write_part10
from tests.support.datasets import opened, report
from tests.support.hard_report import HOSTILE, hard_report
from tests.support.page import Page
from tests.support.signed import check


def _item(value_type: str | None = None, *children: Dataset, **attributes: Any) -> Dataset:
    made = Dataset()
    if value_type is not None:
        made.ValueType = value_type
    made.RelationshipType = attributes.pop("relationship", "CONTAINS")
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    if children:
        made.ContentSequence = list(children)
    return made


def _code(meaning: str, value: str = "1", scheme: str = "99TEST") -> list[Dataset]:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return [code]


def _root(*items: Dataset) -> Node:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.34"
    dataset.SOPInstanceUID = "2.25.1"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ValueType = "CONTAINER"
    dataset.ContentSequence = list(items)
    return content_root(opened(write_part10(dataset)).dataset, {})


def _only(*items: Dataset) -> Node:
    (node,) = _root(*items).children
    return node


def _cited(**attributes: Any) -> Sequence[Dataset]:
    cited = Dataset()
    cited.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    cited.ReferencedSOPInstanceUID = "2.25.9"
    for keyword, value in attributes.items():
        setattr(cited, keyword, value)
    return [cited]


@pytest.mark.parametrize(
    ("attributes", "text", "points"),
    [
        ({"GraphicType": "POINT", "GraphicData": [1.5, 2.0]}, "point, 1 point", ("(1.5, 2)",)),
        (
            {"GraphicType": "POLYLINE", "GraphicData": [0.0, 0.0, 1e7, -0.25]},
            "polyline, 2 points",
            ("(0, 0)", "(1e+07, -0.25)"),
        ),
        ({"GraphicType": "POLYLINE", "GraphicData": [1.0, 2.0, 3.0]}, "polyline, 2 points", None),
        (
            {"GraphicType": "POINT", "GraphicData": [0.1, 16777217.0]},
            "point, 1 point",
            ("(0.1, 16777216)",),
        ),
        (
            {"GraphicType": "POINT", "GraphicData": [1.0000001, float("nan")]},
            "point, 1 point",
            ("(1.0000001, nan)",),
        ),
        (
            {"GraphicType": "POINT", "GraphicData": [float("-inf"), 3.4028234663852886e38]},
            "point, 1 point",
            ("(-inf, 3.4028235e+38)",),
        ),
        ({"GraphicType": "CIRCLE"}, "circle, 0 points", ()),
        ({}, "region, 0 points", ()),
    ],
)
def test_regions(attributes: dict[str, Any], text: str, points: tuple[str, ...] | None) -> None:
    """Each point of a region is told, also where one is cut short."""
    value = _only(_item("SCOORD", **attributes)).value
    assert value.text == text
    assert value.points == (points if points is not None else ("(1, 2)", "(3)"))


def test_a_region_in_space() -> None:
    """Points in space have three coordinates, and the frame of reference they are in."""
    region = _item(
        "SCOORD3D",
        GraphicType="POINT",
        GraphicData=[1.0, 2.0, 3.5],
        ReferencedFrameOfReferenceUID="1.2.3",
    )
    value = _only(region).value
    assert value.points == ("(1, 2, 3.5)",)
    assert "frame of reference 1.2.3" in value.notes


@pytest.mark.parametrize(
    ("attributes", "points"),
    [
        ({"ReferencedSamplePositions": [1, 70000]}, ("sample 1", "sample 70000")),
        ({"ReferencedTimeOffsets": ["0.50", "1"]}, ("0.50 s", "1 s")),
        ({"ReferencedDateTime": ["20261120093000"]}, ("2026-11-20 09:30:00",)),
        ({}, ()),
    ],
)
def test_times(attributes: dict[str, Any], points: tuple[str, ...]) -> None:
    """Points in time are told in the way in which they are stored."""
    assert _only(_item("TCOORD", TemporalRangeType="POINT", **attributes)).value.points == points


@pytest.mark.parametrize(
    ("attributes", "parts"),
    [
        ({"ReferencedFrameNumber": [1, 3]}, ("frames 1, 3",)),
        ({"ReferencedSegmentNumber": [2]}, ("segments 2",)),
        ({"ReferencedWaveformChannels": [1, 0, 2, 3]}, ("channels 1/0, 2/3",)),
        ({"ReferencedSOPSequence": _cited()}, ("shown with CT Image 2.25.9",)),
        ({}, ()),
    ],
)
def test_references(attributes: dict[str, Any], parts: tuple[str, ...]) -> None:
    """Which part of an instance is cited is told, and what it is to be shown with."""
    (cited,) = _only(_item("IMAGE", ReferencedSOPSequence=_cited(**attributes))).cited
    assert cited.parts == parts


def _measured(value: str, unit: str = "mm") -> list[Dataset]:
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = _code("millimeter", unit, "UCUM")
    return [measured]


def test_numbers_without_value() -> None:
    """A number without value says why; one with value and a reservation says both."""
    why = _code("Measurement failure")
    failed = _only(_item("NUM", NumericValueQualifierCodeSequence=why))
    assert (failed.value.text, failed.value.unit) == ("Measurement failure", "")
    assert _only(_item("NUM")).value.text == "no value"
    doubted = _item("NUM", MeasuredValueSequence=_measured("1.50"))
    doubted.NumericValueQualifierCodeSequence = why
    assert (_only(doubted).value.text, _only(doubted).value.unit) == ("1.50", "mm")
    assert "Measurement failure" in _only(doubted).value.notes


def test_codes_say_what_they_are() -> None:
    """Beside a meaning stands the code itself, which is what programs read."""
    value = _only(_item("CODE", ConceptCodeSequence=_code("Nodule", "27925004", "SCT"))).value
    assert (value.text, value.code) == ("Nodule", "27925004, SCT")


def test_the_time_of_an_observation() -> None:
    """The time of an observation is told with any value."""
    observed = _item("TEXT", TextValue="x", ObservationDateTime="20261120")
    assert _only(observed).value.notes == ("observed 2026-11-20",)


def test_what_follows_each_other_stays_in_order() -> None:
    """Measurements and pictures are shown together only where they stand together."""
    number = _item("NUM", MeasuredValueSequence=_measured("1"))
    picture = _item("IMAGE", ReferencedSOPSequence=_cited())
    text = _item("TEXT", TextValue="x")
    root = _root(number, number, text, picture, picture, text, number, picture)
    assert [(run.form, len(run.nodes)) for run in root.runs] == [
        ("measurements", 2),
        ("item", 1),
        ("references", 2),
        ("item", 1),
        ("item", 1),
        ("references", 1),
    ]


def test_a_link_leads_to_its_item() -> None:
    """An item by reference names its target and leads there."""
    text = _item("TEXT", TextValue="x", ConceptNameCodeSequence=_code("Target"))
    link = _item(ReferencedContentItemIdentifier=[1, 1], relationship="INFERRED FROM")
    root = _root(text, _item("TEXT", link, TextValue="y"))
    (found,) = root.children[1].children
    assert (found.kind, found.value.text, found.target) == ("link", "Target (1.1)", "1.1")
    assert targets_of(root) == {"1.1"}


@pytest.mark.parametrize("target", [[1, 9], [2], [1, 1, 1, 1], [0]])
def test_a_link_to_nowhere(target: list[int]) -> None:
    """A link that leads out of the tree is told and leads nowhere."""
    found = _only(_item(ReferencedContentItemIdentifier=target, relationship="INFERRED FROM"))
    assert found.target == ""
    assert "not in this document" in found.value.text
    assert targets_of(found) == frozenset()


@pytest.mark.parametrize("said", ["", "de\" onload='x'", "x", "deutsch (de)", "de-", "12"])
def test_a_language_that_is_none(said: str) -> None:
    """What is no language tag does not become one of the page."""
    language = _item(
        "CODE",
        ConceptNameCodeSequence=_code("Language", "121049", "DCM"),
        ConceptCodeSequence=_code("x", said or "de-DE", "RFC5646"),
    )
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "2.25.1"
    dataset.ContentSequence = [language]
    found = language_of(opened(write_part10(dataset)).dataset)
    assert found == ("" if said else "de-DE")


def test_the_hard_report_on_screen() -> None:
    """Scripts, links, directions and hostile text arrive on the page as they should."""
    data = hard_report(2)
    page = Page(page_of(opened(data), check(data)))
    assert HOSTILE.split("{{")[0].strip() in page.text
    assert ("href", "#item-1.5.15.1") in page.attributes
    assert ("id", "item-1.5.15.1") in page.attributes
    assert page.attributes.count(("dir", "rtl")) == 3
    assert "Müller-Lüdenscheidt, Dr. Jürgen · 山田 太郎 · やまだ たろう" in page.text
    assert not [c for c in "\u202e\u202c\u200b\u200f\U000e0041" if c in "".join(page.words)]
    assert not {"script", "b", "i", "img"} & set(page.elements)


PLACES = {
    "class": (0x00080016, 1),
    "title": (0x0040A043, 1),
    "content": (0x0040A730, 1),
    "cited": (0x0040A375, 1),
    "patient": (0x00100010, 1),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_not_covered_is_marked_where_it_stands(place: str) -> None:
    """Each part that no signature covers is marked once in its place, and once in the table."""
    data = report()
    verdict = check(data)
    tag, times = PLACES[place]
    bare = page_of(opened(data), replace(verdict, uncovered=()))
    marked = page_of(opened(data), replace(verdict, uncovered=(tag,)))
    assert "not signed" not in bare
    assert marked.count("not signed") == times + 1
