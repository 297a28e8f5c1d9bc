"""Prepare and complete: what is refused, what is covered, and what the result is made of."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from functools import cache

import pytest

from sr.codes import SignaturePurpose as P
from sr.dicomfile import BytesSource, DICOMFile, canonicalise, read, tag_for_keyword
from sr.dicomfile.splice import AppendItem, SetElement, assemble, splice
from sr.dicomfile.writer import text
from sr.errors import (
    ConfigurationError,
    ProfileViolationError,
    SignerRefusedError,
    UnknownProfileError,
)
from sr.mac import MACAlgorithm, mac_stream
from sr.mac.stream import chunk_bytes
from sr.signature import PreparedSignature, SigningRequest, complete, examine, prepare
from sr.signature.coverage import APPROVAL_MAY_TOUCH
from sr.verification import gather
from sr.verification.facts import Integrity
from tests.support.datasets import ct_files, key_object, report
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, deflated, part10, tree
from tests.support.pki import demo_pki, issue
from tests.support.signed import (
    APPROVED_AT,
    SIGNED_AT,
    approved_report,
    author_report,
    sign,
    sign_digest,
)
from tests.unit.signature.crafted import MAC_PARAMETERS, SIGNATURE, changed

SQ = 0x0040A730
UID = "2.25.86.1"
PKI = demo_pki()


@cache
def unsigned() -> bytes:
    return canonicalise(report())


def opened(data: bytes) -> DICOMFile:
    return read(BytesSource(data))


def request(purpose: P | None = P.AUTHOR, **changes: object) -> SigningRequest:
    made = SigningRequest(
        purpose=purpose,
        certificate=PKI.author.der,
        signed_at=APPROVED_AT,
        digital_signature_uid=UID,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def refusal(data: bytes, asked: SigningRequest) -> set[str]:
    with pytest.raises(ProfileViolationError) as caught:
        prepare(opened(data), asked)
    return {f.rule for f in caught.value.findings}


def value_for(prepared: PreparedSignature) -> bytes:
    return sign_digest(PKI.author.key, MACAlgorithm(prepared.parameters.algorithm), prepared.digest)


def integrity(data: bytes) -> list[Integrity]:
    return [s.integrity for s in gather(opened(data)).signatures]


def edited(data: bytes, *edits: SetElement | AppendItem) -> bytes:
    return assemble(splice(opened(data), edits))


def flagged(verification: str, completion: str = "COMPLETE") -> bytes:
    """Return the report with other flags."""
    return edited(
        unsigned(),
        SetElement(tag=0x0040A491, encoded=text(0x0040A491, "CS", completion)),
        SetElement(tag=0x0040A493, encoded=text(0x0040A493, "CS", verification)),
    )


def image(syntax: str = "explicit") -> bytes:
    """Return a small image in any transfer syntax."""
    nodes = [
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0"),
        (0x00080018, "UI", b"1.2.3\0"),
        (0x00090010, "LO", b"ACME"),
        (0x00100010, "PN", b"A^B "),
        (0x00280010, "US", b"\2\0"),
        (SQ, "SQ", [[(0x0040A160, "UT", b"text")]]),
    ]
    encoder = {"implicit": IMPLICIT, "big": BIG_ENDIAN}.get(syntax, EXPLICIT)
    body = tree(nodes, encoder)
    if syntax in ("jpeg", "rle"):
        body += encoder.encapsulated(0x7FE00010, b"", b"\1\2")
    else:
        body += encoder.element(0x7FE00010, "OW", b"\1\2\3\4")
    return part10(deflated(body) if syntax == "deflated" else body, syntax)


# What is refused


def test_purpose_missing_on_a_report():
    """A report or key object selection is not signed without purpose; an image may be."""
    assert refusal(unsigned(), request(None)) == {"SR_PURPOSE"}
    assert refusal(canonicalise(key_object()), request(None)) == {"SR_PURPOSE"}
    prepare(opened(image()), request(None))


@pytest.mark.parametrize("make", [report, key_object])
def test_evidence_without_proof(make):
    """A document whose evidence carries no proof is not signed; the finding says which item."""
    path = ((0x0040A375, 0), (0x00081115, 0), (0x00081199, 1))
    bare = edited(canonicalise(make()), SetElement(tag=0x04000403, encoded=None, path=path))
    with pytest.raises(ProfileViolationError) as caught:
        prepare(opened(bare), request(P.SOURCE))
    assert {f.rule for f in caught.value.findings} == {"EVIDENCE_UNSECURED"}
    assert caught.value.where == "(0040,A375)[0].(0008,1115)[0].(0008,1199)[1]"


@pytest.mark.parametrize("flag", ["UNVERIFIED", "VERIFIED\\UNVERIFIED", "verified", ""])
def test_verification_signature_on_a_report_that_is_not_verified(flag):
    """Purpose 5 needs the flag VERIFIED; only approval sets it."""
    assert "SR_5_NEEDS_VERIFIED" in refusal(flagged(flag), request(P.VERIFICATION))


@pytest.mark.parametrize("purpose", [P.AUTHOR, P.VALIDATION, P.REVIEW, P.SOURCE])
@pytest.mark.parametrize("flag", ["VERIFIED", " VERIFIED", "VERIFIED  "])
def test_verified_report_without_verification_signature(flag, purpose):
    """A report that says VERIFIED is first signed with purpose 5, however the flag is padded."""
    assert "SR_VERIFIED_NEEDS_5" in refusal(flagged(flag), request(purpose))


def test_a_foreign_code_5_is_no_verification():
    """A purpose of value 5 in another scheme does not make a report approved."""
    foreign = edited(
        approved_report(),
        SetElement(
            tag=0x00080102,
            encoded=text(0x00080102, "SH", "DCM"),
            path=((0xFFFAFFFA, 1), (0x04000401, 0)),
        ),
    )
    assert "SR_VERIFIED_NEEDS_5" in refusal(foreign, request(P.REVIEW))
    prepare(opened(approved_report()), request(P.REVIEW))


def test_verified_report_that_is_not_complete():
    """What is verified is complete."""
    found = refusal(flagged("VERIFIED", "PARTIAL"), request(P.VERIFICATION))
    assert "SR_VERIFIED_NOT_COMPLETE" in found


def test_verified_report_without_observer():
    """A verification signature covers the observer, so there must be one."""
    assert "SR_MIN" in refusal(flagged("VERIFIED"), request(P.VERIFICATION))


@pytest.mark.parametrize("algorithm", [a for a in MACAlgorithm if a.is_weak])
@pytest.mark.parametrize("make", [unsigned, image])
def test_weak_algorithms_are_never_created(make, algorithm):
    """No kind of object is signed with a digest for which collisions are feared."""
    assert refusal(make(), request(mac_algorithm=algorithm)) == {"PROFILE_MAC"}


@pytest.mark.parametrize("make", [unsigned, image])
def test_keys_outside_the_profiles(make):
    """The profiles of PS3.15 are about RSA; other keys are refused."""
    for kind in ("p256", "ed25519"):
        certificate = issue(None, key_kind=kind).der
        assert refusal(make(), request(certificate=certificate)) == {"PROFILE_KEY_TYPE"}


@pytest.mark.parametrize("make", [unsigned, image])
@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_a_profile_that_is_asked_for_lets_elliptic_curves_sign(make, kind):
    """With a profile that lists them EC keys sign, and the signer hears what that costs."""
    certificate = issue(None, key_kind=kind).der
    prepared = prepare(opened(make()), request(certificate=certificate, profile="site-ec"))
    assert "KEY_OUTSIDE_PROFILE" in {f.rule for f in prepared.findings}


def test_rsa_under_that_profile_is_nothing_special():
    """Keys that the standard's profiles list are not remarked upon."""
    prepared = prepare(opened(unsigned()), request(profile="site-ec"))
    assert "KEY_OUTSIDE_PROFILE" not in {f.rule for f in prepared.findings}


