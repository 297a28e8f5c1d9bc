"""Asking OCSP responders: only those configured, and only answers that a check would believe."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.app.checks.check import CheckOptions, check_file
from sr.app.settings import TrustSettings
from sr.app.trust.responder_update import (
    Answered,
    Asking,
    certificates_named,
    parse_responders,
    update_responses,
)
from sr.app.trust.trust_store import TrustStore, Use
from sr.errors import (
    ConfigurationError,
    DatasetError,
    ExternalServiceError,
    SRError,
    TrustEvidenceError,
)
from sr.net.ocsp import HTTPResponders
from sr.trust.certificate import read_certificate
from tests.support.console import srsign
from tests.support.forge import edited, forge_signature
from tests.support.office import Office
from tests.support.pki import NOW, Entity, demo_pki, issue, make_crl, make_ocsp
from tests.support.signed import plain_report

PKI = demo_pki()
HOUR = timedelta(hours=1)
URL = "http://ocsp.test/"
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus
DELEGATE = issue(
    PKI.issuing, "Responder", slot="responder", extended_usage=[ExtendedKeyUsageOID.OCSP_SIGNING]
)
STRANGER = issue(None, "Stranger", ca=True, slot="stranger")


def _der(response: ocsp.OCSPResponse) -> bytes:
    return response.public_bytes(Encoding.DER)


@dataclass
class Desk:
    """A source that answers every request in one way, and remembers who was asked."""

    answer: Callable[[bytes], bytes]
    """Makes the answer from the nonce."""
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Address and serial number of each request."""

    def ask(self, url: str, request: bytes) -> bytes:
        """Return the answer."""
        question = ocsp.load_der_ocsp_request(request)
        self.asked.append((url, question.serial_number))
        return self.answer(question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce)


def _saying(subject: Entity = PKI.author, by: Entity = PKI.issuing, **how: object) -> Desk:
    return Desk(lambda nonce: _der(make_ocsp(by, subject, **({"nonce": nonce} | how))))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    """Return a folder that keeps root and issuing CA."""
    kept = TrustStore(tmp_path / "trust")
    kept.add(read_certificate(PKI.root.der).summary, Use.ANCHOR)
    kept.add(read_certificate(PKI.issuing.der).summary, Use.INTERMEDIATE)
    return kept


def _ask(
    store: TrustStore,
    source: Desk,
    *named: Entity,
    issuer: Entity = PKI.issuing,
    now: timedelta = timedelta(),
) -> tuple[Answered, ...]:
    fingerprint = read_certificate(issuer.der).summary.sha256
    numbers = count(1)
    return update_responses(
        store,
        parse_responders((f"{fingerprint[:12]}={URL}",)),
        Asking(
            source=source,
            now=lambda: NOW + now,
            new_nonce=lambda: next(numbers).to_bytes(32, "big"),
        ),
        named=tuple(each.der for each in named or (PKI.author,)),
    )


def _errors(answers: tuple[Answered, ...]) -> list[type[SRError] | None]:
    return [type(each.error) if each.error is not None else None for each in answers]


@pytest.mark.parametrize(
    ("source", "state"),
    [
        (_saying(), "good"),
        (_saying(responder=DELEGATE), "good"),
        (_saying(status=REVOKED), "revoked"),
        (_saying(status=REVOKED, reason=x509.ReasonFlags.certificate_hold), "on hold"),
        (_saying(nonce=None), "good"),
        (_saying(next_update=None), "good"),
    ],
    ids=["issuer", "delegate", "revoked", "on hold", "prepared beforehand", "no end"],
)
def test_an_answer_is_kept_and_judged_with(store: TrustStore, source: Desk, state: str) -> None:
    """What the issuer, or whom it authorised, says lies in the folder afterwards."""
    (answered,) = _ask(store, source)
    assert (answered.error, answered.state.value) == (None, state)
    assert source.asked == [(URL, PKI.author.certificate.serial_number)]
    assert len(store.material().ocsps) == 1


def test_a_check_believes_what_is_kept(store: TrustStore, tmp_path: Path) -> None:
    """A strict check with nothing but the folder is decided by the answer in it."""
    report = tmp_path / "report.dcm"
    report.write_bytes(edited(plain_report(), lambda nodes: forge_signature(nodes, PKI.author)))
    (store.folder / "lists").mkdir()
    (store.folder / "lists" / "root").write_bytes(make_crl(PKI.root).public_bytes(Encoding.PEM))
    options = {"at": NOW, "store": store.folder, "policy": "strict"}

    def rules() -> set[str]:
        found = check_file(report, CheckOptions(**options)).signatures[0].findings  # type: ignore[arg-type]
        return {f.rule for f in found if f.status == "FAIL" and "REVOCATION" in f.rule}

    assert rules() == {"CERT_REVOCATION_KNOWN"}
    _ask(store, _saying())
    assert rules() == set()
    _ask(store, _saying(status=REVOKED))
    assert rules() == {"CERT_REVOCATION"}


