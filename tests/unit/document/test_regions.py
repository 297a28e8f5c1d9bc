"""Regions of interest: their geometry, and how they are written."""

from __future__ import annotations

from io import BytesIO
from math import cos, inf, nan, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from sr.document.constraints import DocumentClass
from sr.document.content import Relationship, ValueType
from sr.document.regions import (
    GraphicType,
    GraphicType3D,
    PixelOrigin,
    SpatialCoordinates,
    SpatialCoordinates3D,
    TemporalCoordinates,
    TemporalRangeType,
    region_fault,
)
from sr.errors import TemplateError
from tests.support.trees import CONCEPT, document, node, root

G, S, T = GraphicType, GraphicType3D, TemporalRangeType
R, V = Relationship, ValueType
Points = tuple[tuple[float, float], ...]
Triples = tuple[tuple[float, float, float], ...]

SQUARE: Triples = ((0, 0, 5), (9, 0, 5), (9, 9, 5), (0, 9, 5), (0, 0, 5))


def _flat(kind: GraphicType, points: Points) -> str | None:
    return region_fault(SpatialCoordinates(graphic_type=kind, points=points))


def _solid(kind: GraphicType3D, points: Triples) -> str | None:
    return region_fault(
        SpatialCoordinates3D(graphic_type=kind, points=points, frame_of_reference_uid="2.25.1")
    )


def _line(count: int) -> Points:
    return tuple((float(n), 1.0) for n in range(count))


def _space(count: int) -> Triples:
    return tuple((float(n), float(n * n), float(n**3)) for n in range(count))


@pytest.mark.parametrize(
    ("kind", "count"),
    [(G.POINT, 1), (G.MULTIPOINT, 2), (G.POLYLINE, 9), (G.CIRCLE, 2), (G.ELLIPSE, 4)],
)
def test_each_geometry_has_its_points(kind: GraphicType, count: int) -> None:
    """PS3.3 C.18.6.1.2 says how many points each type has."""
    assert _flat(kind, _line(count)) is None


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (G.POINT, 0),
        (G.POINT, 2),
        (G.MULTIPOINT, 1),
        (G.POLYLINE, 1),
        (G.CIRCLE, 1),
        (G.CIRCLE, 3),
        (G.ELLIPSE, 3),
        (G.ELLIPSE, 5),
    ],
)
def test_another_number_of_points_is_a_fault(kind: GraphicType, count: int) -> None:
    """A circle of three points is anybody's guess."""
    assert _flat(kind, _line(count)) is not None


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e39])
def test_a_coordinate_is_a_single_precision_number(value: float) -> None:
    """Graphic Data has the value representation FL."""
    assert _flat(G.POINT, ((1.0, value),)) is not None
    assert _solid(S.POINT, ((value, 1.0, 1.0),)) is not None


def test_a_point_has_as_many_coordinates_as_dimensions() -> None:
    """Pairs in an image, triples in space."""
    assert _flat(G.POINT, ((1.0, 2.0, 3.0),)) is not None  # type: ignore[arg-type]
    assert _solid(S.POINT, ((1.0, 2.0),)) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (S.POINT, _space(1)),
        (S.MULTIPOINT, _space(2)),
        (S.POLYLINE, _space(7)),
        (S.POLYGON, SQUARE),
        (S.ELLIPSE, SQUARE[:4]),
        (S.ELLIPSOID, _space(6)),
        (S.POLYGON, ((0, 0, 0), (1, 1, 1), (2, 2, 2), (0, 0, 0))),
        (S.POLYGON, ((1, 1, 1),) * 4),
    ],
)
def test_geometries_in_space(kind: GraphicType3D, points: Triples) -> None:
    """PS3.3 C.18.9.1.2; a degenerate polygon is flat as well."""
    assert _solid(kind, points) is None


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (S.POINT, _space(2)),
        (S.MULTIPOINT, _space(1)),
        (S.POLYLINE, _space(1)),
        (S.POLYGON, SQUARE[:3]),
        (S.POLYGON, SQUARE[:4]),
        (S.POLYGON, (*SQUARE[:3], (0, 9, 6), SQUARE[4])),
        (S.ELLIPSE, SQUARE),
        (S.ELLIPSE, ((0, 0, 0), (4, 0, 0), (2, 2, 0), (2, -2, 1))),
        (S.ELLIPSOID, _space(5)),
    ],
)
def test_impossible_geometries_in_space(kind: GraphicType3D, points: Triples) -> None:
    """Polygons are closed and flat, ellipses flat, an ellipsoid has three axes."""
    assert _solid(kind, points) is not None


