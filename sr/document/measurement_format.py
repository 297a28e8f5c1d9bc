"""The keys of images, measurements and groups of them, declared once for all who need them.

Cites: PS3.16 TID 300, TID 320, TID 1410, TID 1419, TID 1500, TID 1501; CID 42, 244, 7003, 7464.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sr.document.declaration import Form, Key, Kind
from sr.document.regions import GraphicType, GraphicType3D

__all__ = ["GROUP", "IMAGE", "IMAGES", "IMAGE_KEYS", "MEASUREMENTS", "MEASUREMENT_KEYS"]

_GRAPHICS = {kind.value: kind for kind in GraphicType if kind is not GraphicType.MULTIPOINT}
_GRAPHICS_3D = {
    kind.value: kind
    for kind in GraphicType3D
    if kind not in (GraphicType3D.MULTIPOINT, GraphicType3D.ELLIPSOID)
}
"""Shapes of the region of one finding; cites PS3.16 TID 1410 row 5."""

_EVALUATED = Key(
    name="concept",
    kind=Kind.CODE,
    required=True,
    about="what is evaluated",
    example='["112058", "DCM", "Attenuation"]',
)

IMAGES = Key(
    name="images",
    kind=Kind.CITATIONS,
    about="what it is inferred from",
    example='"all"',
)
_FRAMES = Key(
    name="frames",
    kind=Kind.WHOLE_NUMBERS,
    about="frame numbers, from 1; all frames without it",
    example="[1, 3]",
)
_PURPOSE = Key(
    name="purpose",
    kind=Kind.CODE,
    group=7003,
    about="why the instance is cited",
    example='"BestIllustrationOfFinding"',
)
MEASUREMENT_KEYS = (
    Key(
        name="value",
        kind=Kind.NUMBER,
        required=True,
        vr="DS",
        about="the measured value; its digits are kept as written",
        example="20.0",
    ),
    Key(
        name="concept",
        kind=Kind.CODE,
        required=True,
        about="what was measured",
        example='"SCT.Diameter"',
    ),
    Key(name="unit", kind=Kind.UNIT, required=True, about="UCUM code or code", example='"mm"'),
    Key(
        name="qualifier",
        kind=Kind.CODE,
        group=42,
        about="why there is no proper value",
        example='"MeasurementFailure"',
    ),
    Key(
        name="method",
        kind=Kind.CODE,
        about="how it was measured",
        example='["112055", "DCM", "Agatston scoring method"]',
    ),
    Key(
        name="derivation",
        kind=Kind.CODE,
        group=7464,
        about="what of several values it is",
        example='"Mean"',
    ),
    IMAGES,
)
_MEASUREMENT = Form(name="measurement", about="a measured value", keys=MEASUREMENT_KEYS)
MEASUREMENTS = Key(
    name="measurement",
    kind=Kind.TABLES,
    about="measurements that it is inferred from",
    forms=(_MEASUREMENT,),
)

IMAGE_KEYS = (
    Key(
        name="image",
        required=True,
        about="file name, SOP Instance UID, or all",
        example='"ct-004.dcm"',
    ),
    _FRAMES,
    _PURPOSE,
)
IMAGE = Form(name="image", about="a citation of an instance", keys=IMAGE_KEYS)
"""A citation as a table; in ``images`` a bare name does as well."""


def _outline(shapes: Mapping[str, StrEnum], about: str, example: str) -> tuple[Key, Key]:
    return (
        Key(
            name="type",
            kind=Kind.TERM,
            terms=shapes,
            required=True,
            about="its shape",
            example='"POLYLINE"',
        ),
        Key(name="points", kind=Kind.POINTS, required=True, about=about, example=example),
    )


_REGION = Form(
    name="region",
    about="a region of an image",
    keys=(
        Key(
            name="image",
            required=True,
            about="file name or SOP Instance UID",
            example='"ct-004.dcm"',
        ),
        _FRAMES,
        *_outline(
            _GRAPHICS,
            "column and row of each point, from 0 at the top left corner",
            "[[10.5, 20.0], [30.0, 20.0]]",
        ),
    ),
)

_REGION_3D = Form(
    name="region_3d",
    about="a region in space",
    keys=(
        Key(
            name="frame_of_reference_uid",
            vr="UI",
            required=True,
            about="what the coordinates refer to",
            example='"1.2.3"',
        ),
        *_outline(
            _GRAPHICS_3D, "x, y and z of each point, in mm", "[[0.0, 0.0, 1.5], [20.0, 0.0, 1.5]]"
        ),
    ),
)

_EVALUATIONS = (
    Form(
        name="code",
        schema_name="evaluation-code",
        about="an evaluation as a code",
        keys=(
            Key(
                name="code",
                kind=Kind.CODE,
                required=True,
                about="what it is evaluated as",
                example='["255494005", "SCT", "Solid"]',
            ),
            _EVALUATED,
        ),
    ),
    Form(
        name="text",
        schema_name="evaluation-text",
        about="an evaluation in words",
        keys=(
            Key(name="text", required=True, vr="UT", about="plain text", example='"Unchanged."'),
            _EVALUATED,
        ),
    ),
)

GROUP = Form(
    name="group",
    about="what is measured and evaluated of one finding",
    keys=(
        Key(
            name="tracking",
            required=True,
            vr="UT",
            about="name of the finding, the same in every report on it",
            example='"Nodule 1"',
        ),
        Key(
            name="tracking_uid",
            vr="UI",
            about="UID of the finding, a new one without it",
            example='"2.25.4711"',
        ),
        Key(name="finding", kind=Kind.CODE, about="what it is", example='"SCT.Nodule"'),
        Key(name="site", kind=Kind.CODE, about="where it is", example='"SCT.Lung"'),
        Key(
            name="laterality",
            kind=Kind.CODE,
            group=244,
            about="side of the site",
            example='"Left"',
        ),
        Key(
            name="site_modifier",
            kind=Kind.CODE,
            about="where at the site",
            example='["264217000", "SCT", "Superior"]',
        ),
        Key(name="method", kind=Kind.CODE, about="how all of it was measured"),
        Key(name="region", kind=Kind.TABLE, about="its outline in an image", forms=(_REGION,)),
        Key(
            name="region_3d",
            kind=Kind.TABLE,
            about="its outline in space, in comprehensive-3d",
            forms=(_REGION_3D,),
        ),
        Key(
            name="measurement",
            kind=Kind.TABLES,
            filled=True,
            about="what was measured",
            forms=(_MEASUREMENT,),
        ),
        Key(
            name="evaluation",
            kind=Kind.TABLES,
            filled=True,
            about="what was evaluated without measuring",
            forms=_EVALUATIONS,
        ),
    ),
    together=(("laterality", "site"), ("site_modifier", "site")),
    apart=("region", "region_3d"),
    some_of=("measurement", "evaluation"),
)
"""A measurement group; a ROI where it has a region."""
