"""Evidence bundles: years later, renewed, tampered with, and refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sr.app.audit.extract import NO_EXTRACT, extract_for
from sr.app.checks.check import CheckOptions, check_file, exit_code, judge_record
from sr.app.checks.facts import read_facts
from sr.app.shipping.bundle import check_bundle, create_bundle, renew_bundle
from sr.app.shipping.zip_file import write_zip
from sr.dicomfile import BytesSource, read
from sr.errors import (
    ConfigurationError,
    LifecycleError,
    LimitError,
    NotDICOMError,
    TimestampError,
    TrustEvidenceError,
)
from sr.findings import Indication, LimitationCode, Status, SubIndication
from sr.verification import Verdict
from tests.support.audit import SIGNED, chained, open_keeper
from tests.support.bundles import MADE_AT, MUCH_LATER, RENEWED_AT, Years, live_through
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.peers import OPENSSL, require_peer
from tests.support.signed import plain_report
from tests.support.tokens import MemoryAuthority, token
from tests.support.tsa_server import openssl_tsa

DAY = timedelta(days=1)
SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "verdict.schema.json"
VERDICT = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
Said = tuple[Indication, SubIndication | None]
PASSED: Said = (Indication.PASSED, None)


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    """Return a document, its bundle and the renewal; not to be changed."""
    return live_through(tmp_path_factory.mktemp("years"))


def said(verdict: Verdict) -> Said:
    VERDICT.validate(json.loads(json.dumps(verdict.as_dict())))
    return verdict.indication, verdict.sub_indication


def failing(verdict: Verdict) -> set[str]:
    own = (f for s in verdict.signatures for f in s.findings)
    return {f.rule for f in (*verdict.findings, *own) if f.status is Status.FAIL}


def test_a_bundle_outlives_the_certificates_of_its_document(years: Years) -> None:
    """When the signer's certificate has expired, the bundle still proves what the file cannot."""
    later = datetime(2029, 12, 1, tzinfo=UTC)
    alone = check_file(years.document, years.making(later))
    assert said(alone) == (Indication.INDETERMINATE, SubIndication.OUT_OF_BOUNDS_NO_POE)
    verdict = check_bundle(years.bundle, years.options(later))
    assert said(verdict) == PASSED
    assert verdict.judged_at == MADE_AT
    assert verdict.signatures[0].proven_at == MADE_AT
    assert LimitationCode.TIME_CLAIMED_ONLY not in {c.code for c in verdict.limitations}


def test_strict_is_content_with_what_the_bundle_brings(years: Years) -> None:
    """Revocation lists of the day are inside, so that nothing is left unknown but of the TSA."""
    verdict = check_bundle(years.bundle, replace(years.options(MADE_AT + DAY), policy="strict"))
    assert said(verdict) == PASSED


def test_renewal_outlives_an_algorithm(years: Years) -> None:
    """After the last day of RSA-2048 the bundle stands only where it was renewed before."""
    options = years.options(MUCH_LATER)
    verdict = check_bundle(years.renewed, options)
    assert (said(verdict), verdict.judged_at) == (PASSED, MADE_AT)
    unrenewed = check_bundle(years.bundle, options)
    assert unrenewed.indication is Indication.INDETERMINATE
    assert unrenewed.judged_at == MUCH_LATER
    assert "TIMESTAMP_ALGORITHM" in failing(unrenewed)


def test_renewal_outlives_a_stolen_key(years: Years, tmp_path: Path) -> None:
    """Where a later time-stamp proves that one is older than the theft of its key, it counts."""
    stolen = RENEWED_AT + 100 * DAY
    crl = years.crl("stolen.crl", stolen, (years.first, stolen))
    options = years.options(stolen + DAY, crls=(crl,))
    assert said(check_bundle(years.renewed, options)) == PASSED
    unrenewed = check_bundle(years.bundle, options)
    assert said(unrenewed) == (Indication.INDETERMINATE, SubIndication.TIMESTAMP_FAILURE)
    before = years.crl("before.crl", stolen, (years.first, RENEWED_AT - DAY))
    options = years.options(stolen + DAY, crls=(before,))
    assert said(check_bundle(years.renewed, options))[0] is Indication.INDETERMINATE


def test_anchors_come_from_the_checker(years: Years) -> None:
    """The root in the bundle is nobody's word: without an anchor nothing is confirmed."""
    verdict = check_bundle(years.bundle, CheckOptions(at=MADE_AT + DAY))
    assert verdict.indication is Indication.INDETERMINATE
    assert {"CERT_CHAIN", "TIMESTAMP_CHAIN"} <= failing(verdict)


