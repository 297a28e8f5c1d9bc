"""The page for experts: every finding is on it, and its commands repeat the check elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sr.app.checks.check import CheckOptions, gather_opened, judge_record
from sr.app.checks.expert_report import report_page, write_report
from sr.codes import SignaturePurpose
from sr.errors import ConfigurationError
from sr.findings import Indication
from sr.verification import Verdict
from tests.support.chromium import accessibility_faults
from tests.support.console import srsign
from tests.support.datasets import ct_files
from tests.support.forge import edited, forge_signature
from tests.support.office import Office
from tests.support.page import Page
from tests.support.pki import NOW, demo_pki, issue
from tests.support.repetition import failing
from tests.support.signed import author_report, plain_report, sign

NAMES = ("report.dcm", "a b; exit 1 'x'.dcm", "-rf.dcm", "\u202e\n$(exit 1).dcm", "\udcff.dcm")


@dataclass(frozen=True, kw_only=True)
class _Check:
    verdict: Verdict
    page: Page


def _options(office: Office, **changes: object) -> CheckOptions:
    given: dict[str, object] = {
        "at": datetime.now(UTC),
        "anchors": (office.pki.certificate("root"),),
        "intermediates": (office.pki.certificate("issuing"),),
        "crls": office.pki.revocation_lists,
    }
    return CheckOptions(**(given | changes))  # type: ignore[arg-type]


def _check(path: Path, options: CheckOptions) -> _Check:
    """Check a file as somebody would who stands in its folder."""
    with chdir(path.parent):
        named = Path(path.name)
        record, file = gather_opened(named, options)
        verdict = judge_record(record, options)
        page = report_page(verdict, options, path=named, file=file)
    return _Check(verdict=verdict, page=Page(page))


@pytest.fixture
def copied(office: Office, tmp_path: Path) -> Path:
    """Return a copy of the approved report in a folder of its own."""
    return Path(shutil.copy(office.report, tmp_path / "report.dcm"))


@pytest.mark.peer
def test_commands_repeat_a_good_check(office: Office, copied: Path) -> None:
    """On a sound report every command succeeds, for both signatures and the document."""
    done = _check(copied, _options(office))
    assert done.verdict.indication is Indication.PASSED
    assert len(done.page.blocks) == 13
    assert not failing(done.page.blocks, copied.parent)


@pytest.mark.peer
def test_commands_fail_on_an_altered_file(office: Office, copied: Path) -> None:
    """Of the page of a sound report, digest, signature and dcmsign fail once a letter changed."""
    done = _check(copied, _options(office))
    copied.write_bytes(copied.read_bytes().replace(b"Solid nodule", b"Solid nodulE"))
    refused = failing(done.page.blocks, copied.parent)
    assert [" ".join(c.split()[:3]) for c in refused] == [
        *("openssl dgst -sha256", "openssl dgst -sha256") * 2,
        "dcmsign --verify -v",
    ]


@pytest.mark.peer
def test_commands_of_an_altered_file_fail(office: Office, copied: Path) -> None:
    """The page of an altered report does not talk itself out: its own commands fail too."""
    copied.write_bytes(copied.read_bytes().replace(b"Solid nodule", b"Solid nodulE"))
    done = _check(copied, _options(office))
    assert done.verdict.indication is Indication.FAILED
    refused = failing(done.page.blocks, copied.parent)
    assert sum("-verify signature" in command for command in refused) == 2
    assert any(command.startswith("dcmsign") for command in refused)


@pytest.mark.peer
def test_commands_fail_under_another_root(office: Office, copied: Path) -> None:
    """Under an anchor that issued nothing here, path and dcmsign fail, and the rest holds."""
    root = copied.parent / "root.pem"
    root.write_bytes(issue(None, "Nobody", ca=True).pem)
    done = _check(copied, _options(office, anchors=(root,)))
    assert done.verdict.indication is Indication.INDETERMINATE
    refused = failing(done.page.blocks, copied.parent)
    assert {command.split()[0] for command in refused} == {"openssl", "dcmsign"}
    assert sum(command.startswith("openssl verify") for command in refused) == 2
    assert len(refused) == 3


@pytest.mark.peer
def test_commands_for_elliptic_curves(tmp_path: Path) -> None:
    """Values whose length varies are taken without the byte that makes them even."""
    signer = issue(demo_pki().issuing, "Curve", key_kind="p256", slot="curve")
    for number in range(2):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(edited(plain_report(), lambda nodes: forge_signature(nodes, signer)))
        page = _check(path, CheckOptions(at=NOW)).page
        steps = [block for block in page.blocks if not block.startswith("dcmsign")]
        assert len(steps) == 5
        assert not failing(steps, tmp_path)


@pytest.mark.peer
def test_commands_find_the_right_signature(tmp_path: Path) -> None:
    """Signatures in items, made in any order, are told from each other and from the document's."""
    data, pki = plain_report(), demo_pki()
    findings = ((0x0040A730, 4),)
    places = [(*findings, (0x0040A730, 1)), findings, (*findings, (0x0040A730, 0))]
    for number, where in enumerate(places):
        uid = f"2.25.77.{number}"
        signer = (pki.author, pki.supervisor)[number % 2]
        data = sign(data, signer, SignaturePurpose.REVIEW, uid=uid, path=where)
    path = tmp_path / "report.dcm"
    path.write_bytes(sign(data, uid="2.25.77.9"))
    page = _check(path, CheckOptions(at=NOW)).page
    steps = [block for block in page.blocks if not block.startswith("dcmsign")]
    assert len(steps) == 4 * 5
    assert not failing(steps, tmp_path)


