"""``srsign check``: exit codes, the one object, the lines, the text."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.console import srsign
from tests.support.office import Office

KEYS = {
    *("schema_version", "subject", "sop_class_uid", "sop_instance_uid", "indication"),
    *("sub_indication", "judged_at", "policy", "questions", "signatures", "findings"),
    *("limitations", "uncovered", "references"),
}


@pytest.fixture(scope="module")
def altered(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report with one letter of the patient's name changed."""
    data = bytearray(office.report.read_bytes())
    data[data.index("Müller".encode())] ^= 1
    path = tmp_path_factory.mktemp("altered") / "altered.dcm"
    path.write_bytes(data)
    return path


def _evidence(office: Office, folder: Path) -> Path:
    return Path(shutil.copytree(office.images, folder / "images"))


def test_passed_is_0(office: Office) -> None:
    """A report that is unchanged, trusted and complete ends with 0."""
    ended = srsign("check", office.report, *office.trust, "--evidence", office.images, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["indication"] == "PASSED"
    assert ended.json["references"]["matched"] == 3


def test_the_object_is_the_one_of_the_contract(office: Office) -> None:
    """One file gives one JSON object with the keys of the contract."""
    verdict = srsign("check", office.report, *office.trust, "--json").json
    assert set(verdict) == KEYS
    assert (verdict["schema_version"], verdict["subject"]) == (1, "report.dcm")
    assert [s["purpose"]["code"] for s in verdict["signatures"]] == ["1", "5"]


def test_altered_is_10(office: Office, altered: Path) -> None:
    """A changed letter ends with 10."""
    ended = srsign("check", altered, *office.trust, "--json")
    assert (ended.code, ended.json["sub_indication"]) == (10, "HASH_FAILURE")


def test_a_broken_structure_is_10_with_a_verdict(office: Office, tmp_path: Path) -> None:
    """DICOM that breaks a structural rule gets a verdict that names the rule."""
    path = tmp_path / "half.dcm"
    path.write_bytes(office.report.read_bytes()[:5000])
    ended = srsign("check", path, *office.trust, "--json")
    assert (ended.code, ended.json["sub_indication"]) == (10, "FORMAT_FAILURE")
    assert ended.json["findings"][0]["rule"] == "TRUNCATED"


def test_an_unknown_authority_is_11(office: Office) -> None:
    """Without a trust anchor nothing is known about the signer."""
    ended = srsign("check", office.report, "--json")
    assert (ended.code, ended.json["sub_indication"]) == (11, "NO_CERTIFICATE_CHAIN_FOUND")


@pytest.mark.parametrize("name", ["draft.dcm", "images/ct-1.dcm"])
def test_unsigned_is_12(office: Office, name: str) -> None:
    """A sound file without a signature is no success."""
    ended = srsign("check", office.folder / name, *office.trust, "--json")
    assert (ended.code, ended.json["indication"]) == (12, "NOT_SIGNED")


def test_a_missing_purpose_is_12(office: Office) -> None:
    """A purpose that was required and is not there ends with 12."""
    required = ("--require-purpose", "verification")
    assert srsign("check", office.authored, *office.trust, *required).code == 12
    assert srsign("check", office.report, *office.trust, *required).code == 0


def test_altered_evidence_is_13(office: Office, tmp_path: Path) -> None:
    """An image that is not the one cited ends with 13, the signatures stay valid."""
    images = _evidence(office, tmp_path)
    data = bytearray((images / "ct-1.dcm").read_bytes())
    data[-9] ^= 1
    (images / "ct-1.dcm").write_bytes(data)
    ended = srsign("check", office.report, *office.trust, "--evidence", images, "--json")
    assert (ended.code, ended.json["references"]["altered"]) == (13, 1)
    assert {s["indication"] for s in ended.json["signatures"]} == {"PASSED"}


def test_missing_evidence_is_13(office: Office, tmp_path: Path) -> None:
    """An image that is not there ends with 13."""
    images = _evidence(office, tmp_path)
    (images / "ct-2.dcm").unlink()
    ended = srsign("check", office.report, *office.trust, "--evidence", images, "--json")
    assert (ended.code, ended.json["sub_indication"]) == (13, "EVIDENCE_MISSING")


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    """Only regular files are read; anything else ends with 1 at once."""
    path = tmp_path / "pipe.dcm"
    os.mkfifo(path)
    assert srsign("check", path).code == 1


@pytest.mark.parametrize("content", [b"not DICOM at all", b"", None])
def test_what_cannot_be_read_is_1(tmp_path: Path, content: bytes | None) -> None:
    """Bytes that are not DICOM, and a path that is not there, end with 1 and no object."""
    path = tmp_path / "x.dcm"
    if content is not None:
        path.write_bytes(content)
    ended = srsign("check", path, "--json")
    assert (ended.code, ended.out) == (1, "")
    assert json.loads(ended.err)["message_type"] == "error"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (["--policy", "nonsense"], 2),
        (["--trust-anchor", "absent.pem"], 1),
        (["--crl", "absent.crl"], 1),
        (["--evidence", "absent"], 2),
    ],
)
def test_an_option_that_names_nothing_is_an_error(
    office: Office, option: list[str], code: int
) -> None:
    """Policies, certificates and folders that are not there are errors, never a verdict."""
    ended = srsign("check", office.report, *option, "--json")
    assert (ended.code, ended.out) == (code, "")


