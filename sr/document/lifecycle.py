"""What approving a report changes in it, as element edits; nothing else is touched or re-encoded.

::

    PARTIAL ──author──▶ COMPLETE, UNVERIFIED ──approve──▶ VERIFIED ──amend──▶ a new document

An approved report keeps every byte its author signed. Approval therefore never goes through a
library that decodes and encodes: it yields a handful of complete elements, and the splice writer
puts them in place. All of them are among those an author's signature leaves out. Changing content
is no approval: it makes a new document with a predecessor and without signatures.

Cites: PS3.3 C.17.2; PS3.4 O.3; PS3.15 C.4.
"""

from __future__ import annotations

from sr.codes import Code
from sr.dicomfile import DataSet
from sr.dicomfile.splice import SetElement, SetMeta
from sr.dicomfile.writer import element, padded, sequence, tags
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver, check_approvable
from sr.document.identity import format_date, format_offset, format_time, zone_of
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.document.values import checked
from sr.errors import LifecycleError
from sr.mac import ReferencedSOPInstanceMAC

__all__ = ["ElementEdit", "approve_edits"]

_META_SOP_INSTANCE_UID = 0x00020003

ElementEdit = SetElement | SetMeta
"""One element of the data set or the file meta information, put in place of what stands there."""


def approve_edits(dataset: DataSet, approval: Approval) -> tuple[ElementEdit, ...]:
    """Return what an approval changes, in tag order, ready for `sr.dicomfile.splice.splice`.

    Args:
        dataset: The report as it stands, explicit VR little endian.
        approval: Who approves it, when and in which mode.

    Raises:
        LifecycleError: The report cannot be approved so, or a name cannot be written in its
            character set.

    Cites: PS3.3 C.17.2; PS3.4 O.3; PS3.15 C.4.
    """
    check_approvable(dataset, approval)
    encoding = dataset.encoding
    if not (encoding.explicit and encoding.little):
        raise LifecycleError("only explicit VR little endian documents can be approved")
    edits = _verified(dataset, approval)
    if approval.mode is not ApprovalMode.IN_PLACE:
        edits |= _reissued(dataset, approval)
    if approval.predecessor is not None:
        edits[0x0040A360] = _predecessor(dataset, approval.predecessor)
    return tuple(_edit(tag, edits[tag]) for tag in sorted(edits))


def _edit(tag: int, encoded: bytes) -> ElementEdit:
    kind = SetMeta if tag >> 16 == 0x0002 else SetElement
    return kind(tag=tag, encoded=encoded)


def _verified(dataset: DataSet, approval: Approval) -> dict[int, bytes]:
    edits = {
        0x0040A493: _ascii(0x0040A493, "CS", "VERIFIED"),
        0x0040A073: sequence(0x0040A073, [_observer(dataset, approval)]),
    }
    if approval.final and dataset.text(0x0040A496) == "PRELIMINARY":
        edits[0x0040A496] = _ascii(0x0040A496, "CS", "FINAL")
    return edits


def _observer(dataset: DataSet, approval: Approval) -> bytes:
    """Return the content of the one item of Verifying Observer Sequence."""
    observer: VerifyingObserver = approval.observer
    when = approval.approved_at
    charset = dataset.charset
    identification = [_code(observer.identification, charset)] if observer.identification else []
    organization = _text(
        0x0040A027, "LO", observer.organization, "VerifyingOrganization (0040,A027)", charset
    )
    moment = f"{when:%Y%m%d%H%M%S}{format_offset(when)}"
    name = _text(0x0040A075, "PN", observer.name, "VerifyingObserverName (0040,A075)", charset)
    return b"".join(
        (
            organization,
            _ascii(0x0040A030, "DT", moment),
            name,
            sequence(0x0040A088, identification),
        )
    )


def _code(code: Code, charset: str) -> bytes:
    return b"".join(
        (
            _text(0x00080100, "SH", code.value, "CodeValue (0008,0100)", charset),
            _text(0x00080102, "SH", code.scheme, "CodingSchemeDesignator (0008,0102)", charset),
            _text(0x00080104, "LO", code.meaning, "CodeMeaning (0008,0104)", charset),
        )
    )


def _reissued(dataset: DataSet, approval: Approval) -> dict[int, bytes]:
    offset = dataset.text(0x00080201)
    when = approval.approved_at.astimezone(zone_of(offset)) if offset else approval.approved_at
    uid = approval.sop_instance_uid
    return {
        _META_SOP_INSTANCE_UID: _ascii(_META_SOP_INSTANCE_UID, "UI", uid),
        0x00080012: _ascii(0x00080012, "DA", format_date(when)),
        0x00080013: _ascii(0x00080013, "TM", format_time(when)),
        0x00080018: _ascii(0x00080018, "UI", uid),
    }


def _predecessor(dataset: DataSet, reference: SecureReference) -> bytes:
    """Return Predecessor Documents Sequence with the document as it stands as only item."""
    uids = {tag: dataset.text(tag) for tag in (0x00080016, 0x00080018, 0x0020000D, 0x0020000E)}
    instance = _ascii(0x00081150, "UI", uids[0x00080016])
    instance += _ascii(0x00081155, "UI", uids[0x00080018])
    if reference.signatures:
        instance += sequence(0x04000402, (_signature(s) for s in reference.signatures))
    if reference.mac is not None:
        instance += sequence(0x04000403, [_mac(reference.mac)])
    series = sequence(0x00081199, [instance]) + _ascii(0x0020000E, "UI", uids[0x0020000E])
    study = sequence(0x00081115, [series]) + _ascii(0x0020000D, "UI", uids[0x0020000D])
    return sequence(0x0040A360, [study])


def _signature(signature: ReferencedDigitalSignature) -> bytes:
    uid = _ascii(0x04000100, "UI", signature.digital_signature_uid)
    return uid + element(0x04000120, "OB", padded("OB", signature.signature))


def _mac(mac: ReferencedSOPInstanceMAC) -> bytes:
    return b"".join(
        (
            _ascii(0x04000010, "UI", mac.transfer_syntax_uid),
            _ascii(0x04000015, "CS", mac.algorithm),
            tags(0x04000020, mac.data_elements_signed),
            element(0x04000404, "OB", padded("OB", mac.mac)),
        )
    )


def _ascii(tag: int, vr: str, value: str) -> bytes:
    return element(tag, vr, padded(vr, value.encode("ascii")))


def _text(tag: int, vr: str, value: str, what: str, charset: str) -> bytes:
    value = checked(vr, value, what, error=LifecycleError)
    if charset != "ISO_IR 192" and not value.isascii():
        raise LifecycleError(
            f"{what} has characters that need SpecificCharacterSet (0008,0005) ISO_IR 192, and the "
            f"document has {charset or 'none'}",
            where=what,
            hint="write the name in plain ASCII letters",
        )
    return element(tag, vr, padded(vr, value.encode()))
