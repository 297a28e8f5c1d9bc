"""Use case: a detached signature over some bytes, by any key that signs documents.

Cites: RFC 5652 5; RFC 5035 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials, signer_of
from sr.errors import SignerRefusedError
from sr.keys.checks import chain_from
from sr.mac import MACAlgorithm
from sr.signature.detached import complete_detached, prepare_detached
from sr.trust import subject_name

__all__ = ["sign_detached"]


def sign_detached(
    content: bytes, credentials: Credentials, ports: Ports, *, issuers: Iterable[bytes] = ()
) -> bytes:
    """Return a detached CMS signature, DER.

    The certificates given with the key go along, and of ``issuers`` those that issued them: openssl
    looks for them nowhere else.

    Raises:
        SigningError: The key could not sign, or its certificate is not valid now.
        ConfigurationError: A URI, file or installation is not usable.

    Cites: RFC 5652 5.
    """
    with signer_of(credentials) as signer:
        leaf, now = signer.certificate_chain[0], ports.now()
        if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
            raise SignerRefusedError(
                f"the certificate {subject_name(leaf.public_bytes(Encoding.DER))} is not valid now"
            )
        known = (*signer.certificate_chain, *map(x509.load_der_x509_certificate, issuers))
        prepared = prepare_detached(
            hashlib.sha256(content).digest(),
            certificates=(c.public_bytes(Encoding.DER) for c in chain_from(leaf, known)),
            signed_at=now,
        )
        value = signer.sign_digest(prepared.digest, MACAlgorithm.SHA256)
    return complete_detached(prepared, value)