@pytest.mark.peer
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_commands_survive_any_file_name(tmp_path: Path, name: str) -> None:
    """A file name can neither be taken for an option nor for another command."""
    path = tmp_path / name
    path.write_bytes(author_report())
    page = _check(path, CheckOptions(at=NOW)).page
    assert not failing(page.blocks[:2], tmp_path)
    assert "\u202e" not in page.text


def test_every_finding_is_there(office: Office, tmp_path: Path) -> None:
    """Each rule that was asked stands with its status and clause, kept ones too."""
    source = tmp_path / "report.dcm"
    source.write_bytes(office.report.read_bytes().replace(b"Solid nodule", b"Solid nodulE"))
    done = _check(source, _options(office, evidence=(office.images,)))
    findings = [*done.verdict.findings, *(f for s in done.verdict.signatures for f in s.findings)]
    assert {"PASS", "FAIL"} <= {finding.status.value for finding in findings}
    for finding in findings:
        assert finding.rule in done.page.text
        assert finding.cites in done.page.text
    for item in done.verdict.references.items or ():
        assert item.sop_instance_uid in done.page.text


def test_each_signature_is_told(office: Office) -> None:
    """Algorithm, key, digest, covered tags, chain and time of both signatures are there."""
    done = _check(office.report, _options(office))
    text = done.page.text
    for signature in done.verdict.signatures:
        assert [each.sha256 for each in signature.chain if each.sha256 not in text] == []
        assert len(signature.chain) == 3
        assert signature.digital_signature_uid in text
    assert "SHA256, RSA, 3072 bits" in text
    assert "(0040,A730) ContentSequence" in text
    assert done.page.open == []


@pytest.mark.parametrize("words", ["Müller", "Solid nodule", "SRSIGN-4711"])
def test_no_content_is_there(office: Office, words: str) -> None:
    """Neither patient nor findings of the report are on the page about its check."""
    assert words not in _check(office.report, _options(office)).page.text


def test_a_report_that_nobody_signed(office: Office) -> None:
    """There is a page, which says so, and nothing to repeat."""
    done = _check(office.draft, _options(office))
    assert "NOT_SIGNED" in done.page.text
    assert not done.page.blocks


