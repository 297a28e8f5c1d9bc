"""Lists of files: signed ones, altered ones, and those that anybody could have written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sr.errors import DatasetError, SRError
from sr.verification.file_list import (
    FileEntry,
    check_names,
    file_list,
    parse_file_list,
    parse_sidecar,
)
from tests.support.console import Ended, srsign
from tests.support.office import Office
from tests.support.peers import OPENSSL, require_peer

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "verdict.schema.json"
VERDICT = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
ZEROS = "0" * 64
RULES = {
    "altered": "EVIDENCE_MISMATCH",
    "missing": "EVIDENCE_MISSING",
    "unexpected": "EVIDENCE_UNEXPECTED",
}


@pytest.fixture(scope="module")
def listed(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder ``export`` with a list and its signature beside it."""
    folder = tmp_path_factory.mktemp("listed")
    shutil.copytree(office.images, folder / "export" / "images")
    shutil.copy(office.report, folder / "export" / "Befund für Prüfer.dcm")
    (folder / "export" / "empty.txt").touch()
    ended = srsign(
        "manifest", "files", folder / "export", "-o", folder / "integrity.json",
        *office.signer("archive"), "--cert", office.pki.certificate("issuing"),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def shipment(listed: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return Path(shutil.copytree(listed, tmp_path / "shipment"))


def checked(office: Office, folder: Path, *more: object) -> Ended:
    ended = srsign(
        "manifest", "check", folder / "integrity.json", folder / "export", *office.trust, *more,
        "--json",
    )  # fmt: skip
    if ended.out:
        VERDICT.validate(ended.json)
    return ended


def test_the_same_files_pass(office: Office, shipment: Path) -> None:
    """What arrived as it was listed passes, and says by whom and how it was compared."""
    ended = checked(office, shipment)
    verdict = ended.json
    assert (ended.code, verdict["indication"]) == (0, "PASSED")
    assert verdict["references"]["matched"] == 5
    assert {tuple(item["by"]) for item in verdict["references"]["items"]} == {("digest",)}
    assert "Archive" in verdict["signatures"][0]["signer"]["subject"]
    assert verdict["questions"]["unchanged"] == "yes"


def test_the_verdict_is_told_to_people(office: Office, shipment: Path) -> None:
    """The text names the signature for what it is."""
    shown = srsign(
        "manifest", "check", shipment / "integrity.json", shipment / "export", *office.trust
    )
    assert "detached signature" in shown.out
    assert "5 of 5 listed files match" in shown.out


def _flip(folder: Path) -> None:
    path = folder / "export" / "images" / "ct-1.dcm"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _grow(folder: Path) -> None:
    with (folder / "export" / "empty.txt").open("ab") as file:
        file.write(b"\n")


def _link(folder: Path) -> None:
    path = folder / "export" / "images" / "ct-1.dcm"
    path.rename(folder / "kept.dcm")
    path.symlink_to(folder / "kept.dcm")


def _remove(folder: Path) -> None:
    (folder / "export" / "images" / "ct-2.dcm").unlink()


def _move_folder_behind_a_link(folder: Path) -> None:
    (folder / "export" / "images").rename(folder / "elsewhere")
    (folder / "export" / "images").symlink_to(folder / "elsewhere")


def _add(folder: Path) -> None:
    (folder / "export" / "images" / "ct-9.dcm").touch()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "export" / "pipe")


@pytest.mark.parametrize(
    ("change", "word", "count"),
    [
        (_flip, "altered", 1),
        (_grow, "altered", 1),
        (_link, "altered", 1),
        (_remove, "missing", 1),
        (_move_folder_behind_a_link, "missing", 3),
        (_add, "unexpected", 1),
        (_pipe, "unexpected", 1),
    ],
)
def test_a_set_that_differs_is_13(
    office: Office, shipment: Path, change: Callable[[Path], None], word: str, count: int
) -> None:
    """Altered, missing and unexpected files are told apart, links are never followed."""
    change(shipment)
    ended = checked(office, shipment)
    assert (ended.code, ended.json["references"][word]) == (13, count)
    assert ended.json["signatures"][0]["indication"] == "PASSED"
    assert {f["rule"] for f in ended.json["findings"]} >= {RULES[word]}


def test_a_changed_list_is_10(office: Office, shipment: Path) -> None:
    """A list that was changed together with a file is not the one that was signed."""
    _flip(shipment)
    path = shipment / "integrity.json"
    data = (shipment / "export" / "images" / "ct-1.dcm").read_bytes()
    lines = path.read_text("utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        if "ct-1.dcm" in line:
            old = line.split('"sha256": "')[1][:64]
            lines[number] = line.replace(old, hashlib.sha256(data).hexdigest())
    path.write_text("".join(lines), "utf-8")
    ended = checked(office, shipment)
    assert (ended.code, ended.json["sub_indication"]) == (10, "HASH_FAILURE")
    assert ended.json["references"]["matched"] == 5


def test_a_signature_of_nobody_known_is_11(office: Office, shipment: Path) -> None:
    """Without a trust anchor, or with another's, nobody is confirmed."""
    ended = srsign("manifest", "check", shipment / "integrity.json", shipment / "export", "--json")
    assert (ended.code, ended.json["sub_indication"]) == (11, "NO_CERTIFICATE_CHAIN_FOUND")


def test_without_signature_it_is_12(office: Office, shipment: Path) -> None:
    """The list alone is not signed, however well the files match."""
    (shipment / "integrity.json.p7s").unlink()
    ended = checked(office, shipment)
    assert (ended.code, ended.json["indication"]) == (12, "NOT_SIGNED")
    assert ended.json["references"]["matched"] == 5
    assert [f["rule"] for f in ended.json["findings"]] == ["ORIGIN_UNKNOWN"]


@pytest.mark.parametrize("content", [b"", b"no signature", b"0\x80\x00"])
def test_a_broken_signature_is_10(office: Office, shipment: Path, content: bytes) -> None:
    """A signature file that holds none is a format failure, not an absent signature."""
    (shipment / "integrity.json.p7s").write_bytes(content)
    ended = checked(office, shipment)
    assert (ended.code, ended.json["sub_indication"]) == (10, "FORMAT_FAILURE")


@pytest.mark.parametrize(
    "content",
    [
        b'{\n  "type": "srsign-integrity",\n  "schema_version": 2,\n  "files": []\n}\n',
        b'{\n  "type": "srsign-integrity",\n  "schema_version": 1,\n  "files": [',
        b'{\n  "type": "srsign-integrity",\n  "schema_version": 1,\n  "files": {}\n}\n',
    ],
)
def test_a_list_that_is_none_is_1(office: Office, shipment: Path, content: bytes) -> None:
    """What is no list of files cannot be checked as one; nor is it what was signed."""
    (shipment / "integrity.json").write_bytes(content)
    ended = checked(office, shipment)
    assert (ended.code, ended.json["sub_indication"]) == (10, "HASH_FAILURE")
    (shipment / "integrity.json.p7s").unlink()
    assert checked(office, shipment).code == 1


def test_what_cannot_be_listed_is_refused(office: Office, tmp_path: Path) -> None:
    """Links, special files, odd names and nothing at all: nothing is written."""
    made = {
        "link": lambda path: path.symlink_to("/etc/hostname"),
        "pipe": os.mkfifo,
        "back\\slash": Path.touch,
        "line\nbreak": Path.touch,
        ' blank"': Path.touch,
    }
    for name, make in made.items():
        folder = tmp_path / hashlib.sha256(name.encode()).hexdigest()[:8]
        folder.mkdir()
        (folder / "good.txt").touch()
        make(folder / name)
        out = tmp_path / "out.json"
        ended = srsign("manifest", "files", folder, "-o", out, *office.signer("archive"))
        assert ended.code in (1, 2), name
        assert not out.exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert srsign("manifest", "files", empty, "-o", out, *office.signer("archive")).code == 2
    assert srsign("manifest", "files", tmp_path / "no", "-o", out, *office.signer("a")).code == 2


def test_a_list_inside_its_folder_does_not_list_itself(office: Office, tmp_path: Path) -> None:
    """List and signature may stand in the folder, and are not unexpected there."""
    (tmp_path / "a.txt").write_text("a")
    out = tmp_path / "integrity.json"
    for _ in range(2):
        assert srsign("manifest", "files", tmp_path, "-o", out, *office.signer("archive")).code == 0
    ended = srsign("manifest", "check", out, tmp_path, *office.trust, "--json")
    assert (ended.code, ended.json["references"]["total"]) == (0, 1)


PATHS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.dictionaries(PATHS, st.integers(0, 2**60), min_size=1, max_size=4))
def test_a_list_reads_as_it_was_written(sizes: dict[str, int]) -> None:
    """Whatever names are accepted come back as they were; one a line, without escapes."""
    entries = tuple(FileEntry(path=p, size=s, sha256=ZEROS) for p, s in sizes.items())
    try:
        data = file_list(entries)
    except DatasetError:
        return
    assert parse_file_list(data) == tuple(sorted(entries, key=lambda e: e.path))
    assert b"\\" not in data
    assert data.count(b"\n") == len(entries) + 6


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../up", "a/../b", "a//b", "./a", "a/", "", "a\\b", 'a"b', "C:x", "a\tb",
        "a\0", " a", "a ", "a/b ", "a.", "e\u0301", "\u202etxt", "\ud800", "x" * 256,
        "/".join(["y" * 200] * 6),
    ],
)  # fmt: skip
def test_a_name_that_means_something_else_elsewhere_is_refused(path: str) -> None:
    """Names that leave the folder, steer a terminal or differ between systems are refused."""
    with pytest.raises(DatasetError) as refused:
        check_names([path])
    assert refused.value.rule == "FILE_NAME"


