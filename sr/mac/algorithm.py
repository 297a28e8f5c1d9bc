"""MAC algorithms: DICOM's defined terms and the digests behind them.

Cites: PS3.3 C.12.1.1.3 (MAC Algorithm (0400,0015)).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from sr.errors import UnsupportedAlgorithmError

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["MACAlgorithm", "new_digest"]


class MACAlgorithm(StrEnum):
    """Defined terms of MAC Algorithm (0400,0015).

    Cites: PS3.3 C.12.1.1.3.
    """

    RIPEMD160 = "RIPEMD160"
    MD5 = "MD5"
    SHA1 = "SHA1"
    SHA224 = "SHA224"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"
    SHA512_224 = "SHA512_224"
    SHA512_256 = "SHA512_256"
    SHA3_224 = "SHA3_224"
    SHA3_256 = "SHA3_256"
    SHA3_384 = "SHA3_384"
    SHA3_512 = "SHA3_512"

    @property
    def digest_bytes(self) -> int:
        """Length of the MAC in bytes."""
        return _DIGEST_BYTES[self]

    @property
    def is_weak(self) -> bool:
        """Whether collisions are practical or feared, so that it is never used to create.

        Cites: PS3.15 C.1 (note on local regulations).
        """
        return self in (MACAlgorithm.MD5, MACAlgorithm.SHA1, MACAlgorithm.RIPEMD160)


_DIGEST_BYTES = {
    MACAlgorithm.RIPEMD160: 20, MACAlgorithm.MD5: 16, MACAlgorithm.SHA1: 20,
    MACAlgorithm.SHA224: 28, MACAlgorithm.SHA256: 32, MACAlgorithm.SHA384: 48,
    MACAlgorithm.SHA512: 64, MACAlgorithm.SHA512_224: 28, MACAlgorithm.SHA512_256: 32,
    MACAlgorithm.SHA3_224: 28, MACAlgorithm.SHA3_256: 32, MACAlgorithm.SHA3_384: 48,
    MACAlgorithm.SHA3_512: 64,
}  # fmt: skip


def new_digest(algorithm: MACAlgorithm) -> _Hash:
    """Return a fresh hash object.

    Raises:
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.

    Cites: PS3.3 C.12.1.1.3.
    """
    try:
        return hashlib.new(algorithm.value.lower(), usedforsecurity=False)
    except ValueError as error:
        raise UnsupportedAlgorithmError(
            f"the MAC algorithm {algorithm.value} is not available in this OpenSSL",
            where="(0400,0015)",
        ) from error
