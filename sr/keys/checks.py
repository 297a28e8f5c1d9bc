"""What every signer checks: digest before signing, value after it, key against certificate.

A wrong pairing of key and certificate is otherwise found by the recipients, so it is refused here,
for software keys when they are opened and for every value that comes out of a token.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sr.errors import SignerRefusedError, UnsupportedAlgorithmError
from sr.mac import MACAlgorithm
from sr.signature.integrity import SignatureMatch, match_signature

__all__ = ["chain_from", "check_digest", "check_key", "check_value", "public_key_of"]

_LONGEST_CHAIN = 8


def check_digest(digest: bytes, algorithm: MACAlgorithm) -> None:
    """Refuse to sign what should never be signed.

    Raises:
        UnsupportedAlgorithmError: A weak algorithm, or a digest of the wrong length.

    Cites: PS3.15 C.1.
    """
    if algorithm.is_weak:
        raise UnsupportedAlgorithmError(
            f"{algorithm.value} is verified but never used to sign", hint="use SHA256 or better"
        )
    if len(digest) != algorithm.digest_bytes:
        raise UnsupportedAlgorithmError(
            f"a {algorithm.value} digest has {algorithm.digest_bytes} bytes, not {len(digest)}"
        )


def check_value(
    certificate: x509.Certificate, value: bytes, digest: bytes, algorithm: MACAlgorithm
) -> bytes:
    """Return a new signature value after verifying it with the certificate.

    Raises:
        SignerRefusedError: The value was not made with the certificate's key.

    Cites: PS3.15 C.1.
    """
    der = certificate.public_bytes(Encoding.DER)
    if match_signature(der, value, algorithm, digest) is not SignatureMatch.MATCHES:
        raise _mismatch(certificate)
    return value


def public_key_of(
    certificate: x509.Certificate,
) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Return the certificate's public key.

    Raises:
        UnsupportedAlgorithmError: It is neither RSA nor EC.

    Cites: PS3.15 C.1.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsupportedAlgorithmError("the certificate's public key is not readable") from error
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return key
    raise UnsupportedAlgorithmError("the certificate's key is neither RSA nor EC")


def check_key(
    certificate: x509.Certificate, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
) -> None:
    """Refuse a private key whose public half is not in the certificate.

    Raises:
        SignerRefusedError: They do not belong together.
        UnsupportedAlgorithmError: The certificate's key is neither RSA nor EC.
    """
    if public_key_of(certificate) != key:
        raise _mismatch(certificate)


def chain_from(
    leaf: x509.Certificate, pool: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Return the leaf and those certificates of the pool that issued it, in order.

    An order, not a validation: ``sr.trust`` decides what the chain is worth.
    """
    known = tuple(pool)
    chain = [leaf]
    while len(chain) < _LONGEST_CHAIN and chain[-1].issuer != chain[-1].subject:
        issuer = next((other for other in known if _issued(other, chain[-1])), None)
        if issuer is None or issuer in chain:
            break
        chain.append(issuer)
    return tuple(chain)


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    if issuer.subject != subject.issuer:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _mismatch(certificate: x509.Certificate) -> SignerRefusedError:
    return SignerRefusedError(
        "the private key does not belong to the certificate of "
        f"{certificate.subject.rfc4514_string()!r}",
        hint="give the certificate that was issued for this key, leaf first",
    )
