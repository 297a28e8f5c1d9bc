"""The demonstration, run once for all tests that look at its products."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials

__all__ = ["PRODUCTS", "Story", "real_ports"]

PRODUCTS = ("seal.dcm", "report-author.dcm", "report.dcm", "manifest.dcm")


def real_ports() -> Ports:
    """Return ports with the real time and random UIDs."""
    return Ports(now=lambda: datetime.now(UTC), new_uid=lambda: f"2.25.{uuid.uuid4().int}")


def no_secret(prompt: str) -> str:
    """Refuse to give a secret."""
    raise AssertionError(prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Where the demonstration left its products."""

    out: Path
    good: bool
    lines: tuple[str, ...]

    @property
    def pki(self) -> Path:
        """Folder of the throw-away PKI."""
        return self.out / "pki"

    def credentials(self, name: str) -> Credentials:
        """Return the key and certificate of a person of the story."""
        return Credentials(
            key=f"file:{self.pki / name}.key",
            certificates=(self.pki / f"{name}.pem",),
            secrets=no_secret,
        )

    def options(
        self, *evidence: Path, trusted: bool = True, policy: str = "standard"
    ) -> CheckOptions:
        """Return options that trust the story's root, unless told otherwise."""
        return CheckOptions(
            at=datetime.now(UTC),
            anchors=(self.pki / "root.pem",) if trusted else (),
            intermediates=(self.pki / "issuing.pem",),
            crls=(self.pki / "root.crl", self.pki / "issuing.crl"),
            evidence=evidence or None,
            policy=policy,
        )
