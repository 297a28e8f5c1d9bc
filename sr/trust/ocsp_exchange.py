"""What an OCSP responder is asked, and whether its answer may be kept.

An answer is judged by the same code as a response that lies in a file; here is only what ties it
to the question and to the moment. The nonce is drawn by the caller.

Cites: RFC 6960 4.1, 4.2, 4.4.1; RFC 9654.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sr.errors import TrustEvidenceError
from sr.trust.certificate import Certificate
from sr.trust.material import TrustMaterial, parse_ocsp
from sr.trust.ocsp import ocsp_statements
from sr.trust.statement import RevocationState, Statement

__all__ = ["OCSPQuestion", "statement_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OCSPQuestion:
    """Whether a certificate was revoked, asked of its issuer's responder.

    Cites: RFC 6960 4.1.1.
    """

    certificate: Certificate
    issuer: Certificate
    nonce: bytes
    """32 bytes, drawn anew for each question."""

    def encode(self) -> bytes:
        """Return the OCSPRequest, DER.

        Cites: RFC 6960 4.1; RFC 5019 2.1.1.
        """
        identifier = hashes.SHA1()  # noqa: S303 - names the issuer; some responders know no other
        builder = ocsp.OCSPRequestBuilder()
        builder = builder.add_certificate(self.certificate.parsed, self.issuer.parsed, identifier)
        builder = builder.add_extension(x509.OCSPNonce(self.nonce), critical=False)
        return builder.build().public_bytes(Encoding.DER)


def statement_in(
    answer: bytes,
    question: OCSPQuestion,
    material: TrustMaterial,
    *,
    now: datetime,
    clock_skew: timedelta,
) -> Statement:
    """Return what the answer to a question says about its certificate.

    Args:
        answer: As it came.
        question: What was asked.
        material: Revocation lists that may speak against a delegated responder.
        now: When it came.
        clock_skew: How far the responder's clock may be from ours.

    Raises:
        TrustEvidenceError: It is no OCSP response, refuses, answers another question, is signed by
            somebody else than the issuer or whom the issuer authorised, is not current, or the
            responder does not know the certificate.

    Cites: RFC 6960 3.2, 4.2.1, 4.2.2.
    """
    response = _successful(answer)
    echoed = _nonce(response)
    if echoed is not None and echoed != question.nonce:
        raise TrustEvidenceError("the OCSP response has not the nonce of the request")
    said = tuple(
        ocsp_statements(question.certificate, question.issuer, replace(material, ocsps=(answer,)))
    )
    if len(said) != 1:
        raise TrustEvidenceError(
            "the OCSP response holds no single answer about this certificate by its issuer, or by "
            "a responder whom the issuer authorised"
        )
    (statement,) = said
    if statement.state is RevocationState.UNKNOWN:
        raise TrustEvidenceError("the OCSP responder does not know the certificate")
    if statement.this_update > now + clock_skew:
        raise TrustEvidenceError(f"the OCSP response is of {statement.this_update:%Y-%m-%d %H:%MZ}")
    if statement.next_update is not None and statement.next_update < now - clock_skew:
        raise TrustEvidenceError(
            f"the OCSP response is stale since {statement.next_update:%Y-%m-%d %H:%M:%SZ}"
        )
    if echoed is None and statement.next_update is None:
        raise TrustEvidenceError(
            "the OCSP response has neither the nonce of the request nor an end: it may be old"
        )
    return statement


def _successful(answer: bytes) -> ocsp.OCSPResponse:
    der = parse_ocsp(answer)
    if der != (answer,):
        raise TrustEvidenceError("the answer is not one OCSP response in DER")
    response = ocsp.load_der_ocsp_response(answer)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        status = response.response_status.name.lower().replace("_", " ")
        raise TrustEvidenceError(f"the OCSP responder answers: {status}")
    return response


def _nonce(response: ocsp.OCSPResponse) -> bytes | None:
    try:
        return response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"the OCSP response does not parse: {exc}") from exc
