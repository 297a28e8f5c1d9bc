"""The MAC of a referenced instance, as a secure reference carries it.

Cites: PS3.3 Table C.17-3a (Referenced SOP Instance MAC Sequence (0400,0403)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sr.dicomfile.dataset import DICOMFile
from sr.errors import EncodingError
from sr.mac.algorithm import MACAlgorithm
from sr.mac.selection import signable_elements
from sr.mac.stream import digest_segments, element_segments

__all__ = ["ReferencedSOPInstanceMAC", "compute_mac", "one_list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencedSOPInstanceMAC:
    """Digest of an instance and the list of what it covers.

    Cites: PS3.3 Table C.17-3a.
    """

    transfer_syntax_uid: str
    """MAC Calculation Transfer Syntax UID (0400,0010)."""
    algorithm: MACAlgorithm
    data_elements_signed: tuple[int, ...]
    """Top-level tags of the referenced instance, ascending."""
    mac: bytes
    """The digest, not encrypted."""


def compute_mac(
    file: DICOMFile,
    *,
    algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    private: bool = False,
    tags: tuple[int, ...] | None = None,
) -> ReferencedSOPInstanceMAC:
    """Return the MAC of an instance, over every signable element unless told otherwise.

    Args:
        file: The instance.
        algorithm: Digest; SHA-256 unless a site wants more.
        private: Whether to cover private elements.
        tags: What to cover instead, ascending.

    Raises:
        EncodingError: Nothing in the instance can be covered, or a value cannot be encoded.
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.

    Cites: PS3.3 C.17.2.1; PS3.15 A.4.
    """
    covered = signable_elements(file.dataset, private=private)
    if tags is not None:
        wanted = frozenset(tags)
        covered = [element for element in covered if element.tag in wanted]
    if not covered:
        raise EncodingError(
            "no data element of this instance can be covered by a MAC", rule="NOTHING_SIGNABLE"
        )
    return ReferencedSOPInstanceMAC(
        transfer_syntax_uid=file.transfer_syntax.mac_uid,
        algorithm=algorithm,
        data_elements_signed=one_list(tuple(element.tag for element in covered)),
        mac=digest_segments(element_segments(file.dataset, covered), algorithm),
    )


@lru_cache(maxsize=256)
def one_list(tags: tuple[int, ...]) -> tuple[int, ...]:
    """Return an equal list of tags, the same object each time: series have thousands.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return tags
