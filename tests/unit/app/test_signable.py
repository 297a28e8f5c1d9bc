"""Who may add a signature to what is signed already; commands and flags that lead to one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.app.signatures.signing import sign_file
from sr.codes import SignaturePurpose as P
from sr.errors import LifecycleError, ProfileViolationError, SRError
from sr.signature import examine
from tests.support.console import srsign
from tests.support.desk import PORTS, Desk
from tests.support.forge import Node, at, insert, leaf, remove, sequence, set_value
from tests.support.office import Office

EVIDENCE = (0x0040A375, 0, 0x00081115, 0, 0x00081199)


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Return a desk in the office."""
    return Desk(office, tmp_path)


def refused(desk: Desk, kind: type[SRError], source: Path, purpose: P, who: str, item: str = ""):
    """Return the refusal, after which nothing was written."""
    output = desk.folder / "out.dcm"
    with pytest.raises(kind) as caught:
        sign_file(
            source,
            output,
            purpose=purpose,
            credentials=desk.office.credentials(who),
            ports=PORTS,
            item=item,
        )
    assert not output.exists()
    return caught.value


@pytest.mark.parametrize("purpose", [P.AUTHOR, P.REVIEW, P.SOURCE, P.VALIDATION])
def test_nothing_is_added_to_an_altered_document(desk: Desk, purpose: P) -> None:
    """A further signature on a document that an earlier one disowns is refused."""
    altered = desk.forged(set_value(0x00100020, to="OTHER"))
    assert refused(desk, LifecycleError, altered, purpose, "archive").where == "(FFFA,FFFA)"


def test_an_item_is_not_signed_alone(desk: Desk) -> None:
    """A document's first signature is its own, at the top level."""
    item = "ContentSequence[4]"
    error = refused(desk, LifecycleError, desk.office.draft, P.AUTHOR, "author", item)
    assert error.where == "(FFFA,FFFA)"


def test_an_item_of_a_signed_document_is_signed(desk: Desk) -> None:
    """Beside a signature at the top level an item may have one of its own."""
    output = desk.folder / "out.dcm"
    sign_file(
        desk.office.authored,
        output,
        purpose=P.COAUTHOR,
        credentials=desk.office.credentials("archive"),
        ports=PORTS,
        item="ContentSequence[4]",
    )
    assert len(examine(open_dicom(output)).signatures) == 2


@pytest.mark.parametrize(
    ("source", "purpose", "who"),
    [("authored", P.VALIDATION, "author"), ("report", P.VALIDATION, "author"),
     ("report", P.AUTHOR, "supervisor"), ("report", P.ADDENDUM, "supervisor")],
)  # fmt: skip
def test_author_and_approver_are_two_persons(desk: Desk, source: str, purpose: P, who: str) -> None:
    """Nobody validates his own report, nor signs as author what he approved."""
    error = refused(desk, LifecycleError, getattr(desk.office, source), purpose, who)
    assert error.where == "(0400,0115)"


@pytest.mark.parametrize("purpose", [P.VERIFICATION, P.VALIDATION])
def test_the_only_author_does_not_approve_unsigned_work(desk: Desk, purpose: P) -> None:
    """Whoever a report names as its only author is no second person, also without a signature."""
    error = refused(desk, LifecycleError, desk.office.draft, purpose, "author")
    assert error.where == "(0040,A078)"


def test_one_person_may_review_and_witness(desk: Desk) -> None:
    """Review and source are neither authorship nor approval."""
    for number, purpose in enumerate((P.REVIEW, P.SOURCE)):
        output = desk.folder / f"{number}.dcm"
        sign_file(
            desk.office.report,
            output,
            purpose=purpose,
            credentials=desk.office.credentials("author"),
            ports=PORTS,
        )
        assert output.exists()


@pytest.mark.parametrize("purpose", [P.SOURCE, P.REVIEW])
def test_approval_breaks_nobodys_signature(desk: Desk, purpose: P) -> None:
    """A report whose flag is covered already is not approved, and the reason says so."""
    covered = desk.signed(desk.office.authored, purpose, "archive")
    with pytest.raises(LifecycleError) as caught:
        desk.approved(covered)
    assert caught.value.where == "(0008,0012)"


