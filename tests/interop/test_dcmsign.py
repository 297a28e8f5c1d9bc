"""Signatures in both directions between dcmsign and us, and after DCMTK has rewritten the file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pydicom.data
import pytest

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, DICOMFile, canonicalise, read
from sr.dicomfile.padding import noncanonical_elements
from sr.dicomfile.splice import SetElement, assemble, splice
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.lifecycle import approve_edits
from sr.errors import DatasetError, ProfileViolationError
from sr.mac import MACAlgorithm
from sr.signature import SigningRequest, complete, prepare
from sr.verification import gather
from sr.verification.facts import Integrity
from tests.support.datasets import ct_files, key_object, report
from tests.support.dcmsign_keys import PeerSigner, peer_signer
from tests.support.dicom_bytes import EXPLICIT
from tests.support.peers import DCMCONV, PeerResult, dcmsign, dcmsign_sign, dcmsign_verify, run_peer
from tests.support.signed import (
    APPROVED_AT,
    SIGNED_AT,
    approved_report,
    author_report,
    seal,
    sign,
    sign_digest,
    signed_image,
)

pytestmark = pytest.mark.peer

P = SignaturePurpose
SQ = 0x0040A730
BUNDLED = Path(pydicom.data.__file__).parent / "test_files"
MACS = {"+m2": "SHA256", "+m3": "SHA384", "+m5": "SHA512"}
WEAK = {"+mr": "RIPEMD160", "+ms": "SHA1", "+mm": "MD5"}


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], PeerSigner]:
    """Return a function that returns a signer with a kind of key."""
    folder = tmp_path_factory.mktemp("keys")
    return cache(lambda kind="rsa2048": peer_signer(folder, kind))


@cache
def unsigned() -> bytes:
    return canonicalise(report())


def opened(data: bytes) -> DICOMFile:
    return read(BytesSource(data))


def approval_of(data: bytes) -> bytes:
    """Return a signed report with the edits of an approval, not yet signed again."""
    approval = Approval(
        observer=VerifyingObserver(name="Weber^Sam", organization="Klinikum Musterstadt"),
        approved_at=APPROVED_AT,
        mode=ApprovalMode.REISSUE,
        sop_instance_uid="2.25.900.78",
        predecessor=None,
    )
    file = opened(data)
    return assemble(splice(file, approve_edits(file.dataset, approval)))


def intact(data: bytes, number: int = 1) -> bool:
    """Whether the file has so many signatures and all are intact as stored."""
    found = [s.integrity for s in gather(opened(data)).signatures]
    return found == [Integrity.INTACT] * number


def by_dcmsign(
    data: bytes, signer: PeerSigner, folder: Path, *options: str, profile: str = "-pf",
    mac: str = "+m2", purpose: str | None = "1",
) -> bytes:  # fmt: skip
    """Return the file with a signature made by dcmsign."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(data)
    done = dcmsign_sign(
        source, target, key=signer.key, certificate=signer.certificate, profile=profile, mac=mac,
        purpose=purpose, options=options,
    )  # fmt: skip
    assert done.returncode == 0, done.output
    return target.read_bytes()


def judged(data: bytes, signer: PeerSigner, folder: Path, *options: str) -> PeerResult:
    """Let dcmsign verify the file; by default it must have a signature."""
    path = folder / "signed.dcm"
    path.write_bytes(data)
    return dcmsign_verify(path, anchor=signer.anchor, options=options or ("+rg",))


def accepted(data: bytes, signer: PeerSigner, folder: Path, *options: str) -> bool:
    return judged(data, signer, folder, *options).returncode == 0


# dcmsign signs, we check


DOCUMENTS = {"-pf": unsigned, "+pb": unsigned, "+pc": unsigned, "+pa": unsigned,
             "+pr": unsigned, "+pv": approved_report}  # fmt: skip


@pytest.mark.parametrize("key", ["rsa2048", "rsa3072"])
@pytest.mark.parametrize("mac", MACS)
@pytest.mark.parametrize("profile", DOCUMENTS)
def test_signed_by_dcmsign(profile, mac, key, signers, tmp_path):
    """Signatures of every profile, digest and key size are intact, and keep the structure rules."""
    before = DOCUMENTS[profile]()
    count = len(gather(opened(before)).signatures) + 1
    data = by_dcmsign(before, signers(key), tmp_path, profile=profile, mac=mac)
    assert intact(data, count)
    facts = gather(opened(data))
    assert facts.signatures[-1].mac_algorithm == MACS[mac]
    assert [f for s in facts.signatures for f in s.findings] == []


