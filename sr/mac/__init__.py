"""Elements to MAC bytes to digest: the one answer to "which bytes were signed?"."""

from sr.mac.algorithm import MACAlgorithm
from sr.mac.reference import ReferencedSOPInstanceMAC, compute_mac
from sr.mac.selection import is_signable, signable_tags
from sr.mac.stream import MACChunk, Padding, digest_chunks, mac_stream

__all__ = [
    "MACAlgorithm",
    "MACChunk",
    "Padding",
    "ReferencedSOPInstanceMAC",
    "compute_mac",
    "digest_chunks",
    "is_signable",
    "mac_stream",
    "signable_tags",
]
