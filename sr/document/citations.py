"""Whether what a tree cites is in the evidence: the instance, its frames, segments and pixels.

Cites: PS3.3 C.17.2.3, C.18.4, C.18.5, C.18.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sr.document.by_reference import Anchored, find_anchored
from sr.document.content import ByReference, ContentItem, Reference, Relationship, ValueType, walk
from sr.document.evidence import Evidence
from sr.document.regions import PixelOrigin, SpatialCoordinates
from sr.errors import EvidenceError

__all__ = ["require_cited"]


def require_cited(root: ContentItem, evidence: tuple[Evidence, ...]) -> frozenset[str]:
    """Check every citation in the tree against the evidence; return the UIDs cited.

    Raises:
        EvidenceError: An instance is cited that is not in the evidence, under another SOP class
            or value type, or by a frame, segment or pixel it does not have.

    Cites: PS3.3 C.17.2.3, C.18.4, C.18.5, C.18.6.
    """
    known = {item.sop_instance_uid: item for item in evidence}
    anchored = find_anchored(root)
    cited = set()
    for path, _, item in walk(root):
        if isinstance(item, Reference):
            _check_citation(item.origin or path, item, known.get(item.sop_instance_uid))
            cited.add(item.sop_instance_uid)
        elif isinstance(item, SpatialCoordinates):
            for image in _selected_from(item, anchored):
                # An image that is not in the evidence is refused where it stands.
                if image.sop_instance_uid in known:
                    _check_pixels(item.origin or path, item, known[image.sop_instance_uid])
    return frozenset(cited)


def _check_citation(path: str, item: Reference, found: Evidence | None) -> None:
    if found is None:
        raise EvidenceError(
            f"ReferencedSOPInstanceUID (0008,1155) {item.sop_instance_uid} is cited but not in the "
            "evidence",
            where=path,
            hint="add the folder that holds this instance to the evidence",
        )
    if found.sop_class_uid != item.sop_class_uid or found.kind != item.kind:
        raise EvidenceError(
            f"ReferencedSOPClassUID (0008,1150) of the citation of {found} is not that of the "
            "instance",
            where=path,
        )
    if any(not 1 <= frame <= found.number_of_frames for frame in item.frames):
        raise EvidenceError(
            f"ReferencedFrameNumber (0008,1160) cites a frame that {found} does not have: it has "
            f"{found.number_of_frames}",
            where=path,
        )
    if any(not 1 <= segment <= found.number_of_segments for segment in item.segments):
        raise EvidenceError(
            f"ReferencedSegmentNumber (0062,000B) cites a segment that {found} does not have: it "
            f"has {found.number_of_segments}",
            where=path,
        )
    if item.frames and item.segments:
        raise EvidenceError(
            "ReferencedFrameNumber (0008,1160) and ReferencedSegmentNumber (0062,000B) exclude one "
            f"another in the citation of {found}",
            where=path,
        )
    waveform = item.value_type is ValueType.WAVEFORM
    if any(not waveform or group < 1 or channel < 0 for group, channel in item.channels):
        raise EvidenceError(
            f"ReferencedWaveformChannels (0040,A0B0) of the citation of {found} are not pairs of "
            "multiplex group and channel of a waveform",
            where=path,
        )


def _selected_from(
    region: SpatialCoordinates, anchored: Mapping[str, Anchored]
) -> Iterator[Reference]:
    for child in region.children:
        if child.relationship is not Relationship.SELECTED_FROM:
            continue
        item = anchored[child.target].item if isinstance(child, ByReference) else child
        if isinstance(item, Reference):
            yield item


def _check_pixels(path: str, region: SpatialCoordinates, image: Evidence) -> None:
    """Refuse a region outside of its picture, or one that does not say which picture it means."""
    tiled = all(image.total_size)
    if tiled and region.pixel_origin is None:
        raise EvidenceError(
            f"{path}: a region of {image}, which is tiled, needs PixelOriginInterpretation "
            "(0048,0301)",
            where=path,
        )
    whole = region.pixel_origin is PixelOrigin.VOLUME
    if whole and not tiled:
        raise EvidenceError(
            f"{path}: {image} has no Total Pixel Matrix that PixelOriginInterpretation (0048,0301) "
            "could mean",
            where=path,
        )
    columns, rows = image.total_size if whole else image.size
    if any(not (0 <= x <= columns and 0 <= y <= rows) for x, y in region.points):
        raise EvidenceError(
            f"{path}: GraphicData (0070,0022) leaves the picture of {image}, which is "
            f"{columns} by {rows}",
            where=path,
        )
