"""The other implementations that tests compare with, called by absolute path.

Absolute, because a virtual environment with pynetdicom has scripts of the same names as DCMTK's.
Every wrapper refuses to run without its program: it skips the test with a reason, or fails it
where ``CI=true``, so that a missing peer never passes for agreement. Peers get a time limit;
return codes of the validators say nothing, so their lines are read instead.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import pytest

__all__ = [
    "CHROMIUM",
    "DCIODVFY",
    "DCMCONV",
    "DCMDUMP",
    "DCMSIGN",
    "DSRDUMP",
    "JAVA",
    "OPENSSL",
    "PIXELMED_JAR",
    "PKCS11_TOOL",
    "POSTGRESQL",
    "SOFTHSM_MODULE",
    "SOFTHSM_UTIL",
    "STRACE",
    "PeerResult",
    "dciodvfy",
    "dcmsign",
    "dcmsign_sign",
    "dcmsign_verify",
    "dsrdump",
    "pixelmed",
    "require_peer",
    "run_peer",
]

CHROMIUM = Path("/usr/bin/chromium")
DCMSIGN = Path("/usr/bin/dcmsign")
DCMCONV = Path("/usr/bin/dcmconv")
DCMDUMP = Path("/usr/bin/dcmdump")
DSRDUMP = Path("/usr/bin/dsrdump")
DCIODVFY = Path("/usr/bin/dciodvfy")
JAVA = Path("/usr/bin/java")
OPENSSL = Path("/usr/bin/openssl")
PIXELMED_JAR = Path("/usr/share/java/pixelmed.jar")
SOFTHSM_MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
SOFTHSM_UTIL = Path("/usr/bin/softhsm2-util")
PKCS11_TOOL = Path("/usr/bin/pkcs11-tool")
STRACE = Path("/usr/bin/strace")
POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql/bin"))

_PACKAGES = {
    CHROMIUM: "chromium",
    DCMSIGN: "dcmtk",
    DCMCONV: "dcmtk",
    DCMDUMP: "dcmtk",
    DSRDUMP: "dcmtk",
    DCIODVFY: "dicom3tools",
    JAVA: "default-jre-headless",
    OPENSSL: "openssl",
    PIXELMED_JAR: "pixelmed-apps",
    SOFTHSM_MODULE: "softhsm2",
    SOFTHSM_UTIL: "softhsm2",
    PKCS11_TOOL: "opensc",
    POSTGRESQL: "postgresql",
    STRACE: "strace",
}

# Without the three limits lifted PixelMed's style sheets exceed the JDK's XPath operator limit.
_PIXELMED = (
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Djdk.xml.xpathExprGrpLimit=0",
    "-Djdk.xml.xpathExprOpLimit=0",
    "-Djdk.xml.xpathTotalOpLimit=0",
    "-cp",
    "/usr/share/java/pixelmed.jar:/usr/share/java/vecmath.jar",
    "com.pixelmed.validate.DicomSRValidator",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerResult:
    """What a peer program answered."""

    returncode: int
    output: str
    """Standard output, then standard error."""

    @property
    def errors(self) -> tuple[str, ...]:
        """The lines that a validator marks as errors."""
        return tuple(line for line in self.output.splitlines() if line.startswith("Error"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The lines that a validator marks as warnings."""
        return tuple(line for line in self.output.splitlines() if line.startswith("Warning"))


def require_peer(program: Path) -> Path:
    """Return the program's path; skip the test where it is absent, fail it where ``CI=true``."""
    if program.exists():
        return program
    package = _PACKAGES.get(program)
    reason = f"{program} is not installed" + (f" (Debian package {package})" if package else "")
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run_peer(program: Path, *arguments: object, timeout: float = 120) -> PeerResult:
    """Run a peer program and return what it answered."""
    run = subprocess.run(
        [require_peer(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    return PeerResult(returncode=run.returncode, output=run.stdout + run.stderr)


def dcmsign(*arguments: object) -> PeerResult:
    """Run DCMTK's dcmsign; 0 ok, 100 no signature, 101 not verified, 102 profile, 85 refused."""
    return run_peer(DCMSIGN, *arguments)


def dcmsign_verify(
    path: Path,
    *,
    anchor: Path,
    intermediate: Path | None = None,
    options: Sequence[str] = ("+rs",),
) -> PeerResult:
    """Verify with dcmsign; ``+rs`` demands a signature that fulfils PS3.15 C.4.

    Without a ``+r…`` option dcmsign answers 0 for an unsigned file.
    """
    trust: tuple[object, ...] = ("+cf", anchor)
    if intermediate is not None:
        trust += ("+uf", intermediate)
    return dcmsign("--verify", "-v", *trust, *options, path)


def dcmsign_sign(
    source: Path,
    target: Path,
    *,
    key: Path,
    certificate: Path,
    profile: str = "+pr",
    mac: str = "+m2",
    purpose: str | None = "1",
    dump: Path | None = None,
    options: Sequence[str] = (),
) -> PeerResult:
    """Sign with dcmsign; ``dump`` receives the byte stream that its MAC covers.

    Profiles: ``-pf +pb +pc +pa +pr +pv``; MACs: ``+m2 +m3 +m5 +mr +ms +mm``.
    """
    arguments: list[object] = ["+s", key, certificate, profile, mac]
    if purpose is not None:
        arguments += ["+sp", purpose]
    if dump is not None:
        arguments += ["+d", dump]
    return dcmsign(*arguments, *options, source, target)


def dciodvfy(path: Path) -> PeerResult:
    """Validate against the information object definitions with dicom3tools."""
    return run_peer(DCIODVFY, "-new", path)


def dsrdump(path: Path) -> PeerResult:
    """Print a structured report with DCMTK; 0 when it could be read."""
    return run_peer(DSRDUMP, path)


def pixelmed(path: Path) -> PeerResult:
    """Validate a structured report with PixelMed, once per content: a run takes seconds."""
    require_peer(PIXELMED_JAR)
    return _pixelmed(sha256(path.read_bytes()).digest(), path)


@lru_cache(maxsize=256)
def _pixelmed(_digest: bytes, path: Path) -> PeerResult:
    result = run_peer(JAVA, *_PIXELMED, path, timeout=300)
    assert "IOD validation complete" in result.output, result.output
    return result
