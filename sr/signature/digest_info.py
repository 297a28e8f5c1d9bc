"""The DigestInfo that PKCS #1 puts around a digest before the RSA operation.

Cites: PS3.15 C.1 (RFC 2437, PKCS #1); RFC 8017 9.2.
"""

from __future__ import annotations

from sr.errors import UnsupportedAlgorithmError
from sr.mac.algorithm import MACAlgorithm

__all__ = ["digest_info"]

_PREFIX = {
    MACAlgorithm.RIPEMD160: "3021300906052b2403020105000414",
    MACAlgorithm.MD5: "3020300c06082a864886f70d020505000410",
    MACAlgorithm.SHA1: "3021300906052b0e03021a05000414",
    MACAlgorithm.SHA224: "302d300d06096086480165030402040500041c",
    MACAlgorithm.SHA256: "3031300d060960864801650304020105000420",
    MACAlgorithm.SHA384: "3041300d060960864801650304020205000430",
    MACAlgorithm.SHA512: "3051300d060960864801650304020305000440",
    MACAlgorithm.SHA512_224: "302d300d06096086480165030402050500041c",
    MACAlgorithm.SHA512_256: "3031300d060960864801650304020605000420",
    MACAlgorithm.SHA3_224: "302d300d06096086480165030402070500041c",
    MACAlgorithm.SHA3_256: "3031300d060960864801650304020805000420",
    MACAlgorithm.SHA3_384: "3041300d060960864801650304020905000430",
    MACAlgorithm.SHA3_512: "3051300d060960864801650304020a05000440",
}


def digest_info(algorithm: MACAlgorithm, digest: bytes) -> bytes:
    """Return the DER DigestInfo.

    Raises:
        UnsupportedAlgorithmError: The digest has the wrong length for the algorithm.

    Cites: RFC 8017 9.2.
    """
    if len(digest) != algorithm.digest_bytes:
        raise UnsupportedAlgorithmError(
            f"a {algorithm.value} digest has {algorithm.digest_bytes} bytes, not {len(digest)}"
        )
    return bytes.fromhex(_PREFIX[algorithm]) + digest