@pytest.mark.parametrize("profile", ["base-rsa", "structured-report", "basic-sr-secure-use"])
def test_a_profile_that_lists_rsa_alone_helps_no_other_key(profile):
    """Asking for one of the standard's profiles does not let an EC key sign."""
    certificate = issue(None, key_kind="p256").der
    refused = refusal(unsigned(), request(certificate=certificate, profile=profile))
    assert refused == {"PROFILE_KEY_TYPE"}


def test_other_keys_stay_outside():
    """The profile is about elliptic curves; an Ed25519 key, and no key, are refused as before."""
    for certificate in (issue(None, key_kind="ed25519").der, b"certificate"):
        refused = refusal(unsigned(), request(certificate=certificate, profile="site-ec"))
        assert refused == {"PROFILE_KEY_TYPE"}


def test_the_profile_relaxes_nothing_else():
    """What the object's kind demands beside the kind of key is demanded of EC keys, too."""
    certificate = issue(None, key_kind="p256").der
    asked = request(certificate=certificate, profile="site-ec", purpose=None)
    assert "SR_PURPOSE" in refusal(unsigned(), asked)


@pytest.mark.parametrize("certificate", [b"", b"certificate", PKI.author.der[:-9]])
def test_unreadable_certificate(certificate):
    """A certificate that cannot be read is found before anything is signed."""
    assert refusal(unsigned(), request(certificate=certificate)) == {"PROFILE_KEY_TYPE"}


