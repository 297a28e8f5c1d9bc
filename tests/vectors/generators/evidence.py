"""Cited instances: exchanged, altered, missing, or hardly vouched for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, canonicalise, read
from sr.document.reference import SecureReference
from sr.mac import MACAlgorithm, ReferencedSOPInstanceMAC, compute_mac
from sr.mac.selection import signable_tags
from sr.signature.coverage import author_tags
from sr.signature.reference_coverage import MACCoverage, reference_tags
from tests.support.case import Case
from tests.support.curve import key_that_fits
from tests.support.datasets import ct_evidence, ct_files, evidence_of, report
from tests.support.forge import (
    CERTIFICATE,
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    listed_tags,
    remove,
    sequence,
    set_value,
    signature_item,
    stream,
)
from tests.support.pki import NOW, Entity, demo_pki, issue, name
from tests.support.signed import (
    author_report,
    evidence_with_signature,
    plain_report,
    sign,
    signed_images,
)
from tests.vectors.generators.fragments import MARKER, picture

__all__ = [
    "altered_picture_with_a_key_that_fits",
    "altered_pixel",
    "cited_twice_with_other_mac",
    "cites_itself",
    "class_differs",
    "coerced_by_the_archive",
    "coercion_tolerant_and_altered",
    "coercion_tolerant_and_weak",
    "copy_altered_beside_good_one",
    "copy_in_another_syntax_beside_good_one",
    "everything_matches",
    "fragments_cut_elsewhere",
    "hidden_in_a_covered_item",
    "mac_in_the_wrong_place",
    "mac_list_names_signatures",
    "mac_list_out_of_order",
    "mac_of_wrong_length",
    "mac_of_wrong_length_beside_signature",
    "mac_with_md5",
    "mac_with_sha1",
    "matches_by_signature",
    "matches_by_signature_and_mac",
    "not_given",
    "one_missing",
    "one_unsecured",
    "other_added",
    "overlay_added",
    "padding_normalised",
    "picture_of_another_patient",
    "presentation_state_not_listed",
    "private_added",
    "second_mac",
    "signature_altered_picture",
    "signature_by_nobody",
    "signature_exchanged",
    "signature_removed",
    "signature_removed_but_mac_matches",
    "stored_compressed",
    "thin_mac",
    "tree_cites_another_class",
    "tree_cites_more",
    "uncited_files_are_ignored",
]

Edit = Callable[[list[Node]], object]

_EVIDENCE, _SERIES, _SOP = 0x0040A375, 0x00081115, 0x00081199
_REFERENCE = (_EVIDENCE, 0, _SERIES, 0, _SOP)
_MACS, _SIGNATURES = 0x04000403, 0x04000402


def _references(nodes: list[Node]) -> list[list[Node]]:
    items = at(nodes, *_REFERENCE).items
    assert items is not None
    return items


def _rewritten(change: object, evidence: tuple[bytes, ...] | None = None) -> Case:
    """Return a report whose references were changed before its author signed."""

    def edit(nodes: list[Node]) -> None:
        change(nodes)
        forge_signature(nodes)

    data = edited(plain_report(), edit)
    return Case(data=data, evidence=ct_files() if evidence is None else evidence)


def _given(*files: bytes) -> Case:
    return Case(data=author_report(), evidence=files)


def _image(change: object) -> bytes:
    return edited(ct_files()[0], change)


def _pixel(nodes: list[Node]) -> None:
    node = at(nodes, 0x7FE00010)
    node.value = b"\xff\x0f" + node.value[2:]


def everything_matches() -> Case:
    return _given(*ct_files())


def not_given() -> bytes:
    return author_report()


def uncited_files_are_ignored() -> Case:
    return _given(*ct_files(), *ct_files(2, arc=2))


def altered_pixel() -> Case:
    return _given(_image(_pixel), *ct_files()[1:])


def picture_of_another_patient() -> Case:
    """The same pixels under another name."""
    return _given(_image(set_value(0x00100010, to="Opfer^Otto")), *ct_files()[1:])


def one_missing() -> Case:
    return _given(*ct_files()[1:])


def overlay_added() -> Case:
    drawn = leaf(0x60003000, "OW", b"\xff" * 2048)
    return _given(_image(lambda n: insert(n, drawn)), *ct_files()[1:])


def other_added() -> Case:
    station = leaf(0x00081010, "SH", "CT 99")
    return _given(_image(lambda n: insert(n, station)), *ct_files()[1:])


def private_added() -> Case:
    block = (leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "value"))
    return _given(_image(lambda n: insert(n, *block)), *ct_files()[1:])


def hidden_in_a_covered_item() -> Case:
    anatomy = [leaf(0x00080100, "SH", "T-28000"), leaf(0x00080102, "SH", "SRT")]
    image = canonicalise(_image(lambda n: insert(n, sequence(0x00082218, anatomy))))

    def hide(nodes: list[Node]) -> None:
        insert(at(nodes, 0x00082218).items[0], leaf(0xFFFCFFFC, "OB", b"Text nobody signed."))

    data = edited(canonicalise(report(evidence=[evidence_of(image)])), forge_signature)
    return Case(data=data, evidence=(edited(image, hide),))


def copy_altered_beside_good_one() -> Case:
    return _given(*ct_files(), _image(_pixel))


def copy_in_another_syntax_beside_good_one() -> Case:
    return _given(*ct_files(), _compressed())


def _compressed() -> bytes:
    return picture(b"the same, compressed")


def stored_compressed() -> Case:
    return _given(_compressed(), *ct_files()[1:])


def padding_normalised() -> Case:
    """Hashed by somebody who strips padding, and stored with more of it."""
    loose = _image(set_value(0x00081030, to="CT Thorax   "))
    file = read(BytesSource(loose))
    mac = compute_mac(read(BytesSource(canonicalise(loose))))
    proof = replace(evidence_of(loose), reference=SecureReference(mac=mac))
    assert file.sop_instance_uid == proof.sop_instance_uid
    data = sign(canonicalise(report(evidence=(proof, *ct_evidence()[1:]))))
    return Case(data=data, evidence=(loose, *ct_files()[1:]))


def one_unsecured() -> Case:
    return _rewritten(lambda n: remove(_references(n)[0], _MACS))


def mac_in_the_wrong_place() -> Case:
    """One level too deep, as Supplement 86 prints it."""

    def change(nodes: list[Node]) -> None:
        (macs,) = remove(_references(nodes)[0], _MACS)
        insert(_references(nodes)[0], sequence(_SIGNATURES, [macs]))

    return _rewritten(change)


def mac_of_wrong_length() -> Case:
    """Two bytes of digest are found by trying."""

    def change(nodes: list[Node]) -> None:
        node = at(_references(nodes)[0], _MACS, 0, 0x04000404)
        node.value = node.value[:2]

    return _rewritten(change)


def mac_list_out_of_order() -> Case:
    def change(nodes: list[Node]) -> None:
        node = at(_references(nodes)[0], _MACS, 0, 0x04000020)
        node.value = node.value[4:8] + node.value[:4] + node.value[8:]

    return _rewritten(change)


def mac_list_names_signatures() -> Case:
    def change(nodes: list[Node]) -> None:
        node = at(_references(nodes)[0], _MACS, 0, 0x04000020)
        node.value += bytes.fromhex("FAFFFAFF")

    return _rewritten(change)


def second_mac() -> Case:
    def change(nodes: list[Node]) -> None:
        items = at(_references(nodes)[0], _MACS).items
        other = [leaf(n.tag, n.vr, n.value) for n in items[0]]
        set_value(0x04000404, to=bytes(32))(other)
        items.append(other)

    return _rewritten(change)


def cited_twice_with_other_mac() -> Case:
    """Once in each evidence sequence, so that a reader finds whichever he looks for."""

    def change(nodes: list[Node]) -> None:
        copied = apart(plain_report()).nodes
        other = at(copied, _EVIDENCE)
        other.tag = 0x0040A385
        items = at([other], 0x0040A385, 0, _SERIES, 0, _SOP).items
        del items[1:]
        set_value(_MACS, 0, 0x04000404, to=bytes(32))(items[0])
        insert(nodes, other)

    return _rewritten(change)


def cites_itself() -> Case:
    def change(nodes: list[Node]) -> None:
        extra = [leaf(n.tag, n.vr, n.value) for n in _references(nodes)[0] if n.items is None]
        set_value(0x00081155, to="2.25.900.1")(extra)
        insert(extra, at(_references(nodes)[0], _MACS))
        _references(nodes).append(extra)

    return replace(_rewritten(change), evidence=None)


def tree_cites_more() -> Case:
    """The picture the text is about is not among the evidence, so nothing vouches for it."""
    return replace(_rewritten(lambda n: _references(n).pop(0)), evidence=None)


def tree_cites_another_class() -> Case:
    cited = (0x0040A730, 4, 0x0040A730, 0, 0x0040A730, 0, _SOP, 0, 0x00081150)
    return _rewritten(set_value(*cited, to="1.2.840.10008.5.1.4.1.1.4"))


def presentation_state_not_listed() -> Case:
    """How the picture is shown decides what is seen, and nothing vouches for it."""

    def change(nodes: list[Node]) -> None:
        image = at(nodes, 0x0040A730, 4, 0x0040A730, 0, 0x0040A730, 0, _SOP).items[0]
        state = [
            leaf(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.11.1"),
            leaf(0x00081155, "UI", "2.25.31.1"),
        ]
        insert(image, sequence(_SOP, state))

    return replace(_rewritten(change), evidence=None)


def class_differs() -> Case:
    return _rewritten(
        lambda n: set_value(0x00081150, to="1.2.840.10008.5.1.4.1.1.4")(_references(n)[0])
    )


def _by_others(data: bytes) -> bytes:
    """Return a report signed by its author with a program that asks no questions."""
    tags = author_tags(signable_tags(read(BytesSource(data)).dataset))
    return edited(data, lambda n: forge_signature(n, tags=tags))


def _with_mac(mac: ReferencedSOPInstanceMAC, image: bytes | None = None) -> Case:
    image = ct_files()[0] if image is None else image
    proof = replace(evidence_of(image), reference=SecureReference(mac=mac))
    data = _by_others(canonicalise(report(evidence=(proof, *ct_evidence()[1:]))))
    return Case(data=data, evidence=(image, *ct_files()[1:]))


def thin_mac() -> Case:
    """Covers class and UID, so any picture fits."""
    nodes = apart(ct_files()[0]).nodes
    listed = (0x00080016, 0x00080018)
    return _with_mac(
        ReferencedSOPInstanceMAC(
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            algorithm=MACAlgorithm.SHA256,
            data_elements_signed=listed,
            mac=hashlib.sha256(stream(nodes, listed)).digest(),
        )
    )


def _coercion_tolerant(*changes: Edit, algorithm: MACAlgorithm = MACAlgorithm.SHA256) -> Case:
    """The first image cited with a MAC that an archive does not break, then changed."""
    file = read(BytesSource(ct_files()[0]))
    tags = reference_tags(file.dataset, MACCoverage.COERCION_TOLERANT)
    case = _with_mac(compute_mac(file, algorithm=algorithm, tags=tags))
    return replace(case, evidence=(edited(ct_files()[0], *changes), *ct_files()[1:]))


def coerced_by_the_archive() -> Case:
    """An archive brought the image under its own identifiers, as it may."""
    return _coercion_tolerant(
        set_value(0x00100020, to="ARCHIVE-1"),
        set_value(0x0020000D, to="2.25.66.1"),
        set_value(0x0020000E, to="2.25.66.2"),
    )


def coercion_tolerant_and_altered() -> Case:
    """What no archive may change was changed."""
    return _coercion_tolerant(set_value(0x00100010, to="Opfer^Otto"))


def coercion_tolerant_and_weak() -> Case:
    """One tolerance does not hide the other."""
    return _coercion_tolerant(algorithm=MACAlgorithm.SHA1)


def _with_algorithm(algorithm: MACAlgorithm) -> Case:
    file = read(BytesSource(ct_files()[0]))
    return _with_mac(compute_mac(file, algorithm=algorithm))


def mac_with_sha1() -> Case:
    return _with_algorithm(MACAlgorithm.SHA1)


def mac_with_md5() -> Case:
    return _with_algorithm(MACAlgorithm.MD5)


def fragments_cut_elsewhere() -> Case:
    """One MAC, two pictures: the one that was reported on, and the one in the folder."""
    reported = picture(b"disc" + MARKER + b"none")
    given = picture(b"disc", b"none")
    return replace(_with_mac(compute_mac(read(BytesSource(reported))), reported),
                   evidence=(given, *ct_files()[1:]))  # fmt: skip


@cache
def _by_signature(*, mac: bool = False) -> bytes:
    images = signed_images()
    cited = tuple(evidence_with_signature(image, mac=mac) for image in images)
    return sign(canonicalise(report(evidence=cited)))


def matches_by_signature() -> Case:
    return Case(data=_by_signature(), evidence=signed_images())


def matches_by_signature_and_mac() -> Case:
    return Case(data=_by_signature(mac=True), evidence=signed_images())


def signature_removed_but_mac_matches() -> Case:
    bare = edited(signed_images()[0], lambda n: remove(n, 0x4FFE0001, 0xFFFAFFFA))
    return Case(data=_by_signature(mac=True), evidence=(bare, *signed_images()[1:]))


def signature_removed() -> Case:
    bare = edited(signed_images()[0], lambda n: remove(n, 0x4FFE0001, 0xFFFAFFFA))
    return Case(data=_by_signature(), evidence=(bare, *signed_images()[1:]))


def signature_altered_picture() -> Case:
    altered = edited(signed_images()[0], _pixel)
    return Case(data=_by_signature(), evidence=(altered, *signed_images()[1:]))


def signature_exchanged() -> Case:
    """Altered and signed anew under the same UID, by somebody trusted."""

    def edit(nodes: list[Node]) -> None:
        remove(nodes, 0x4FFE0001, 0xFFFAFFFA)
        _pixel(nodes)
        source = SignaturePurpose.SOURCE.code
        forge_signature(nodes, demo_pki().archive, purpose=source, uid="2.25.4712.1")

    exchanged = edited(signed_images()[0], edit)
    return Case(data=_by_signature(), evidence=(exchanged, *signed_images()[1:]))


def _signed_by(signer: Entity) -> bytes:
    return sign(canonicalise(ct_files()[0]), signer, SignaturePurpose.SOURCE, uid="2.25.4712.7")


def _cites(image: bytes) -> bytes:
    cited = (evidence_with_signature(image, mac=False), *ct_evidence()[1:])
    return sign(canonicalise(report(evidence=cited)))


def signature_by_nobody() -> Case:
    """The instance carries the very signature that was copied, but nobody knows its signer."""
    image = _signed_by(issue(None, "Somebody", slot="nobody"))
    return Case(data=_cites(image), evidence=(image, *ct_files()[1:]))


def mac_of_wrong_length_beside_signature() -> Case:
    images = signed_images()

    def change(nodes: list[Node]) -> None:
        node = at(_references(nodes)[0], _MACS, 0, 0x04000404)
        node.value = node.value[:2]
        forge_signature(nodes)

    cited = tuple(evidence_with_signature(image) for image in images)
    return Case(data=edited(canonicalise(report(evidence=cited)), change), evidence=images)


def altered_picture_with_a_key_that_fits() -> Case:
    """For any ECDSA value and any digest there is a public key; a certificate is soon made."""
    signer = issue(demo_pki().issuing, "CT Scanner", key_kind="p256", slot="scanner")

    def sign_source(nodes: list[Node]) -> None:
        source = SignaturePurpose.SOURCE.code
        forge_signature(nodes, signer, purpose=source, uid="2.25.4712.7")

    image = edited(ct_files()[0], sign_source)

    def alter(nodes: list[Node]) -> None:
        _pixel(nodes)
        item = signature_item(nodes)
        digest = hashlib.sha256(stream(nodes, listed_tags(nodes), item)).digest()
        value = at(item, 0x04000120).value
        r, s = utils.decode_dss_signature(value[: value[1] + 2])
        der = _certificate_for(key_that_fits(r, s, int.from_bytes(digest)))
        set_value(CERTIFICATE, to=der + b"\0" * (len(der) % 2))(item)

    return Case(data=_cites(image), evidence=(edited(image, alter), *ct_files()[1:]))


def _certificate_for(key: ec.EllipticCurvePublicKey) -> bytes:
    rogue = issue(None, "Rogue Root", ca=True, slot="rogue")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("CT Scanner"))
        .issuer_name(rogue.certificate.subject)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=30))
    )
    return builder.sign(rogue.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