def test_trust_material_of_the_wrong_kind_is_an_error(office: Office) -> None:
    """A key is no trust anchor."""
    ended = srsign("check", office.report, "--trust-anchor", office.pki.key("root"), "--json")
    assert (ended.code, json.loads(ended.err)["code"]) == (1, "trust-evidence")


def test_another_time(office: Office) -> None:
    """--at moves the time of the judgement, so that a certificate can be expired."""
    options = ("--at", "2199-01-01", "--json")
    ended = srsign("check", office.report, *office.trust, *options)
    assert ended.json["judged_at"] == "2199-01-01T00:00:00Z"
    assert ended.code != 0


def test_several_files_give_lines_and_a_summary(office: Office, altered: Path) -> None:
    """Each file is one line with the verdict, the summary is the last, the gravest decides."""
    files = (office.report, office.draft, altered)
    ended = srsign("check", *files, *office.trust, "--json")
    *items, summary = ended.lines
    assert ended.code == summary["exit_code"] == 10
    assert [item["message_type"] for item in items] == ["item"] * 3
    assert all(set(item) >= KEYS for item in items)
    assert [item["subject"] for item in items] == list(map(str, files))
    assert summary["message_type"] == "summary"
    counts = ("total", "passed", "failed", "not_signed", "indeterminate", "not_read")
    assert [summary[name] for name in counts] == [3, 1, 1, 1, 0, 0]


def test_one_unreadable_file_of_several_is_3(office: Office, tmp_path: Path) -> None:
    """A file of a batch that cannot be read is named, and the batch is no success."""
    other = tmp_path / "x.dcm"
    other.write_bytes(b"not DICOM at all")
    ended = srsign("check", office.report, other, *office.trust, "--json")
    assert (ended.code, ended.lines[-1]["not_read"]) == (3, 1)
    assert ended.lines[1]["error"]["code"] == "not-dicom"


def test_a_folder_is_several_files(office: Office) -> None:
    """A folder is searched, and its output has the form of several even for one file."""
    ended = srsign("check", office.images, "--json")
    assert (ended.code, [line["message_type"] for line in ended.lines]) == (
        12,
        ["item"] * 3 + ["summary"],
    )


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    """Nothing to check is a mistake, not a folder in which everything passed."""
    ended = srsign("check", tmp_path, "--json")
    assert (ended.code, ended.out) == (2, "")


def test_text_begins_with_the_indication(office: Office, altered: Path) -> None:
    """The first word after the sign is the indication."""
    assert srsign("check", altered, *office.trust).out.split()[1] == "FAILED"
    assert srsign("check", office.draft).out.split()[1] == "NOT_SIGNED"


def test_text_of_several_files_is_a_line_each(office: Office) -> None:
    """A batch shows a line for each file and one for the sum."""
    ended = srsign("check", office.report, office.draft, *office.trust)
    assert len(ended.out.splitlines()) == 3


def test_text_is_not_coloured_in_a_pipe(office: Office) -> None:
    """Where standard output is no terminal there are no escape sequences."""
    assert "\x1b" not in srsign("check", office.report, *office.trust).out


def test_facts_are_written(office: Office, tmp_path: Path) -> None:
    """--facts keeps what was found, without a word of judgement."""
    out = tmp_path / "facts.json"
    ended = srsign("check", office.report, "--evidence", office.images, "--facts", out, "--json")
    record = json.loads(out.read_text("ascii"))
    facts = record["facts"]
    assert ended.code == 11
    assert [s["integrity"] for s in facts["signatures"]] == ["intact", "intact"]
    assert bytes.fromhex(facts["signatures"][0]["certificate"])[:1] == b"\x30"
    assert facts["signatures"][1]["data_elements_signed"][0] == "(0008,0005)"
    assert [r["result"] for r in facts["references"]] == ["matched"] * 3
    assert "indication" not in json.dumps(record).replace("sub_indication", "")


