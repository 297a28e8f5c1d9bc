"""Selections that help to secure references: trusted and copied from, or cited as anchors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.app.checks.check import CheckOptions, check_file
from sr.app.documents.evidence import LoadedEvidence, load_evidence
from sr.app.documents.securing import Securing
from sr.codes import SignaturePurpose
from sr.dicomfile import canonicalise
from sr.document.evidence import Evidence
from sr.document.reference import SecureReference
from sr.errors import EvidenceError, NotDICOMError, SRError, VerdictError
from sr.mac import MACAlgorithm, compute_mac
from sr.signature.reference_coverage import MACCoverage, reference_tags
from sr.trust import subject_name
from tests.support.datasets import (
    ct_evidence,
    ct_files,
    evidence_of,
    key_object,
    opened,
    report,
    write_all,
)
from tests.support.forge import (
    SIGNATURES,
    Node,
    at,
    edited,
    forge_signature,
    remove,
    set_value,
)
from tests.support.pki import NOW, Entity, demo_pki, issue
from tests.support.signed import author_report, seal, sign

CURRENT, SERIES, INSTANCES, MACS, MAC = 0x0040A375, 0x00081115, 0x00081199, 0x04000403, 0x04000404


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder with the three images that the seal is over."""
    folder = tmp_path / "images"
    folder.mkdir()
    write_all(folder, ct_files())
    return folder


def _options(folder: Path, *, anchor: Entity | None = None, **more: object) -> CheckOptions:
    pki = demo_pki()
    paths = {"root": anchor or pki.root, "issuing": pki.issuing}
    for name, entity in paths.items():
        (folder / f"{name}.pem").write_bytes(entity.pem)
    return CheckOptions(
        at=NOW,
        anchors=(folder / "root.pem",),
        intermediates=(folder / "issuing.pem",),
        **more,  # type: ignore[arg-type]
    )


def _load(
    images: Path,
    *,
    trusted: bytes | None = None,
    anchor: bytes | None = None,
    options: CheckOptions | None = None,
) -> LoadedEvidence:
    """Cite the images with the help of a selection."""
    given: dict[str, tuple[Path, ...]] = {}
    for name, data in (("trusted", trusted), ("anchors", anchor)):
        if data is not None:
            path = images.parent / f"{name}.dcm"
            path.write_bytes(data)
            given[name] = (path,)
    securing = Securing(check=options or _options(images.parent), **given)  # type: ignore[arg-type]
    return load_evidence([images], securing=securing)


def _sealed(*evidence: Evidence, signer: Entity | None = None) -> bytes:
    selection = canonicalise(key_object(evidence=evidence))
    return sign(selection, signer or demo_pki().archive, SignaturePurpose.SOURCE)


def _by_mac(item: Evidence, data: bytes, **how: object) -> Evidence:
    mac = compute_mac(opened(data), **how)  # type: ignore[arg-type]
    return replace(item, reference=SecureReference(mac=mac))


@cache
def _weak() -> bytes:
    """Return a seal by the archive whose MACs are of SHA-1."""
    weak = tuple(
        _by_mac(item, data, algorithm=MACAlgorithm.SHA1)
        for item, data in zip(ct_evidence(), ct_files(), strict=True)
    )
    return edited(
        canonicalise(key_object(evidence=weak)),
        lambda n: forge_signature(n, demo_pki().archive, purpose=SignaturePurpose.SOURCE.code),
    )


def _rules(loaded: LoadedEvidence) -> list[str]:
    return [notice.rule for notice in loaded.notices]


def test_proofs_are_copied_from_a_trusted_selection(images: Path) -> None:
    """Every proof is the one that the archive signed, and the result says where it came from."""
    loaded = _load(images, trusted=seal())
    assert [item.reference for item in loaded.evidence] == [i.reference for i in ct_evidence()]
    (copied,) = loaded.copied
    assert (copied.policy, copied.instances, copied.sop_instance_uid) == (
        *("standard", 3),
        opened(seal()).sop_instance_uid,
    )
    assert _rules(loaded) == ["EVIDENCE_COPIED"]


