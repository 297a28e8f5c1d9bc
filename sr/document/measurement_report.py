"""What is below the root of a measurement report: the images, then what was measured on them.

A finding is a measurement group. Its name and UID are the same in every report on it, so that its
measurements can be followed over the years.

Cites: PS3.16 TID 1410, TID 1419, TID 1500, TID 1501, TID 1600, TID 1601, TID 1602.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sr.codes import Code
from sr.document.coding import find_member
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    Reference,
    Relationship,
    Text,
    UIDReference,
    reference_to,
    walk,
)
from sr.document.evidence import Evidence, EvidenceKind
from sr.document.regions import SpatialCoordinates, SpatialCoordinates3D
from sr.document.report_input import GroupInput, Region3DInput, RegionInput
from sr.document.report_items import Scene, instances_called, items_of, modifier
from sr.errors import EvidenceError

__all__ = ["measurement_content"]

_LIBRARY = Code("111028", "DCM", "Image Library")
_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
_MODALITY = Code("121139", "DCM", "Modality")
_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
_GROUP = Code("125007", "DCM", "Measurement Group")
_TRACKING = Code("112039", "DCM", "Tracking Identifier")
_TRACKING_UID = Code("112040", "DCM", "Tracking Unique Identifier")
_FINDING = Code("121071", "DCM", "Finding")
_METHOD = Code("370129005", "SCT", "Measurement Method")
_SITE = Code("363698007", "SCT", "Finding Site")
_LATERALITY = Code("272741003", "SCT", "Laterality")
_SITE_MODIFIER = Code("106233006", "SCT", "Topographical modifier")
_REGION = Code("111030", "DCM", "Image Region")

_MODALITIES = 29
"""Context group of acquisition modalities."""

_R = Relationship


def measurement_content(
    groups: tuple[GroupInput, ...], scene: Scene, new_uid: Callable[[], str]
) -> tuple[ContentItem, ...]:
    """Return image library and measurements.

    Args:
        groups: What was measured of each finding.
        scene: Study and evidence.
        new_uid: Draws a tracking UID for a finding that has none yet.

    Raises:
        EvidenceError: An image is named that is not in the evidence, or by an ambiguous name.
        TemplateError: A region is impossible.
    """
    children = tuple(_group(group, scene, new_uid) for group in groups)
    measurements = Container(concept=_MEASUREMENTS, relationship=_R.CONTAINS, children=children)
    return (*_library(measurements, scene), measurements)


def _library(measurements: Container, scene: Scene) -> tuple[Container, ...]:
    """Return the images that the measurements cite, by modality."""
    cited = {
        item.sop_instance_uid
        for _, _, item in walk(measurements)
        if isinstance(item, Reference) and item.kind is EvidenceKind.IMAGE
    }
    images = [item for item in scene.evidence if item.sop_instance_uid in cited]
    if not images:
        return ()
    groups = tuple(
        _library_group(modality, [item for item in images if item.modality == modality])
        for modality in dict.fromkeys(item.modality for item in images)
    )
    return (Container(concept=_LIBRARY, relationship=_R.CONTAINS, children=groups),)


def _library_group(modality: str, images: list[Evidence]) -> Container:
    code = find_member(modality, _MODALITIES)
    context = (
        (Coded(concept=_MODALITY, relationship=_R.HAS_ACQ_CONTEXT, value=code),) if code else ()
    )
    return Container(
        concept=_LIBRARY_GROUP,
        relationship=_R.CONTAINS,
        children=(*context, *(reference_to(item, _R.CONTAINS) for item in images)),
    )


def _group(group: GroupInput, scene: Scene, new_uid: Callable[[], str]) -> Container:
    return Container(
        concept=_GROUP,
        relationship=_R.CONTAINS,
        origin=group.path,
        children=(
            Text(concept=_TRACKING, relationship=_R.HAS_OBS_CONTEXT, value=group.tracking),
            UIDReference(
                concept=_TRACKING_UID,
                relationship=_R.HAS_OBS_CONTEXT,
                value=group.tracking_uid or new_uid(),
            ),
            *_finding(group),
            *modifier(_METHOD, group.method),
            *_site(group),
            *_region(group.region, scene),
            *(
                item
                for entry in (*group.measurements, *group.evaluations)
                for item in items_of(entry, _R.CONTAINS, scene)
            ),
        ),
    )


def _finding(group: GroupInput) -> tuple[Coded, ...]:
    if group.finding is None:
        return ()
    return (Coded(concept=_FINDING, relationship=_R.CONTAINS, value=group.finding),)


def _site(group: GroupInput) -> tuple[Coded, ...]:
    if group.site is None:
        return ()
    site = Coded(
        concept=_SITE,
        relationship=_R.HAS_CONCEPT_MOD,
        value=group.site,
        children=(
            *modifier(_LATERALITY, group.laterality),
            *modifier(_SITE_MODIFIER, group.site_modifier),
        ),
    )
    return (site,)


def _region(region: RegionInput | Region3DInput | None, scene: Scene) -> Iterator[ContentItem]:
    if isinstance(region, RegionInput):
        yield _in_image(region, scene)
    elif region is not None:
        yield SpatialCoordinates3D(
            concept=_REGION,
            relationship=_R.CONTAINS,
            origin=region.path,
            graphic_type=region.graphic_type,
            points=region.points,  # type: ignore[arg-type]  # checked with the tree
            frame_of_reference_uid=region.frame_of_reference_uid,
        )


def _in_image(region: RegionInput, scene: Scene) -> SpatialCoordinates:
    images = instances_called(region.image, scene)
    if len(images) > 1 or images[0].kind is not EvidenceKind.IMAGE:
        raise EvidenceError(
            f"{region.path}: {region.image.instance!r} is not one image", where=region.path
        )
    source = reference_to(
        images[0], _R.SELECTED_FROM, frames=region.image.frames, origin=region.path
    )
    return SpatialCoordinates(
        concept=_REGION,
        relationship=_R.CONTAINS,
        origin=region.path,
        graphic_type=region.graphic_type,
        points=region.points,  # type: ignore[arg-type]  # checked with the tree
        children=(source,),
    )
