"""How a token is asked for a signature, as pure functions: what goes in, what comes out.

We hash, the token only applies the key: DigestInfo under RSA with PKCS #1 v1.5 padding, or the
digest under ECDSA. So the document never travels to the token, and no token default decides about
the hash.

Cites: PKCS #11 v2.40 mechanisms 2.1.8 (CKM_RSA_PKCS), 2.3.6 (CKM_ECDSA).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sr.errors import SignerRefusedError
from sr.keys.token_port import KeyKind
from sr.mac import MACAlgorithm
from sr.signature.digest_info import digest_info

__all__ = ["signature_value", "token_operation"]

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def token_operation(
    key: PublicKey, digest: bytes, algorithm: MACAlgorithm
) -> tuple[KeyKind, bytes]:
    """Return which kind of key is to be applied to which bytes.

    Raises:
        UnsupportedAlgorithmError: The digest has the wrong length.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return KeyKind.RSA, digest_info(algorithm, digest)
    # ECDSA uses the leftmost bits of a digest that is longer than the order of the curve; some
    # tokens leave that to the caller.
    return KeyKind.EC, digest[: (key.key_size + 7) // 8]


def signature_value(key: PublicKey, value: bytes) -> bytes:
    """Return what a token answered as a signature value: DER for EC, unchanged for RSA.

    Raises:
        SignerRefusedError: The answer is not two numbers of equal length.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return value
    if not value or len(value) % 2:
        raise SignerRefusedError("the token did not answer with an ECDSA value")
    half = len(value) // 2
    return encode_dss_signature(
        int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    )
