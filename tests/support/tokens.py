"""Time-stamp tokens of the test authority."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.pki import demo_pki
from tests.support.signed import SIGNED_AT

__all__ = ["response", "token"]


def token(value: bytes, *, content_type: str = "tst_info") -> bytes:
    """Return a TimeStampToken over a value, one minute after the sound reports were signed."""
    authority = demo_pki().tsa
    certificate = asn1_x509.Certificate.load(authority.der)
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(value).digest(),
            },
            "serial_number": 1,
            "gen_time": SIGNED_AT + timedelta(minutes=1),
        }
    ).dump()
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
        ]
    )
    assert isinstance(authority.key, rsa.RSAPrivateKey)
    signature = authority.key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
    signer = {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {
                "issuer": certificate.issuer,
                "serial_number": certificate.serial_number,
            }
        },
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": attributes,
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"}),
        "signature": signature,
    }
    content = core.ParsableOctetString(info) if content_type == "tst_info" else info
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": content_type, "content": content},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def response(made: bytes) -> bytes:
    """Return the TimeStampResp that a token comes in."""
    return tsp.TimeStampResp(
        {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(made)}
    ).dump()
