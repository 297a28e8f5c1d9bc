"""Regions of interest as content items: pixels of an image, points in space, stretches of time.

Coordinates are single precision when written: more digits are lost, out of range is refused. A
region says what it was selected from by a SELECTED FROM relationship; whether it has one, and lies
within the picture, is checked in `constraints` and `citations`.

Cites: PS3.3 C.18.6, C.18.7, C.18.9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import dist, isfinite
from typing import Any, ClassVar

from sr.document.content import ContentItem, ValueType

__all__ = [
    "GraphicType",
    "GraphicType3D",
    "PixelOrigin",
    "SpatialCoordinates",
    "SpatialCoordinates3D",
    "TemporalCoordinates",
    "TemporalRangeType",
    "region_fault",
]

_LARGEST = 3.4028234663852886e38
"""Of a single precision number (FL)."""

_FLATNESS = 1e-4
"""How far a point may be out of the plane of the others, as a part of their greatest distance."""

_Triple = tuple[float, float, float]


class GraphicType(StrEnum):
    """Geometry of a region of an image.

    Cites: PS3.3 C.18.6.1.2.
    """

    POINT = "POINT"
    MULTIPOINT = "MULTIPOINT"
    POLYLINE = "POLYLINE"
    CIRCLE = "CIRCLE"
    ELLIPSE = "ELLIPSE"


class GraphicType3D(StrEnum):
    """Geometry of a region in space.

    Cites: PS3.3 C.18.9.1.2.
    """

    POINT = "POINT"
    MULTIPOINT = "MULTIPOINT"
    POLYLINE = "POLYLINE"
    POLYGON = "POLYGON"
    ELLIPSE = "ELLIPSE"
    ELLIPSOID = "ELLIPSOID"


class PixelOrigin(StrEnum):
    """What pixels of a tiled image are counted from.

    Cites: PS3.3 Table C.18.6-1 Pixel Origin Interpretation.
    """

    FRAME = "FRAME"
    VOLUME = "VOLUME"


class TemporalRangeType(StrEnum):
    """Extent of a region in time.

    Cites: PS3.3 C.18.7.1.1.
    """

    POINT = "POINT"
    MULTIPOINT = "MULTIPOINT"
    SEGMENT = "SEGMENT"
    MULTISEGMENT = "MULTISEGMENT"
    BEGIN = "BEGIN"
    END = "END"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialCoordinates(ContentItem):
    """A region of an image.

    Cites: PS3.3 C.18.6.
    """

    TYPE: ClassVar[ValueType] = ValueType.SCOORD

    graphic_type: GraphicType
    points: tuple[tuple[float, float], ...]
    """Column and row, from 0 at the top left corner of the picture, with sub-pixel resolution."""
    pixel_origin: PixelOrigin | None = None
    """For a tiled image, and only needed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialCoordinates3D(ContentItem):
    """A region in a frame of reference.

    Cites: PS3.3 C.18.9.
    """

    TYPE: ClassVar[ValueType] = ValueType.SCOORD3D

    graphic_type: GraphicType3D
    points: tuple[_Triple, ...]
    """x, y and z in mm."""
    frame_of_reference_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalCoordinates(ContentItem):
    """A region in time; points are given in exactly one of three ways.

    Cites: PS3.3 C.18.7.
    """

    TYPE: ClassVar[ValueType] = ValueType.TCOORD

    range_type: TemporalRangeType
    sample_positions: tuple[int, ...] = ()
    """Numbers of samples of a waveform, from 1."""
    time_offsets: tuple[str, ...] = ()
    """Seconds after the start of the data, as decimal strings."""
    date_times: tuple[str, ...] = ()
    """DT values."""


def region_fault(item: ContentItem) -> str | None:
    """Return what makes a region impossible in itself; ``None`` where nothing does.

    Cites: PS3.3 C.18.6.1.2, C.18.7.1.1, C.18.9.1.2.
    """
    find = _FAULTS.get(item.value_type)
    return find(item) if find else None


