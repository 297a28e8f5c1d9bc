"""The two items a signature consists of, read strictly and written canonically.

Reading collects findings instead of stopping, so that one malformed signature does not hide the
others. Both items may hold their own attributes only: every element of a signature item is hashed
after the data set, so a foreign one could carry a whole document that was moved out of sight.

Cites: PS3.3 C.12.1.1.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sr.codes import Code, SignaturePurpose
from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.tags import describe_tag, format_tag
from sr.dicomfile.writer import element, padded, tags, text
from sr.findings import Finding, Status, SubIndication
from sr.signature.purpose import encode_purpose, read_code

__all__ = [
    "MACParameters",
    "SignatureItem",
    "encode_mac_parameters",
    "encode_signature_head",
    "encode_signature_tail",
    "format_failure",
    "read_mac_parameters",
    "read_signature_item",
]

MAC_ID_NUMBER = 0x04000005
TRANSFER_SYNTAX = 0x04000010
MAC_ALGORITHM = 0x04000015
DATA_ELEMENTS_SIGNED = 0x04000020
SIGNATURE_UID = 0x04000100
SIGNATURE_DATETIME = 0x04000105
CERTIFICATE_TYPE = 0x04000110
CERTIFICATE = 0x04000115
SIGNATURE = 0x04000120
TIMESTAMP_TYPE = 0x04000305
TIMESTAMP = 0x04000310
CMS_TSP = "CMS_TSP"
"""The only defined term of Certified Timestamp Type (0400,0305)."""
PURPOSE = 0x04000401
X509_1993_SIG = "X509_1993_SIG"


class _Attribute(NamedTuple):
    vr: str
    required: bool
    single: bool = False
    """Whether a backslash, and so a second value, is an error."""


_MAC_ATTRIBUTES = {
    MAC_ID_NUMBER: _Attribute("US", True),
    TRANSFER_SYNTAX: _Attribute("UI", True, True),
    MAC_ALGORITHM: _Attribute("CS", True, True),
    DATA_ELEMENTS_SIGNED: _Attribute("AT", True),
}
_SIGNATURE_ATTRIBUTES = {
    MAC_ID_NUMBER: _Attribute("US", True),
    SIGNATURE_UID: _Attribute("UI", True, True),
    SIGNATURE_DATETIME: _Attribute("DT", True, True),
    CERTIFICATE_TYPE: _Attribute("CS", True, True),
    CERTIFICATE: _Attribute("OB", True),
    SIGNATURE: _Attribute("OB", True),
    TIMESTAMP_TYPE: _Attribute("CS", False, True),
    TIMESTAMP: _Attribute("OB", False),
    PURPOSE: _Attribute("SQ", False),
}
_PURPOSE_TAGS = frozenset(
    {0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080105, 0x00080106, 0x00080107}
    | {0x0008010F, 0x00080117, 0x00080118, 0x00080119, 0x00080120, 0x00080122}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MACParameters:
    """One item of MAC Parameters Sequence (4FFE,0001).

    Cites: PS3.3 C.12.1.1.3.
    """

    mac_id_number: int
    transfer_syntax_uid: str
    algorithm: str
    """MAC Algorithm (0400,0015) as stored; may be a term nobody defined."""
    data_elements_signed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureItem:
    """One item of Digital Signatures Sequence (FFFA,FFFA).

    Cites: PS3.3 C.12.1.1.3.
    """

    mac_id_number: int
    digital_signature_uid: str
    signed_at: str
    """Digital Signature DateTime (0400,0105) as stored."""
    certificate_type: str
    certificate: bytes
    """Certificate of Signer (0400,0115) as stored, pad byte included."""
    signature: bytes
    """Signature (0400,0120) as stored, pad byte included."""
    purpose: Code | None
    timestamp_type: str
    timestamp: bytes | None


def format_failure(rule: str, message: str, where: str, cites: str) -> Finding:
    """Return the finding of a broken structural rule; its severity is not negotiable.

    Cites: PS3.3 C.12.1.1.3.
    """
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=where,
        cites=cites,
        sub_indication=SubIndication.FORMAT_FAILURE,
    )


def read_mac_parameters(item: DataSet, where: str) -> tuple[MACParameters, tuple[Finding, ...]]:
    """Return a MAC Parameters item and what is wrong with it.

    Cites: PS3.3 C.12.1.1.3.
    """
    findings = tuple(_check(item, _MAC_ATTRIBUTES, where))
    number = item.numbers(MAC_ID_NUMBER)
    return (
        MACParameters(
            mac_id_number=number[0] if number else -1,
            transfer_syntax_uid=item.text(TRANSFER_SYNTAX),
            algorithm=item.text(MAC_ALGORITHM),
            data_elements_signed=item.numbers(DATA_ELEMENTS_SIGNED),
        ),
        findings,
    )


def read_signature_item(item: DataSet, where: str) -> tuple[SignatureItem, tuple[Finding, ...]]:
    """Return a Digital Signatures item and what is wrong with it.

    Cites: PS3.3 C.12.1.1.3.
    """
    findings = (
        *_check(item, _SIGNATURE_ATTRIBUTES, where),
        *_check_purpose(item, where),
    )
    number = item.numbers(MAC_ID_NUMBER)
    purposes = item.items(PURPOSE)
    return (
        SignatureItem(
            mac_id_number=number[0] if number else -1,
            digital_signature_uid=item.text(SIGNATURE_UID),
            signed_at=item.text(SIGNATURE_DATETIME),
            certificate_type=item.text(CERTIFICATE_TYPE),
            certificate=item.bytes(CERTIFICATE) or b"",
            signature=item.bytes(SIGNATURE) or b"",
            purpose=read_code(purposes[0]) if purposes else None,
            timestamp_type=item.text(TIMESTAMP_TYPE),
            timestamp=item.bytes(TIMESTAMP),
        ),
        findings,
    )


def _check(item: DataSet, attributes: dict[int, _Attribute], where: str) -> Iterator[Finding]:
    cites = "PS3.3 C.12.1.1.3"
    for e in item:
        known = attributes.get(e.tag)
        if known is None:
            if not _is_group_length(e):
                yield format_failure(
                    "SIGITEM_EXTRA", f"{describe_tag(e.tag)} does not belong here", where, cites
                )
            continue
        if e.vr != known.vr or (e.items is None) != (known.vr != "SQ") or e.fragments is not None:
            yield format_failure(
                "SIGITEM_FORMAT",
                f"{describe_tag(e.tag)} has value representation {e.vr}, expected {known.vr}",
                where, cites,
            )  # fmt: skip
        elif known.single and "\\" in item.text(e.tag):
            yield format_failure(
                "SIGITEM_FORMAT", f"{describe_tag(e.tag)} has more than one value", where, cites
            )
        elif known.vr == "US" and e.end - e.value != 2:
            yield format_failure(
                "SIGITEM_FORMAT", f"{describe_tag(e.tag)} is not a single number", where, cites
            )
        elif known.vr == "AT" and (e.end - e.value) % 4:
            yield format_failure(
                "DES_VR", f"{describe_tag(e.tag)} is not a list of tags", where, cites
            )
    for tag, known in attributes.items():
        if known.required and not _has_value(item, tag):
            rule = "DES_EMPTY" if tag == DATA_ELEMENTS_SIGNED else "SIGITEM_INCOMPLETE"
            yield format_failure(
                rule, f"{describe_tag(tag)} is absent or empty", f"{where}.{format_tag(tag)}", cites
            )


def _check_purpose(item: DataSet, where: str) -> Iterator[Finding]:
    purposes = item.items(PURPOSE)
    if PURPOSE in item and len(purposes) != 1:
        yield format_failure(
            "SIGITEM_FORMAT",
            f"{describe_tag(PURPOSE)} has {len(purposes)} items, expected one",
            where, "PS3.3 C.12.1.1.3",
        )  # fmt: skip
    for e in purposes[0] if purposes else ():
        if (e.tag not in _PURPOSE_TAGS and not _is_group_length(e)) or e.items is not None:
            yield format_failure(
                "SIGITEM_EXTRA",
                f"{describe_tag(e.tag)} does not belong in a purpose code",
                where, "PS3.3 8.8",
            )  # fmt: skip


def _is_group_length(element: Element) -> bool:
    """Whether it is a retired group length, which some systems add to every item."""
    return element.tag & 0xFFFF == 0 and element.vr == "UL" and element.end - element.value == 4


def _has_value(item: DataSet, tag: int) -> bool:
    e = item.get(tag)
    return e is not None and e.end > e.value


def encode_mac_parameters(parameters: MACParameters) -> bytes:
    """Return the content of a MAC Parameters item, explicit VR little endian.

    Cites: PS3.3 C.12.1.1.3.
    """
    return (
        element(MAC_ID_NUMBER, "US", parameters.mac_id_number.to_bytes(2, "little"))
        + text(TRANSFER_SYNTAX, "UI", parameters.transfer_syntax_uid)
        + text(MAC_ALGORITHM, "CS", parameters.algorithm)
        + tags(DATA_ELEMENTS_SIGNED, parameters.data_elements_signed)
    )


def encode_signature_head(
    *, mac_id_number: int, digital_signature_uid: str, signed_at: str
) -> bytes:
    """Return the elements of a signature item before the certificate; all of them are hashed.

    Cites: PS3.3 C.12.1.1.3.
    """
    return (
        element(MAC_ID_NUMBER, "US", mac_id_number.to_bytes(2, "little"))
        + text(SIGNATURE_UID, "UI", digital_signature_uid)
        + text(SIGNATURE_DATETIME, "DT", signed_at)
        + text(CERTIFICATE_TYPE, "CS", X509_1993_SIG)
    )


def encode_signature_tail(
    *,
    certificate: bytes,
    signature: bytes,
    purpose: SignaturePurpose | None,
    timestamp: bytes | None = None,
) -> bytes:
    """Return certificate, signature value, time-stamp token and purpose of a signature item.

    Cites: PS3.3 C.12.1.1.3.
    """
    stamped = b""
    if timestamp is not None:
        token = element(TIMESTAMP, "OB", padded("OB", timestamp))
        stamped = text(TIMESTAMP_TYPE, "CS", CMS_TSP) + token
    return (
        element(CERTIFICATE, "OB", padded("OB", certificate))
        + element(SIGNATURE, "OB", padded("OB", signature))
        + stamped
        + (encode_purpose(purpose) if purpose is not None else b"")
    )