@pytest.mark.parametrize(
    "edit",
    [
        set_value(*EVIDENCE, 0, 0x00081155, to="2.25.1.99"),
        lambda n: remove(at(n, *EVIDENCE).items[0], 0x04000403),
    ],
    ids=["cites what is not there", "no proof"],
)
def test_bad_evidence_stops_approving_as_well(desk: Desk, edit: object) -> None:
    """No report whose evidence is not proven is approved."""
    bad = desk.forged(edit, of="draft")  # type: ignore[arg-type]
    with pytest.raises(ProfileViolationError):
        desk.approved(bad)
    assert list(desk.folder.iterdir()) == [bad]


def test_file_meta_information_must_fit(desk: Desk) -> None:
    """A document that would never pass because of its group 2 is not signed."""
    data = desk.office.draft.read_bytes()
    uid = open_dicom(desk.office.draft).sop_instance_uid.encode()
    bad = desk.folder / "bad.dcm"
    bad.write_bytes(data.replace(uid, uid[:-1] + (b"1" if uid[-1:] != b"1" else b"2"), 1))
    error = refused(desk, ProfileViolationError, bad, P.AUTHOR, "author")
    assert [f.rule for f in error.findings] == ["META_INSTANCE"]


def no_proof(nodes: list[Node]) -> None:
    """Take the proof of the first instance away."""
    items = at(nodes, *EVIDENCE).items
    assert items is not None
    remove(items[0], 0x04000403)


def md5(nodes: list[Node]) -> None:
    """Claim that the proof of the first instance is an MD5."""
    set_value(*EVIDENCE, 0, 0x04000403, 0, 0x04000015, to="MD5")(nodes)
    set_value(*EVIDENCE, 0, 0x04000403, 0, 0x04000404, to=bytes(16))(nodes)


def verified(nodes: list[Node]) -> None:
    """Set the flag by hand."""
    set_value(0x0040A493, to="VERIFIED")(nodes)


def observed(nodes: list[Node]) -> None:
    """Add an observer and leave the flag."""
    insert(nodes, sequence(0x0040A073, [leaf(0x0040A075, "PN", "Weber^Sam")]))


BAD_DRAFTS = {
    "no proof": no_proof,
    "MD5": md5,
    "flag by hand": verified,
    "observer by hand": observed,
    "no title": lambda n: remove(n, 0x0040A043),
    "no flag": lambda n: remove(n, 0x0040A491),
}
FLAGS = {
    "plainly": ["--purpose", "author"],
    "with a lesser profile": ["--purpose", "author", "--profile", "base-rsa"],
    "as something else": ["--purpose", "18"],
    "for verification": ["--purpose", "verification"],
    "an item": ["--purpose", "author", "--item", "ContentSequence[4]"],
    "with private elements": ["--purpose", "author", "--private"],
    "with a longer digest": ["--purpose", "author", "--algorithm", "SHA512"],
}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("name", BAD_DRAFTS)
def test_no_flag_signs_what_does_not_conform(desk: Desk, name: str, flags: str) -> None:
    """Every option of srsign sign, on every kind of draft that must not be signed: exit 1."""
    bad = desk.forged(BAD_DRAFTS[name], of="draft")  # type: ignore[arg-type]
    output = desk.folder / "out.dcm"
    ended = srsign("sign", bad, *FLAGS[flags], *desk.office.signer("archive"), "-o", output)
    assert (ended.code, ended.out, output.exists()) == (1, "", False)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "RIPEMD160"])
def test_no_flag_signs_with_a_weak_digest(desk: Desk, algorithm: str) -> None:
    """Weak digests are not there to be chosen, for documents and for images."""
    output = desk.folder / "out.dcm"
    for source in (desk.office.draft, next(desk.office.images.iterdir())):
        ended = srsign(
            *("sign", source, "--purpose", "14", "--algorithm", algorithm),
            *(*desk.office.signer("archive"), "-o", output),
        )
        assert (ended.code, output.exists()) == (1, False)


@pytest.mark.parametrize("in_place", [False, True])
def test_a_refusal_leaves_the_input_as_it_was(desk: Desk, in_place: bool) -> None:
    """Also with --in-place nothing is lost or left behind."""
    bad = desk.forged(no_proof, of="draft")
    before = bad.read_bytes()
    where = ["--in-place"] if in_place else ["-o", desk.folder / "out.dcm"]
    ended = srsign("sign", bad, "--purpose", "1", *desk.office.signer("author"), *where)
    assert (ended.code, bad.read_bytes(), list(desk.folder.iterdir())) == (1, before, [bad])
