"""``srsign trust``, and what ``check`` makes of the folder it keeps."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sr.app.checks.check import CheckOptions, check_file
from sr.app.settings import current_settings
from sr.app.trust.trust_store import TrustStore, Use
from sr.compose import current_time
from sr.errors import ConfigurationError, TrustEvidenceError
from sr.findings import Indication
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.pki import demo_pki


@pytest.fixture
def store(office: Office, tmp_path: Path) -> TrustStore:
    """Return a folder that trusts the office's PKI."""
    folder = tmp_path / "trust"
    pki = office.pki
    at = ("--yes", "--directory", folder)
    assert srsign("trust", "add", pki.certificate("root"), *at).code == 0
    assert srsign("trust", "add", pki.certificate("issuing"), "--intermediate", *at).code == 0
    return TrustStore(folder)


def _check(office: Office, store: TrustStore, **options: object) -> Indication:
    given = CheckOptions(at=current_time(), store=store.folder, **options)  # type: ignore[arg-type]
    return check_file(office.report, given).indication


def test_what_is_kept_is_listed(store: TrustStore) -> None:
    """Each certificate is listed with its use and fingerprint, and its file bears that name."""
    listed = srsign("trust", "list", "--directory", store.folder, "--json").json["certificates"]
    assert [each["use"] for each in listed] == ["anchor", "intermediate"]
    assert all(Path(each["file"]).stem == each["sha256"] for each in listed)


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    """A folder that is not there keeps nothing."""
    ended = srsign("trust", "list", "--directory", tmp_path / "none", "--json")
    assert (ended.code, ended.json) == (0, {"certificates": []})


def test_check_takes_the_folder_where_no_anchor_is_given(office: Office, store: TrustStore) -> None:
    """With the folder the report passes; without it nobody is trusted."""
    assert _check(office, store) is Indication.PASSED
    assert _check(office, TrustStore(store.folder / "none")) is Indication.INDETERMINATE


def test_a_given_anchor_replaces_the_folder(
    office: Office, store: TrustStore, tmp_path: Path
) -> None:
    """Who names an anchor trusts that one only."""
    other = tmp_path / "other.pem"
    other.write_bytes(demo_pki().root.pem)
    assert _check(office, store, anchors=(other,)) is Indication.INDETERMINATE


def test_lists_in_the_folder_count(office: Office, store: TrustStore) -> None:
    """Revocation lists in the folder are judged with."""
    assert _check(office, store, policy="strict") is Indication.INDETERMINATE
    lists = store.folder / "lists"
    lists.mkdir()
    for path in office.pki.revocation_lists:
        (lists / path.name).write_bytes(path.read_bytes())
    assert _check(office, store, policy="strict") is Indication.PASSED
    (lists / "broken.crl").write_bytes(b"0")
    with pytest.raises(TrustEvidenceError):
        _check(office, store)


@pytest.fixture
def _configured(store: TrustStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SRSIGN_TRUST__DIRECTORY", str(store.folder))
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


@pytest.mark.usefixtures("_configured")
def test_the_setting_names_the_folder(office: Office) -> None:
    """The command line checks with the folder of the setting."""
    assert srsign("check", office.report).code == 0
    assert len(srsign("trust", "list", "--json").json["certificates"]) == 2


def test_without_anybody_to_ask_nothing_is_trusted(office: Office, tmp_path: Path) -> None:
    """Without a terminal and without --yes nothing is kept."""
    ended = srsign("trust", "add", office.pki.certificate("root"), "--directory", tmp_path)
    assert ended.code == 2
    assert TrustStore(tmp_path).kept() == ()


@pytest.mark.parametrize(
    ("answer", "kept"), [("y", True), ("YES", True), ("n", False), ("", False), ("root", False)]
)
def test_a_person_is_asked_for_the_fingerprint(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, kept: bool
) -> None:
    """On a terminal the fingerprint is shown and only a yes trusts the certificate."""
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, encoding="utf-8") as stdin:
        os.write(keyboard, f"{answer}\n".encode())
        monkeypatch.setattr(sys, "stdin", stdin)
        ended = srsign("trust", "add", office.pki.certificate("root"), "--directory", tmp_path)
    os.close(keyboard)
    found = TrustStore(tmp_path).kept()
    assert (ended.code == 0, len(found) == 1) == (kept, kept)
    fingerprint = x509.load_pem_x509_certificate(
        office.pki.certificate("root").read_bytes()
    ).fingerprint(hashes.SHA256())
    assert fingerprint.hex() in ended.err.replace(" ", "")


