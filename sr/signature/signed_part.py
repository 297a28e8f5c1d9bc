"""What of a signature item is hashed: everything but certificate, value and time-stamp.

Cites: PS3.3 C.12.1.1.3.1.1.
"""

from __future__ import annotations

from datetime import datetime

from sr.codes import SignaturePurpose
from sr.dicomfile.dataset import DataSet, Encoding
from sr.dicomfile.limits import Limits
from sr.dicomfile.scanner import Scanner
from sr.dicomfile.source import BytesSource
from sr.dicomfile.writer import EXPLICIT_LITTLE_ENCODING, transcode
from sr.signature.item import encode_signature_head, encode_signature_tail
from sr.signature.moment import format_moment

__all__ = ["head_of", "item_in", "signed_part"]


def head_of(*, mac_id_number: int, digital_signature_uid: str, signed_at: datetime) -> bytes:
    """Return the elements of a signature item before the certificate.

    Cites: PS3.3 C.12.1.1.3.
    """
    return encode_signature_head(
        mac_id_number=mac_id_number,
        digital_signature_uid=digital_signature_uid,
        signed_at=format_moment(signed_at),
    )


def signed_part(head: bytes, purpose: SignaturePurpose | None) -> DataSet:
    """Return a signature item that is complete as far as it is hashed.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    tail = encode_signature_tail(certificate=b"", signature=b"", purpose=purpose)
    return _scanned(head + tail)


def item_in(encoding: Encoding, content: bytes) -> bytes:
    """Return the content of an item that we wrote, in the encoding of a file.

    Cites: PS3.5 7.5.
    """
    if encoding == EXPLICIT_LITTLE_ENCODING:
        return content
    return transcode(_scanned(content), encoding)


def _scanned(content: bytes) -> DataSet:
    source = BytesSource(content)
    scanner = Scanner(source, limits=Limits(), size=source.size)
    return scanner.dataset(0, source.size, EXPLICIT_LITTLE_ENCODING)