@given(
    angles=st.tuples(*[st.floats(0, 2 * pi)] * 2),
    radius=st.floats(0.5, 1e4),
    shift=st.floats(-1e4, 1e4),
)
def test_a_circle_in_any_plane_is_flat(
    angles: tuple[float, float], radius: float, shift: float
) -> None:
    """Rounding to single precision bends no polygon."""
    tilt, turn = angles
    around = [2 * pi * n / 12 for n in range(12)] + [0.0]
    points = []
    for angle in around:
        x, y = radius * cos(angle), radius * sin(angle)
        y, z = y * cos(tilt), y * sin(tilt)
        x, z = x * cos(turn) - z * sin(turn), x * sin(turn) + z * cos(turn)
        points.append((x + shift, y - shift, z + shift))
    assert _solid(S.POLYGON, tuple(points)) is None


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (T.POINT, {"sample_positions": (1,)}),
        (T.MULTIPOINT, {"time_offsets": ("0", "1.5", "2")}),
        (T.SEGMENT, {"date_times": ("20261120", "20261121")}),
        (T.MULTISEGMENT, {"sample_positions": (1, 2, 5, 9)}),
        (T.BEGIN, {"time_offsets": ("0",)}),
        (T.END, {"sample_positions": (7,)}),
    ],
)
def test_stretches_of_time(kind: TemporalRangeType, values: dict[str, tuple[str, ...]]) -> None:
    """PS3.3 C.18.7.1.1 says how many points each type has."""
    assert region_fault(TemporalCoordinates(range_type=kind, **values)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (T.POINT, {}),
        (T.POINT, {"sample_positions": (1,), "time_offsets": ("1",)}),
        (T.POINT, {"sample_positions": (0,)}),
        (T.POINT, {"sample_positions": (1, 2)}),
        (T.MULTIPOINT, {"sample_positions": (1,)}),
        (T.SEGMENT, {"time_offsets": ("1",)}),
        (T.MULTISEGMENT, {"time_offsets": ("1", "2")}),
        (T.MULTISEGMENT, {"time_offsets": ("1", "2", "3", "4", "5")}),
        (T.BEGIN, {"date_times": ("20261120", "20261121")}),
    ],
)
def test_impossible_stretches_of_time(
    kind: TemporalRangeType, values: dict[str, tuple[str, ...]]
) -> None:
    """Points are given in exactly one way, and as many as the type has."""
    assert region_fault(TemporalCoordinates(range_type=kind, **values)) is not None  # type: ignore[arg-type]


def test_other_items_have_no_geometry() -> None:
    """A text is no region."""
    assert region_fault(node(V.TEXT, R.CONTAINS)) is None


def test_regions_are_written() -> None:
    """Types, coordinates, frame of reference and times arrive as they were given."""
    tree = root(
        node(
            V.SCOORD, R.CONTAINS, graphic_type=G.POLYLINE, points=((1, 2), (3, 4.5)), concept=None
        ),
        node(V.SCOORD3D, R.CONTAINS, graphic_type=S.POLYGON, points=SQUARE),
        node(V.TCOORD, R.CONTAINS, range_type=T.SEGMENT, time_offsets=("0.10", "2")),
        node(
            V.TCOORD,
            R.CONTAINS,
            range_type=T.POINT,
            time_offsets=(),
            date_times=("20261120093015+0100",),
        ),
    )
    dataset = dcmread(BytesIO(document(DocumentClass.COMPREHENSIVE_3D, tree)))
    line, square, offsets, moment = dataset.ContentSequence
    assert (line.GraphicType, list(line.GraphicData)) == ("POLYLINE", [1, 2, 3, 4.5])
    assert "ConceptNameCodeSequence" not in line
    assert "PixelOriginInterpretation" not in line
    assert (square.GraphicType, len(square.GraphicData)) == ("POLYGON", 15)
    assert square.ReferencedFrameOfReferenceUID == "2.25.5"
    assert [str(n) for n in offsets.ReferencedTimeOffsets] == ["0.10", "2"]
    assert moment.ReferencedDateTime == "20261120093015+0100"
    assert "ReferencedSamplePositions" not in moment


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (V.SCOORD3D, {"frame_of_reference_uid": ""}),
        (V.SCOORD3D, {"frame_of_reference_uid": "1.a"}),
        (V.TCOORD, {"time_offsets": ("soon",)}),
        (V.TCOORD, {"time_offsets": ("",)}),
        (V.TCOORD, {"time_offsets": (), "date_times": ("noon",)}),
        (V.TEXT, {"concept": None}),
        (V.DATE, {"value": "20261131"}),
        (V.TIME, {"value": "2510"}),
        (V.CONTAINER, {"template_id": "lower"}),
    ],
)
def test_unwritable_values_are_refused(kind: ValueType, values: dict[str, object]) -> None:
    """Nothing reaches the file that its value representation cannot carry."""
    with pytest.raises(TemplateError):
        document(DocumentClass.COMPREHENSIVE_3D, root(node(kind, R.CONTAINS, **values)))


def test_the_pixel_origin_is_a_term_of_the_standard() -> None:
    """FRAME and VOLUME are the two there are."""
    assert {origin.value for origin in PixelOrigin} == {"FRAME", "VOLUME"}
    assert CONCEPT.scheme == "DCM"
