"""Signatures that fit only what dcmsign hashes: undecided, never altered and never passed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, DataSet, canonicalise, read
from sr.dicomfile.splice import assemble, splice
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.evidence import Evidence
from sr.document.lifecycle import approve_edits
from sr.errors import ProfileFormatError
from sr.findings import Indication, LimitationCode, Status, SubIndication
from sr.mac import MACAlgorithm, digest_chunks
from sr.mac.peer import PEER_BUFFER_BYTES, peer_stream
from sr.signature import SigningRequest, complete, examine, prepare
from sr.trust.policy_file import parse_policy
from sr.verification import Demands, Verdict, gather
from sr.verification.facts import Integrity
from tests.support.datasets import ct_evidence, key_object, report
from tests.support.dicom_bytes import EXPLICIT as LE
from tests.support.dicom_bytes import part10
from tests.support.pki import Entity, demo_pki
from tests.support.signed import (
    APPROVED_AT,
    SIGNED_AT,
    check,
    evidence_with_signature,
    sign,
    sign_digest,
)

EVIDENCE, SERIES, REFERENCES, INSTANCE_UID = 0x0040A375, 0x00081115, 0x00081199, 0x00081155
CONTENT = 0x0040A730
POLICIES = ("strict", "standard", "interop")
NUMBER = 60


def as_dcmsign_signs(
    data: bytes,
    signer: Entity,
    purpose: SignaturePurpose,
    *,
    uid: str = "2.25.4720.1",
) -> bytes:
    """Return a file with one more signature, over what dcmsign hashes."""
    request = SigningRequest(
        purpose=purpose, certificate=signer.der, signed_at=SIGNED_AT, digital_signature_uid=uid
    )
    prepared = prepare(read(BytesSource(data)), request)
    value = sign_digest(signer.key, MACAlgorithm.SHA256, prepared.digest)
    sound = read(BytesSource(assemble(complete(prepared, value))))
    (located,) = (s for s in examine(sound).signatures if s.signature.digital_signature_uid == uid)
    stream = peer_stream(sound.dataset, prepared.covers, signature_item=located.item)
    assert stream.truncation is not None
    shortened = replace(prepared, digest=digest_chunks(stream.chunks, MACAlgorithm.SHA256))
    value = sign_digest(signer.key, MACAlgorithm.SHA256, shortened.digest)
    return assemble(complete(shortened, value))


def references(number: int) -> tuple[Evidence, ...]:
    """Return evidence about so many instances of one series."""
    first = ct_evidence(1)[0]
    return tuple(replace(first, sop_instance_uid=f"2.25.1000.{n:04}") for n in range(1, number + 1))


@cache
def selection() -> bytes:
    """Return a key object selection too large for dcmsign, not signed."""
    return canonicalise(key_object(evidence=references(NUMBER)))


@cache
def truncated() -> bytes:
    """Return it as dcmsign would sign it."""
    return as_dcmsign_signs(selection(), demo_pki().archive, SignaturePurpose.SOURCE)


def altered(data: bytes, number: int) -> bytes:
    """Return a file with another digit in the nth cited SOP Instance UID."""
    dataset: DataSet = read(BytesSource(data)).dataset
    item = dataset.items(EVIDENCE)[0].items(SERIES)[0].items(REFERENCES)[number]
    uid = item.get(INSTANCE_UID)
    assert uid is not None
    at = uid.value + len("2.25.1")
    assert data[at : at + 1] == b"0"
    return data[:at] + b"7" + data[at + 1 :]


def failing(verdict: Verdict) -> set[str]:
    (signature,) = verdict.signatures
    return {f.rule for f in signature.findings if f.status is Status.FAIL}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_signature_is_undecided_under_every_policy(policy: str) -> None:
    """A signature over the shortened stream is INDETERMINATE, and the document says why."""
    verdict = check(truncated(), policy=policy)
    (signature,) = verdict.signatures
    for judged in (verdict, signature):
        assert judged.indication is Indication.INDETERMINATE
        assert judged.sub_indication is SubIndication.PEER_TRUNCATED_STREAM
    assert "PEER_TRUNCATED_STREAM" in failing(verdict)
    assert not failing(verdict) & {"MAC_VALUE", "SIGNATURE_VALUE", "MAC_NOT_COMPUTED"}


def test_whether_it_was_changed_is_unknown() -> None:
    """The question whether anything was changed is answered neither with yes nor with no."""
    assert check(truncated()).questions.unchanged == "unknown"


def test_the_limitation_names_the_first_element_that_is_not_covered() -> None:
    """The limitation stands at the element at which the border falls, with the bytes missing."""
    file = read(BytesSource(truncated()))
    (facts,) = gather(file).signatures
    assert facts.integrity is Integrity.INTACT_PEER_TRUNCATED
    assert facts.truncation is not None
    (limitation,) = (
        limit
        for limit in check(truncated()).limitations
        if limit.code is LimitationCode.PEER_TRUNCATED_STREAM
    )
    assert limitation.where == facts.truncation.first_uncovered
    assert limitation.where.startswith("(0040,A375)[0].(0008,1115)[0].(0008,1199)[")
    assert str(facts.truncation.bytes_missing) in limitation.message


@pytest.mark.parametrize("number", [0, 1, 5])
@pytest.mark.parametrize("policy", POLICIES)
def test_what_dcmsign_covered_is_protected(number: int, policy: str) -> None:
    """An alteration before the border is what it is with any signature: FAILED."""
    verdict = check(altered(truncated(), number), policy=policy)
    assert verdict.indication is Indication.FAILED
    assert verdict.sub_indication is SubIndication.HASH_FAILURE
    assert verdict.questions.unchanged == "no"
    assert LimitationCode.PEER_TRUNCATED_STREAM not in {x.code for x in verdict.limitations}


@pytest.mark.parametrize("number", [NUMBER - 1, NUMBER - 10])
@pytest.mark.parametrize("policy", POLICIES)
def test_what_dcmsign_left_out_is_not_vouched_for(number: int, policy: str) -> None:
    """An alteration behind the border changes nothing: the document was undecided before."""
    verdict = check(altered(truncated(), number), policy=policy)
    assert verdict.indication is Indication.INDETERMINATE
    assert verdict.sub_indication is SubIndication.PEER_TRUNCATED_STREAM
    assert verdict.questions.unchanged == "unknown"


@pytest.mark.parametrize("number", [0, NUMBER - 1])
def test_an_alteration_under_our_signature_is_found_anywhere(number: int) -> None:
    """A signature over the standard's stream protects both sides of dcmsign's border."""
    signed = sign(selection(), demo_pki().archive, SignaturePurpose.SOURCE)
    assert check(signed).indication is Indication.PASSED
    verdict = check(altered(signed, number))
    assert verdict.sub_indication is SubIndication.HASH_FAILURE


def test_it_counts_for_no_demand() -> None:
    """A demanded purpose is not met by a signature that is undecided."""
    verdict = check(truncated(), demands=Demands(purposes=("14",)))
    assert "REQUIRED_PURPOSE" in {f.rule for f in verdict.findings}


def test_it_vouches_for_no_coverage() -> None:
    """Beside an author's signature, what only dcmsign's signature lists stays uncovered."""
    pki = demo_pki()
    data = canonicalise(report(evidence=references(NUMBER)))
    author = sign(data, pki.author, SignaturePurpose.AUTHOR)
    alone = check(author)
    both = check(as_dcmsign_signs(author, pki.archive, SignaturePurpose.SOURCE))
    assert alone.uncovered
    assert both.uncovered == alone.uncovered
    assert both.sub_indication is SubIndication.PEER_TRUNCATED_STREAM


def test_a_verification_by_dcmsign_is_no_contradiction() -> None:
    """A VERIFIED report whose purpose-5 signature dcmsign shortened is undecided, not refused."""
    pki = demo_pki()
    before = read(BytesSource(sign(canonicalise(report(evidence=references(NUMBER))))))
    approval = Approval(
        observer=VerifyingObserver(name="Weber^Sam", organization="Klinikum Musterstadt"),
        approved_at=APPROVED_AT,
        mode=ApprovalMode.REISSUE,
        sop_instance_uid="2.25.900.78",
    )
    edited = assemble(splice(before, approve_edits(before.dataset, approval)))
    verified = as_dcmsign_signs(edited, pki.supervisor, SignaturePurpose.VERIFICATION)
    verdict = check(verified)
    assert verdict.indication is Indication.INDETERMINATE
    assert verdict.sub_indication is SubIndication.PEER_TRUNCATED_STREAM
    assert "SR_VERIFIED_NEEDS_5" not in {f.rule for f in verdict.findings}


def test_bytes_added_behind_the_border_never_pass() -> None:
    """Content that dcmsign would drop, added to a sound document, makes it undecided at best."""
    start = PEER_BUFFER_BYTES - 8 - 4 - 8 - 4 - 12
    text = LE.item(LE.element(0x0040A160, "UT"))

    def image(size: int, *items: bytes) -> bytes:
        nested = LE.sequence(CONTENT, LE.item(LE.sequence(CONTENT, *items)))
        uids = LE.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")
        uids += LE.element(0x00080018, "UI", b"1.2.3.4\0")
        return part10(uids + LE.element(0x00281201, "OW", b"\1" * (size - 12 - len(uids))) + nested)

    signed = sign(image(start, text), demo_pki().archive, SignaturePurpose.SOURCE)
    sequences = signed[len(image(start, text)) :]
    more = image(start, text, LE.item(LE.element(0x0040A160, "UT", b"inserted"))) + sequences
    assert gather(read(BytesSource(signed))).signatures[0].integrity is Integrity.INTACT
    (facts,) = gather(read(BytesSource(more))).signatures
    assert facts.integrity is Integrity.INTACT_PEER_TRUNCATED
    assert check(more).indication is Indication.INDETERMINATE
    elsewhere = image(start - 40, text, text) + sequences
    assert gather(read(BytesSource(elsewhere))).signatures[0].integrity is Integrity.OTHER_BYTES


def test_a_copied_signature_that_dcmsign_shortened_proves_nothing() -> None:
    """Evidence known only by such a signature is neither matched nor altered."""
    image = truncated()
    citing = key_object(evidence=(evidence_with_signature(image, mac=False),), number=2)
    signed = sign(canonicalise(citing), demo_pki().archive, SignaturePurpose.SOURCE)
    verdict = check(signed, evidence=(image,))
    counts = verdict.references.as_dict()
    assert (counts["matched"], counts["altered"]) == (0, 0)
    assert verdict.indication is Indication.INDETERMINATE


@pytest.mark.parametrize("level", ["IGNORE", "NOTICE", "WARN"])
def test_no_policy_may_weaken_it(level: str) -> None:
    """A policy that wants the rule to weigh less does not load."""
    text = (
        'id = "local"\nextends = "interop"\ntitle = "Local"\n'
        f'[[severity]]\nrule = "PEER_TRUNCATED_STREAM"\nlevel = "{level}"\ncites = "PS3.15 C.4"\n'
    )
    with pytest.raises(ProfileFormatError):
        parse_policy(text, "local.toml")