def test_short_key():
    """An RSA key below 2048 bits signs nothing."""
    certificate = issue(None, key_kind="rsa1024").der
    assert refusal(image(), request(certificate=certificate)) == {"CERT_KEY_SIZE"}


@pytest.mark.parametrize(
    "uid",
    ["", "1", "1.02", "1..2", "1.2.", ".1", "1.2 ", "1.2\n", "1.a", "1.2\\3", "1." + "2" * 63],
)
def test_malformed_uid(uid):
    """A Digital Signature UID that is none is refused."""
    assert refusal(image(), request(digital_signature_uid=uid)) == {"SIG_UID"}


def test_reused_uid():
    """A Digital Signature UID that the instance already has is refused, at any level."""
    uid = "2.25.4711.1"
    assert refusal(author_report(), request(digital_signature_uid=uid)) == {"SIG_UID"}
    nested = sign(unsigned(), purpose=None, path=((SQ, 1),), uid=uid)
    assert refusal(nested, request(digital_signature_uid=uid)) == {"SIG_UID"}


def test_broken_signature_beside():
    """A new signature is not put beside one whose structure is broken."""
    broken = changed(SIGNATURE, (0x00100010, "PN", b"A^B "))
    nodes = [(0x4FFE0001, "SQ", [MAC_PARAMETERS]), (0xFFFAFFFA, "SQ", [broken])]
    data = image()[:-16] + tree(nodes, EXPLICIT)
    assert "SIGITEM_EXTRA" in refusal(data, request())


def test_nothing_to_sign():
    """A level in which nothing can be covered is not signed."""
    data = part10(EXPLICIT.element(0x00090010, "LO", b"ACME"))
    assert refusal(data, request()) == {"NOTHING_SIGNABLE"}


def test_report_profile_on_an_item():
    """The report profile is about the top level."""
    asked = request(path=((SQ, 0),), profile="structured-report")
    assert "PROFILE_LEVEL" in refusal(unsigned(), asked)


def test_unknown_profile():
    """A profile that does not exist is no profile to pass."""
    with pytest.raises(UnknownProfileError):
        prepare(opened(image()), request(profile="nonsense"))


@pytest.mark.parametrize("path", [((SQ, 99),), ((0x00100010, 0),), ((SQ, 0), (SQ, 99))])
def test_item_that_is_not_there(path):
    """An item to sign must exist."""
    with pytest.raises(ConfigurationError):
        prepare(opened(unsigned()), request(path=path))


def test_time_without_zone():
    """The offset from UTC is mandatory in a signature, so a naive time is refused."""
    with pytest.raises(ConfigurationError):
        prepare(opened(image()), request(signed_at=SIGNED_AT.replace(tzinfo=None)))


# What is covered


def _present(data: bytes) -> set[int]:
    return {e.tag for e in opened(data).dataset if e.tag not in (0x4FFE0001, 0xFFFAFFFA)}


