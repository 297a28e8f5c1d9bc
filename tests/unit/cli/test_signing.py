"""``srsign sign``, ``approve``, ``create``, ``keyobject``, ``seal`` and ``manifest``."""

from __future__ import annotations

import json
import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from sr import compose
from sr.app.ports import Ports
from sr.app.shipping.manifest import create_manifest
from tests.support.canary import PASSPHRASE_CANARY
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.pki import demo_pki, issue

OBSERVER = ("--observer", "Weber^Sam", "--organization", "srsign DEMO")


def _copy(path: Path, folder: Path) -> Path:
    return Path(shutil.copy(path, folder / "copy.dcm"))


def test_sign_and_approve(office: Office, tmp_path: Path) -> None:
    """A draft that is signed and approved on the command line passes with both purposes."""
    authored, report = tmp_path / "authored.dcm", tmp_path / "report.dcm"
    signed = srsign(
        *("sign", office.draft, "--purpose", "1", *office.signer("author")), "-o", authored
    )
    approved = srsign(
        *("approve", authored, *OBSERVER, *office.signer("supervisor"), "-o", report, "--json")
    )
    assert (signed.code, signed.out, approved.code) == (0, "", 0)
    assert (approved.json["output"], approved.json["covers"][0]) == (str(report), "(0008,0005)")
    verdict = srsign("check", report, *office.trust, "--json").json
    assert [s["purpose"]["code"] for s in verdict["signatures"]] == ["1", "5"]
    assert verdict["indication"] == "PASSED"


def test_in_place_replaces_the_input(office: Office, tmp_path: Path) -> None:
    """--in-place needs no output and leaves a signed file under the same name."""
    copy = _copy(office.draft, tmp_path)
    ended = srsign("sign", copy, "--purpose", "author", *office.signer("author"), "--in-place")
    assert (ended.code, list(tmp_path.iterdir())) == (0, [copy])
    assert srsign("check", copy, *office.trust).code == 0


@pytest.mark.parametrize("output", [["-o", "copy.dcm"], []], ids=["same file", "no output"])
def test_an_input_is_not_overwritten_by_accident(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: list[str]
) -> None:
    """Without --in-place the output must be another file."""
    copy = _copy(office.draft, tmp_path)
    monkeypatch.chdir(tmp_path)
    ended = srsign("sign", copy, "--purpose", "author", *office.signer("author"), *output)
    assert ended.code == 2
    assert copy.read_bytes() == office.draft.read_bytes()


