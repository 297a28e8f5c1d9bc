"""Value representations: how each is laid out, padded and byte-swapped.

Cites: PS3.5 6.2, 7.1.2.
"""

from __future__ import annotations

from functools import cache

from sr.dicomfile.tags import dictionary_vr, single_tags

__all__ = ["KNOWN_VRS", "LONG_VRS", "PADDED_VRS", "SWAP_WIDTH", "implicit_vr"]

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""VRs with two reserved bytes and a 32-bit length in explicit encodings."""

PADDED_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI"}
    | {"UR", "UT"}
)
"""Character string VRs: padded with one space (UI: one NUL) to even length."""

SWAP_WIDTH = {
    "AT": 2, "FL": 4, "FD": 8, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2,
    "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
}  # fmt: skip
"""Bytes a number, for VRs whose values change with the byte order."""

KNOWN_VRS = LONG_VRS | PADDED_VRS | frozenset(SWAP_WIDTH)

_PIXEL_DATA = 0x7FE00010
_WAVEFORM_GROUP = 0x5400
_OVERLAY_GROUPS = 0x6000
_ALWAYS_UNSIGNED = frozenset(
    {0x00280104, 0x00280105, 0x00280110, 0x00280111, *range(0x00281100, 0x00281114)}
)
"""Palette descriptors, and retired extremes that other implementations read so."""


def implicit_vr(tag: int, *, signed_pixels: bool, wide_waveform: bool = False) -> str:
    """Return the VR that an element of an implicit VR data set is given.

    Where PS3.6 offers alternatives, the choice is the one other implementations make, so that MAC
    streams agree: numbers follow Pixel Representation (0028,0103), look-up tables, pixel data and
    overlays are OW, waveforms follow their bits, other bytes are OB.

    Args:
        tag: Data element tag.
        signed_pixels: Whether Pixel Representation, here or in what encloses this item, says
            two's complement.
        wide_waveform: Whether Waveform Bits Allocated (5400,1004) of this item is above 8.

    Cites: PS3.5 A.1, 6.2, 8.3.
    """
    vr = dictionary_vr(tag)
    if "|" not in vr:
        return vr
    if vr == "OB|OW":
        group = tag >> 16
        wide = wide_waveform if group == _WAVEFORM_GROUP else group & 0xFF00 == _OVERLAY_GROUPS
        return "OW" if wide or tag == _PIXEL_DATA else "OB"
    if "OW" in vr:
        return "OW"
    return "SS" if signed_pixels and tag not in _ALWAYS_UNSIGNED else "US"


@cache
def settled_vrs() -> dict[int, str]:
    """Return the VR of every tag for which PS3.6 leaves no choice.

    Cites: PS3.6 6.
    """
    return {tag: vr for tag, vr in single_tags() if "|" not in vr}