def test_before_it_was_made_a_bundle_proves_nothing(years: Years) -> None:
    """Asked about a time before its time-stamp, the bundle does not pass."""
    verdict = check_bundle(years.bundle, years.options(MADE_AT - DAY))
    assert verdict.indication is not Indication.PASSED


def test_the_same_content_gives_the_same_bytes(years: Years, tmp_path: Path) -> None:
    """Made again at the same time with the same answers, a bundle is the same file."""
    again = tmp_path / "report.zip"
    create_bundle(
        years.document,
        again,
        credentials=years.credentials,
        options=years.making(MADE_AT),
        ports=years.ports(MADE_AT, years.first),
    )
    assert again.read_bytes() == years.bundle.read_bytes()


def test_what_is_inside(years: Years, tmp_path: Path) -> None:
    """Object, material, verdict and facts are there, and the facts replay to the verdict."""
    with zipfile.ZipFile(years.bundle) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert names == sorted(names)
    assert (tmp_path / "object.dcm").read_bytes() == years.document.read_bytes()
    kinds = [Path(name).suffix for name in names if "/" in name]
    assert kinds.count(".crl") == 2
    assert kinds.count(".pem") >= 4
    record = read_facts(tmp_path / "facts.json")
    assert record.sha256 == sha256(years.document.read_bytes()).hexdigest()
    verdict = json.loads((tmp_path / "verdict.json").read_bytes())
    assert judge_record(record, years.making(MADE_AT)).as_dict() == verdict
    assert (tmp_path / "audit.json").read_bytes() == NO_EXTRACT


def remade(bundle: Path, target: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Write a bundle with other members."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target.unlink(missing_ok=True)
    write_zip(target, members)
    return target


def test_no_member_can_be_changed(years: Years, tmp_path: Path) -> None:
    """A changed byte in any member is never passed, and FAILED but where only a token broke."""
    with zipfile.ZipFile(years.renewed) as archive:
        names = archive.namelist()
    for name in names:

        def flip(members: dict[str, bytes], name: str = name) -> None:
            data = bytearray(members[name])
            data[len(data) // 2] ^= 1
            members[name] = bytes(data)

        path = remade(years.renewed, tmp_path / "x.zip", flip)
        verdict = check_bundle(path, years.options(MUCH_LATER))
        newest = name == "archive-timestamps/0002/SHA256SUMS.tst"
        expected = Indication.INDETERMINATE if newest else Indication.FAILED
        assert said(verdict)[0] is expected, name


@pytest.mark.parametrize(
    ("change", "rule", "sub"),
    [
        (lambda m: m.pop("verdict.json"), "BUNDLE_MISSING", SubIndication.SIGNED_DATA_NOT_FOUND),
        (lambda m: m.pop("SHA256SUMS.p7s"), "BUNDLE_MISSING", SubIndication.SIGNED_DATA_NOT_FOUND),
        (lambda m: m.update(x=b""), "BUNDLE_UNLISTED", SubIndication.FORMAT_FAILURE),
        (
            lambda m: m.update({"archive-timestamps/0003/x": b""}),
            "BUNDLE_UNLISTED",
            SubIndication.FORMAT_FAILURE,
        ),
        (
            lambda m: m.pop("archive-timestamps/0001/SHA256SUMS.tst"),
            "BUNDLE_UNLISTED",
            SubIndication.FORMAT_FAILURE,
        ),
        (
            lambda m: m.update({"archive-timestamps/0001/SHA256SUMS": b""}),
            "BUNDLE_UNLISTED",
            SubIndication.FORMAT_FAILURE,
        ),
        (lambda m: m.update({"facts.json": b"{}"}), "BUNDLE_ALTERED", SubIndication.HASH_FAILURE),
        (
            lambda m: m.update({"object.dcm": b"gone"}),
            "BUNDLE_ALTERED",
            SubIndication.HASH_FAILURE,
        ),
        (
            lambda m: m.update({"certificates/x.pem": b"0"}),
            "BUNDLE_UNLISTED",
            SubIndication.FORMAT_FAILURE,
        ),
        (lambda m: m.update(SHA256SUMS=b"x"), "BUNDLE_LIST", SubIndication.FORMAT_FAILURE),
    ],
)
def test_members_added_removed_or_exchanged(
    years: Years,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], object],
    rule: str,
    sub: SubIndication,
) -> None:
    """What is not exactly what was listed is FAILED, and the rule says how it differs."""
    path = remade(years.renewed, tmp_path / "x.zip", change)
    verdict = check_bundle(path, years.options(MUCH_LATER))
    assert verdict.indication is Indication.FAILED
    assert {f.rule: f.sub_indication for f in verdict.findings if f.rule == rule} == {rule: sub}