REFUSALS = {
    "the author approves": ("approve", "authored.dcm", "author", 1),
    "approved already": ("approve", "report.dcm", "supervisor", 1),
    "verification by hand": ("sign", "draft.dcm", "supervisor", 1),
    "no certificate": ("sign", "draft.dcm", "", 2),
    "not there": ("sign", "absent.dcm", "author", 1),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_writes_nothing(office: Office, tmp_path: Path, name: str) -> None:
    """What may not be signed is not signed, and no output appears."""
    command, source, signer, code = REFUSALS[name]
    out = tmp_path / "out.dcm"
    who = office.signer(signer) if signer else ["--key", office.pki.key_uri("author")]
    what = OBSERVER if command == "approve" else ("--purpose", "verification")
    ended = srsign(command, office.folder / source, *what, *who, "-o", out)
    assert (ended.code, ended.out) == (code, "")
    assert not list(tmp_path.iterdir())


def test_a_key_of_somebody_else_is_refused(office: Office, tmp_path: Path) -> None:
    """Key and certificate must belong together."""
    mixed = ["--key", office.pki.key_uri("author"), "--cert", office.pki.certificate("archive")]
    ended = srsign("sign", office.draft, "--purpose", "1", *mixed, "-o", tmp_path / "x.dcm")
    assert (ended.code, list(tmp_path.iterdir())) == (1, [])


@pytest.mark.parametrize("uri", ["nonsense:x", "pkcs11:token=a?pin-value=1234", "author.key"])
def test_a_malformed_key_uri_is_a_misuse(office: Office, tmp_path: Path, uri: str) -> None:
    """A key URI of another kind, or with a PIN in it, ends with 2; the PIN is not repeated."""
    ended = srsign("sign", office.draft, "--purpose", "1", "--key", uri, "-o", tmp_path / "x.dcm")
    assert ended.code == 2
    assert "1234" not in ended.err


def _protected(office: Office, folder: Path) -> Path:
    """Return a PKCS #12 file under a passphrase."""
    from datetime import UTC, datetime

    from sr.app.demonstration.certificates import make_demo_pki

    make_demo_pki(folder / "pki", now=datetime.now(UTC), passphrase=PASSPHRASE_CANARY)
    return folder / "pki" / "author.p12"


@pytest.fixture(scope="module")
def protected(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a key file that needs a passphrase."""
    return _protected(office, tmp_path_factory.mktemp("protected"))


def test_a_passphrase_comes_from_a_file(
    office: Office, protected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--pin-file and SRSIGN_PIN_FILE open a protected key, whose certificate is beside it."""
    secret = tmp_path / "secret"
    secret.write_text(PASSPHRASE_CANARY + "\n")
    sign = ("sign", office.draft, "--purpose", "author", "--key", f"pkcs12:{protected}")
    assert srsign(*sign, "--pin-file", secret, "-o", tmp_path / "a.dcm").code == 0
    monkeypatch.setenv("SRSIGN_PIN_FILE", str(secret))
    assert srsign(*sign, "-o", tmp_path / "b.dcm").code == 0


def test_a_wrong_passphrase_is_21(office: Office, protected: Path, tmp_path: Path) -> None:
    """A passphrase that does not open the key ends with 21, and is not repeated."""
    secret = tmp_path / "secret"
    secret.write_text("close sesame")
    sign = ("sign", office.draft, "--purpose", "author", "--key", f"pkcs12:{protected}")
    ended = srsign(*sign, "--pin-file", secret, "-o", tmp_path / "x.dcm")
    assert ended.code == 21
    assert "sesame" not in ended.err


def test_nobody_to_ask_is_21(
    office: Office, protected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where standard input is no terminal and no file is named, nobody is asked."""
    monkeypatch.delenv("SRSIGN_PIN_FILE", raising=False)
    sign = ("sign", office.draft, "--purpose", "author", "--key", f"pkcs12:{protected}")
    assert srsign(*sign, "-o", tmp_path / "x.dcm").code == 21


def test_create(office: Office, tmp_path: Path) -> None:
    """A report is written from values, and cites every instance of the evidence."""
    values, out = tmp_path / "values.toml", tmp_path / "out.dcm"
    values.write_text(srsign("template", "show", "ct-chest", "--example").out, encoding="utf-8")
    options = ("--template", "ct-chest", "--evidence", office.images, "-o", out, "--json")
    ended = srsign("create", values, *options)
    assert (ended.code, ended.json["cited"]) == (0, 3)
    assert ended.json["digital_signature_uid"] is None
    assert srsign("check", out).code == 12


def test_evidence_may_follow_the_option(office: Office, tmp_path: Path) -> None:
    """``--evidence A B`` cites both, as the usage line says."""
    first, second = (office.images / f"ct-{n}.dcm" for n in (1, 2))
    select = ("keyobject", "--title", "of-interest", "--evidence", first, second)
    assert srsign(*select, "-o", tmp_path / "kos.dcm", "--json").json["cited"] == 2


@pytest.mark.parametrize("title", ["113031", "signed-complete-study-content", "113035"])
@pytest.mark.parametrize("given", ["nothing", "key only", "purpose only"])
def test_a_signed_title_needs_a_signature(
    office: Office, tmp_path: Path, title: str, given: str
) -> None:
    """A title that promises a signature is not written without one."""
    options = {
        "nothing": [],
        "key only": office.signer("archive"),
        "purpose only": ["--purpose", "source"],
    }[given]
    select = ("keyobject", "--title", title, "--evidence", office.images, *options)
    ended = srsign(*select, "-o", tmp_path / "kos.dcm")
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])


def test_a_signed_title_with_a_signature(office: Office, tmp_path: Path) -> None:
    """With key and purpose it is written, and passes."""
    out = tmp_path / "kos.dcm"
    signed = ("--purpose", "source", *office.signer("archive"))
    select = ("keyobject", "--title", "113033", "--evidence", office.images, *signed)
    assert srsign(*select, "-o", out).code == 0
    assert srsign("check", out, *office.trust, "--evidence", office.images).code == 0


def test_seal(office: Office, tmp_path: Path) -> None:
    """A seal is a source signature over everything in the folder."""
    out = tmp_path / "seal.dcm"
    ended = srsign("seal", office.images, *office.signer("archive"), "-o", out)
    verdict = srsign("check", out, *office.trust, "--evidence", office.images, "--json").json
    assert (ended.code, verdict["references"]["matched"]) == (0, 3)
    assert verdict["signatures"][0]["purpose"]["code"] == "14"


_CITING = {
    "keyobject": ("keyobject", "--title", "113031", "--purpose", "source", "--evidence"),
    "seal": ("seal",),
    "manifest": ("manifest", "create"),
}


@pytest.mark.parametrize("name", _CITING)
def test_elliptic_curve_keys_seal_under_a_site_profile(
    office: Office, tmp_path: Path, name: str
) -> None:
    """Every command that signs takes --profile; without it nothing is written."""
    archive = issue(demo_pki().issuing, key_kind="p256", slot="ec")
    key, cert, out = (tmp_path / name for name in ("ec.key", "ec.pem", "out.dcm"))
    key.write_bytes(archive.key_pem())
    cert.write_bytes(archive.pem)
    command = (*_CITING[name], office.images, "--key", f"file:{key}", "--cert", cert, "-o", out)
    assert srsign(*command).code == 1
    assert srsign(*command, "--profile", "nonsense").code != 0
    assert not out.exists()
    assert srsign(*command, "--profile", "site-ec").code == 0
    verdict = srsign("check", out, *office.trust, "--json").json
    assert "KEY_OUTSIDE_PROFILE" in {item["code"] for item in verdict["limitations"]}


def test_a_profile_is_about_a_signature(office: Office, tmp_path: Path) -> None:
    """Without a key there is nothing for a profile or a time-stamp to be about."""
    command = ("keyobject", "--title", "of-interest", office.images, "-o", tmp_path / "k.dcm")
    for option in (("--profile", "site-ec"), ("--timestamp", "http://tsa.test/")):
        assert srsign(*command, *option).code == 2
    assert not list(tmp_path.iterdir())


def test_a_package_is_the_same_every_time(office: Office, tmp_path: Path) -> None:
    """Times of files are no part of a package, nor is the order in which it was made."""
    images = Path(shutil.copytree(office.images, tmp_path / "images"))
    made, now = [], compose.current_time()
    for second in (1, 2):
        for path in images.iterdir():
            os.utime(path, (second * 10**9, second * 10**9))
        folder = tmp_path / str(second)
        folder.mkdir()
        uids = count(1)
        create_manifest(
            (images,),
            folder / "m.dcm",
            credentials=office.credentials("archive"),
            ports=Ports(now=lambda: now, new_uid=lambda uids=uids: f"1.2.3.{next(uids)}"),
            package=folder / "package.zip",
        )
        made.append((folder / "package.zip").read_bytes())
    assert made[0] == made[1]


def test_a_shipment(office: Office, tmp_path: Path) -> None:
    """What a manifest lists is checked: the same set, one missing, one more."""
    images = Path(shutil.copytree(office.images, tmp_path / "images"))
    manifest = tmp_path / "manifest.dcm"
    package = tmp_path / "package.zip"
    create = ("manifest", "create", images, *office.signer("archive"), "-o", manifest)
    assert srsign(*create, "--package", package).code == 0
    assert package.is_file()
    check = ("manifest", "check", manifest, images, *office.trust, "--json")
    assert srsign(*check).code == 0
    shutil.copy(office.seal, images / "more.dcm")
    ended = srsign(*check)
    assert (ended.code, ended.json["references"]["unexpected"]) == (13, 1)
    (images / "more.dcm").unlink()
    (images / "ct-1.dcm").unlink()
    ended = srsign(*check)
    assert (ended.code, ended.json["references"]["missing"]) == (13, 1)


def test_nothing_to_seal(office: Office, tmp_path: Path) -> None:
    """An empty folder is not sealed."""
    folder = tmp_path / "empty"
    folder.mkdir()
    ended = srsign("seal", folder, *office.signer("archive"), "-o", tmp_path / "seal.dcm")
    assert (ended.code, list(tmp_path.iterdir())) == (1, [folder])


def test_a_key_in_json_errors(office: Office, tmp_path: Path) -> None:
    """An error with --json has code, hint and exit code for the machine that reads it."""
    options = ("--purpose", "author", "--key", "file:absent.key", "--json")
    ended = srsign("sign", office.draft, *options, "-o", tmp_path / "x.dcm")
    said = json.loads(ended.err)
    assert (ended.code, said["code"], said["exit_code"]) == (1, "configuration", 1)