def test_names_that_differ_in_case_only_are_refused() -> None:
    """Two names that are one file on another system are refused, as is a name twice."""
    for pair in (["a.dcm", "A.dcm"], ["Straße", "STRASSE"], ["a", "a"]):
        with pytest.raises(DatasetError):
            check_names(pair)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("    {", "   {", 1),
        lambda t: t + "\n",
        lambda t: t.replace('"size": 1', '"size": 1.0'),
        lambda t: t.replace('"size": 1', '"size": true'),
        lambda t: t.replace('"size": 1', '"size": -1'),
        lambda t: t.replace(ZEROS, ZEROS.replace("0", "A")),
        lambda t: t.replace(ZEROS, ZEROS[1:]),
        lambda t: t.replace('"path": "a"', '"path": "\\u0061"'),
        lambda t: t.replace('"path": "a"', '"path": "b", "path": "a"'),
        lambda t: t.replace('"path": "a"', '"path": null'),
        lambda t: t.replace('"path": "a"', '"path": "../a"'),
        lambda t: t.replace("\n  ]", ',\n    {"path": "0", "size": 1, "sha256": "'+ZEROS+'"}\n  ]'),
    ],
)  # fmt: skip
def test_a_list_in_another_form_is_refused(change: Callable[[str], str]) -> None:
    """Only the form that is written is read, so that nobody can read another list in it."""
    text = file_list([FileEntry(path="a", size=1, sha256=ZEROS)]).decode()
    assert parse_file_list(text.encode()) is not None
    assert change(text) != text
    with pytest.raises(DatasetError):
        parse_file_list(change(text).encode())


