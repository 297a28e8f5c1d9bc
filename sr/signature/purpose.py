"""The coded purpose of a signature, read and written.

Cites: PS3.3 C.12.1.1.3 (0400,0401); PS3.16 CID 7007.
"""

from __future__ import annotations

import re

from sr.codes import Code, SignaturePurpose
from sr.dicomfile.dataset import DataSet
from sr.dicomfile.writer import EXPLICIT_LITTLE_ENCODING, sequence, text

__all__ = ["PURPOSE_SCHEME", "encode_purpose", "known_purpose", "purpose_meant", "read_code"]

PURPOSE_SCHEME = "ASTM-sigpurpose"
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_PURPOSE_SEQUENCE = 0x04000401


def read_code(item: DataSet) -> Code:
    """Return the coded concept in a code sequence item.

    Cites: PS3.3 8.8.
    """
    return Code(item.text(_CODE_VALUE), item.text(_SCHEME), item.text(_MEANING))


def known_purpose(code: Code | None) -> SignaturePurpose | None:
    """Return the purpose a code stands for: value and scheme decide, the meaning never does.

    Cites: PS3.16 CID 7007.
    """
    if code is None or code.scheme != PURPOSE_SCHEME:
        return None
    try:
        return SignaturePurpose(code.value)
    except ValueError:
        return None


def purpose_meant(code: Code) -> SignaturePurpose | None:
    """Return the purpose that a code's meaning names to a reader, however it is spelt.

    "Author Signature" and "Author's Signature" are both in use.

    Cites: PS3.16 CID 7007.
    """
    return _BY_MEANING.get(_essence(code.meaning))


def _essence(meaning: str) -> str:
    words = re.sub("['\u2019]s\\b", "", meaning.casefold()).replace("signature", "")
    return "".join(c for c in words if c.isalnum())


_BY_MEANING = {_essence(purpose.code.meaning): purpose for purpose in SignaturePurpose}


def encode_purpose(purpose: SignaturePurpose) -> bytes:
    """Return the Digital Signature Purpose Code Sequence (0400,0401), explicit VR little endian.

    Cites: PS3.3 C.12.1.1.3.
    """
    code = purpose.code
    content = (
        text(_CODE_VALUE, "SH", code.value)
        + text(_SCHEME, "SH", code.scheme)
        + text(_MEANING, "LO", code.meaning)
    )
    return sequence(_PURPOSE_SEQUENCE, (content,), EXPLICIT_LITTLE_ENCODING)
