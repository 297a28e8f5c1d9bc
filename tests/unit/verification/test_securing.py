"""Which proof goes with a reference: what is covered, what is copied, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sr.dicomfile import canonicalise
from sr.document.reference import SecureReference
from sr.errors import EvidenceError
from sr.findings import Status
from sr.mac import MACAlgorithm, compute_mac
from sr.signature.reference_coverage import MACCoverage, reference_tags
from sr.signature.references import DocumentReference, document_references
from sr.trust import load_policy
from sr.verification.securing import ProofRules, copy_proof, prove
from tests.support.datasets import ct_files, evidence_of, key_object, opened
from tests.support.forge import Node, edited, forge_signature, insert, leaf, remove, set_value
from tests.support.pki import NOW, Entity, demo_pki, issue
from tests.support.signed import seal, sign, signed_image
from tests.vectors.generators.fragments import JPEG

RULES = ProofRules(policy=load_policy("standard"), at=NOW)
NAME, STUDY, SERIES, PIXELS = 0x00100010, 0x0020000D, 0x0020000E, 0x7FE00010


def _forged(**how: object) -> bytes:
    return edited(ct_files()[0], lambda nodes: forge_signature(nodes, **how))  # type: ignore[arg-type]


def _short() -> Entity:
    return issue(demo_pki().issuing, "Anna Meier", key_kind="rsa1024", slot="short")


def test_a_verified_signature_is_copied_beside_the_mac() -> None:
    """The signature as it stands, and a MAC over every signable element."""
    file = opened(signed_image())
    proven = prove(file, RULES)
    assert proven.reference.mac == compute_mac(file)
    assert [s.digital_signature_uid for s in proven.reference.signatures] == ["2.25.4712.1"]
    assert proven.notices == ()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (edited(signed_image(), set_value(NAME, to="Opfer^Otto")), Status.WARN),
        (_forged(algorithm="SHA1"), Status.NOTICE),
        (_forged(algorithm="MD5"), Status.NOTICE),
        (_forged(signer=_short()), Status.NOTICE),
        (_forged(certificate=demo_pki().author.der + b"\0\0\0"), Status.NOTICE),
    ],
    ids=["altered", "sha1", "md5", "short-key", "certificate"],
)
def test_a_broken_or_weak_signature_is_not_copied(data: bytes, status: Status) -> None:
    """The MAC stands alone, and the author is told why."""
    proven = prove(opened(data), RULES)
    assert proven.reference.mac is not None
    assert proven.reference.signatures == ()
    (notice,) = proven.notices
    assert (notice.rule, notice.status) == ("EVIDENCE_SIGNATURE_NOT_COPIED", status)


def test_what_a_copied_signature_covers_does_not_matter_beside_the_mac() -> None:
    """An author leaves out what approval may touch, and is named all the same."""
    proven = prove(opened(_forged(tags=(0x00080016, NAME))), RULES)
    assert len(proven.reference.signatures) == 1
    assert proven.reference.mac is not None


def test_the_policy_says_what_is_weak() -> None:
    """A policy that still accepts a digest lets its signatures be copied."""
    lax = load_policy(
        'id = "site"\nextends = "standard"\ntitle = "Site"\ncites = "PS3.15 C.1"\n'
        '[[algorithms.hash]]\nname = "SHA1"\nuntil = 2099-12-31\ncites = "PS3.15 C.1"\n'
    )
    data = _forged(algorithm="SHA1")
    assert prove(opened(data), replace(RULES, policy=lax)).reference.signatures


def test_a_signature_inside_an_item_is_not_copied() -> None:
    """It vouches for the item, not for the instance."""
    data = edited(ct_files()[0], lambda nodes: insert(nodes, _coded()))
    data = sign(canonicalise(data), path=((0x00081032, 0),))
    proven = prove(opened(data), RULES)
    assert (proven.reference.signatures, proven.notices) == ((), ())


def _coded() -> Node:
    code = [
        leaf(0x00080100, "SH", "CT"),
        leaf(0x00080102, "SH", "99X"),
        leaf(0x00080104, "LO", "x"),
    ]
    return Node(tag=0x00081032, vr="SQ", items=[code])


def test_coverage_leaves_out_what_an_archive_may_change() -> None:
    """The five attributes of the standard's table, and coded entries at the top level."""
    data = edited(ct_files()[0], lambda nodes: insert(nodes, _coded()))
    full = set(reference_tags(opened(data).dataset, MACCoverage.FULL))
    tolerant = set(reference_tags(opened(data).dataset, MACCoverage.COERCION_TOLERANT))
    assert full - tolerant == {0x00100020, 0x00100021, STUDY, SERIES, 0x00081032}
    assert tolerant < full


