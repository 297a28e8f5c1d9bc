"""What a tree cites, against the evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.document.citations import require_cited
from sr.document.content import ByReference, Relationship, ValueType, reference_to
from sr.document.evidence import Evidence
from sr.document.regions import GraphicType, PixelOrigin
from sr.errors import EvidenceError
from tests.support.datasets import ct_evidence, evidence_of, instance
from tests.support.trees import EVIDENCE, node, root

R, V = Relationship, ValueType
SLIDE_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"
SEGMENTATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"


def _slide() -> Evidence:
    data = instance(
        SLIDE_CLASS,
        Rows=64,
        Columns=64,
        NumberOfFrames="9",
        TotalPixelMatrixColumns=70000,
        TotalPixelMatrixRows=180,
    )
    return evidence_of(data)


def _region(
    image: Evidence, *points: tuple[float, float], origin: PixelOrigin | None = None
) -> frozenset[str]:
    region = node(
        V.SCOORD,
        R.CONTAINS,
        reference_to(image, R.SELECTED_FROM),
        graphic_type=GraphicType.MULTIPOINT,
        points=points,
        pixel_origin=origin,
        origin="region",
    )
    return require_cited(root(region), (*EVIDENCE, image))


def test_sizes_are_read_from_the_instance() -> None:
    """Columns come first, as in Graphic Data; a tiled image has two sizes."""
    slide = _slide()
    assert (slide.size, slide.total_size) == ((64, 64), (70000, 180))
    assert ct_evidence()[0].size != (0, 0)
    assert ct_evidence()[0].total_size == (0, 0)
    assert EVIDENCE[-1].size == (0, 0)


def test_the_whole_picture_may_be_meant() -> None:
    """Coordinates go from 0 to columns and rows, both included."""
    image = ct_evidence()[0]
    assert image.sop_instance_uid in _region(image, (0, 0), (image.size[0], image.size[1]))


@pytest.mark.parametrize("point", [(-0.1, 1), (1, -0.1), (1e4, 1), (1, 1e4)])
def test_a_region_outside_of_the_picture_is_refused(point: tuple[float, float]) -> None:
    """PS3.3 C.18.6: values lie within the image."""
    with pytest.raises(EvidenceError) as caught:
        _region(ct_evidence()[0], (1, 1), point)
    assert caught.value.where == "region"


def test_a_region_by_reference_is_checked_as_well() -> None:
    """The image may stand elsewhere in the tree."""
    region = node(
        V.SCOORD,
        R.CONTAINS,
        ByReference(relationship=R.SELECTED_FROM, target="image"),
        points=((1e4, 1e4),),
    )
    tree = root(region, node(V.IMAGE, R.CONTAINS, anchor="image"))
    with pytest.raises(EvidenceError):
        require_cited(tree, EVIDENCE)


def test_a_tiled_image_says_what_pixels_are_counted_from() -> None:
    """In the tile or in the whole matrix: a factor of a thousand."""
    slide = _slide()
    assert _region(slide, (0, 0), (64, 64), origin=PixelOrigin.FRAME)
    assert _region(slide, (0, 0), (70000, 180), origin=PixelOrigin.VOLUME)
    for points, origin in (
        (((0, 0), (64, 64)), None),
        (((0, 0), (65, 1)), PixelOrigin.FRAME),
        (((0, 0), (70001, 1)), PixelOrigin.VOLUME),
    ):
        with pytest.raises(EvidenceError):
            _region(slide, *points, origin=origin)


def test_an_image_without_matrix_has_no_volume_to_count_from() -> None:
    """VOLUME means the Total Pixel Matrix, which a CT image has not, not even at its corner."""
    for points in (((1, 1), (2, 2)), ((0, 0), (0, 0))):
        with pytest.raises(EvidenceError):
            _region(ct_evidence()[0], *points, origin=PixelOrigin.VOLUME)


def test_a_region_of_an_image_outside_of_the_evidence_is_refused() -> None:
    """The image is blamed where it stands."""
    stray = replace(ct_evidence()[0], sop_instance_uid="2.25.404")
    tree = root(node(V.SCOORD, R.CONTAINS, reference_to(stray, R.SELECTED_FROM)))
    with pytest.raises(EvidenceError) as caught:
        require_cited(tree, EVIDENCE)
    assert caught.value.where == "(0040,A730)[1]/(0040,A730)[1]"


def _segmentation() -> Evidence:
    from pydicom.dataset import Dataset

    data = instance(SEGMENTATION_CLASS, Rows=8, Columns=8, SegmentSequence=[Dataset(), Dataset()])
    return evidence_of(data)


@pytest.mark.parametrize(("segments", "frames"), [((0,), ()), ((3,), ()), ((1,), (1,))])
def test_a_segment_that_is_not_there_is_refused(
    segments: tuple[int, ...], frames: tuple[int, ...]
) -> None:
    """Segments count from 1; segments and frames exclude one another."""
    item = replace(_segmentation(), number_of_frames=4)
    require_cited(root(reference_to(item, R.CONTAINS, segments=(1, 2))), (item,))
    wrong = root(reference_to(item, R.CONTAINS, segments=segments, frames=frames))
    with pytest.raises(EvidenceError):
        require_cited(wrong, (item,))


@pytest.mark.parametrize(
    ("number", "channels"), [(3, ((0, 1),)), (3, ((1, -1),)), (0, ((1, 1),)), (4, ((1, 1),))]
)
def test_channels_are_those_of_a_waveform(
    number: int, channels: tuple[tuple[int, int], ...]
) -> None:
    """Groups count from 1, channel 0 is the whole group, and images have none."""
    ecg = EVIDENCE[3]
    require_cited(root(reference_to(ecg, R.CONTAINS, channels=((1, 0), (3, 2)))), EVIDENCE)
    with pytest.raises(EvidenceError):
        require_cited(root(reference_to(EVIDENCE[number], R.CONTAINS, channels=channels)), EVIDENCE)