def _refusing(status: ocsp.OCSPResponseStatus) -> Desk:
    return Desk(lambda _: _der(ocsp.OCSPResponseBuilder.build_unsuccessful(status)))


_HALF = _der(make_ocsp(PKI.issuing, PKI.author))[:-1]
_PEM = b"-----BEGIN OCSP RESPONSE-----\nMAMKAQM=\n-----END OCSP RESPONSE-----\n"
_BAD = {
    "another nonce": _saying(nonce=bytes(32)),
    "other serial": _saying(PKI.supervisor),
    "another certificate of that number": _saying(
        issue(PKI.root, serial=PKI.author.certificate.serial_number), PKI.root
    ),
    "somebody else": _saying(by=STRANGER),
    "an authority of another path": _saying(responder=STRANGER),
    "not authorised": _saying(responder=issue(PKI.issuing, "No", slot="responder")),
    "authorised by somebody else": _saying(
        responder=issue(
            PKI.root, "No", slot="responder", extended_usage=[ExtendedKeyUsageOID.OCSP_SIGNING]
        )
    ),
    "authorised until yesterday": _saying(
        responder=issue(
            PKI.issuing,
            "Old",
            slot="responder",
            not_before=NOW - 90 * 24 * HOUR,
            not_after=NOW - 24 * HOUR,
            extended_usage=[ExtendedKeyUsageOID.OCSP_SIGNING],
        )
    ),
    "the author himself": _saying(responder=PKI.author),
    "unknown": _saying(status=UNKNOWN),
    "stale": _saying(this_update=NOW - 9 * HOUR, next_update=NOW - HOUR),
    "from the future": _saying(this_update=NOW + HOUR),
    "neither nonce nor end": _saying(nonce=None, next_update=None),
    "unauthorized": _refusing(ocsp.OCSPResponseStatus.UNAUTHORIZED),
    "try later": _refusing(ocsp.OCSPResponseStatus.TRY_LATER),
    "nothing": Desk(lambda _: b""),
    "a page": Desk(lambda _: b"<html>"),
    "a certificate": Desk(lambda _: PKI.author.der),
    "cut short": Desk(lambda _: _HALF),
    "text": Desk(lambda _: _PEM),
    "trailing": Desk(lambda nonce: _der(make_ocsp(PKI.issuing, PKI.author, nonce=nonce)) + b"\0"),
}


@pytest.mark.parametrize("bad", _BAD)
def test_what_is_not_taken_leaves_the_answer_that_was_there(store: TrustStore, bad: str) -> None:
    """Whatever a check would not believe replaces nothing, and adds nothing to the folder."""
    assert _errors(_ask(store, _saying(this_update=NOW - 10 * HOUR))) == [None]
    before = store.material().ocsps
    assert _errors(_ask(store, _BAD[bad])) == [TrustEvidenceError]
    assert store.material().ocsps == before


def test_a_revoked_delegate_is_not_believed(store: TrustStore) -> None:
    """A list that is kept speaks against a responder as it does in a check."""
    revoked = make_crl(PKI.issuing, revoked=[DELEGATE.certificate.serial_number])
    store.list_path("issuing").write_bytes(revoked.public_bytes(Encoding.DER))
    assert _errors(_ask(store, _saying(responder=DELEGATE))) == [TrustEvidenceError]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"this_update": NOW - 2 * HOUR}),
        ({"status": REVOKED}, {}),
        ({"status": REVOKED}, {"status": REVOKED, "this_update": NOW - 2 * HOUR}),
        ({"status": REVOKED}, {"status": REVOKED, "reason": x509.ReasonFlags.certificate_hold}),
    ],
    ids=["older", "good again", "older revocation", "only on hold"],
)
def test_nothing_is_taken_back(store: TrustStore, first: dict, second: dict) -> None:
    """An older answer does not replace a newer one, and nobody is rehabilitated."""
    assert _errors(_ask(store, _saying(**first))) == [None]
    before = store.material().ocsps
    assert _errors(_ask(store, _saying(**second))) == [TrustEvidenceError]
    assert store.material().ocsps == before


def test_a_hold_is_lifted(store: TrustStore) -> None:
    """A newer answer counts where the older one said on hold."""
    held = {"status": REVOKED, "reason": x509.ReasonFlags.certificate_hold}
    assert _errors(_ask(store, _saying(**held, this_update=NOW - 2 * HOUR))) == [None]
    (lifted,) = _ask(store, _saying())
    assert (lifted.error, lifted.state.value) == (None, "good")


def test_one_that_fails_leaves_the_others_alone(store: TrustStore) -> None:
    """Each certificate is a question of its own, with a nonce of its own."""
    desk = _saying()
    assert _errors(_ask(store, desk, PKI.supervisor, PKI.author)) == [TrustEvidenceError, None]
    assert len(desk.asked) == 2


