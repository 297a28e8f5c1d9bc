"""Time-stamps between openssl, dcmsign and us: each accepts what the others made.

The authority is ``openssl ts`` behind an HTTP server on a free port of this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sr.app.checks.check import CheckOptions, check_file
from sr.dicomfile import BytesSource, read
from sr.findings import Indication, LimitationCode, SubIndication
from sr.signature import examine
from sr.trust.timestamp import read_timestamp
from sr.verification import Verdict
from tests.support.console import srsign
from tests.support.forge import Node, at, edited, remove, signature_item
from tests.support.office import Office
from tests.support.page import Page
from tests.support.peers import OPENSSL, dcmsign, dcmsign_sign, dcmsign_verify, run_peer
from tests.support.repetition import failing
from tests.support.tsa_server import openssl_reply, openssl_tsa

pytestmark = pytest.mark.peer

OBSERVER = ("--observer", "Weber^Sam", "--organization", "srsign DEMO")
ALL_POLICIES = ("standard", "strict", "archive", "interop", "demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A report that was signed, time-stamped and approved over HTTP."""

    authored: Path
    report: Path
    seal: Path
    manifest: Path
    keyobject: Path


@pytest.fixture(scope="module", autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        yield


@pytest.fixture(scope="module")
def url(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a time-stamp authority."""
    folder = tmp_path_factory.mktemp("tsa")
    run_peer(OPENSSL, "version")
    pki = office.pki
    with openssl_tsa(folder, certificate=pki.certificate("tsa"), key=pki.key("tsa")) as address:
        yield address


@pytest.fixture(scope="module")
def stamped(office: Office, url: str, tmp_path_factory: pytest.TempPathFactory) -> Stamped:
    """Return products of every command that signs, each with a time-stamp."""
    folder = tmp_path_factory.mktemp("stamped")
    made = Stamped(
        **{name: folder / f"{name}.dcm" for name in Stamped.__dataclass_fields__}  # type: ignore[arg-type]
    )
    author, archive = office.signer("author"), (*office.signer("archive"), "--timestamp", url)
    for arguments in (
        ("sign", office.draft, "--purpose", "author", *author, "--timestamp", url,
         "-o", made.authored),
        ("approve", made.authored, *OBSERVER, *office.signer("supervisor"), "--timestamp", url,
         "-o", made.report),
        ("seal", office.images, *archive, "-o", made.seal),
        ("manifest", "create", office.images, *archive, "-o", made.manifest),
        ("keyobject", "--title", "of-interest", office.images, "--purpose", "source", *archive,
         "-o", made.keyobject),
    ):  # fmt: skip
        assert srsign(*arguments).code == 0
    return made


def options(office: Office, policy: str = "standard", **changes: object) -> CheckOptions:
    pki = office.pki
    given: dict[str, object] = {
        "at": datetime.now(UTC),
        "anchors": (pki.certificate("root"),),
        "intermediates": (pki.certificate("issuing"),),
        "crls": pki.revocation_lists,
        "policy": policy,
    }
    return CheckOptions(**(given | changes))  # type: ignore[arg-type]


def codes(verdict: Verdict) -> set[LimitationCode]:
    return {each.code for each in verdict.limitations}


@pytest.mark.parametrize("name", Stamped.__dataclass_fields__)
def test_what_every_command_signs_is_proven(office: Office, stamped: Stamped, name: str) -> None:
    """Each signature of each product passes the policy that demands a proven time."""
    verdict = check_file(getattr(stamped, name), options(office, "archive"))
    assert verdict.indication is Indication.PASSED
    assert all(each.proven_at is not None for each in verdict.signatures)
    assert LimitationCode.TIME_CLAIMED_ONLY not in codes(verdict)


@pytest.mark.parametrize("name", ["authored", "report", "seal"])
def test_dcmsign_accepts_our_time_stamps(office: Office, stamped: Stamped, name: str) -> None:
    """With +tr dcmsign demands a certified time-stamp with every signature, and verifies ours."""
    result = dcmsign_verify(
        getattr(stamped, name),
        anchor=office.pki.certificate("root"),
        intermediate=office.pki.certificate("issuing"),
        options=("+rs", "+tr") if name == "report" else ("+tr",),
    )
    assert result.returncode == 0
    assert "Timestamp Verification      : OK" in result.output


def test_dcmsign_demands_what_is_not_there(office: Office) -> None:
    """The option that accepts our time-stamps refuses a report without one."""
    result = dcmsign_verify(
        office.report,
        anchor=office.pki.certificate("root"),
        intermediate=office.pki.certificate("issuing"),
        options=("+tr",),
    )
    assert result.returncode != 0


@pytest.mark.parametrize("chain", [False, True], ids=["sorted", "unsorted"])
def test_openssl_verifies_the_stored_token(office: Office, tmp_path: Path, chain: bool) -> None:
    """What is stored is the token that openssl verifies over the signature value, unaltered."""
    pki = office.pki
    bundle = tmp_path / "chain.pem"
    bundle.write_bytes(b"".join(pki.certificate(name).read_bytes() for name in ("issuing", "root")))
    out = tmp_path / "out.dcm"
    with openssl_tsa(
        tmp_path / "tsa",
        certificate=pki.certificate("tsa"),
        key=pki.key("tsa"),
        chain=bundle if chain else None,
    ) as address:
        signed = srsign(
            *("sign", office.draft, "--purpose", "author", *office.signer("author")),
            *("--timestamp", address, "-o", out),
        )
    assert signed.code == 0
    assert check_file(out, options(office, "archive")).indication is Indication.PASSED
    (found,) = examine(read(BytesSource(out.read_bytes()))).signatures
    assert found.signature.timestamp is not None
    assert len(read_timestamp(found.signature.timestamp).certificates) == (3 if chain else 1)
    token, value = tmp_path / "token.der", tmp_path / "value.bin"
    token.write_bytes(found.signature.timestamp)
    value.write_bytes(found.signature.signature)
    verified = run_peer(
        OPENSSL, "ts", "-verify", "-in", token, "-token_in", "-data", value,
        "-CAfile", pki.certificate("root"), "-untrusted", pki.certificate("issuing"),
    )  # fmt: skip
    assert (verified.returncode, "Verification: OK" in verified.output) == (0, True)


@pytest.mark.peer
def test_a_page_for_experts_repeats_the_time_stamp(
    office: Office, stamped: Stamped, tmp_path: Path
) -> None:
    """Its commands take each token from the file, and openssl confirms it over the value."""
    page = tmp_path / "check.html"
    assert srsign("check", stamped.report, *office.trust, "--report", page).code == 0
    blocks = Page(page.read_text("utf-8")).blocks
    assert sum("openssl ts -verify" in block for block in blocks) == 2
    assert not failing(blocks, tmp_path)
    other = ["--tsa-anchor", office.pki.certificate("author")]
    srsign("check", stamped.report, *office.trust, *other, "--report", page)
    refused = failing(Page(page.read_text("utf-8")).blocks, tmp_path)
    assert sum("openssl ts -verify" in block for block in refused) == len(refused) == 2


@pytest.fixture(scope="module")
def peer_stamped(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that has dcmsign sign a report and store a reply of the authority."""
    pki = office.pki
    folder = tmp_path_factory.mktemp("peer")

    def make(naming: str) -> Path:
        signed, done = folder / f"signed-{naming}.dcm", folder / f"done-{naming}.dcm"
        query, uid, reply = (folder / f"{naming}.{kind}" for kind in ("tsq", "uid", "tsr"))
        first = dcmsign_sign(
            office.draft,
            signed,
            key=pki.key("author"),
            certificate=pki.certificate("author"),
            options=("+ts", str(query), str(uid)),
        )
        assert first.returncode == 0, first.output
        reply.write_bytes(
            openssl_reply(
                folder / naming,
                query.read_bytes(),
                certificate=pki.certificate("tsa"),
                key=pki.key("tsa"),
                naming=naming,
            )
        )
        second = dcmsign("+t", query, reply, uid, signed, done)
        assert second.returncode == 0, second.output
        return done

    return make


@pytest.mark.parametrize("naming", ["sha1", "sha256", "sha512"])
def test_we_accept_the_time_stamps_of_dcmsign(
    office: Office, peer_stamped: Callable[[str], Path], naming: str
) -> None:
    """A report that dcmsign signed and stamped is proven for us, whatever hash names the TSA."""
    path = peer_stamped(naming)
    (signature,) = check_file(path, options(office)).signatures
    rules = {each.rule for each in signature.findings if each.status == "FAIL"}
    assert signature.proven_at is not None
    assert not {rule for rule in rules if rule.startswith(("TIME", "CERT"))}
    trusted = dcmsign_verify(
        path,
        anchor=office.pki.certificate("root"),
        intermediate=office.pki.certificate("issuing"),
        options=("+tr",),
    )
    assert trusted.returncode == 0


def test_a_missing_authority_leaves_nothing_behind(
    office: Office, url: str, tmp_path: Path
) -> None:
    """Where nobody answers, the exit code is that of time-stamps and no file appears."""
    gone = tmp_path / "gone"
    with openssl_tsa(
        gone, certificate=office.pki.certificate("tsa"), key=office.pki.key("tsa")
    ) as was_there:
        pass
    out = tmp_path / "out.dcm"
    signed = srsign(
        *("sign", office.draft, "--purpose", "author", *office.signer("author")),
        *("--timestamp", was_there, "-o", out),
    )
    assert signed.code == 22
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("policy", ALL_POLICIES)
def test_a_time_stamp_heals_what_expired_since(
    office: Office, stamped: Stamped, policy: str
) -> None:
    """Years later the signers' certificates have expired; proof decides between two verdicts."""
    later = datetime.now(UTC) + timedelta(days=4 * 365)
    unproven = check_file(office.report, options(office, policy, at=later))
    assert unproven.indication is Indication.INDETERMINATE
    assert unproven.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE
    proven = check_file(stamped.report, options(office, policy, at=later))
    assert proven.sub_indication is not SubIndication.OUT_OF_BOUNDS_NO_POE


def _without_token(nodes: list[Node]) -> None:
    remove(signature_item(nodes), 0x04000310)


def _junk(nodes: list[Node]) -> None:
    at(signature_item(nodes), 0x04000310).value = b"\x30\x03\x02\x01\x05\x00"


def _exchanged(nodes: list[Node]) -> None:
    """Put the time-stamp of the approval beside the author's signature."""
    first, second = (at(signature_item(nodes, n), 0x04000310) for n in (0, 1))
    first.value = second.value


@pytest.mark.parametrize(
    ("edit", "peer"),
    [(_without_token, 0), (_junk, 0), (_exchanged, 101)],
    ids=["stripped", "junk", "foreign"],
)
@pytest.mark.parametrize("policy", ALL_POLICIES)
def test_what_is_no_time_stamp_is_not_taken_for_absent(
    office: Office,
    stamped: Stamped,
    tmp_path: Path,
    edit: Callable[[list[Node]], None],
    peer: int,
    policy: str,
) -> None:
    """Under no policy does a report pass whose time-stamp is stripped, junk or another's."""
    path = tmp_path / "edited.dcm"
    path.write_bytes(edited(stamped.report.read_bytes(), edit))
    verdict = check_file(path, options(office, policy))
    assert verdict.indication is Indication.INDETERMINATE
    assert verdict.sub_indication is SubIndication.TIMESTAMP_FAILURE
    if policy == "standard":  # dcmsign has no policies; see docs/divergences.md
        result = dcmsign_verify(
            path,
            anchor=office.pki.certificate("root"),
            intermediate=office.pki.certificate("issuing"),
        )
        assert result.returncode == peer