@pytest.mark.parametrize("mac", WEAK)
def test_weak_algorithms_of_dcmsign(mac, signers, tmp_path):
    """Signatures with weak digests are computed all the same; the verdict says they are weak."""
    data = by_dcmsign(unsigned(), signers("rsa2048"), tmp_path, mac=mac)
    assert intact(data)
    assert gather(opened(data)).signatures[0].mac_algorithm == WEAK[mac]


@pytest.mark.parametrize("purpose", [None, *map(str, range(1, 19))])
def test_purposes_of_dcmsign(purpose, signers, tmp_path):
    """Every purpose dcmsign can write is read."""
    facts = gather(opened(by_dcmsign(unsigned(), signers("rsa2048"), tmp_path, purpose=purpose)))
    code = facts.signatures[0].purpose
    assert (code.value if code is not None else None) == purpose


@pytest.mark.parametrize("option", ["+ti", "+tb", "+te", "-e", "+e"])
def test_encodings_written_by_dcmsign(option, signers, tmp_path):
    """Files that dcmsign signs and writes in another encoding are intact."""
    assert intact(by_dcmsign(unsigned(), signers("rsa2048"), tmp_path, option))


def test_item_signed_by_dcmsign(signers, tmp_path):
    """A signature of dcmsign in an item is located and intact."""
    signer = signers("rsa2048")
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(unsigned())
    done = dcmsign(
        "+si", signer.key, signer.certificate, "ContentSequence[1]", "+m2", source, target
    )
    assert done.returncode == 0, done.output
    (found,) = gather(opened(target.read_bytes())).signatures
    assert (found.location, found.integrity) == ("(0040,A730)[1]", Integrity.INTACT)


@pytest.mark.parametrize(
    "edit",
    [
        SetElement(tag=0x00100010, encoded=EXPLICIT.element(0x00100010, "PN", b"X^Y ")),
        SetElement(tag=0x00100010, encoded=None),
        SetElement(tag=0x00080060, encoded=EXPLICIT.element(0x00080060, "CS", b"CT")),
        SetElement(
            tag=0x0040A010, encoded=EXPLICIT.element(0x0040A010, "CS", b"XX"), path=((SQ, 1),)
        ),
    ],
    ids=["name", "removed", "modality", "content"],
)
def test_both_see_an_alteration(edit, signers, tmp_path):
    """What we call altered, dcmsign calls corrupted as well."""
    signer = signers("rsa2048")
    data = assemble(splice(opened(by_dcmsign(unsigned(), signer, tmp_path)), [edit]))
    assert not intact(data)
    if edit.encoded is not None:  # it does not look for what is listed and gone
        assert judged(data, signer, tmp_path).returncode == 101


def test_padding_rewritten_after_dcmsign(signers, tmp_path):
    """A value padded anew keeps its signature for dcmsign; for us too, and we say so."""
    signer = signers("rsa2048")
    name = opened(unsigned()).dataset.bytes(0x00100010)
    assert name is not None
    padded = EXPLICIT.element(0x00100010, "PN", name + b"    ")
    signed = by_dcmsign(unsigned(), signer, tmp_path)
    data = assemble(splice(opened(signed), [SetElement(tag=0x00100010, encoded=padded)]))
    assert accepted(data, signer, tmp_path)
    (found,) = gather(opened(data)).signatures
    assert found.integrity is Integrity.INTACT_PADDING_NORMALISED


# We sign, dcmsign checks


@pytest.mark.parametrize("algorithm", MACS.values())
@pytest.mark.parametrize("key", ["rsa2048", "rsa3072"])
@pytest.mark.parametrize("make", [report, key_object], ids=["report", "key object"])
def test_our_documents(make, key, algorithm, signers, tmp_path):
    """DCMTK confirms our documents with every digest and key size, and their profile."""
    signer = signers(key)
    purpose = P.AUTHOR if make is report else P.SOURCE
    data = sign(canonicalise(make()), signer.entity, purpose, mac_algorithm=MACAlgorithm(algorithm))
    options = ("+rs",) if make is report else ("+rg",)
    assert accepted(data, signer, tmp_path, *options)


@pytest.mark.parametrize("purpose", P)
def test_our_purposes(purpose, signers, tmp_path):
    """DCMTK confirms every purpose."""
    signer = signers("rsa2048")
    image = canonicalise(ct_files()[0])
    assert accepted(sign(image, signer.entity, purpose), signer, tmp_path)


