"""Use case: bring the revocation lists of the trust folder up to date.

Lists come from the addresses that the site configured, never from those in certificates. One is
taken only if a certificate that is kept signed it, and if it is not older than the one there.

Cites: RFC 5280 5.1.2.4, 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from cryptography import x509

from sr.app.files import read_bytes, write_atomically
from sr.app.trust.trust_store import TrustStore
from sr.errors import SRError, TrustEvidenceError
from sr.trust import parse_crls
from sr.trust.certificate import is_signed_by, read_certificate
from sr.trust.name import name_text, same_name

__all__ = ["RevocationListSource", "Updated", "update_lists"]


class RevocationListSource(Protocol):
    """Where revocation lists come from."""

    def fetch(self, url: str) -> bytes:
        """Return what is at an address, whatever it is worth.

        Raises:
            ExternalServiceError: There is nothing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What became of one address."""

    url: str
    issuer: str = ""
    next_update: datetime | None = None
    error: SRError | None = None
    """Why the list that was there before stays."""


def update_lists(
    store: TrustStore, urls: tuple[str, ...], source: RevocationListSource
) -> tuple[Updated, ...]:
    """Fetch the lists at some addresses into the folder; one that fails leaves the others alone.

    Raises:
        ConfigurationError: The folder cannot be read.

    Cites: RFC 5280 6.3.
    """
    signers = tuple(read_certificate(each.certificate.der) for each in store.kept())
    found = []
    for url in urls:
        try:
            crl, der = _only_list(source.fetch(url))
            if not any(
                same_name(each.subject, crl.issuer) and is_signed_by(crl, each.public_key)
                for each in signers
            ):
                raise TrustEvidenceError(
                    f"nobody whose certificate is kept signed the list of {name_text(crl.issuer)}"
                )
            _put(store, url, crl, der)
        except SRError as error:
            found.append(Updated(url=url, error=error))
        else:
            issuer = name_text(crl.issuer)
            found.append(Updated(url=url, issuer=issuer, next_update=crl.next_update_utc))
    return tuple(found)


def _only_list(data: bytes) -> tuple[x509.CertificateRevocationList, bytes]:
    lists = parse_crls(data)
    if len(lists) != 1:
        raise TrustEvidenceError(f"{len(lists)} revocation lists, expected one")
    try:
        crl = x509.load_der_x509_crl(lists[0])
        _ = crl.issuer, crl.last_update_utc, crl.next_update_utc
    except ValueError as error:
        raise TrustEvidenceError(f"the revocation list does not parse: {error}") from error
    return crl, lists[0]


def _put(store: TrustStore, url: str, crl: x509.CertificateRevocationList, der: bytes) -> None:
    path = store.list_path(f"{sha256(url.encode()).hexdigest()}.crl")
    if path.exists():
        before, _ = _only_list(read_bytes(path))
        if crl.last_update_utc < before.last_update_utc:
            raise TrustEvidenceError(
                f"the list of {crl.last_update_utc:%Y-%m-%d %H:%M:%SZ} is older than the one kept"
            )
    write_atomically(path, der)
