"""Ways to interfere with a signed document, for the demonstration.

Each changes bytes the way an attacker or an accident would, and says which exit code the check
must answer with. They work on documents of the demonstration, not on arbitrary files.

Cites: PS3.17 Annex W (what a reader must be able to tell).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sr.dicomfile import BytesSource, DICOMFile, Element, read
from sr.dicomfile.splice import SetElement, assemble, splice
from sr.errors import DocumentError

__all__ = ["INTERFERENCES", "Interference"]

_PATIENT_NAME = 0x00100010
_CONTENT_SEQUENCE = 0x0040A730
_TEXT_VALUE = 0x0040A160
_MAC_PARAMETERS, _SIGNATURES = 0x4FFE0001, 0xFFFAFFFA
_LAST_ITEM_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """One way to interfere, and what must come of it."""

    title: str
    apply: Callable[[bytes], bytes]
    expected: int
    """Exit code of the check."""


def _change_word(data: bytes) -> bytes:
    file = read(BytesSource(data))
    text = _first_text(file)
    return _flip(data, text.value)


def _swap_patient(data: bytes) -> bytes:
    file = read(BytesSource(data))
    name = file.dataset.get(_PATIENT_NAME)
    if name is None or name.end == name.value:
        raise DocumentError("PatientName (0010,0010) is empty", where="(0010,0010)")
    return _flip(data, name.value)


def _strip_signatures(data: bytes) -> bytes:
    file = read(BytesSource(data))
    edits = [SetElement(tag=tag, encoded=None) for tag in (_MAC_PARAMETERS, _SIGNATURES)]
    return assemble(splice(file, edits))


def _strip_approval(data: bytes) -> bytes:
    """Remove the last signature, the supervisor's, and leave VERIFIED standing."""
    file = read(BytesSource(data))
    signatures = file.dataset.get(_SIGNATURES)
    if signatures is None or not signatures.items:
        raise DocumentError("DigitalSignaturesSequence (FFFA,FFFA) is absent", where="(FFFA,FFFA)")
    last = signatures.items[-1]
    shorter = data[signatures.start : last.start - 8]
    length = len(shorter) - (signatures.value - signatures.start)
    header = shorter[:8] + length.to_bytes(_LAST_ITEM_LENGTH_BYTES, "little") + shorter[12:]
    edit = SetElement(tag=_SIGNATURES, encoded=header)
    return assemble(splice(file, [edit]))


def _duplicate_content(data: bytes) -> bytes:
    content = read(BytesSource(data)).dataset.get(_CONTENT_SEQUENCE)
    if content is None:
        raise DocumentError("ContentSequence (0040,A730) is absent", where="(0040,A730)")
    return data[: content.start] + data[content.start : content.end] + data[content.start :]


INTERFERENCES = (
    Interference(title="one letter of a finding changed", apply=_change_word, expected=10),
    Interference(title="patient's name changed", apply=_swap_patient, expected=10),
    Interference(title="a second content put beside the first", apply=_duplicate_content,
                 expected=10),
    Interference(title="supervisor's signature removed, VERIFIED kept", apply=_strip_approval,
                 expected=10),
    Interference(title="all signatures removed", apply=_strip_signatures, expected=12),
)  # fmt: skip
"""Interferences with an approved report."""


def _flip(data: bytes, offset: int) -> bytes:
    changed = bytearray(data)
    changed[offset] ^= 0x01
    return bytes(changed)


def _first_text(file: DICOMFile) -> Element:
    pending = list(file.dataset.items(_CONTENT_SEQUENCE))
    while pending:
        item = pending.pop(0)
        text = item.get(_TEXT_VALUE)
        if text is not None and text.end > text.value:
            return text
        pending = [*item.items(_CONTENT_SEQUENCE), *pending]
    raise DocumentError("the document has no TextValue (0040,A160)", where="(0040,A160)")