def test_an_image_that_was_changed_since_shows_later(images: Path, tmp_path: Path) -> None:
    """It is not hashed when it is cited; the report's check finds it altered."""
    changed = bytearray(ct_files()[0])
    changed[-1] ^= 1
    (images / "ct-1.dcm").write_bytes(changed)
    loaded = _load(images, trusted=seal())
    document = tmp_path / "report.dcm"
    document.write_bytes(sign(canonicalise(report(evidence=loaded.evidence))))
    options = replace(_options(tmp_path), evidence=(images,))
    references = check_file(document, options).references.as_dict()
    assert (references["altered"], references["matched"]) == (1, 2)


@cache
def _rogue() -> Entity:
    return issue(None, "srsign DEMO Root CA", slot="rogue", ca=True)


def _edit(change: Callable[[list[Node]], object]) -> bytes:
    return edited(seal(), change)


def _resigned(**how: object) -> bytes:
    unsigned = canonicalise(key_object())
    return edited(unsigned, lambda n: forge_signature(n, demo_pki().archive, **how))  # type: ignore[arg-type]


def _flip_mac(nodes: list[Node]) -> None:
    path = (CURRENT, 0, SERIES, 0, INSTANCES, 0, MACS, 0, MAC)
    at(nodes, *path).value = bytes(32)


_SERVER = ExtendedKeyUsageOID.SERVER_AUTH
TAMPERED = {
    "mac-changed": lambda: _edit(_flip_mac),
    "title-changed": lambda: _edit(set_value(0x0040A043, 0, 0x00080104, to="Of Interest")),
    "patient-changed": lambda: _edit(set_value(0x00100010, to="Opfer^Otto")),
    "stripped": lambda: _edit(lambda nodes: remove(nodes, SIGNATURES)),
    "never-signed": lambda: canonicalise(key_object()),
    "signed-with-sha1": lambda: _resigned(algorithm="SHA1"),
    "signed-in-part": lambda: _resigned(tags=(0x00080016, 0x0020000D, 0x0020000E)),
    "rogue-authority": lambda: _sealed(
        *ct_evidence(), signer=issue(_rogue(), "srsign DEMO Archive", slot="ee")
    ),
    "web-server": lambda: _sealed(
        *ct_evidence(), signer=issue(demo_pki().issuing, "www", extended_usage=[_SERVER])
    ),
    "expired": lambda: _resigned(claimed="19990101090000+0000"),
}


@pytest.mark.parametrize("made", TAMPERED.values(), ids=TAMPERED)
@pytest.mark.parametrize("use", ["trusted", "anchor"])
def test_a_selection_that_is_not_passed_is_not_relied_on(
    images: Path, made: Callable[[], bytes], use: str
) -> None:
    """Whatever is wrong with it, nothing is copied from it and nothing rests on it."""
    with pytest.raises(VerdictError):
        _load(images, **{use: made()})


def test_without_trust_anchor_nothing_is_trusted(images: Path) -> None:
    """A signature by somebody is not enough."""
    with pytest.raises(VerdictError):
        _load(images, trusted=seal(), options=CheckOptions(at=NOW))


def test_another_signer_than_the_stated_one(images: Path, tmp_path: Path) -> None:
    """Who may seal, the caller can say."""
    archive, author = (subject_name(e.der) for e in (demo_pki().archive, demo_pki().author))
    assert _load(images, trusted=seal(), options=_options(tmp_path, signer=archive)).copied
    with pytest.raises(VerdictError):
        _load(images, trusted=seal(), options=_options(tmp_path, signer=author))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (author_report(), EvidenceError),
        (b"no DICOM at all", NotDICOMError),
        (seal()[:-20], SRError),
        (_sealed(*ct_evidence(arc=5)), EvidenceError),
    ],
    ids=["a-report", "no-dicom", "truncated", "of-other-images"],
)
@pytest.mark.parametrize("use", ["trusted", "anchor"])
def test_what_is_no_selection_over_the_evidence(
    images: Path, data: bytes, error: type[SRError], use: str
) -> None:
    """A file that cannot help was given by mistake."""
    with pytest.raises(error):
        _load(images, **{use: data})


def test_instances_that_the_selection_does_not_cite_are_hashed(images: Path) -> None:
    """Two proofs are copied, the third is computed, and the notice counts."""
    loaded = _load(images, trusted=_sealed(*ct_evidence()[:2]))
    assert [c.instances for c in loaded.copied] == [2]
    assert loaded.evidence[2].reference.mac == compute_mac(opened(ct_files()[2]))