def test_what_is_no_certificate_is_not_kept(office: Office, tmp_path: Path) -> None:
    """Of several files one of which holds no certificate, none is kept."""
    files = (office.pki.certificate("root"), office.report)
    assert srsign("trust", "add", *files, "--yes", "--directory", tmp_path).code == 1
    assert TrustStore(tmp_path).kept() == ()


def test_a_certificate_exchanged_on_disk_is_refused(office: Office, store: TrustStore) -> None:
    """A file that is not the certificate of its name stops list and check."""
    anchor = next(each for each in store.kept() if each.use is Use.ANCHOR)
    anchor.path.write_bytes(demo_pki().root.pem)
    assert srsign("trust", "list", "--directory", store.folder).code == 2
    with pytest.raises(ConfigurationError):
        _check(office, store)


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_certificate_is_refused(store: TrustStore, content: bytes) -> None:
    """Anything else in the folder is an error, not left out in silence."""
    (store.folder / "anchors" / "x.pem").write_bytes(content)
    with pytest.raises(ConfigurationError):
        store.kept()


def test_removing_needs_enough_of_one_fingerprint(store: TrustStore) -> None:
    """A fingerprint that names none, or is too short, removes nothing."""
    first, second = store.kept()
    at = ("--directory", store.folder)
    for wrong in ("", first.certificate.sha256[:7], "0" * 64, first.certificate.subject):
        assert srsign("trust", "remove", wrong, *at).code == 2
    assert srsign("trust", "remove", first.certificate.sha256[:8].upper(), *at).code == 0
    assert store.kept() == (second,)


def test_a_kept_verdict_is_the_record_of_the_next_check(office: Office, tmp_path: Path) -> None:
    """What check --json printed is taken as record, one object or lines of them."""
    one, lines = tmp_path / "one.json", tmp_path / "lines.json"
    one.write_text(srsign("check", office.report, *office.trust, "--json").out)
    lines.write_text(srsign("check", office.report, office.seal, *office.trust, "--json").out)
    for record in (one, lines):
        verdict = srsign("check", office.report, *office.trust, "--record", record, "--json").json
        rules = {f["rule"]: f["status"] for s in verdict["signatures"] for f in s["findings"]}
        assert rules["CERT_RECORD"] == "PASS"


def test_a_signature_on_record_is_missed(office: Office, tmp_path: Path) -> None:
    """A record of one more signature than there is ends with 11."""
    verdict = srsign("check", office.report, *office.trust, "--json").json
    gone = verdict["signatures"][0] | {"digital_signature_uid": "2.25.1"}
    record = tmp_path / "record.json"
    record.write_text(json.dumps(verdict | {"signatures": [*verdict["signatures"], gone]}))
    ended = srsign("check", office.report, *office.trust, "--record", record, "--json")
    assert ended.code == 11
    assert "SIGNATURE_STRIPPED" in {
        f["rule"] for f in ended.json["findings"] if f["status"] == "FAIL"
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"signatures": [1]}', "[1]\n[2]"])
def test_a_record_that_is_none_is_refused(office: Office, tmp_path: Path, text: str) -> None:
    """A file that holds no verdict is an error, not an empty record."""
    record = tmp_path / "record.json"
    record.write_text(text)
    assert srsign("check", office.report, *office.trust, "--record", record).code == 2


def test_a_signer_may_be_demanded_by_fingerprint(office: Office) -> None:
    """A fingerprint names one certificate; every signer has to have it."""
    seal = srsign("check", office.seal, *office.trust, "--json").json
    fingerprint = seal["signatures"][0]["signer"]["sha256"]
    demand = ("--signer", f"sha256:{fingerprint.upper()}")
    assert srsign("check", office.seal, *office.trust, *demand).code == 0
    assert srsign("check", office.report, *office.trust, *demand).code == 11