def test_our_approved_report(signers, tmp_path):
    """Author and verification signature are both confirmed, with the verification profile."""
    signer = signers("rsa2048")
    approved = sign(
        approval_of(sign(unsigned(), signer.entity)), signer.entity, P.VERIFICATION,
        uid="2.25.86.5", at=APPROVED_AT,
    )  # fmt: skip
    assert intact(approved, 2)
    assert accepted(approved, signer, tmp_path, "+rs")


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_our_ec_signatures(kind, signers, tmp_path):
    """DCMTK confirms EC signatures, though no profile of PS3.15 has them."""
    signer = signers(kind)
    request = SigningRequest(
        purpose=P.AUTHOR,
        certificate=signer.entity.der,
        signed_at=SIGNED_AT,
        digital_signature_uid="2.25.86.1",
        profile="site-ec",
    )
    prepared = prepare(opened(unsigned()), request)
    value = sign_digest(signer.entity.key, MACAlgorithm.SHA256, prepared.digest)
    data = assemble(complete(prepared, value))
    assert intact(data)
    assert accepted(data, signer, tmp_path)
    assert judged(data, signer, tmp_path, "+rs").returncode == 102


ENCODED = [
    "CT_small.dcm",
    "badVR.dcm",
    "liver_1frame.dcm",
    "waveform_ecg.dcm",
    "MR_small_implicit.dcm",
    "rtplan.dcm",
    "ExplVR_BigEnd.dcm",
    "rtdose_expb_1frame.dcm",
    "image_dfl.dcm",
    "JPEG2000.dcm",
    "MR_small_jp2klossless.dcm",
    "JPEG-lossy.dcm",
    "JPEGLSNearLossless_16.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle.dcm",
    "MR_small_RLE.dcm",
]


def _signed_as_it_is(data: bytes, signer: PeerSigner) -> bytes:
    """Return a foreign file with a signature, without its reports' demands."""
    request = SigningRequest(
        purpose=P.SOURCE,
        certificate=signer.entity.der,
        signed_at=SIGNED_AT,
        digital_signature_uid="2.25.86.1",
    )
    prepared = prepare(opened(data), request)
    value = sign_digest(signer.entity.key, MACAlgorithm.SHA256, prepared.digest)
    return assemble(complete(prepared, value))


@pytest.mark.parametrize("name", ENCODED)
def test_foreign_files_that_we_sign(name, signers, tmp_path):
    """DCMTK confirms our signatures on files of others in every transfer syntax."""
    signer = signers("rsa2048")
    signed = _signed_as_it_is((BUNDLED / name).read_bytes(), signer)
    assert intact(signed)
    assert accepted(signed, signer, tmp_path)


def test_our_item_signature(signers, tmp_path):
    """DCMTK confirms a signature in an item, and the document's around it."""
    signer = signers("rsa2048")
    nested = sign(unsigned(), signer.entity, None, path=((SQ, 1),), uid="2.25.86.2")
    assert accepted(nested, signer, tmp_path)
    both = sign(nested, signer.entity, uid="2.25.86.3")
    assert accepted(both, signer, tmp_path, "+rs")
    later = sign(both, signer.entity, None, path=((SQ, 2),), uid="2.25.86.4")
    assert accepted(later, signer, tmp_path, "+rs")


def test_our_private_elements(signers, tmp_path):
    """DCMTK confirms private elements of known value representation."""
    signer = signers("rsa2048")
    block = SetElement(tag=0x00090010, encoded=EXPLICIT.element(0x00090010, "LO", b"ACME"))
    value = SetElement(tag=0x00091001, encoded=EXPLICIT.element(0x00091001, "LO", b"xy"))
    data = assemble(splice(opened(canonicalise(ct_files()[0])), [block, value]))
    assert accepted(sign(data, signer.entity, P.SOURCE, private=True), signer, tmp_path)


# Beside each other


def test_dcmsign_signs_beside_us(signers, tmp_path):
    """A signature of dcmsign leaves ours intact, and both confirm both."""
    signer = signers("rsa2048")
    ours = sign(unsigned(), signer.entity)
    both = by_dcmsign(ours, signer, tmp_path, profile="+pr")
    assert intact(both, 2)
    assert accepted(both, signer, tmp_path, "+rs")


def test_we_sign_beside_dcmsign(signers, tmp_path):
    """Our signature leaves that of dcmsign intact, and both confirm both."""
    signer = signers("rsa2048")
    theirs = by_dcmsign(unsigned(), signer, tmp_path, profile="+pr")
    both = sign(theirs, signer.entity, P.REVIEW, at=datetime.now(UTC))
    assert intact(both, 2)
    assert accepted(both, signer, tmp_path, "+rs")


