"""What srsign survives says about an edit is what DCMTK's editors then do to the signatures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sr.app.documents.survives import exit_code, survives_file
from sr.app.files import open_dicom
from sr.verification import gather
from tests.support.forge import edited, insert, leaf
from tests.support.peers import DCMCONV, dcmsign_verify, run_peer
from tests.support.pki import demo_pki
from tests.support.signed import plain_report, sign
from tests.support.story import Story

pytestmark = pytest.mark.peer

DCMODIFY = Path("/usr/bin/dcmodify")
EDITS = {
    "set:PatientName": ("-nb", "-m", "(0010,0010)=Somebody^Else"),
    "set:StationName": ("-nb", "-i", "(0008,1010)=ELSEWHERE"),
    "set:InstanceCreationTime": ("-nb", "-m", "(0008,0013)=111111"),
    "remove:StudyDate": ("-nb", "-e", "(0008,0020)"),
    "new-uid": ("-nb", "-gin"),
}
INSIDE = "set:ContentSequence[5].ContentSequence[0].TextValue"
EDIT_INSIDE = ("-nb", "-m", "(0040,a730)[5].(0040,a730)[0].(0040,a160)=Nothing.")
PRODUCTS = ("report-author.dcm", "report.dcm", "seal.dcm")


def agrees(source: Path, after: Path, text: str, anchor: Path, intermediate: Path) -> bool:
    """Return whether prediction, our check and dcmsign tell the same about every signature."""
    report = survives_file(source, [text])
    predicted = {o.of: o.survives for o in report.edits[0].signatures}
    facts = gather(open_dicom(after))
    found = {s.digital_signature_uid: s.integrity.is_intact for s in facts.signatures}
    peer = dcmsign_verify(after, anchor=anchor, intermediate=intermediate, options=())
    all_good = exit_code(report) == 0
    return predicted == found and all_good == all(found.values()) == (peer.returncode == 0)


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        *((name, text, options) for name in PRODUCTS for text, options in EDITS.items()),
        *((name, INSIDE, EDIT_INSIDE) for name in PRODUCTS if name != "seal.dcm"),
    ],
)
def test_dcmodify_breaks_what_was_said(
    story: Story, tmp_path: Path, name: str, text: str, options: tuple[str, ...]
) -> None:
    """A value set, added or removed by dcmodify, and a new UID, break exactly what was said."""
    source = story.out / name
    after = Path(shutil.copy(source, tmp_path / "after.dcm"))
    assert run_peer(DCMODIFY, *options, after).returncode == 0
    assert after.read_bytes() != source.read_bytes()
    pki = story.pki
    assert agrees(source, after, text, pki / "root.pem", pki / "issuing.pem")


@pytest.mark.parametrize("private", [False, True], ids=["not signed", "signed"])
def test_dcmconv_to_implicit_vr_breaks_what_was_said(tmp_path: Path, private: bool) -> None:
    """A private element loses its VR; that breaks only a signature that covers it."""
    own = edited(
        plain_report(),
        lambda n: insert(n, leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "inside")),
    )
    source, after = tmp_path / "source.dcm", tmp_path / "after.dcm"
    source.write_bytes(sign(own, private=private))
    (tmp_path / "root.pem").write_bytes(demo_pki().root.pem)
    (tmp_path / "issuing.pem").write_bytes(demo_pki().issuing.pem)
    assert run_peer(DCMCONV, "+ti", source, after).returncode == 0
    report = survives_file(source, ["implicit-vr"])
    found = [s.integrity.is_intact for s in gather(open_dicom(after)).signatures]
    assert [o.survives for o in report.edits[0].signatures] == found == [not private]


@pytest.mark.parametrize("name", [*PRODUCTS, "manifest.dcm"])
def test_our_documents_survive_implicit_vr(story: Story, tmp_path: Path, name: str) -> None:
    """None of our own documents loses anything, as was said."""
    after = tmp_path / "after.dcm"
    assert run_peer(DCMCONV, "+ti", story.out / name, after).returncode == 0
    pki = story.pki
    assert agrees(story.out / name, after, "implicit-vr", pki / "root.pem", pki / "issuing.pem")