AUTHOR_KIND = [p for p in P if p not in (P.VERIFICATION, P.VALIDATION, P.REVIEW, P.SOURCE)]


@pytest.mark.parametrize("purpose", AUTHOR_KIND)
def test_author_kind_leaves_room_for_approval(purpose):
    """On an unverified report such a signature covers all but what approval may touch."""
    covers = set(prepare(opened(unsigned()), request(purpose)).covers)
    assert covers == _present(unsigned()) - APPROVAL_MAY_TOUCH
    assert {0x00080005, 0x00100010, 0x00100020, SQ} <= covers
    assert 0x00080018 not in covers


@pytest.mark.parametrize("purpose", [P.VALIDATION, P.REVIEW, P.SOURCE])
def test_other_kinds_cover_everything(purpose):
    """Validation, review and source cover everything signable, the instance included."""
    assert set(prepare(opened(unsigned()), request(purpose)).covers) == _present(unsigned())


def test_predecessors_are_covered_by_the_author():
    """An author signature covers the predecessors where there are any."""
    with_predecessor = edited(unsigned(), AppendItem(tag=0x0040A360, content=b""))
    assert 0x0040A360 in prepare(opened(with_predecessor), request()).covers


def test_everything_is_covered_on_a_verified_report():
    """On a verified report every signature covers everything."""
    for purpose in (P.VERIFICATION, P.REVIEW, P.AUTHOR):
        covers = prepare(opened(approved_report()), request(purpose)).covers
        assert set(covers) == _present(approved_report())


@pytest.mark.parametrize("data", [canonicalise(key_object()), canonicalise(ct_files()[0])])
def test_everything_is_covered_on_other_objects(data):
    """Key object selections and images have no approval to leave room for."""
    for purpose in (P.AUTHOR, P.SOURCE):
        assert set(prepare(opened(data), request(purpose)).covers) == _present(data)


def test_private_elements_on_request():
    """Private elements are covered only where that is asked for."""
    assert 0x00090010 not in prepare(opened(image()), request()).covers
    assert 0x00090010 in prepare(opened(image()), request(private=True)).covers


def test_profiles_that_were_checked():
    """A prepared signature names the profiles it passed."""
    assert prepare(opened(image()), request()).profiles == ("base-rsa",)
    assert prepare(opened(unsigned()), request()).profiles == ("basic-sr-secure-use",)
    asked = request(profile="structured-report")
    assert prepare(opened(unsigned()), asked).profiles == (
        "basic-sr-secure-use", "structured-report",
    )  # fmt: skip
    approved = prepare(opened(approved_report()), request(P.VERIFICATION))
    assert "structured-report-verification" in approved.profiles


# Numbers


def _prepared_id(data: bytes, **changes: object) -> int:
    return prepare(opened(data), request(**changes)).parameters.mac_id_number


def test_mac_ids_are_unique_in_the_whole_instance():
    """A new signature gets the lowest number that no level uses."""
    nested = sign(unsigned(), purpose=None, path=((SQ, 1),), uid="2.25.86.2")
    assert _prepared_id(unsigned()) == 0
    assert _prepared_id(nested) == 1
    assert _prepared_id(nested, path=((SQ, 1),), purpose=None) == 1
    assert _prepared_id(author_report(), path=((SQ, 1),), purpose=None) == 1
    assert _prepared_id(approved_report()) == 2


def test_a_free_number_between_is_used():
    """Numbers are never changed; a gap is filled."""
    listed = (0x04000020, "AT", b"\x08\0\x18\0")
    items = [changed(MAC_PARAMETERS, (0x04000005, "US", bytes([n, 0])), listed) for n in (0, 2)]
    file = edited(image(), *[AppendItem(tag=0x4FFE0001, content=tree(i, EXPLICIT)) for i in items])
    assert _prepared_id(file) == 1


# Complete


