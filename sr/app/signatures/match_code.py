"""The code that both sides of a signature in two steps show.

Whoever holds the bytes computes it anew, so that a code that matches was not merely passed on.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

__all__ = ["match_code"]


def match_code(session_id: str, digests: tuple[bytes, ...]) -> str:
    """Return what both sides show: the same code only where both are about to sign the same."""
    hashed = sha256(b"srsign match code\0" + session_id.encode())
    for digest in digests:
        hashed.update(len(digest).to_bytes(2, "big") + digest)
    text = b32encode(hashed.digest()).decode()
    return f"{text[:4]}-{text[4:8]}"
