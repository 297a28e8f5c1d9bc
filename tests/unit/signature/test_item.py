"""Signature and MAC Parameters items: what is written is read back; one fault, one rule."""

from __future__ import annotations

import pytest

from sr.codes import Code, SignaturePurpose
from sr.dicomfile import BytesSource, DataSet, read
from sr.dicomfile.writer import sequence
from sr.signature.item import (
    MACParameters,
    encode_mac_parameters,
    encode_signature_head,
    encode_signature_tail,
    read_mac_parameters,
    read_signature_item,
)
from sr.signature.purpose import known_purpose
from tests.support.dicom_bytes import EXPLICIT, part10
from tests.unit.signature.crafted import (
    MAC_PARAMETERS,
    SIGNATURE,
    at,
    changed,
    failures,
    signed,
    tags,
)


def _item(content: bytes) -> DataSet:
    file = read(BytesSource(part10(sequence(0xFFFAFFFA, (content,)))))
    return file.dataset.items(0xFFFAFFFA)[0]


@pytest.mark.parametrize("purpose", SignaturePurpose)
def test_signature_item_round_trip(purpose):
    """What is written for any purpose is read back without a finding."""
    content = encode_signature_head(
        mac_id_number=258, digital_signature_uid="2.25.17", signed_at="20261120090000+0000"
    ) + encode_signature_tail(certificate=b"odd", signature=b"even", purpose=purpose)
    item, found = read_signature_item(_item(content), "here")
    assert found == ()
    assert item.mac_id_number == 258
    assert item.digital_signature_uid == "2.25.17"
    assert item.signed_at == "20261120090000+0000"
    assert item.certificate_type == "X509_1993_SIG"
    assert (item.certificate, item.signature) == (b"odd\0", b"even")
    assert (item.timestamp_type, item.timestamp) == ("", None)
    assert item.purpose == purpose.code
    assert known_purpose(item.purpose) is purpose


def test_signature_without_purpose():
    """A signature item may have no purpose."""
    content = encode_signature_head(
        mac_id_number=0, digital_signature_uid="2.25.1", signed_at="20261120090000+0000"
    ) + encode_signature_tail(certificate=b"c", signature=b"s", purpose=None)
    item, found = read_signature_item(_item(content), "here")
    assert item.purpose is None
    assert found == ()


def test_mac_parameters_round_trip():
    """MAC parameters are read back as written."""
    parameters = MACParameters(
        mac_id_number=65535,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        algorithm="SHA256",
        data_elements_signed=(0x00080018, 0x7FE00010),
    )
    assert read_mac_parameters(_item(encode_mac_parameters(parameters)), "here") == (parameters, ())


def test_written_bytes():
    """The items stand byte for byte as PS3.3 C.12.1.1.3 and PS3.5 7.1 want them."""
    e = EXPLICIT
    assert encode_mac_parameters(
        MACParameters(
            mac_id_number=1,
            transfer_syntax_uid="1.2",
            algorithm="SHA1",
            data_elements_signed=(0x00100010,),
        )
    ) == (
        e.element(0x04000005, "US", b"\1\0")
        + e.element(0x04000010, "UI", b"1.2\0")
        + e.element(0x04000015, "CS", b"SHA1")
        + e.element(0x04000020, "AT", b"\x10\0\x10\0")
    )
    code = e.item(
        e.element(0x00080100, "SH", b"5 "),
        e.element(0x00080102, "SH", b"ASTM-sigpurpose "),
        e.element(0x00080104, "LO", b"Verification Signature"),
    )
    assert encode_signature_tail(
        certificate=b"abc", signature=b"de", purpose=SignaturePurpose.VERIFICATION
    ) == (
        e.element(0x04000115, "OB", b"abc\0")
        + e.element(0x04000120, "OB", b"de")
        + e.sequence(0x04000401, code)
    )


def test_sound_items():
    """The crafted items the faults start from break no rule."""
    assert failures(signed()) == set()


PURPOSE = SIGNATURE[-1]
CODE = PURPOSE[2][0]  # type: ignore[index]


def _coded(*items: object) -> tuple[int, str, list[object]]:
    return (0x04000401, "SQ", list(items))