@dataclass(frozen=True, slots=True)
class _Shape:
    """How many points a region of some type has."""

    least: int
    most: int | None
    flat: bool = False
    closed: bool = False

    def fault(self, kind: str, count: int) -> str | None:
        if count >= self.least and (self.most is None or count <= self.most):
            return None
        asked = f"{self.least}" if self.most == self.least else f"{self.least} or more"
        return f"{kind} takes {asked} points, not {count}"


_SHAPES = {
    GraphicType.POINT: _Shape(1, 1),
    GraphicType.MULTIPOINT: _Shape(2, None),
    GraphicType.POLYLINE: _Shape(2, None),
    GraphicType.CIRCLE: _Shape(2, 2),
    GraphicType.ELLIPSE: _Shape(4, 4),
}

_SHAPES_3D = {
    GraphicType3D.POINT: _Shape(1, 1),
    GraphicType3D.MULTIPOINT: _Shape(2, None),
    GraphicType3D.POLYLINE: _Shape(2, None),
    GraphicType3D.POLYGON: _Shape(4, None, flat=True, closed=True),
    GraphicType3D.ELLIPSE: _Shape(4, 4, flat=True),
    GraphicType3D.ELLIPSOID: _Shape(6, 6),
}

_RANGES = {
    TemporalRangeType.POINT: _Shape(1, 1),
    TemporalRangeType.MULTIPOINT: _Shape(2, None),
    TemporalRangeType.SEGMENT: _Shape(2, 2),
    TemporalRangeType.MULTISEGMENT: _Shape(4, None),
    TemporalRangeType.BEGIN: _Shape(1, 1),
    TemporalRangeType.END: _Shape(1, 1),
}


def _spatial(item: SpatialCoordinates) -> str | None:
    return _unwritable(item.points, 2) or _SHAPES[item.graphic_type].fault(
        item.graphic_type, len(item.points)
    )


def _spatial_3d(item: SpatialCoordinates3D) -> str | None:
    shape = _SHAPES_3D[item.graphic_type]
    fault = _unwritable(item.points, 3) or shape.fault(item.graphic_type, len(item.points))
    if fault:
        return fault
    if shape.closed and item.points[0] != item.points[-1]:
        return f"{item.graphic_type} ends where it starts"
    if shape.flat and not _coplanar(item.points):
        return f"the points of {item.graphic_type} lie in one plane"
    return None


def _temporal(item: TemporalCoordinates) -> str | None:
    ways = [w for w in (item.sample_positions, item.time_offsets, item.date_times) if w]
    if len(ways) != 1:
        return "points in time are given in one way: sample positions, time offsets or date-times"
    if any(position < 1 for position in item.sample_positions):
        return "sample positions count from 1"
    count = len(ways[0])
    if item.range_type is TemporalRangeType.MULTISEGMENT and count % 2:
        return f"{item.range_type} takes pairs of points, not {count}"
    return _RANGES[item.range_type].fault(item.range_type, count)


_FAULTS: dict[ValueType, Callable[[Any], str | None]] = {
    ValueType.SCOORD: _spatial,
    ValueType.SCOORD3D: _spatial_3d,
    ValueType.TCOORD: _temporal,
}


def _unwritable(points: Sequence[Sequence[float]], dimensions: int) -> str | None:
    if any(len(point) != dimensions for point in points):
        return f"a point has {dimensions} coordinates"
    if not all(isfinite(value) and abs(value) <= _LARGEST for point in points for value in point):
        return "a coordinate is not a single precision number"
    return None


def _coplanar(points: tuple[_Triple, ...]) -> bool:
    """Return whether all points lie in one plane, within what measuring and rounding leave over."""
    spans = [_minus(point, points[0]) for point in points]
    longest = max(spans, key=_length)
    normal = max((_cross(longest, span) for span in spans), key=_length)
    size, length = _length(longest), _length(normal)
    if length <= _FLATNESS * size * size:
        return True  # all on one line
    return all(abs(_dot(span, normal)) <= _FLATNESS * size * length for span in spans)


def _minus(a: _Triple, b: _Triple) -> _Triple:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _cross(a: _Triple, b: _Triple) -> _Triple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: _Triple, b: _Triple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _length(a: _Triple) -> float:
    return dist(a, (0.0, 0.0, 0.0))