def test_we_sign_around_an_item_of_dcmsign(signers, tmp_path):
    """Our signature over a document in which dcmsign signed an item is confirmed."""
    signer = signers("rsa2048")
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(unsigned())
    done = dcmsign(
        "+si", signer.key, signer.certificate, "ContentSequence[1]", "+m2", source, target
    )
    assert done.returncode == 0, done.output
    both = sign(target.read_bytes(), signer.entity, at=datetime.now(UTC))
    assert intact(both, 2)
    assert accepted(both, signer, tmp_path, "+rs")


# After DCMTK has rewritten the file


HOPS = {
    "implicit": ["+ti"],
    "big endian": ["+tb"],
    "explicit": ["+te"],
    "deflated": ["+td"],
    "defined lengths": ["+e"],
    "undefined lengths": ["-e"],
    "group lengths": ["+g"],
    "no group lengths": ["-g"],
    "padding at the end": ["+p", "512", "0"],
    "implicit, undefined, group lengths": ["+ti", "-e", "+g"],
    "big endian, undefined": ["+tb", "-e"],
}


def converted(data: bytes, folder: Path, *options: str) -> bytes:
    source, target = folder / "from.dcm", folder / "to.dcm"
    source.write_bytes(data)
    done = run_peer(DCMCONV, *options, source, target)
    assert done.returncode == 0, done.output
    return target.read_bytes()


@pytest.mark.parametrize("hop", HOPS)
def test_signatures_survive_dcmconv(hop, tmp_path):
    """Reports, key object selections and images keep their signatures through any rewriting."""
    for data, number in (
        (author_report(), 1), (approved_report(), 2), (seal(), 1), (signed_image(), 1),
    ):  # fmt: skip
        assert intact(converted(data, tmp_path, *HOPS[hop]), number)


@pytest.mark.parametrize("hop", HOPS)
def test_dcmsign_agrees_after_dcmconv(hop, signers, tmp_path):
    """DCMTK confirms our report after the same rewriting, and back again."""
    signer = signers("rsa2048")
    there = converted(sign(unsigned(), signer.entity), tmp_path, *HOPS[hop])
    assert accepted(there, signer, tmp_path, "+rs")
    back = converted(there, tmp_path, "+te", "+e", "-g")
    assert intact(back)
    assert accepted(back, signer, tmp_path, "+rs")


def test_dcmsign_signatures_survive_dcmconv(signers, tmp_path):
    """Signatures of dcmsign, in a document and in an item of it, survive as ours do."""
    signer = signers("rsa2048")
    signed = by_dcmsign(unsigned(), signer, tmp_path, profile="+pr")
    for options in HOPS.values():
        assert intact(converted(signed, tmp_path, *options))


def test_padding_inside_items_is_refused(tmp_path):
    """Trailing padding inside signed items could hide content, so its file is not sound."""
    padded = converted(author_report(), tmp_path, "+p", "512", "64")
    facts = gather(opened(padded))
    assert facts.signatures[0].integrity is Integrity.NOT_COMPUTED
    assert "HIDDEN_UNSIGNED" in {f.rule for s in facts.signatures for f in s.findings}


def test_private_elements_do_not_survive_implicit_vr(signers, tmp_path):
    """Signed private elements lose their value representation; the verdict is undecided."""
    signer = signers("rsa2048")
    block = SetElement(tag=0x00090010, encoded=EXPLICIT.element(0x00090010, "LO", b"ACME"))
    value = SetElement(tag=0x00091001, encoded=EXPLICIT.element(0x00091001, "LO", b"xy"))
    data = assemble(splice(opened(canonicalise(ct_files()[0])), [block, value]))
    hopped = converted(sign(data, signer.entity, P.SOURCE, private=True), tmp_path, "+ti")
    (found,) = gather(opened(hopped)).signatures
    assert found.integrity is Integrity.NOT_COMPUTED
    assert {f.rule for f in found.findings} == {"VR_UN"}
    kept = converted(sign(data, signer.entity, P.SOURCE), tmp_path, "+ti")
    assert intact(kept)


@pytest.mark.prove
def test_every_bundled_file_signed_by_us(signers, tmp_path):
    """DCMTK confirms our signature on every bundled file, but where we warned of its padding."""
    signer = signers("rsa2048")
    confirmed, denied, warned = 0, set(), set()
    for path in sorted(p for p in BUNDLED.rglob("*") if p.is_file()):
        try:
            file = opened(path.read_bytes())
            signed = _signed_as_it_is(path.read_bytes(), signer)
        except (DatasetError, ProfileViolationError):
            continue
        if noncanonical_elements(file.dataset):
            warned.add(path.name)
        if accepted(signed, signer, tmp_path):
            confirmed += 1
        else:
            denied.add(path.name)
    assert denied == warned != set()
    assert confirmed > 100