def test_weak_proofs_are_computed_again(images: Path) -> None:
    """A trusted signer does not make SHA-1 strong."""
    loaded = _load(images, trusted=_weak())
    assert [c.instances for c in loaded.copied] == [0]
    assert {item.reference.mac.algorithm for item in loaded.evidence if item.reference.mac} == {
        MACAlgorithm.SHA256
    }
    assert _rules(loaded) == ["EVIDENCE_COPIED", "EVIDENCE_NOT_COPIED"]


def test_an_instance_that_its_header_gives_away(images: Path) -> None:
    """What contradicts a trusted selection is not cited."""
    moved = edited(ct_files()[0], set_value(0x0020000E, to="2.25.66.2"))
    (images / "ct-1.dcm").write_bytes(moved)
    with pytest.raises(EvidenceError):
        _load(images, trusted=seal())


def test_two_objects_of_one_uid_are_found_all_the_same(images: Path) -> None:
    """Copying a proof must not hide that two files differ."""
    changed = bytearray(ct_files()[0])
    changed[-1] ^= 1
    (images / "copy.dcm").write_bytes(changed)
    with pytest.raises(EvidenceError):
        _load(images, trusted=seal())


def test_an_anchor_is_cited_beside_what_it_secures(images: Path) -> None:
    """With its own MAC and its verified signature; every instance keeps a proof of its own."""
    loaded = _load(images, anchor=seal())
    (anchor,) = loaded.anchors
    assert anchor.sop_instance_uid == opened(seal()).sop_instance_uid
    assert anchor.reference.mac == compute_mac(opened(seal()))
    assert len(anchor.reference.signatures) == 1
    assert (loaded.cited, loaded.copied) == (4, ())


def test_an_anchor_in_the_evidence_folder_is_cited_once(images: Path) -> None:
    """The same selection is no second instance."""
    (images / "seal.dcm").write_bytes(seal())
    assert _load(images, anchor=seal()).cited == 4


def test_a_selection_may_be_both(images: Path) -> None:
    """Copied from and cited: the document itself then says where its proofs came from."""
    loaded = _load(images, trusted=seal(), anchor=seal())
    assert (loaded.cited, [c.instances for c in loaded.copied]) == (4, [3])


def test_an_anchor_with_another_coverage_is_compared_by_file(images: Path) -> None:
    """Its MACs leave something out, so that those of the evidence are no answer."""
    anchored = [
        _by_mac(item, data, tags=reference_tags(opened(data).dataset, _TOLERANT))
        for item, data in zip(ct_evidence(), ct_files(), strict=True)
    ]
    assert _load(images, anchor=_sealed(*anchored)).cited == 4
    changed = bytearray(ct_files()[0])
    changed[-1] ^= 1
    (images / "ct-1.dcm").write_bytes(changed)
    with pytest.raises(EvidenceError):
        _load(images, anchor=_sealed(*anchored))


_TOLERANT = MACCoverage.COERCION_TOLERANT


@pytest.mark.parametrize(
    "anchor", [seal(), _weak()], ids=["the-image-was-changed", "its-macs-are-weak"]
)
def test_an_anchor_that_says_something_else(images: Path, anchor: bytes) -> None:
    """What it does not vouch for is not anchored."""
    if anchor == seal():
        changed = bytearray(ct_files()[0])
        changed[-1] ^= 1
        (images / "ct-1.dcm").write_bytes(changed)
    with pytest.raises(EvidenceError):
        _load(images, anchor=anchor)


def test_evidence_of_another_class_than_the_anchor_says(images: Path) -> None:
    """A MAC that fits does not make up for a class that does not."""
    wrong = replace(ct_evidence()[0], sop_class_uid="1.2.840.10008.5.1.4.1.1.4")
    with pytest.raises(EvidenceError):
        _load(images, anchor=_sealed(wrong, *ct_evidence()[1:]))


def test_evidence_has_a_proof_without_any_selection(images: Path) -> None:
    """That is the usual way."""
    loaded = _load(images)
    assert [i.reference for i in loaded.evidence] == [evidence_of(d).reference for d in ct_files()]
    assert (loaded.anchors, loaded.copied, loaded.notices) == ((), (), ())
