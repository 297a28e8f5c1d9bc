"""Structural rules of signatures: what would let a reader be shown one thing and hash another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sr.dicomfile import BytesSource, read
from sr.findings import Status, SubIndication
from sr.signature import examine
from tests.support.dicom_bytes import EXPLICIT, IMPLICIT, UNDEFINED, Node, deflated, part10, tree
from tests.unit.signature.crafted import (
    BODY,
    MAC_PARAMETERS,
    SIGNATURE,
    at,
    changed,
    failures,
    findings,
    opened,
    signed,
    tags,
)

SQ = 0x0040A730
OTHER_MAC = changed(MAC_PARAMETERS, (0x04000005, "US", b"\1\0"))
OTHER_SIGNATURE = changed(SIGNATURE, (0x04000005, "US", b"\1\0"), (0x04000100, "UI", b"1.2.3.5\0"))


def listing(*values: int, body: Sequence[Node] = BODY) -> tuple[Node, ...]:
    """Return a signed level whose list of signed elements is this one."""
    return signed(
        body=body, parameters=(changed(MAC_PARAMETERS, (0x04000020, "AT", tags(*values))),)
    )


def holding(*nodes: Node) -> tuple[Node, ...]:
    """Return a signed level whose signed content sequence holds these elements."""
    return signed(body=changed(BODY, (SQ, "SQ", [list(nodes)])))


def test_unsigned():
    """A data set without signatures has no structure to complain about."""
    structure = examine(opened(BODY))
    assert structure.signatures == structure.findings == ()
    assert structure.mac_id_numbers == frozenset()


def test_sound_signature_is_located():
    """A signature comes with its MAC parameters and its place."""
    (found,) = examine(opened(signed())).signatures
    assert found.parameters is not None
    assert found.parameters.data_elements_signed == (0x00080018, 0x00100010, SQ)
    assert (found.number, found.where, found.level.path) == (1, "(FFFA,FFFA)[0]", ())
    assert found.findings == ()


def test_several_signatures():
    """Each signature resolves its own MAC parameters, whatever their order."""
    nodes = signed(parameters=(OTHER_MAC, MAC_PARAMETERS), signatures=(SIGNATURE, OTHER_SIGNATURE))
    structure = examine(opened(nodes))
    assert [s.parameters.mac_id_number for s in structure.signatures if s.parameters] == [0, 1]
    assert [s.where for s in structure.signatures] == ["(FFFA,FFFA)[0]", "(FFFA,FFFA)[1]"]
    assert structure.mac_id_numbers == {0, 1}
    assert failures(nodes) == set()


def test_two_signatures_may_share_mac_parameters():
    """One MAC Parameters item may serve two signatures."""
    second = changed(SIGNATURE, (0x04000100, "UI", b"1.2.3.5\0"))
    assert failures(signed(signatures=(SIGNATURE, second))) == set()


LISTS = {
    "names a tag twice": ((0x00080018, 0x00100010, 0x00100010, SQ), {"DES_DUPLICATE"}),
    "twice, apart": ((0x00080018, 0x00100010, SQ, 0x00100010), {"DES_DUPLICATE"}),
    "not ascending": ((0x00100010, 0x00080018), {"DES_ORDER"}),
    "what is not there": ((0x00080018, 0x00100020), {"DES_ABSENT"}),
    "group length": ((0x00080000, 0x00080018), {"DES_FORBIDDEN"}),
    "length to end": ((0x00080001, 0x00080018), {"DES_FORBIDDEN"}),
    "file meta information": ((0x00020010, 0x00080018), {"DES_FORBIDDEN"}),
    "directory": ((0x00041130, 0x00080018), {"DES_FORBIDDEN"}),
    "MAC parameters": ((0x00080018, 0x4FFE0001), {"DES_FORBIDDEN"}),
    "signatures": ((0x00080018, 0xFFFAFFFA), {"DES_FORBIDDEN"}),
    "group FFFA": ((0x00080018, 0xFFFA0010), {"DES_FORBIDDEN"}),
    "trailing padding": ((0x00080018, 0xFFFCFFFC), {"DES_FORBIDDEN"}),
}


@pytest.mark.parametrize("name", LISTS)
def test_list_of_signed_elements(name):
    """Data Elements Signed ascends and names once what is there and can be covered."""
    values, rules = LISTS[name]
    assert failures(listing(*values)) == rules


def test_absent_element_is_data_not_found():
    """A listed element that is gone has the sub-indication for it, not that of a malformed item."""
    (finding,) = [f for f in findings(listing(0x00100020)) if f.rule == "DES_ABSENT"]
    assert finding.sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND
    assert finding.where == "(0010,0020)"


@pytest.mark.parametrize(
    "body",
    [
        changed(BODY, (0x00100010, "UN", b"A^B ")),
        changed(BODY, (SQ, "SQ", [[(0x00091001, "UN", b"ab")]])),
        changed(BODY, (SQ, "SQ", [[(SQ, "SQ", [[(0x00091001, "UN", b"ab")]])]])),
    ],
)
def test_unknown_vr_is_undecided(body):
    """A listed element that is, or holds, UN makes the signature undecidable, not broken."""
    found = [f for f in findings(signed(body=body)) if f.status is Status.FAIL]
    assert [(f.rule, f.sub_indication) for f in found] == [("VR_UN", SubIndication.VR_UNKNOWN)]


JPEG, RLE, EXPLICIT_UID = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1"
SYNTAXES = {
    "explicit, nothing encapsulated": ("explicit", EXPLICIT_UID, "no pixels", set()),
    "its own, encapsulated": ("jpeg", JPEG, "signed", set()),
    "its own, pixels not signed": ("jpeg", JPEG, "unsigned", set()),
    "explicit, pixels not signed": ("jpeg", EXPLICIT_UID, "unsigned", set()),
    "explicit for encapsulated": ("jpeg", EXPLICIT_UID, "signed", {"MAC_TS"}),
    "its own without pixels": ("jpeg", JPEG, "no pixels", {"MAC_TS"}),
    "another encapsulated": ("jpeg", RLE, "signed", {"MAC_TS"}),
    "implicit": ("explicit", "1.2.840.10008.1.2", "no pixels", {"MAC_TS"}),
    "big endian": ("explicit", "1.2.840.10008.1.2.2", "no pixels", {"MAC_TS"}),
    "encapsulated for what is not": ("explicit", JPEG, "signed", {"MAC_TS"}),
    "nonsense": ("explicit", "1.2.3", "no pixels", {"MAC_TS"}),
}


@pytest.mark.parametrize("name", SYNTAXES)
def test_mac_transfer_syntax(name):
    """The MAC transfer syntax is explicit little endian, or the object's own if encapsulated."""
    syntax, uid, pixels, rules = SYNTAXES[name]
    listed = (0x00080018, 0x7FE00010) if pixels == "signed" else (0x00080018,)
    parameters = changed(
        MAC_PARAMETERS,
        (0x04000010, "UI", uid.encode() + b"\0" * (len(uid) & 1)),
        (0x04000020, "AT", tags(*listed)),
    )
    data = tree(changed(BODY, (0x4FFE0001, "SQ", [parameters])), EXPLICIT)
    if pixels != "no pixels":
        data += EXPLICIT.encapsulated(0x7FE00010, b"", b"ab")
    data += tree([(0xFFFAFFFA, "SQ", [SIGNATURE])], EXPLICIT)
    structure = examine(read(BytesSource(part10(data, syntax))))
    broken = {f.rule for s in structure.signatures for f in s.findings if f.status is Status.FAIL}
    assert broken == rules


