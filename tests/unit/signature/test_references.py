"""References of a document and the proof they carry."""

from __future__ import annotations

import pytest

from sr.signature.references import DocumentReference, document_references
from tests.support.dicom_bytes import Node
from tests.unit.signature.crafted import opened, tags

MAC: tuple[Node, ...] = (
    (0x04000010, "UI", b"1.2.840.10008.1.2.1\0"),
    (0x04000015, "CS", b"SHA256"),
    (0x04000020, "AT", tags(0x00080018, 0x7FE00010)),
    (0x04000404, "OB", bytes(32)),
)
SIGNATURE: tuple[Node, ...] = ((0x04000100, "UI", b"1.2.3\0"), (0x04000120, "OB", b"ab"))


def _references(sequence: int, *extra: Node) -> tuple[DocumentReference, ...]:
    item = [(0x00081150, "UI", b"1.2\0"), (0x00081155, "UI", b"1.4\0"), *extra]
    series = [(0x00081199, "SQ", [item]), (0x0020000E, "UI", b"1.6\0")]
    study = [(0x00081115, "SQ", [series]), (0x0020000D, "UI", b"1.8\0")]
    return document_references(opened([(sequence, "SQ", [[], study])]).dataset)


@pytest.mark.parametrize(
    ("sequence", "evidence"),
    [(0x0040A375, True), (0x0040A385, True), (0x0040A360, False), (0x0040A525, False)],
)
def test_references_of_every_sequence(sequence, evidence):
    """Four sequences hold references; proof is asked for those of the evidence."""
    (found,) = _references(sequence)
    assert found.is_evidence is evidence
    assert not found.is_secured
    assert found.where.endswith("[1].(0008,1115)[0].(0008,1199)[0]")
    assert (found.study_instance_uid, found.series_instance_uid) == ("1.8", "1.6")
    assert (found.sop_class_uid, found.sop_instance_uid) == ("1.2", "1.4")


def test_mac_and_signature_are_read():
    """Both kinds of proof are read beside each other."""
    (found,) = _references(0x0040A375, (0x04000402, "SQ", [SIGNATURE]), (0x04000403, "SQ", [MAC]))
    assert found.macs[0].data_elements_signed == (0x00080018, 0x7FE00010)
    assert found.signatures[0].digital_signature_uid == "1.2.3"
    assert found.is_secured


@pytest.mark.parametrize(
    "fault",
    [
        (0x04000015, "CS", b"SHA257"),
        (0x04000015, "CS", b"SHA512"),
        (0x04000015, "CS", b""),
        (0x04000020, "AT", b""),
        (0x04000020, "AT", tags(0x7FE00010, 0x00080018)),
        (0x04000020, "AT", tags(0x00080018, 0x00080018)),
        (0x04000404, "OB", b""),
        (0x04000404, "OB", bytes(20)),
    ],
)
def test_macs_that_prove_nothing(fault):
    """A MAC of an unknown algorithm, a wrong length or an unordered list secures nothing."""
    mac = [node if node[0] != fault[0] else fault for node in MAC]
    (found,) = _references(0x0040A375, (0x04000403, "SQ", [mac]))
    assert not found.is_secured


def test_an_empty_signature_proves_nothing():
    """A copied signature without value secures nothing."""
    copied = [(0x04000100, "UI", b"1.2.3\0"), (0x04000120, "OB", b"")]
    (found,) = _references(0x0040A375, (0x04000402, "SQ", [copied]))
    assert not found.is_secured
