"""Signature items, their profiles, and the two steps that make one: prepare, then complete."""

from sr.signature.prepare import PreparedSignature, SigningRequest, complete, prepare
from sr.signature.structure import LocatedSignature, examine

__all__ = [
    "LocatedSignature",
    "PreparedSignature",
    "SigningRequest",
    "complete",
    "examine",
    "prepare",
]