def test_the_title_of_a_document_is_content_and_no_code_to_translate() -> None:
    """A coded entry that is content of a document stays covered."""
    tolerant = reference_tags(opened(seal()).dataset, MACCoverage.COERCION_TOLERANT)
    assert 0x0040A043 in tolerant


def test_a_sequence_of_other_items_stays_covered() -> None:
    """Only coded entries are translated."""
    other = Node(tag=0x00081140, vr="SQ", items=[[leaf(0x00081150, "UI", "1.2.3")]])
    data = edited(ct_files()[0], lambda nodes: insert(nodes, other))
    assert 0x00081140 in reference_tags(opened(data).dataset, MACCoverage.COERCION_TOLERANT)


def _said(evidence: SecureReference | None = None, data: bytes | None = None) -> DocumentReference:
    """Return what a selection says about the first image, with another proof where given."""
    item = evidence_of(data or ct_files()[0])
    item = item if evidence is None else replace(item, reference=evidence)
    return document_references(opened(key_object(evidence=[item])).dataset)[0]


def _with_mac(data: bytes | None = None, **how: object) -> DocumentReference:
    file = opened(data or ct_files()[0])
    return _said(SecureReference(mac=compute_mac(file, **how)), data)  # type: ignore[arg-type]


def test_a_good_proof_is_taken_over_as_it_stands() -> None:
    """MAC and signatures of the selection, not those of the file."""
    proof = prove(opened(signed_image()), RULES).reference
    assert copy_proof(opened(signed_image()), _said(proof, signed_image())) == proof


def test_a_changed_pixel_does_not_show_yet() -> None:
    """The file is not hashed; the proof is that of the instance as it was sealed."""
    changed = bytearray(ct_files()[0])
    changed[-1] ^= 1
    copied = copy_proof(opened(bytes(changed)), _said())
    assert isinstance(copied, SecureReference)
    assert copied.mac == compute_mac(opened(ct_files()[0])) != compute_mac(opened(bytes(changed)))


def _altered(said: DocumentReference, **changes: object) -> DocumentReference:
    return replace(said, macs=(replace(said.macs[0], **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        _with_mac(algorithm=MACAlgorithm.MD5),
        _with_mac(algorithm=MACAlgorithm.SHA1),
        _with_mac(tags=(0x00080016, 0x00080018)),
        _with_mac(tags=(0x00080016, 0x00080018, 0x0020000D)),
        replace(_said(), macs=()),
        replace(_said(), macs=_said().macs * 2),
        _altered(_said(), mac=b"short"),
        _altered(_said(), transfer_syntax_uid=JPEG),
    ],
    ids=["md5", "sha1", "thin", "no-content", "none", "two", "malformed", "syntax"],
)
def test_a_proof_that_is_not_good_enough_is_not_taken_over(said: DocumentReference) -> None:
    """The reason comes back, and the proof has to be computed."""
    assert isinstance(copy_proof(opened(ct_files()[0]), said), str)


def test_a_coercion_tolerant_proof_is_taken_over() -> None:
    """It covers what it has to."""
    file = opened(ct_files()[0])
    tags = reference_tags(file.dataset, MACCoverage.COERCION_TOLERANT)
    assert isinstance(copy_proof(file, _with_mac(tags=tags)), SecureReference)


@pytest.mark.parametrize(
    "change",
    [
        set_value(0x00080016, to="1.2.840.10008.5.1.4.1.1.4"),
        set_value(STUDY, to="2.25.66.1"),
        set_value(SERIES, to="2.25.66.2"),
        lambda nodes: remove(nodes, 0x00080060),
        lambda nodes: remove(nodes, PIXELS),
    ],
)
def test_an_instance_that_is_not_what_the_selection_describes(
    change: Callable[[list[Node]], object],
) -> None:
    """What the header shows already is refused, not passed on."""
    with pytest.raises(EvidenceError):
        copy_proof(opened(edited(ct_files()[0], change)), _said())