def test_the_result_is_the_original_and_two_sequences():
    """Nothing but the two sequences is added, and no byte of the rest changes."""
    prepared = prepare(opened(unsigned()), request())
    result = assemble(complete(prepared, value_for(prepared)))
    assert result.startswith(unsigned())
    assert [e.tag for e in opened(result).dataset][-2:] == [0x4FFE0001, 0xFFFAFFFA]
    assert integrity(result) == [Integrity.INTACT]


def test_the_input_is_not_touched():
    """Preparing and completing leave the bytes they were given alone."""
    data = bytearray(unsigned())
    file = read(BytesSource(bytes(data)))
    prepared = prepare(file, request())
    complete(prepared, value_for(prepared))
    assert file.source.read_at(0, len(data)) == bytes(data)


def test_completing_twice_gives_the_same():
    """Completing is a function of what was prepared and the value."""
    prepared = prepare(opened(unsigned()), request())
    value = value_for(prepared)
    assert assemble(complete(prepared, value)) == assemble(complete(prepared, value))


def test_prepared_signatures_are_frozen():
    """What passed its profile cannot be changed afterwards."""
    prepared = prepare(opened(unsigned()), request())
    with pytest.raises(FrozenInstanceError):
        prepared.digest = b""  # type: ignore[misc]


def test_written_items():
    """The two items say what was asked for."""
    prepared = prepare(opened(unsigned()), request(mac_algorithm=MACAlgorithm.SHA512))
    (found,) = examine(opened(assemble(complete(prepared, value_for(prepared))))).signatures
    assert found.parameters == prepared.parameters
    assert found.parameters is not None
    assert found.parameters.algorithm == "SHA512"
    assert found.parameters.data_elements_signed == prepared.covers
    assert found.signature.digital_signature_uid == UID
    assert found.signature.signed_at == "20261120100000+0000"
    assert found.signature.purpose == P.AUTHOR.code
    assert found.signature.certificate.rstrip(b"\0") == PKI.author.der.rstrip(b"\0")


def test_prepared_digest_is_that_of_the_written_item():
    """What the signer signs is the stream that a reader of the result computes."""
    prepared = prepare(opened(unsigned()), request())
    file = opened(assemble(complete(prepared, value_for(prepared))))
    (item,) = file.dataset.items(0xFFFAFFFA)
    chunks = list(mac_stream(file.dataset, prepared.covers, signature_item=item))
    assert sum(len(b) for c in chunks for b in chunk_bytes(c)) == prepared.stream_bytes


