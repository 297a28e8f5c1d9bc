"""Use case: ask OCSP responders about certificates, and keep their answers in the trust folder.

Which responder answers for which issuer is what the site configured, never what a certificate
says of itself. Asked about are the issuing certificates that are kept, and those that are named.

Cites: RFC 6960 2, 3.2, 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sr.app.files import FileSource, open_dicom, read_bytes, write_atomically
from sr.app.trust.trust_store import TrustStore, Use
from sr.errors import ConfigurationError, SRError, TrustEvidenceError
from sr.signature import examine
from sr.trust import CertificateSummary, TrustMaterial, parse_certificates
from sr.trust.certificate import (
    Certificate,
    is_signed_by,
    read_certificate,
    read_certificate_of_signer,
)
from sr.trust.name import same_name
from sr.trust.ocsp import ocsp_statements
from sr.trust.ocsp_exchange import OCSPQuestion, statement_in
from sr.trust.statement import RevocationState, Statement

__all__ = [
    "Answered",
    "Asking",
    "Responder",
    "ResponderSource",
    "certificates_named",
    "parse_responders",
    "update_responses",
]

_SHORTEST = 8


class ResponderSource(Protocol):
    """Where OCSP responders are."""

    def ask(self, url: str, request: bytes) -> bytes:
        """Return the answer to a request, both DER, whatever it is worth.

        Raises:
            ExternalServiceError: There is none.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How responders are asked."""

    source: ResponderSource
    now: Callable[[], datetime]
    """Aware."""
    new_nonce: Callable[[], bytes]
    """32 bytes, never the same again."""
    clock_skew: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """Who answers for the certificates of an issuer."""

    issuer: str
    """First digits of the SHA-256 fingerprint of the issuer's certificate, lower case."""
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one certificate."""

    certificate: CertificateSummary
    url: str = ""
    state: RevocationState = RevocationState.UNKNOWN
    next_update: datetime | None = None
    error: SRError | None = None
    """Why the answer that was there before stays."""


def parse_responders(texts: tuple[str, ...]) -> tuple[Responder, ...]:
    """Return responders from texts such as ``3f9a0c1d=http://ocsp.example.org``.

    Raises:
        ConfigurationError: A text is none.
    """
    return tuple(map(_responder, texts))


def certificates_named(path: Path) -> tuple[bytes, ...]:
    """Return the certificates in a PEM or DER file, or those that signed a DICOM file.

    Raises:
        ConfigurationError: The file cannot be read.
        TrustEvidenceError: It holds no certificate.
        DatasetError: It is a DICOM file that breaks a structural rule.
    """
    if FileSource(path).read_at(128, 4) != b"DICM":
        return parse_certificates(read_bytes(path))
    signatures = examine(open_dicom(path)).signatures
    if not signatures:
        raise TrustEvidenceError(f"nobody signed {path.name}")
    found = (read_certificate_of_signer(each.signature.certificate) for each in signatures)
    return tuple(dict.fromkeys(each.der for each in found))


def update_responses(
    store: TrustStore,
    responders: tuple[Responder, ...],
    asking: Asking,
    *,
    named: tuple[bytes, ...] = (),
) -> tuple[Answered, ...]:
    """Ask about certificates and keep the answers; one that fails leaves the others alone.

    Args:
        store: The trust folder.
        responders: Who answers for which issuer.
        asking: How they are asked.
        named: Certificates, DER, beside the issuing ones that are kept.

    Raises:
        ConfigurationError: The folder cannot be read.

    Cites: RFC 6960 3.2.
    """
    kept = store.kept()
    issuers = tuple(read_certificate(each.certificate.der) for each in kept)
    anchors = {each.certificate.der for each in kept if each.use is Use.ANCHOR}
    known = (each.certificate.der for each in kept if each.use is Use.INTERMEDIATE)
    about = [der for der in dict.fromkeys((*named, *known)) if der not in anchors]
    return tuple(
        answered
        for certificate in map(read_certificate, about)
        for answered in _asked(certificate, issuers, responders, asking, store)
        if certificate.der in named or answered.url
    )


def _asked(
    certificate: Certificate,
    issuers: tuple[Certificate, ...],
    responders: tuple[Responder, ...],
    asking: Asking,
    store: TrustStore,
) -> Iterator[Answered]:
    """Yield what became of a certificate, once; without address where nobody was asked."""
    pairs = [
        (issuer, each.url)
        for issuer in issuers
        if same_name(issuer.subject, certificate.issuer)
        and is_signed_by(certificate.parsed, issuer.public_key)
        for each in responders
        if issuer.summary.sha256.startswith(each.issuer)
    ]
    if not pairs:
        error = TrustEvidenceError(
            "no OCSP responder is configured for its issuer, or its issuer is not kept",
            hint="--responder or trust.responders; srsign trust list shows what is kept",
        )
        yield Answered(certificate=certificate.summary, error=error)
        return
    issuer, url = pairs[0]
    question = OCSPQuestion(certificate=certificate, issuer=issuer, nonce=asking.new_nonce())
    try:
        statement = _answer(question, url, asking, store)
    except SRError as error:
        yield Answered(certificate=certificate.summary, url=url, error=error)
    else:
        yield Answered(
            certificate=certificate.summary,
            url=url,
            state=statement.state,
            next_update=statement.next_update,
        )


def _answer(question: OCSPQuestion, url: str, asking: Asking, store: TrustStore) -> Statement:
    answer = asking.source.ask(url, question.encode())
    statement = statement_in(
        answer, question, store.material(), now=asking.now(), clock_skew=asking.clock_skew
    )
    path = store.response_path(f"{question.certificate.summary.sha256}.ocsp")
    if path.exists():
        material = TrustMaterial(ocsps=(read_bytes(path),))
        for before in ocsp_statements(question.certificate, question.issuer, material):
            _require_newer(statement, before)
    write_atomically(path, answer)
    return statement


def _require_newer(statement: Statement, before: Statement) -> None:
    if before.this_update > statement.this_update:
        raise TrustEvidenceError(
            f"the OCSP response of {statement.this_update:%Y-%m-%d %H:%M:%SZ} is older than the "
            "one kept"
        )
    if before.state is RevocationState.REVOKED is not statement.state:
        raise TrustEvidenceError("the certificate was revoked, says the OCSP response kept")


def _responder(text: str) -> Responder:
    issuer, equals, url = text.partition("=")
    digits = issuer.lower().replace(":", "")
    if not equals or len(digits) < _SHORTEST or not set(digits) <= set("0123456789abcdef"):
        raise ConfigurationError(
            f"{text!r} does not say which responder answers for whom",
            hint=f"ISSUER=URL; ISSUER: {_SHORTEST} digits or more, as srsign trust list shows them",
        )
    return Responder(issuer=digits, url=url)