SIGNATURE_FAULTS = {
    # wrapping: anything else in the item would be hashed behind the data set
    "foreign element": ((0x00100010, "PN", b"A^B "), (), "SIGITEM_EXTRA"),
    "foreign sequence": ((0x0040A730, "SQ", [[]]), (), "SIGITEM_EXTRA"),
    "private element": ((0x04010010, "LO", b"ACME"), (), "SIGITEM_EXTRA"),
    "MAC attribute in a signature item": ((0x04000015, "CS", b"SHA256"), (), "SIGITEM_EXTRA"),
    "foreign element in the purpose": (
        _coded((*CODE, (0x0040A730, "SQ", [[]]))), (), "SIGITEM_EXTRA",
    ),
    "two purposes": (_coded(CODE, CODE), (), "SIGITEM_FORMAT"),
    "no purpose in the sequence": (_coded(), (), "SIGITEM_FORMAT"),
    "purpose is no sequence": ((0x04000401, "OB", b"ab"), (), "SIGITEM_FORMAT"),
    "MAC ID of another kind": ((0x04000005, "UL", b"\0\0\0\0"), (), "SIGITEM_FORMAT"),
    "two MAC IDs": ((0x04000005, "US", b"\0\0\1\0"), (), "SIGITEM_FORMAT"),
    "two UIDs": ((0x04000100, "UI", b"1.2\\3.4\0"), (), "SIGITEM_FORMAT"),
    "two times": ((0x04000105, "DT", b"2026\\2027 "), (), "SIGITEM_FORMAT"),
    "two certificate types": ((0x04000110, "CS", b"A\\B "), (), "SIGITEM_FORMAT"),
    "certificate is text": ((0x04000115, "UT", b"abcd"), (), "SIGITEM_FORMAT"),
    "certificate is a sequence": ((0x04000115, "SQ", [[]]), (), "SIGITEM_FORMAT"),
    "signature is OW": ((0x04000120, "OW", b"abcd"), (), "SIGITEM_FORMAT"),
    "empty UID": ((0x04000100, "UI", b""), (), "SIGITEM_INCOMPLETE"),
    "empty signature": ((0x04000120, "OB", b""), (), "SIGITEM_INCOMPLETE"),
    "no UID": (None, (0x04000100,), "SIGITEM_INCOMPLETE"),
    "no time": (None, (0x04000105,), "SIGITEM_INCOMPLETE"),
    "no certificate type": (None, (0x04000110,), "SIGITEM_INCOMPLETE"),
    "no certificate": (None, (0x04000115,), "SIGITEM_INCOMPLETE"),
    "no signature": (None, (0x04000120,), "SIGITEM_INCOMPLETE"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNATURE_FAULTS)
def test_faults_of_a_signature_item(name):
    """Each fault of a signature item breaks its rule and no other."""
    node, without, rule = SIGNATURE_FAULTS[name]
    item = changed(SIGNATURE, *([node] if node else []), without=without)
    assert failures(signed(signatures=(item,))) == {rule}


@pytest.mark.parametrize(
    "stamp",
    [
        [(0x04000305, "CS", b"CMS_TSP "), (0x04000310, "OB", b"token ")],
        [(0x04000305, "CS", b"CMS_TSP ")],
        [(0x04000310, "OB", b"token ")],
    ],
)
def test_a_time_stamp_is_no_matter_of_structure(stamp):
    """Token and type, or one without the other, leave the signature itself sound."""
    assert failures(signed(signatures=(changed(SIGNATURE, *stamp),))) == set()


def test_group_lengths_are_no_foreign_elements():
    """Retired group lengths, which some systems add to every item, are not hashed and harmless."""
    count = (0x04000000, "UL", bytes(4))
    code = _coded(((0x00080000, "UL", bytes(4)), *CODE))
    nodes = signed(
        parameters=(changed(MAC_PARAMETERS, count),), signatures=(changed(SIGNATURE, count, code),)
    )
    assert failures(nodes) == set()


@pytest.mark.parametrize("node", [(0x04000000, "LT", b"text"), (0x04000000, "UL", bytes(8))])
def test_content_as_group_length_is_foreign(node):
    """What only has the tag of a group length is foreign as anything else."""
    assert failures(signed(signatures=(changed(SIGNATURE, node),))) == {"SIGITEM_EXTRA"}


MAC_FAULTS = {
    "foreign element": ((0x00100010, "PN", b"A^B "), (), {"SIGITEM_EXTRA"}),
    "signature attribute": ((0x04000120, "OB", b"ab"), (), {"SIGITEM_EXTRA"}),
    "no transfer syntax": (None, (0x04000010,), {"SIGITEM_INCOMPLETE", "MAC_TS"}),
    "no algorithm": (None, (0x04000015,), {"SIGITEM_INCOMPLETE"}),
    "two algorithms": ((0x04000015, "CS", b"SHA256\\MD5"), (), {"SIGITEM_FORMAT"}),
    "two transfer syntaxes": (
        (0x04000010, "UI", b"1.2\\3.4\0"), (), {"SIGITEM_FORMAT", "MAC_TS"},
    ),
    "no list": (None, (0x04000020,), {"DES_EMPTY"}),
    "empty list": ((0x04000020, "AT", b""), (), {"DES_EMPTY"}),
    "half a tag": ((0x04000020, "AT", tags(0x00100010) + b"\x10\0"), (), {"DES_VR"}),
    "list of numbers": ((0x04000020, "UL", tags(0x00100010)), (), {"SIGITEM_FORMAT"}),
    "list is a sequence": (
        (0x04000020, "SQ", [[]]), (), {"SIGITEM_FORMAT"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MAC_FAULTS)
def test_faults_of_mac_parameters(name):
    """Each fault of a MAC Parameters item breaks its rule."""
    node, without, rules = MAC_FAULTS[name]
    item = changed(MAC_PARAMETERS, *([node] if node else []), without=without)
    assert failures(signed(parameters=(item,))) >= rules


def test_a_fault_is_blamed_on_its_item():
    """With several signatures the finding names the one that is broken."""
    second = changed(
        SIGNATURE,
        (0x04000005, "US", b"\1\0"),
        (0x04000100, "UI", b"1.2.3.5\0"),
        without=(0x04000120,),
    )
    parameters = (MAC_PARAMETERS, changed(MAC_PARAMETERS, (0x04000005, "US", b"\1\0")))
    nodes = signed(parameters=parameters, signatures=(SIGNATURE, second))
    assert at(nodes, "SIGITEM_INCOMPLETE") == ["(FFFA,FFFA)[1].(0400,0120)"]


@pytest.mark.parametrize(
    ("code", "purpose"),
    [
        (Code("1", "ASTM-sigpurpose", "Author Signature"), SignaturePurpose.AUTHOR),
        (Code("5", "ASTM-sigpurpose", ""), SignaturePurpose.VERIFICATION),
        (Code("5", "DCM", "Verification Signature"), None),
        (Code("05", "ASTM-sigpurpose", "Verification Signature"), None),
        (Code("19", "ASTM-sigpurpose", "?"), None),
        (Code("", "ASTM-sigpurpose", "Author's Signature"), None),
        (None, None),
    ],
)
def test_value_and_scheme_decide_the_purpose(code, purpose):
    """The meaning of a purpose code decides nothing."""
    assert known_purpose(code) is purpose