def _relist(members: dict[str, bytes]) -> None:
    own = [n for n in members if not n.startswith(("archive-timestamps", "SHA256SUMS"))]
    lines = (f"{sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(own))
    members["SHA256SUMS"] = "".join(lines).encode()


def _unstamped(members: dict[str, bytes]) -> None:
    for name in [name for name in members if name.startswith("archive-timestamps")]:
        del members[name]


def _forged(members: dict[str, bytes]) -> None:
    _unstamped(members)
    members["verdict.json"] = b"{}"
    _relist(members)


def _without_signature(members: dict[str, bytes]) -> None:
    _unstamped(members)
    del members["SHA256SUMS.p7s"]


def test_a_new_list_needs_a_new_signature(years: Years, tmp_path: Path) -> None:
    """Whoever exchanges a member and lists it anew has not signed the list."""
    path = remade(years.bundle, tmp_path / "x.zip", _forged)
    verdict = check_bundle(path, years.options(MADE_AT + DAY))
    assert said(verdict) == (Indication.FAILED, SubIndication.HASH_FAILURE)


def test_a_bundle_that_nobody_signed_is_undecided(years: Years, tmp_path: Path) -> None:
    """Taken apart and put together again by anybody, a bundle is at most undecided."""
    path = remade(years.bundle, tmp_path / "x.zip", _without_signature)
    verdict = check_bundle(path, years.options(MADE_AT + DAY))
    assert said(verdict) == (Indication.INDETERMINATE, SubIndication.NO_SIGNATURE)
    assert exit_code(verdict) == 11


def test_without_time_stamp_it_is_judged_at_the_time_of_the_check(
    years: Years, tmp_path: Path
) -> None:
    """A bundle with all time-stamps removed proves no time, and ages as its document does."""
    path = remade(years.bundle, tmp_path / "x.zip", _unstamped)
    assert said(check_bundle(path, years.options(MADE_AT + DAY))) == PASSED
    aged = check_bundle(path, years.options(MUCH_LATER))
    assert (aged.indication, aged.judged_at) == (Indication.INDETERMINATE, MUCH_LATER)


@pytest.mark.parametrize("wrong", ["garbage", "other list", "other authority", "future"])
def test_a_token_that_proves_nothing(years: Years, tmp_path: Path, wrong: str) -> None:
    """Bytes that are no token, or one of something or somebody else, fail the bundle's time."""

    def change(members: dict[str, bytes]) -> None:
        listed = members["archive-timestamps/0001/SHA256SUMS"]
        members["archive-timestamps/0001/SHA256SUMS.tst"] = {
            "garbage": b"0",
            "other list": token(b"other", authority=years.first, at=MADE_AT),
            "other authority": token(listed, authority=years.archive, at=MADE_AT),
            "future": token(listed, authority=years.first, at=MADE_AT + 9 * DAY),
        }[wrong]

    path = remade(years.bundle, tmp_path / "x.zip", change)
    verdict = check_bundle(path, years.options(MADE_AT + DAY))
    assert said(verdict) == (Indication.INDETERMINATE, SubIndication.TIMESTAMP_FAILURE)
    assert verdict.judged_at == MADE_AT + DAY


def test_a_document_that_nobody_signed_stays_not_signed(years: Years, tmp_path: Path) -> None:
    """A bundle makes no signature of the author."""
    draft, out = tmp_path / "draft.dcm", tmp_path / "draft.zip"
    draft.write_bytes(plain_report())
    create_bundle(
        draft, out, credentials=years.credentials, options=years.making(MADE_AT),
        ports=years.ports(MADE_AT, years.first),
    )  # fmt: skip
    verdict = check_bundle(out, years.options(MADE_AT + DAY))
    assert verdict.indication is Indication.NOT_SIGNED
    assert exit_code(verdict) == 12


def test_what_is_not_sound_is_not_bundled(years: Years, tmp_path: Path) -> None:
    """A broken document is refused, and nothing is written."""
    broken, out = tmp_path / "half.dcm", tmp_path / "half.zip"
    broken.write_bytes(plain_report()[:3000])
    with pytest.raises(ConfigurationError):
        create_bundle(
            broken, out, credentials=years.credentials, options=years.making(MADE_AT),
            ports=years.ports(MADE_AT, None),
        )  # fmt: skip
    assert not out.exists()


def _renew(years: Years, source: Path, out: Path, at: datetime = RENEWED_AT) -> None:
    ports = years.ports(at, years.second)
    renew_bundle(source, out, options=years.options(at), ports=ports)


def test_what_does_not_hold_is_not_renewed(years: Years, tmp_path: Path) -> None:
    """Altered, or after its last time-stamp aged, a bundle is refused: nobody could tell later."""
    out = tmp_path / "out.zip"
    altered = remade(years.bundle, tmp_path / "x.zip", lambda m: m.update(x=b""))
    with pytest.raises(LifecycleError):
        _renew(years, altered, out)
    with pytest.raises(LifecycleError):
        _renew(years, years.bundle, out, at=MUCH_LATER)
    with pytest.raises(LifecycleError):
        renew_bundle(
            years.bundle, out, options=CheckOptions(at=RENEWED_AT),
            ports=years.ports(RENEWED_AT, years.second),
        )  # fmt: skip
    with pytest.raises(ConfigurationError):
        renew_bundle(
            years.bundle, out, options=years.options(RENEWED_AT),
            ports=years.ports(RENEWED_AT, None),
        )  # fmt: skip
    with pytest.raises(ConfigurationError):
        _renew(years, years.bundle, years.bundle)
    assert not out.exists()


def test_an_authority_that_does_not_answer_leaves_nothing(years: Years, tmp_path: Path) -> None:
    """Without an answer neither a bundle nor a renewal is written."""

    def fail(request: bytes) -> bytes:
        raise TimestampError("no answer")

    ports = years.ports(RENEWED_AT, years.second)
    assert ports.timestamping is not None
    silent = MemoryAuthority(clock=ports.now, answer=fail)
    ports = replace(ports, timestamping=replace(ports.timestamping, authority=silent))
    out = tmp_path / "out.zip"
    with pytest.raises(TimestampError):
        renew_bundle(years.bundle, out, options=years.options(RENEWED_AT), ports=ports)
    ports = replace(ports, now=lambda: MADE_AT)
    with pytest.raises(TimestampError):
        create_bundle(
            years.document, out, credentials=years.credentials, options=years.making(MADE_AT),
            ports=ports,
        )  # fmt: skip
    assert not out.exists()


def test_a_zip_that_is_no_bundle(years: Years, tmp_path: Path) -> None:
    """An archive of other things is not DICOM, whatever it is."""
    path = tmp_path / "x.zip"
    write_zip(path, {"object.dcm": years.document})
    with pytest.raises(NotDICOMError):
        check_bundle(path, years.options(MADE_AT))


def test_openssl_and_sha256sum_say_the_same(years: Years, tmp_path: Path) -> None:
    """What README.txt in the bundle says works: lists, signature and both time-stamps."""
    require_peer(OPENSSL)
    with zipfile.ZipFile(years.renewed) as archive:
        archive.extractall(tmp_path)
    shutil.copy(years.folder / "root.pem", tmp_path)
    commands = """set -eu
sha256sum --quiet -c SHA256SUMS
openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS \\
  -CAfile root.pem -purpose any -attime 1795000000 -out /dev/null
cat certificates/*.pem > known.pem
for n in 0001 0002; do
  sha256sum --quiet -c archive-timestamps/$n/SHA256SUMS
  openssl ts -verify -token_in -in archive-timestamps/$n/SHA256SUMS.tst -attime 1845000000 \\
    -data archive-timestamps/$n/SHA256SUMS -CAfile root.pem -untrusted known.pem
done
"""
    ran = subprocess.run(
        ["/bin/sh", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_command_line(office: Office, tmp_path: Path) -> None:
    """Bundle, check and renew, with an authority over HTTP, and what is refused."""
    require_peer(OPENSSL)
    out, renewed = tmp_path / "report.zip", tmp_path / "renewed.zip"
    given = (*office.trust, *office.signer("archive"), "--cert", office.pki.certificate("issuing"))
    root = ("--trust-anchor", office.pki.certificate("root"))
    with openssl_tsa(
        tmp_path / "tsa", certificate=office.pki.certificate("tsa"), key=office.pki.key("tsa")
    ) as url:
        made = srsign(
            "bundle", office.report, "-o", out, *given, "--timestamp", url,
            "--evidence", office.images, "--json",
        )  # fmt: skip
        assert made.code == 0, made.err
        assert made.json["verdict"]["references"]["matched"] == 3
        again = srsign("bundle", "renew", out, "-o", renewed, "--timestamp", url, *root)
        assert again.code == 0, again.err
        assert srsign("bundle", "renew", out, "--timestamp", url, *root).code == 2
    for path in (out, renewed):
        ended = srsign("check", path, *root, "--json")
        assert (ended.code, ended.json["indication"]) == (0, "PASSED")
        assert ended.json["signatures"][0]["proven_at"]
    several = srsign("check", out, office.report, *office.trust, "--json")
    assert [line.get("indication") for line in several.lines[:2]] == ["PASSED", "PASSED"]
    assert srsign("check", out, *root, "--evidence", office.images).code == 0
    assert srsign("check", out, *root, "--facts", tmp_path / "f.json").code == 2
    assert srsign("bundle", office.report, "-o", tmp_path / "x.zip").code == 2
    assert srsign("bundle", "renew", out, "-o", tmp_path / "x.zip", *root).code == 2
    assert srsign("bundle", "renew", office.report, "-o", tmp_path / "x.zip", *root).code in (1, 2)
    assert not (tmp_path / "x.zip").exists()


def _many(pattern: str) -> Callable[[dict[str, bytes]], object]:
    return lambda members: members.update({pattern.format(n): b"" for n in range(1, 66)})


@pytest.mark.parametrize(
    "change",
    [
        _many("archive-timestamps/{:04}/SHA256SUMS.tst"),
        _many("certificates/{}.pem"),
        _many("archive-timestamps/0001/revocation/{}.crl"),
        lambda members: members.update({"revocation/x.crl": bytes((64 << 20) + 1)}),
        lambda members: members.update({"SHA256SUMS": bytes((1 << 20) + 1)}),
    ],
)
def test_more_than_a_check_should_consider_is_refused(
    years: Years, tmp_path: Path, change: Callable[[dict[str, bytes]], object]
) -> None:
    """Too many links, certificates or lists, and too large ones, are refused unread."""
    path = remade(years.bundle, tmp_path / "x.zip", change)
    with pytest.raises(LimitError) as refused:
        check_bundle(path, years.options(MADE_AT))
    assert refused.value.rule == "BUNDLE_MATERIAL"


@pytest.mark.parametrize("name", ["certificates/x.pem", "revocation/x.crl", "revocation/x.ocsp"])
def test_material_that_is_none_is_an_error(years: Years, tmp_path: Path, name: str) -> None:
    """Bytes that are no certificate or list, and listed as such, are refused where they are."""

    def change(members: dict[str, bytes]) -> None:
        members[name] = b"0"
        _unstamped(members)
        _relist(members)

    path = remade(years.bundle, tmp_path / "x.zip", change)
    with pytest.raises(TrustEvidenceError):
        check_bundle(path, years.options(MADE_AT))


def test_a_bundle_brings_its_part_of_the_audit_trail(years: Years, tmp_path: Path) -> None:
    """With a trail the bundle says who vouches for its events, and its verdict stays as it is."""
    keeper = open_keeper(tmp_path)
    uid = read(BytesSource(years.document.read_bytes())).sop_instance_uid
    about = replace(SIGNED, instances=(replace(SIGNED.instances[0], sop_instance_uid=uid),))
    rows = chained([about])
    head = keeper.head(rows[-1], MADE_AT)
    bundle = tmp_path / "with-trail.zip"
    create_bundle(
        years.document,
        bundle,
        credentials=years.credentials,
        options=years.making(MADE_AT),
        ports=years.ports(MADE_AT, years.first),
        audit=lambda asked: extract_for(asked, rows, [head]),
    )
    trusted = years.options(MADE_AT + DAY)
    for anchors, status in (
        ((*trusted.anchors, tmp_path / "root.pem"), Status.NOTICE),
        (trusted.anchors, Status.WARN),
    ):
        verdict = check_bundle(bundle, replace(trusted, anchors=anchors))
        assert said(verdict) == PASSED
        assert [f.status for f in verdict.findings if f.rule == "AUDIT_EXTRACT"] == [status]