WRONG_VALUES = {
    "of another key": lambda p: sign_digest(PKI.supervisor.key, MACAlgorithm.SHA256, p.digest),
    "over another digest": lambda p: sign_digest(PKI.author.key, MACAlgorithm.SHA256, bytes(32)),
    "with another algorithm": lambda p: sign_digest(
        PKI.author.key, MACAlgorithm.SHA512_256, p.digest
    ),
    "cut": lambda p: value_for(p)[:-1],
    "padded": lambda p: value_for(p) + b"\0",
    "empty": lambda p: b"",
    "the digest itself": lambda p: p.digest,
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_values_that_do_not_fit(name):
    """A value is verified with the certificate before it is embedded."""
    prepared = prepare(opened(unsigned()), request())
    with pytest.raises(SignerRefusedError):
        complete(prepared, WRONG_VALUES[name](prepared))


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("key", ["rsa2048", "rsa3072"])
def test_algorithms_and_keys(key, algorithm):
    """Each digest of the profile with each key size gives an intact signature."""
    signer = issue(None, key_kind=key)
    data = sign(unsigned(), signer, mac_algorithm=MACAlgorithm(algorithm))
    assert integrity(data) == [Integrity.INTACT]


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated", "jpeg", "rle"])
def test_transfer_syntaxes(syntax):
    """An object is signed in whatever encoding it has, and stays in it."""
    signed = sign(image(syntax), purpose=P.SOURCE, private=True)
    assert integrity(signed) == [Integrity.INTACT]
    assert opened(signed).transfer_syntax == opened(image(syntax)).transfer_syntax
    twice = sign(signed, PKI.archive, P.REVIEW, uid="2.25.86.3")
    assert integrity(twice) == [Integrity.INTACT] * 2


@pytest.mark.parametrize(
    ("syntax", "uid"),
    [("jpeg", "1.2.840.10008.1.2.4.50"), ("rle", "1.2.840.10008.1.2.5")]
    + [(name, "1.2.840.10008.1.2.1") for name in ("explicit", "implicit", "big", "deflated")],
)
def test_mac_transfer_syntax(syntax, uid):
    """Only encapsulated objects are hashed in their own transfer syntax."""
    assert prepare(opened(image(syntax)), request()).parameters.transfer_syntax_uid == uid


def test_an_item_of_an_encapsulated_object():
    """An item without pixels is hashed as explicit little endian, whatever encloses it."""
    asked = request(path=((SQ, 0),))
    parameters = prepare(opened(image("jpeg")), asked).parameters
    assert parameters.transfer_syntax_uid == "1.2.840.10008.1.2.1"


# Several signatures


def test_approval_adds_to_what_is_there():
    """Author and verification signature stand beside each other, both intact."""
    assert integrity(approved_report()) == [Integrity.INTACT] * 2


def test_item_signatures():
    """Items are signed before and after the document, and all signatures stay intact."""
    first = sign(unsigned(), purpose=None, path=((SQ, 1),), uid="2.25.86.2")
    main = sign(first, uid="2.25.86.3")
    findings = len(opened(main).dataset.items(SQ)) - 1
    later = sign(main, PKI.supervisor, None, path=((SQ, 2),), uid="2.25.86.4")
    deep = sign(later, purpose=None, path=((SQ, findings), (SQ, 0)), uid="2.25.86.5")
    located = examine(opened(deep)).signatures
    assert [s.level.location for s in located] == [
        "", "(0040,A730)[1]", "(0040,A730)[2]", f"(0040,A730)[{findings}].(0040,A730)[0]",
    ]  # fmt: skip
    assert [s.parameters.mac_id_number for s in located if s.parameters] == [1, 0, 2, 3]
    assert integrity(deep) == [Integrity.INTACT] * 4


def test_an_item_signature_covers_its_item_only():
    """A change elsewhere leaves an item's signature intact; a change inside does not."""
    nested = sign(unsigned(), purpose=None, path=((SQ, 1),), uid="2.25.86.2")
    name = SetElement(tag=0x00100010, encoded=text(0x00100010, "PN", "X^Y"))
    assert integrity(edited(nested, name)) == [Integrity.INTACT]
    inside = SetElement(
        tag=0x0040A010, encoded=text(0x0040A010, "CS", "CONTAINS "), path=((SQ, 1),)
    )
    assert integrity(edited(nested, inside)) != [Integrity.INTACT]


# Notices


def test_loose_padding_is_a_warning():
    """A document that other systems would rewrite is signed with a warning."""
    loose = part10(
        EXPLICIT.element(0x00080018, "UI", b"1.2\0") + EXPLICIT.element(0x00100010, "PN", b"A   ")
    )
    assert [f.rule for f in prepare(opened(loose), request()).findings] == ["PADDING_NOT_CANONICAL"]
    assert prepare(opened(unsigned()), request()).findings == ()


def _large(*, nested: bool) -> bytes:
    leaf = [(0x0040A160, "UT", b"text" * 10)]
    item = [(0x0040A043, "SQ", [leaf])] if nested else leaf
    nodes = [(0x00080018, "UI", b"1.2\0"), (SQ, "SQ", [item] * 400)]
    return part10(tree(nodes, EXPLICIT))


@pytest.mark.parametrize(("nested", "rules"), [(True, ["PEER_WILL_TRUNCATE"]), (False, [])])
def test_streams_that_dcmsign_cuts(nested, rules):
    """Large nested sequences are announced; large flat ones are nothing special."""
    prepared = prepare(opened(_large(nested=nested)), request())
    assert prepared.stream_bytes > 16384
    assert [f.rule for f in prepared.findings] == rules


def test_keywords_used_here():
    """The tags spelt out in this module are those of the attributes meant."""
    assert tag_for_keyword("ContentSequence") == SQ
    assert tag_for_keyword("ReferencedSOPInstanceMACSequence") == 0x04000403