def _digests(folder: Path, name: str) -> dict[str, str]:
    data = (folder / name).read_bytes()
    return {a: hashlib.new(a, data).hexdigest() for a in ("md5", "sha1", "sha256", "sha512")}


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".sig", "{sha256}"),
        (".sig", '{{"algorithm": "SHA-256", "sha256": "{sha256}"}}'),
        (".sha256", "{sha256}  report.dcm\n"),
        (".sha256", "{sha256} *./report.dcm\n"),
        (".txt", "SHA256 (report.dcm) = {sha256}\n"),
        (".sha512", "{sha512}  report.dcm\n"),
        (".md5", "{md5}  report.dcm\n"),
        (".sha1", "{sha1}"),
    ],
)
def test_a_digest_without_key_is_at_most_11(
    office: Office, tmp_path: Path, suffix: str, content: str
) -> None:
    """A matching digest says that nothing was damaged, never who it comes from; another says 13."""
    shutil.copy(office.report, tmp_path / "report.dcm")
    sidecar = tmp_path / f"report.dcm{suffix}"
    sidecar.write_text(content.format(**_digests(tmp_path, "report.dcm")), "ascii")
    ended = srsign("manifest", "check", sidecar, tmp_path, *office.trust, "--json")
    verdict = ended.json
    VERDICT.validate(verdict)
    assert (ended.code, verdict["indication"], verdict["sub_indication"]) == (
        11, "INDETERMINATE", "NO_SIGNATURE",
    )  # fmt: skip
    assert verdict["references"]["matched"] == 1
    assert verdict["questions"]["unchanged"] == "unknown"
    assert [c["code"] for c in verdict["limitations"]] == (
        ["WEAK_ALGORITHM"] if suffix in (".md5", ".sha1") else []
    )
    with (tmp_path / "report.dcm").open("ab") as file:
        file.write(b"\0")
    assert srsign("manifest", "check", sidecar, tmp_path).code == 13
    (tmp_path / "report.dcm").unlink()
    assert srsign("manifest", "check", sidecar, tmp_path).code == 13