def test_deflated_mac_transfer_syntax_is_noticed():
    """Deflated as MAC transfer syntax is read as explicit little endian, with a notice."""
    parameters = changed(MAC_PARAMETERS, (0x04000010, "UI", b"1.2.840.10008.1.2.1.99"))
    nodes = signed(parameters=(parameters,))
    assert failures(nodes) == set()
    assert [f.status for f in findings(nodes) if f.rule == "MAC_TS"] == [Status.NOTICE]


MAC_IDS = {
    "resolves to nothing": (signed(parameters=(OTHER_MAC,)), 1),
    "no parameters at all": (signed(parameters=()), 1),
    "resolves to two": (signed(parameters=(MAC_PARAMETERS, MAC_PARAMETERS)), 2),
    "used twice by others": (
        signed(parameters=(MAC_PARAMETERS, OTHER_MAC, OTHER_MAC)), 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MAC_IDS)
def test_mac_id_numbers(name):
    """A MAC ID leads to exactly one item, and no two items of a level share one."""
    nodes, count = MAC_IDS[name]
    assert failures(nodes) == {"MACID"}
    assert len([f for f in findings(nodes) if f.rule == "MACID"]) == count


def test_parameters_are_not_taken_from_another_level():
    """A signature in an item does not resolve to the parameters of the top level."""
    inner = signed(body=[(0x0040A160, "UT", b"text")], parameters=())
    nodes = signed(body=changed(BODY, (SQ, "SQ", [inner])))
    assert failures(nodes) >= {"MACID"}


def test_mac_id_of_another_level_is_a_warning():
    """The same MAC ID at two levels is unambiguous, but not what the standard wants."""
    inner = signed(
        body=[(0x0040A160, "UT", b"text")],
        parameters=(changed(MAC_PARAMETERS, (0x04000020, "AT", tags(0x0040A160))),),
        signatures=(changed(SIGNATURE, (0x04000100, "UI", b"1.2.3.5\0")),),
    )
    nodes = signed(body=changed(BODY, (SQ, "SQ", [inner])))
    assert failures(nodes) == set()
    assert [f.status for f in findings(nodes) if f.rule == "MACID"] == [Status.WARN]


def test_signature_uid_is_unique():
    """Two signatures with one UID could be mistaken for each other."""
    second = changed(SIGNATURE, (0x04000005, "US", b"\1\0"))
    nodes = signed(parameters=(MAC_PARAMETERS, OTHER_MAC), signatures=(SIGNATURE, second))
    assert failures(nodes) == {"SIG_UID"}


@pytest.mark.parametrize("tag", [0x4FFE0001, 0xFFFAFFFA])
def test_sequences_that_are_none(tag):
    """A signature sequence of another value representation is malformed."""
    assert "SIGITEM_FORMAT" in failures(changed(signed(), (tag, "OB", b"ab")))


HIDDEN = {
    "file meta information": (0x00020010, "UI", b"1.2\0"),
    "directory": (0x00041130, "CS", b"AB"),
    "group FFFA": (0xFFFA0010, "LO", b"ab"),
    "signatures alone": (0xFFFAFFFA, "SQ", [SIGNATURE]),
    "signatures that are none": (0xFFFAFFFA, "OB", b"ab"),
    "parameters alone": (0x4FFE0001, "SQ", [MAC_PARAMETERS]),
    "trailing padding": (0xFFFCFFFC, "OB", b"\0\0"),
    "text as group length": (0x00100000, "LT", b"text"),
    "long group length": (0x00100000, "UL", bytes(8)),
    "sequence as group length": (0x00400000, "SQ", [[(0x0040A160, "UT", b"text")]]),
    "text as length to end": (0x00080001, "LT", b"text"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_content_hidden_in_a_signed_item(name):
    """What no MAC reaches may not stand inside a signed sequence."""
    node = HIDDEN[name]
    assert "HIDDEN_UNSIGNED" in failures(holding(node))
    assert "HIDDEN_UNSIGNED" in failures(holding((SQ, "SQ", [[], [node]])))
    assert at(holding((SQ, "SQ", [[], [node]])), "HIDDEN_UNSIGNED")[0] == (
        f"(0040,A730)[0].(0040,A730)[1].({node[0] >> 16:04X},{node[0] & 0xFFFF:04X})"
    )


@pytest.mark.parametrize(
    "node",
    [(0x00100000, "UL", bytes(4)), (0x00080001, "UL", bytes(4)), (0x00090000, "UL", bytes(4))],
)
def test_true_lengths_are_not_hidden_content(node):
    """Retired group lengths are harmless: no reader shows them."""
    assert failures(holding(node)) == set()
    assert failures(signed(body=changed(BODY, node))) == set()


@pytest.mark.parametrize(
    "name",
    [
        "text as group length",
        "sequence as group length",
        "text as length to end",
        "long group length",
        "group FFFA",
    ],
)
def test_content_hidden_at_the_top_level(name):
    """At the top level, too, what nothing can cover and no list of the uncovered shows is named."""
    assert failures(signed(body=changed(BODY, HIDDEN[name]))) == {"HIDDEN_UNSIGNED"}


def test_group_2_at_the_top_level():
    """Group 2 inside a data set is named in a signed file."""
    body = deflated(tree(changed(signed(), (0x00020010, "UI", b"1.2\0")), EXPLICIT))
    structure = examine(read(BytesSource(part10(body, "deflated"))))
    assert [f.rule for f in structure.findings] == ["HIDDEN_UNSIGNED"]


def test_trailing_padding_that_is_a_sequence():
    """Trailing padding with items would be a document nobody signed."""
    nodes = changed(signed(), (0xFFFCFFFC, "SQ", [[(0x00100010, "PN", b"A^B ")]]))
    assert failures(nodes) == {"HIDDEN_UNSIGNED"}


def test_unsigned_sequences_may_hold_anything():
    """Inside a sequence that no signature lists, nothing is claimed and nothing is hidden."""
    body = changed(BODY, (0x00081115, "SQ", [[(0x00100000, "LT", b"text")]]))
    assert failures(signed(body=body)) == set()


def test_complete_signatures_inside_signed_items():
    """A nested signature with its parameters is allowed there, and located."""
    inner = signed(
        body=[(0x0040A160, "UT", b"text")],
        parameters=(
            changed(OTHER_MAC, (0x04000020, "AT", tags(0x0040A160))),
        ),
        signatures=(OTHER_SIGNATURE,),
    )  # fmt: skip
    nodes = signed(body=changed(BODY, (SQ, "SQ", [[], inner])))
    structure = examine(opened(nodes))
    assert failures(nodes) == set()
    assert [s.level.location for s in structure.signatures] == ["", "(0040,A730)[1]"]
    assert [s.where for s in structure.signatures][1] == "(0040,A730)[1].(FFFA,FFFA)[0]"
    assert [s.number for s in structure.signatures] == [1, 2]


def test_historic_signatures_are_not_located():
    """Signatures inside Original Attributes Sequence are history, not signatures of this object."""
    nodes = changed(BODY, (0x04000561, "SQ", [signed()]))
    assert examine(opened(nodes)).signatures == ()


def test_signatures_inside_unknown_sequences_are_located():
    """A signature inside a sequence stored as UN is found, and cannot speak for the document."""
    inner = IMPLICIT.item(tree(signed(), IMPLICIT)) + IMPLICIT.delimiter(0xFFFEE0DD)
    data = part10(EXPLICIT.element(0x00091001, "UN", inner, length=UNDEFINED))
    (found,) = examine(read(BytesSource(data))).signatures
    assert found.level.location == "(0009,1001)[0]"