def test_facts_about_several_files_are_refused(office: Office, tmp_path: Path) -> None:
    """One record is about one file."""
    out = tmp_path / "facts.json"
    assert srsign("check", office.report, office.draft, "--facts", out).code == 2
    assert not out.exists()


def test_facts_never_overwrite_the_file(office: Office, tmp_path: Path) -> None:
    """The file that is checked is no place for facts."""
    copy = tmp_path / "report.dcm"
    shutil.copy(office.report, copy)
    assert srsign("check", copy, "--facts", copy).code == 2
    assert copy.read_bytes() == office.report.read_bytes()


def test_facts_about_a_broken_file_say_why(office: Office, tmp_path: Path) -> None:
    """A file that cannot be parsed leaves the rule that it breaks, and the same verdict."""
    path, out = tmp_path / "half.dcm", tmp_path / "facts.json"
    path.write_bytes(office.report.read_bytes()[:5000])
    ended = srsign("check", path, "--facts", out, "--json")
    record = json.loads(out.read_text("ascii"))
    assert (ended.code, record["facts"]) == (10, None)
    assert record["refusal"]["rule"] == ended.json["findings"][0]["rule"]
    assert srsign("check", "--replay", out, "--json").code == 10


def test_facts_are_judged_again_without_the_file(office: Office, tmp_path: Path) -> None:
    """Replayed facts give the verdict of the file, and another under another policy or time."""
    copy, out = tmp_path / "report.dcm", tmp_path / "facts.json"
    shutil.copy(office.report, copy)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    trust = [*office.trust, "--json", "--at", soon.isoformat()]
    first = srsign("check", copy, *trust, "--evidence", office.images, "--facts", out)
    copy.unlink()
    again = srsign("check", "--replay", out, *trust)
    assert (again.code, again.json) == (first.code, first.json)
    assert srsign("check", "--replay", out).code == 11
    assert srsign("check", "--replay", out, *trust, "--policy", "archive").code == 11
    assert srsign("check", "--replay", out, *trust, "--require-purpose", "13").code == 12
    several = srsign("check", "--replay", out, out, *trust)
    assert [line["message_type"] for line in several.lines] == ["item", "item", "summary"]


def test_facts_are_never_taken_for_a_document(office: Office, tmp_path: Path) -> None:
    """Nobody signs facts, so that a file of them is judged only where the caller says so."""
    out = tmp_path / "report.dcm"
    assert srsign("check", office.report, *office.trust, "--facts", out).code == 0
    ended = srsign("check", out, *office.trust, "--json")
    assert (ended.code, ended.out) == (1, "")
    assert json.loads(ended.err)["code"] == "not-dicom"
    several = srsign("check", tmp_path, *office.trust, "--json")
    assert several.lines[0]["indication"] is None


@pytest.mark.parametrize("more", [["--evidence", "."], ["--facts", "out.json"]])
def test_a_replay_has_no_document_to_look_at(
    office: Office, tmp_path: Path, more: list[str]
) -> None:
    """What needs the document is a mistake in the usage of a replay."""
    out = tmp_path / "facts.json"
    srsign("check", office.report, "--facts", out)
    assert srsign("check", "--replay", out, *more).code == 2


def test_a_document_is_no_facts(office: Office, tmp_path: Path) -> None:
    """A document, garbage and a missing file are no facts, alone or among others."""
    garbage = tmp_path / "garbage.json"
    garbage.write_text('{"type": "srsign-facts"')
    assert srsign("check", "--replay", office.report).code == 1
    assert srsign("check", "--replay", garbage).code == 1
    assert srsign("check", "--replay", tmp_path / "none.json").code == 1
    assert srsign("check", "--replay", garbage, office.report).code == 3


@pytest.mark.parametrize("json_wanted", [False, True])
def test_a_file_name_of_any_bytes(office: Office, tmp_path: Path, json_wanted: bool) -> None:
    """A name that is no text, or would steer the terminal, is shown as an escape."""
    path = Path(os.fsdecode(bytes(tmp_path) + b"/\xff\x1b[2J.dcm"))
    shutil.copy(office.draft, path)
    ended = srsign("check", path, *(["--json"] if json_wanted else []))
    assert ended.code == 12
    assert "\x1b" not in ended.out
    ended = srsign("check", path, path, *(["--json"] if json_wanted else []))
    assert ended.code == 12
    assert "\x1b" not in ended.out


def test_the_signer_that_is_asked_for(office: Office) -> None:
    """--signer must fit every signer."""
    seal = ("check", office.seal, *office.trust)
    assert srsign(*seal, "--signer", "*Archive*").code == 0
    assert srsign(*seal, "--signer", "*Nobody*").code == 11
