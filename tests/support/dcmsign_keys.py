"""Signers that dcmsign can use: PEM files, and certificates that stay valid.

dcmsign judges certificates by the computer's clock as well, so these are valid for very long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.support.pki import Entity, issue

__all__ = ["PeerSigner", "peer_signer"]

_BEFORE, _AFTER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSigner:
    """A signer and its files."""

    entity: Entity
    key: Path
    certificate: Path
    anchor: Path
    """The root that issued the certificate."""


def peer_signer(folder: Path, key_kind: str = "rsa2048", slot: str = "peer") -> PeerSigner:
    """Return a signer whose files are in the folder."""
    root = issue(None, "Peer Root CA", ca=True, not_before=_BEFORE, not_after=_AFTER)
    entity = issue(
        root, f"Peer {slot} {key_kind}", key_kind=key_kind, slot=slot,
        not_before=_BEFORE, not_after=_AFTER,
    )  # fmt: skip
    stem = folder / f"{slot}-{key_kind}"
    made = PeerSigner(
        entity=entity,
        key=stem.with_suffix(".key"),
        certificate=stem.with_suffix(".pem"),
        anchor=stem.with_suffix(".root.pem"),
    )
    made.key.write_bytes(entity.key_pem())
    made.certificate.write_bytes(entity.pem)
    made.anchor.write_bytes(root.pem)
    return made
