"""What is sent to a time-stamp authority, and the token in its answer.

Only digest, nonce and policy leave: the authority learns nothing about the document. The answer is
believed only as far as it belongs to the request; whether the authority itself is to be trusted is
judged in ``timestamp_trust``.

Cites: RFC 3161 2.4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sr.errors import TrustEvidenceError
from sr.trust.timestamp import TimestampToken, read_timestamp

__all__ = ["TimestampRequest", "token_in_response"]

_HASH = "sha256"
_GRANTED = ("granted", "granted_with_mods")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """A request for a time-stamp over one value.

    Cites: RFC 3161 2.4.1.
    """

    value: bytes
    """What is to be stamped: Signature (0400,0120) without pad byte."""
    nonce: int
    """Drawn anew for each request, at least 64 bits; ties the answer to it."""
    policy: str = ""
    """Object identifier of the policy asked for; empty for the authority's default."""

    def encode(self) -> bytes:
        """Return the TimeStampReq, DER; the authority is asked for its certificate.

        Cites: RFC 3161 2.4.1.
        """
        from asn1crypto import tsp  # noqa: PLC0415 - slow, and not needed without a time-stamp

        digest = hashlib.new(_HASH, self.value).digest()
        request = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": _HASH},
                "hashed_message": digest,
            },
            "nonce": self.nonce,
            "cert_req": True,
        }
        if self.policy:
            request["req_policy"] = self.policy
        encoded: bytes = tsp.TimeStampReq(request).dump()
        return encoded


def token_in_response(response: bytes, request: TimestampRequest) -> tuple[bytes, TimestampToken]:
    """Return the token in the answer to a request, as it is stored and as it reads.

    Raises:
        TrustEvidenceError: The answer is not a TimeStampResp, refuses, or is for another request.

    Cites: RFC 3161 2.2, 2.4.2.
    """
    der = _granted_token(response)
    token = read_timestamp(der)
    for holds, otherwise in (
        (token.stamps(request.value), "is about another value"),
        (token.nonce == request.nonce, "has not the nonce of the request"),
        (request.policy in ("", token.policy), f"is under the policy {token.policy}"),
    ):
        if not holds:
            raise TrustEvidenceError(f"the time-stamp {otherwise}")
    return der, token


def _granted_token(response: bytes) -> bytes:
    from asn1crypto import core, tsp  # noqa: PLC0415 - slow, and not needed without a time-stamp

    try:
        # asn1crypto's own type insists on a token, which refusals do not have
        status, *rest = core.SequenceOf.load(response, strict=True, spec=core.Any)
        info = status.parse(tsp.PKIStatusInfo)
        outcome = str(info["status"].native)
        reasons = [*(info["fail_info"].native or ()), *(info["status_string"].native or ())]
        tokens = [bytes(each.dump()) for each in rest]
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"not a time-stamp response: {exc}") from exc
    if outcome not in _GRANTED or len(tokens) != 1:
        said = ", ".join([outcome, *sorted(map(str, reasons))])
        raise TrustEvidenceError(f"no time-stamp was granted: {said}")
    return tokens[0]
