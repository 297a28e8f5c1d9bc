"""Use case: the certificates that a site trusts, kept in a folder.

Each certificate is a file named by its own fingerprint, so that one that was exchanged on disk is
noticed and refused. ``check`` takes the folder where no ``--trust-anchor`` is given.

    DIR/anchors/SHA256.pem        trusted by decision
    DIR/intermediates/SHA256.pem  issuing certificates, trusted only through an anchor
    DIR/lists/*                   revocation lists, PEM or DER; see ``trust_update``
    DIR/responses/*               OCSP responses, PEM or DER; see ``responder_update``

Cites: RFC 5280 6.1.1 d; RFC 5937.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.files import read_bytes, write_atomically
from sr.errors import ConfigurationError, TrustEvidenceError
from sr.trust import CertificateSummary, TrustMaterial, parse_certificates, parse_crls, parse_ocsp
from sr.trust.certificate import read_certificate

__all__ = ["Kept", "TrustStore", "Use", "certificates_in"]

_LISTS, _RESPONSES = "lists", "responses"
_SHORTEST = 8


class Use(StrEnum):
    """What a certificate is kept for; also the name of its folder."""

    ANCHOR = "anchors"
    INTERMEDIATE = "intermediates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A certificate in the folder."""

    use: Use
    certificate: CertificateSummary
    path: Path


def certificates_in(path: Path) -> tuple[CertificateSummary, ...]:
    """Return the certificates in a PEM or DER file.

    Raises:
        ConfigurationError: The file cannot be read.
        TrustEvidenceError: It holds no certificate.
    """
    return tuple(read_certificate(der).summary for der in parse_certificates(read_bytes(path)))


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The folder; one that does not exist is empty."""

    folder: Path

    def kept(self) -> tuple[Kept, ...]:
        """Return every certificate in the folder.

        Raises:
            ConfigurationError: A file cannot be read, or is not the certificate that its name says.
        """
        return tuple(self._kept())

    def material(self) -> TrustMaterial:
        """Return everything in the folder, to judge with.

        Raises:
            ConfigurationError: A file cannot be read, or is not the certificate that its name says.
            TrustEvidenceError: A revocation list or OCSP response does not parse.
        """
        kept = self.kept()
        lists, responses = _files(self.folder / _LISTS), _files(self.folder / _RESPONSES)
        return TrustMaterial(
            anchors=tuple(each.certificate.der for each in kept if each.use is Use.ANCHOR),
            intermediates=tuple(
                each.certificate.der for each in kept if each.use is Use.INTERMEDIATE
            ),
            crls=tuple(der for path in lists for der in parse_crls(read_bytes(path))),
            ocsps=tuple(der for path in responses for der in parse_ocsp(read_bytes(path))),
        )

    def add(self, certificate: CertificateSummary, use: Use) -> Kept:
        """Keep a certificate; once more makes no difference.

        Raises:
            ConfigurationError: The folder cannot be written.
        """
        path = _made(self.folder / use.value) / f"{certificate.sha256}.pem"
        pem = x509.load_der_x509_certificate(certificate.der).public_bytes(Encoding.PEM)
        write_atomically(path, pem)
        return Kept(use=use, certificate=certificate, path=path)

    def list_path(self, name: str) -> Path:
        """Return where a revocation list of that name is kept.

        Raises:
            ConfigurationError: The folder cannot be written.
        """
        return _made(self.folder / _LISTS) / name

    def response_path(self, name: str) -> Path:
        """Return where an OCSP response of that name is kept.

        Raises:
            ConfigurationError: The folder cannot be written.
        """
        return _made(self.folder / _RESPONSES) / name

    def remove(self, fingerprint: str) -> Kept:
        """Forget the one certificate whose fingerprint begins so.

        Raises:
            ConfigurationError: None or several do, too little was given, or it cannot be removed.
        """
        wanted = fingerprint.lower().replace(":", "").removeprefix("sha256")
        found = [each for each in self._kept() if each.certificate.sha256.startswith(wanted)]
        if len(wanted) < _SHORTEST or len(found) != 1:
            raise ConfigurationError(
                f"{len(found)} certificates have the fingerprint {fingerprint!r}",
                hint=f"srsign trust list shows them; {_SHORTEST} digits or more of one",
            )
        try:
            found[0].path.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"{found[0].path} cannot be removed: {error.strerror}"
            ) from error
        return found[0]

    def _kept(self) -> Iterator[Kept]:
        for use in Use:
            for path in _files(self.folder / use.value):
                yield Kept(use=use, certificate=_named_by_itself(path), path=path)


def _named_by_itself(path: Path) -> CertificateSummary:
    try:
        found = certificates_in(path)
    except TrustEvidenceError as error:
        raise ConfigurationError(f"{path} is no certificate: {error}") from error
    if len(found) != 1 or path.stem != found[0].sha256:
        raise ConfigurationError(
            f"{path} is not the certificate that its name says",
            hint="somebody exchanged or renamed it; srsign trust add puts certificates there",
        )
    return found[0]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be made: {error.strerror}") from error
    return folder


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be read: {error.strerror}") from error
