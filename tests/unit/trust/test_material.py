"""Files of certificates, CRLs and OCSP responses: PEM or DER, or an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from sr.errors import TrustEvidenceError
from sr.trust import parse_certificates, parse_crls, parse_ocsp
from tests.support.pki import demo_pki, make_ocsp

PKI = demo_pki()
ROOT, ISSUING = PKI.root, PKI.issuing
CRL = PKI.crls[0]
CRL_DER = CRL.public_bytes(Encoding.DER)
CRL_PEM = CRL.public_bytes(Encoding.PEM)
OCSP = make_ocsp(ISSUING, PKI.author).public_bytes(Encoding.DER)
Parse = Callable[[bytes], tuple[bytes, ...]]
PARSERS: tuple[Parse, ...] = (parse_certificates, parse_crls, parse_ocsp)


@pytest.mark.parametrize(
    ("parse", "data", "expected"),
    [
        (parse_certificates, ROOT.der, (ROOT.der,)),
        (parse_certificates, ROOT.pem, (ROOT.der,)),
        (parse_certificates, ROOT.pem + b"comment\n" + ISSUING.pem, (ROOT.der, ISSUING.der)),
        (parse_certificates, ROOT.pem.replace(b"\n", b"\r\n"), (ROOT.der,)),
        (parse_certificates, CRL_PEM + ISSUING.pem, (ISSUING.der,)),
        (parse_crls, CRL_DER, (CRL_DER,)),
        (parse_crls, CRL_PEM, (CRL_DER,)),
        (parse_ocsp, OCSP, (OCSP,)),
    ],
)
def test_both_encodings_are_read(parse: Parse, data: bytes, expected: tuple[bytes, ...]) -> None:
    """A PEM bundle or a DER file gives the DER of what was asked for."""
    assert parse(data) == expected


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_certificates, b""),
        (parse_certificates, ROOT.der[:-1]),
        (parse_certificates, ROOT.der + b"\0"),
        (parse_certificates, ROOT.der + ISSUING.der),
        (parse_certificates, CRL_DER),
        (parse_certificates, CRL_PEM),
        (parse_certificates, OCSP),
        (parse_certificates, ROOT.pem.replace(b"MII", b"M!I", 1)),
        (parse_certificates, ROOT.pem.replace(b"MII", b"MIJ", 1)),
        (parse_certificates, ROOT.pem[:100]),
        (parse_certificates, PKI.root.key_pem()),
        (parse_crls, ROOT.der),
        (parse_crls, ROOT.pem),
        (parse_crls, CRL_DER + b"\n"),
        (parse_crls, b"\x30\x00"),
        (parse_ocsp, CRL_DER),
        (parse_ocsp, OCSP[:50]),
    ],
)
def test_anything_else_is_refused(parse: Parse, data: bytes) -> None:
    """Cut, followed by something, of another kind, or not base64: refused where it was given."""
    with pytest.raises(TrustEvidenceError):
        parse(data)


@given(st.sampled_from(PARSERS), st.binary(max_size=200))
def test_any_bytes_are_refused_in_our_words(parse: Parse, data: bytes) -> None:
    """No parser's own exception gets out."""
    with pytest.raises(TrustEvidenceError):
        parse(data)
