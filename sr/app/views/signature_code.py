"""The QR code of a rendition: which signature stands behind the paper, and over which bytes.

It holds the Digital Signature UID and 128 bits of a digest, and nothing about the patient. A code
on paper proves nothing by itself, for anyone can print one: it leads to the file, and there tells
whether the file is the one that was printed.

Payload, of characters that QR codes pack closely::

    SRSIGN:1:<Digital Signature UID (0400,0100)>:<32 hexadecimal digits, upper case>

The digits are the first half of the SHA-256 digest of the signature's MAC stream, whatever
algorithm the signature itself has: of what ``srsign mac dump --signature UID`` writes.

Cites: PS3.3 C.12.1.1.3.1.1; ISO/IEC 18004 7.3.4.
"""

from __future__ import annotations

from sr.dicomfile import DICOMFile
from sr.errors import EncodingError
from sr.mac import MACAlgorithm, mac_stream
from sr.mac.stream import digest_chunks
from sr.signature import examine
from sr.signature.structure import LocatedSignature

__all__ = ["code_payload", "code_svg"]

_FORMAT = "SRSIGN:1"
_DIGITS = 32


def code_payload(file: DICOMFile) -> str | None:
    """Return what the code of a document says, ``None`` where no signature speaks for it.

    Of several signatures it is the last at the top level, which is the latest that was made.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    top = [located for located in examine(file).signatures if not located.level.path]
    return _payload(top[-1]) if top else None


def _payload(located: LocatedSignature) -> str | None:
    uid, parameters = located.signature.digital_signature_uid, located.parameters
    if parameters is None or not uid or set(uid) - set("0123456789."):
        return None
    covers = parameters.data_elements_signed
    try:
        chunks = mac_stream(located.level.dataset, covers, signature_item=located.item)
        digest = digest_chunks(chunks, MACAlgorithm.SHA256)
    except EncodingError:  # the verdict says what the stream cannot hold
        return None
    return f"{_FORMAT}:{uid}:{digest.hex()[:_DIGITS].upper()}"


def code_svg(payload: str) -> str:
    """Return the code as an SVG element, black on white in every colour scheme.

    Cites: ISO/IEC 18004 5.3.
    """
    import segno  # noqa: PLC0415 - only a page needs it

    code = segno.make_qr(payload, error="m")
    return code.svg_inline(
        dark="#000000", light="#ffffff", border=4, omitsize=True, svgclass="qr", lineclass=None
    )