@pytest.mark.parametrize(
    "content",
    [
        "", "no digest", ZEROS + "0", ZEROS + "  ../report.dcm", ZEROS + "  /etc/passwd", "{}", "{",
        '{"sha256": "' + ZEROS + '", "hash": "' + "1" * 64 + '"}', "[" * 100000, "\ud800",
        "SHA512 (report.dcm) = " + ZEROS, '{"sha256": [' * 50000,
    ],
)  # fmt: skip
def test_a_sidecar_that_is_none_is_refused(content: str) -> None:
    """Text without a digest, or with a path that leaves the folder, is refused."""
    with pytest.raises(DatasetError):
        parse_sidecar(content.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sidecar_or_refused(data: bytes) -> None:
    """Nothing worse than an error comes of any bytes."""
    try:
        parse_sidecar(data)
    except SRError:
        return


def test_openssl_and_sha256sum_say_the_same(office: Office, shipment: Path) -> None:
    """A recipient without DICOM tools sees the same: good, a changed list, a changed file."""
    require_peer(OPENSSL)
    root = office.pki.certificate("root")
    line = r'    {"path": "\(.*\)", "size": [0-9]*, "sha256": "\([0-9a-f]*\)"},\{0,1\}'
    commands = f"""set -eu
openssl cms -verify -binary -inform DER -in integrity.json.p7s -content integrity.json \\
  -CAfile {root} -purpose any -out /dev/null
sed -n 's/^{line}$/\\2  \\1/p' \\
  integrity.json > SHA256SUMS
cd export && sha256sum --strict -c ../SHA256SUMS
"""

    def repeated() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", commands], cwd=shipment, capture_output=True, text=True, check=False
        )

    good = repeated()
    assert good.returncode == 0, good.stderr
    assert good.stdout.count(": OK") == 5
    _flip(shipment)
    assert repeated().returncode == 1
    with (shipment / "integrity.json").open("ab") as file:
        file.write(b"\n")
    assert repeated().returncode == 4