def test_issuing_certificates_that_are_kept_are_asked_about(store: TrustStore) -> None:
    """The root's responder is asked about the issuing CA, about the root itself nobody."""
    desk = _saying(PKI.issuing, PKI.root)
    assert _errors(_ask(store, desk, PKI.root, issuer=PKI.root)) == [None]
    assert desk.asked == [(URL, PKI.issuing.certificate.serial_number)]


@pytest.mark.parametrize(
    "named",
    [
        issue(STRANGER, "Nobody's"),
        issue(PKI.issuing, "Forged", signing_key=STRANGER.key),
        issue(PKI.root, "Of the root"),
    ],
    ids=["issuer not kept", "not signed by it", "no responder"],
)
def test_nobody_is_asked_about_other_certificates(store: TrustStore, named: Entity) -> None:
    """Without an issuer that is kept and has a responder, no question leaves."""
    desk = _saying()
    assert _errors(_ask(store, desk, named)) == [TrustEvidenceError]
    assert desk.asked == []


def test_an_exchanged_file_of_the_folder_stops_the_update(store: TrustStore) -> None:
    """A certificate of the folder that is not what its name says is an error, as for checks."""
    path = next((store.folder / "anchors").iterdir())
    path.write_bytes(STRANGER.pem)
    with pytest.raises(ConfigurationError):
        _ask(store, _saying())


@pytest.mark.parametrize(
    "text",
    ["", "http://ocsp.test", "3f9a0c=http://x", "3f9a0c1z=http://x", "=http://x", "3f9a0c1d"],
)
def test_a_responder_has_an_issuer_and_an_address(text: str) -> None:
    """Too few digits, none, or no address at all."""
    with pytest.raises(ConfigurationError):
        parse_responders((text,))


def test_the_sample_of_the_page_is_settings(repository: Path) -> None:
    """What the page on trust shows loads, and names a responder."""
    page = (repository / "docs" / "howto" / "trust.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```toml\n(\[trust\]\n.*?)```", page, re.DOTALL)
    values = tomllib.loads(sample)["trust"]
    assert set(values) <= {each.name for each in fields(TrustSettings)}
    (responder,) = parse_responders(tuple(values["responders"].split()))
    assert responder.url == "http://ocsp.example.org"


@pytest.mark.parametrize(
    "url", ["", "ftp://ocsp.test/x", "file:///etc/passwd", "ldap://x", "http://a:b@ocsp.test/"]
)
def test_only_addresses_without_secrets_are_asked(url: str) -> None:
    """Other schemes, and passwords in addresses, are refused before anything is opened."""
    with pytest.raises(ConfigurationError):
        HTTPResponders(timeout=1).ask(url, b"")


def test_the_signers_of_a_document_are_named(office: Office, tmp_path: Path) -> None:
    """A signed file stands for the certificates of its signers, a PEM file for those in it."""
    signers = tuple(
        read_certificate(x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)).der
        for path in map(office.pki.certificate, ("author", "supervisor"))
    )  # fmt: skip
    assert certificates_named(office.report) == signers
    assert certificates_named(office.pki.certificate("author")) == signers[:1]


@pytest.mark.parametrize("kind", ["unsigned", "cut", "junk", "key", "absent"])
def test_files_that_name_nobody(office: Office, tmp_path: Path, kind: str) -> None:
    """An unsigned document, a damaged one, anything else, and no file at all are errors."""
    path = tmp_path / kind
    content = {
        "unsigned": office.draft.read_bytes(),
        "cut": office.report.read_bytes()[:-9],
        "junk": b"junk",
        "key": PKI.author.key_pem(),
    }
    if kind in content:
        path.write_bytes(content[kind])
    with pytest.raises((TrustEvidenceError, DatasetError, ConfigurationError)):
        certificates_named(path)


@pytest.mark.parametrize(
    "options",
    [
        ["--responder", "http://ocsp.test"],
        ["{report}"],
        ["{report}", "--list", "http://127.0.0.1:9/"],
        [],
    ],
    ids=["no issuer", "no responder", "only a list", "nothing"],
)
def test_without_anybody_to_ask_nothing_is_done(
    office: Office, store: TrustStore, options: list[str]
) -> None:
    """What does not make sense is a usage error, before anything is fetched."""
    given = [option.format(report=office.report) for option in options]
    assert srsign("trust", "update", *given, "--directory", store.folder).code == 2


def test_a_source_that_fails_is_an_error_of_its_own(store: TrustStore) -> None:
    """The error of the exchange is kept for the report."""

    def down(_: bytes) -> bytes:
        raise ExternalServiceError("nothing there")

    assert _errors(_ask(store, Desk(down))) == [ExternalServiceError]
    assert store.material().ocsps == ()