def test_a_file_that_breaks_a_rule(office: Office, tmp_path: Path) -> None:
    """What is refused while reading has a page that names the rule."""
    source = tmp_path / "cut.dcm"
    source.write_bytes(office.report.read_bytes()[:5000])
    done = _check(source, _options(office))
    assert "FORMAT_FAILURE" in done.page.text
    assert not done.page.blocks


def test_a_malformed_signature_has_nothing_to_repeat(tmp_path: Path) -> None:
    """Where the structure is broken no digest is claimed and no command given for it."""
    source = tmp_path / "in.dcm"
    source.write_bytes(author_report().replace(b"X509_1993_SIG", b"X509_1993_XXX"))
    done = _check(source, CheckOptions(at=NOW))
    assert done.verdict.indication is not Indication.PASSED
    unknown = author_report().replace(b"\x15\0CS\x06\0SHA256", b"\x15\0CS\x06\0SHA999")
    assert unknown != author_report()
    source.write_bytes(unknown)
    done = _check(source, CheckOptions(at=NOW))
    assert not [block for block in done.page.blocks if not block.startswith("dcmsign")]
    assert "not computed" in done.page.text


def test_without_an_anchor_no_path_is_validated(office: Office) -> None:
    """Without a trust anchor there is nothing that openssl could validate a path against."""
    page = _check(office.report, CheckOptions(at=datetime.now(UTC))).page
    assert not [block for block in page.blocks if "openssl verify" in block]
    assert "None was given" in page.text


def test_an_image_has_a_report_too(office: Office, tmp_path: Path) -> None:
    """Whatever can be checked has a page."""
    source = tmp_path / "image.dcm"
    source.write_bytes(ct_files()[0])
    assert "CT Image" in _check(source, _options(office)).page.text


@pytest.mark.parametrize("name", ["x.png", "x.txt", "x"])
def test_a_report_of_another_form(office: Office, tmp_path: Path, name: str) -> None:
    """The page for experts is HTML or PDF."""
    options = _options(office)
    record, file = gather_opened(office.report, options)
    verdict = judge_record(record, options)
    with pytest.raises(ConfigurationError):
        write_report(tmp_path / name, verdict, options, path=office.report, file=file)
    assert not list(tmp_path.iterdir())


def _command_lines(office: Office, out: Path) -> Iterator[tuple[int, list[object]]]:
    yield 0, [office.report, *office.trust, "--report", out]
    yield 11, [office.report, "--report", out]
    yield 12, [office.draft, *office.trust, "--report", out]


def test_on_the_command_line(office: Office, tmp_path: Path) -> None:
    """``check --report`` writes the page and ends as the check does."""
    for number, (code, arguments) in enumerate(_command_lines(office, tmp_path / "x.html")):
        assert srsign("check", *arguments).code == code, number
        assert (tmp_path / "x.html").read_bytes().startswith(b"<!DOCTYPE html>")
        (tmp_path / "x.html").unlink()


def test_a_report_is_about_one_file(office: Office, tmp_path: Path) -> None:
    """Several files have no report, facts neither, and no input is overwritten."""
    out = tmp_path / "x.html"
    assert srsign("check", office.report, office.draft, "--report", out).code == 2
    assert srsign("check", office.images, "--report", out).code == 2
    assert srsign("check", "--replay", office.report, "--report", out).code == 2
    assert not out.exists()
    source = Path(shutil.copy(office.report, tmp_path / "in.html"))
    assert srsign("check", source, "--report", source).code == 2
    assert source.read_bytes() == office.report.read_bytes()


@pytest.mark.prove
@pytest.mark.peer
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(office: Office, tmp_path: Path, width: int, *, dark: bool) -> None:
    """In a browser, on a screen and on a telephone, axe-core finds no fault (WCAG 2.1 AA)."""
    options = _options(office)
    record, file = gather_opened(office.report, options)
    page = report_page(judge_record(record, options), options, path=office.report, file=file)
    assert not accessibility_faults(page, tmp_path, width=width, dark=dark)
