"""Reports and signatures, as the command line makes them, for rates of whole documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from sr.app.checks.check import CheckOptions, check_file
from sr.app.documents.authoring import author_report
from sr.app.documents.evidence import secure_reference
from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials, load_certificates, sign_bytes, sign_file
from sr.codes import SignaturePurpose
from sr.compose import current_time
from sr.compose import ports as real_ports
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.document.evidence import Evidence, read_evidence
from sr.document.input_table import InputFormat
from sr.keys import Signer, open_signer
from sr.mac import MACAlgorithm

__all__ = ["Office", "Rates", "office", "write_report"]

_KEYS = Path(__file__).parent.parent / "certs-example"

_TEXT = """
class = "comprehensive"
title = "CTChestReport"
language = "de"
procedure = ["24627-2", "LN", "CT Chest"]
completion = "COMPLETE"

[observer]
name = "Meier^Anna"
organization = "Klinikum Musterstadt"

[[section]]
heading = "Findings"

[[section.item]]
text = "{finding}"
images = "all"

[[section.item.measurement]]
concept = "SCT.Diameter"
value = 20.0
unit = "mm"

[[section.item]]
text = "Kein Pleuraerguss."
{measurements}
[[section]]
heading = "Impressions"

[[section.item]]
text = "Rundherd, am ehesten Granulom."
"""
_MEASUREMENT = """
[[section.item.measurement]]
concept = "SCT.{}"
value = {}
unit = "{}"
"""
_MEASURED = (
    ("Length", 31.5, "mm"),
    ("Width", 12.0, "mm"),
    ("Depth", 8.0, "mm"),
    ("Volume", 4.2, "cm3"),
    ("Area", 3.1, "cm2"),
    ("Diameter", 20.5, "mm"),
    ("Length", 14.25, "mm"),
    ("Width", 6.75, "mm"),
    ("Depth", 5.5, "mm"),
    ("Volume", 0.25, "cm3"),
)
_FINDINGS = (
    "Solider Rundherd im linken Oberlappen.",
    "Kein Nachweis suspekter Rundherde.",
    "Mehrere kleine, teils verkalkte Rundherde beidseits, zur Voruntersuchung unverändert.",
    "Milchglasinfiltrate basal rechts, vereinbar mit einer beginnenden Pneumonie.",
)


def write_report(images: Iterable[bytes], number: int, ports: Ports) -> bytes:
    """Return an unsigned report that cites the images, each with its MAC.

    Words and figures differ with the number; the form is that of one template.
    """
    measured = ((name, value + number % 13, unit) for name, value, unit in _MEASURED)
    text = _TEXT.format(
        finding=_FINDINGS[number % len(_FINDINGS)],
        measurements="".join(_MEASUREMENT.format(*m) for m in measured),
    )
    evidence = tuple(
        _cited(read(BytesSource(data)), f"{n}.dcm", ports) for n, data in enumerate(images, 1)
    )
    return author_report(
        text, InputFormat.TOML, evidence=evidence, template=None, name="report", ports=ports
    )


def _cited(file: DICOMFile, label: str, ports: Ports) -> Evidence:
    reference = secure_reference(file, at=ports.now())
    return read_evidence(file.dataset, reference=reference, label=label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Documents, or raw signatures of the same key, in a second of processor time."""

    sign: float
    raw_sign: float
    check: float
    raw_verify: float
    """Signatures verified; checking a document verifies those of certificates and CRLs, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Somebody who signs with a key that is open, and checks with trust material that is loaded."""

    name: str
    signer: Signer
    ports: Ports

    def sign(self, data: bytes, purpose: SignaturePurpose = SignaturePurpose.SOURCE) -> bytes:
        """Return a document, signed."""
        return sign_bytes(data, purpose=purpose, signer=self.signer, ports=self.ports)[0]

    def sign_file(self, source: Path, output: Path) -> None:
        """Sign an image, without loading its pixels."""
        credentials = Credentials(
            key=f"file:{_KEYS / self.name}.key",
            certificates=(_KEYS / f"{self.name}.pem",),
            secrets=lambda _: "",
        )
        sign_file(
            source,
            output,
            purpose=SignaturePurpose.SOURCE,
            credentials=credentials,
            ports=self.ports,
        )

    def options(self, evidence: Sequence[Path] | None = None) -> CheckOptions:
        """Return how to check what was signed."""
        return CheckOptions(
            at=current_time(),
            anchors=(_KEYS / "root.pem",),
            intermediates=(_KEYS / "issuing.pem",),
            crls=(_KEYS / "root.crl", _KEYS / "issuing.crl"),
            evidence=None if evidence is None else tuple(evidence),
        )

    def rates(self, reports: Sequence[Path], folder: Path, *, seconds: float) -> Rates:
        """Return how many reports a second are signed and checked."""
        unsigned = [path.read_bytes() for path in reports]
        signed = [folder / f"signed-{path.name}" for path in reports]
        for data, path in zip(unsigned, signed, strict=True):
            path.write_bytes(self.sign(data, SignaturePurpose.AUTHOR))
        options = self.options()
        key = self.signer.certificate_chain[0].public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        digest = bytes(32)
        value = self.signer.sign_digest(digest, MACAlgorithm.SHA256)
        known = Prehashed(SHA256())
        return Rates(
            sign=_rate(
                lambda n: self.sign(unsigned[n % len(unsigned)], SignaturePurpose.AUTHOR), seconds
            ),
            raw_sign=_rate(lambda _: self.signer.sign_digest(digest, MACAlgorithm.SHA256), seconds),
            check=_rate(lambda n: check_file(signed[n % len(signed)], options), seconds),
            raw_verify=_rate(
                lambda _: key.verify(value, digest, padding.PKCS1v15(), known), seconds
            ),
        )


@contextmanager
def office(name: str) -> Iterator[Office]:
    """Open the example key of that name for as long as needed."""
    certificates = load_certificates((_KEYS / f"{name}.pem",))
    with open_signer(
        f"file:{_KEYS / name}.key", certificates=certificates, secrets=lambda _: ""
    ) as signer:
        yield Office(name=name, signer=signer, ports=real_ports())


def _rate(work: Callable[[int], object], seconds: float) -> float:
    work(0)
    start, number = time.process_time(), 0
    while (taken := time.process_time() - start) < seconds:
        work(number)
        number += 1
    return number / taken
