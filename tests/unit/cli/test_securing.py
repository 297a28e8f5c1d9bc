"""``--coverage``, ``--trusted-kos`` and ``--anchor-kos`` on the commands that cite evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.document.template import load_template
from sr.signature.references import document_references
from tests.support.console import srsign
from tests.support.forge import edited, set_value
from tests.support.office import Office


def _command(office: Office, folder: Path, name: str) -> list[object]:
    """Return a command that cites the images, without its options about proofs."""
    values = folder / "values.toml"
    values.write_text(load_template("ct-chest").example, encoding="utf-8")
    signed = ("--purpose", "source", *office.signer("archive"))
    commands: dict[str, list[object]] = {
        "create": ["create", values, "--template", "ct-chest", "--evidence", office.images],
        "keyobject": ["keyobject", "--title", "113031", "--evidence", office.images, *signed],
        "manifest": ["manifest", "create", office.images, *office.signer("archive")],
        "seal": ["seal", office.images, *office.signer("archive")],
        "amend": ["amend", office.report, values, "--template", "ct-chest",
                  "--evidence", office.images],
    }  # fmt: skip
    return [*commands[name], "-o", folder / "out.dcm", "--json"]


@pytest.mark.parametrize("name", ["create", "keyobject", "manifest", "amend"])
def test_proofs_are_copied(office: Office, tmp_path: Path, name: str) -> None:
    """Every command says how many proofs came from which selection."""
    trusted = ["--trusted-kos", office.seal, *office.trust]
    ended = srsign(*_command(office, tmp_path, name), *trusted)
    assert ended.code == 0
    (copied,) = ended.json["proofs_copied"]
    assert (copied["selection"], copied["policy"], copied["instances"]) == (
        *("seal.dcm", "standard", 3),
    )


@pytest.mark.parametrize("name", ["create", "amend"])
@pytest.mark.parametrize("option", ["--trusted-kos", "--anchor-kos"])
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], 1),  # nobody is trusted
        (["--policy", "strict"], 1),
        (["--policy", "nonsense"], 2),
        (["--trusted-signer", "*CN=Anna Meier*"], 1),
    ],
)
def test_nothing_is_written_without_trust(
    office: Office, tmp_path: Path, option: str, more: list[str], code: int, name: str
) -> None:
    """The selection has to pass under the policy that is stated."""
    trust = office.trust[:4] if more[:1] == ["--policy"] else office.trust if more else []
    ended = srsign(*_command(office, tmp_path, name), option, office.seal, *trust, *more)
    assert ended.code == code
    assert not (tmp_path / "out.dcm").exists()


def test_a_signer_is_demanded_of_a_selection(office: Office, tmp_path: Path) -> None:
    """Without one, the demand is a mistake."""
    command = _command(office, tmp_path, "create")
    assert srsign(*command, "--trusted-signer", "*").code == 2


@pytest.mark.parametrize("name", ["create", "amend"])
def test_the_selection_is_not_overwritten(office: Office, tmp_path: Path, name: str) -> None:
    """It is an input like the evidence."""
    seal = Path(shutil.copy(office.seal, tmp_path / "out.dcm"))
    ended = srsign(*_command(office, tmp_path, name), "--trusted-kos", seal, *office.trust)
    assert ended.code == 2
    assert seal.read_bytes() == office.seal.read_bytes()


def test_an_anchored_report_is_checked_with_its_anchor(office: Office, tmp_path: Path) -> None:
    """The anchor is one more cited instance, found altered when it is."""
    evidence = Path(shutil.copytree(office.images, tmp_path / "evidence"))
    anchor = Path(shutil.copy(office.seal, evidence))
    command = _command(office, tmp_path, "create")
    assert srsign(*command, "--anchor-kos", anchor, *office.trust).json["cited"] == 4
    signed = tmp_path / "signed.dcm"
    srsign(
        "sign", tmp_path / "out.dcm", "--purpose", "author", *office.signer("author"), "-o", signed
    )
    check = ["check", signed, *office.trust, "--evidence", evidence, "--json"]
    assert srsign(*check).code == 0
    anchor.write_bytes(edited(anchor.read_bytes(), set_value(0x00100010, to="Opfer^Otto")))
    ended = srsign(*check)
    assert (ended.code, ended.json["references"]["altered"]) == (13, 1)


def test_an_amended_report_cites_its_anchor(office: Office, tmp_path: Path) -> None:
    """The next version lists the selection beside what it secures, once."""
    ended = srsign(*_command(office, tmp_path, "amend"), "--anchor-kos", office.seal, *office.trust)
    assert (ended.code, ended.json["cited"], ended.json["carried_over"]) == (0, 4, 0)


@pytest.mark.parametrize("name", ["create", "keyobject", "manifest", "seal", "amend"])
def test_coverage_that_survives_an_archive(office: Office, tmp_path: Path, name: str) -> None:
    """The patient ID is in no MAC; in the default it is in every one."""
    for coverage, covered in (("coercion-tolerant", False), ("full", True)):
        output = tmp_path / coverage
        output.mkdir()
        assert srsign(*_command(office, output, name), "--coverage", coverage).code == 0
        references = document_references(open_dicom(output / "out.dcm").dataset)
        cited = [reference for reference in references if reference.is_evidence]
        listed = [0x00100020 in mac.data_elements_signed for r in cited for mac in r.macs]
        assert listed == [covered] * 3


def test_a_seal_that_survives_an_archive(office: Office, tmp_path: Path) -> None:
    """Coerced identifiers are no alteration where the seal leaves them out, else they are."""
    images = Path(shutil.copytree(office.images, tmp_path / "images"))
    srsign(*_command(office, tmp_path, "seal"), "--coverage", "coercion-tolerant")
    for path in images.iterdir():
        path.write_bytes(edited(path.read_bytes(), set_value(0x00100020, to="ARCHIVE-1")))
    check = ["check", "--evidence", images, *office.trust, "--json"]
    tolerant = srsign(*check, tmp_path / "out.dcm")
    assert (tolerant.code, tolerant.json["references"]["matched"]) == (0, 3)
    named = [x for x in tolerant.json["limitations"] if x["code"] == "IDENTITY_NOT_COVERED"]
    assert len(named) == 1
    assert srsign(*check, office.seal).code == 13


def test_coverage_is_one_of_two(office: Office, tmp_path: Path) -> None:
    """A misspelt coverage is a usage error."""
    assert srsign(*_command(office, tmp_path, "seal"), "--coverage", "some").code == 2
