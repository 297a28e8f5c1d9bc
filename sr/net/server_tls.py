"""How the service encrypts, and which clients it knows by certificate.

Cites: RFC 8446; BCP 195.
"""

from __future__ import annotations

import ssl

from sr.app.settings import ServiceSettings
from sr.errors import ConfigurationError

__all__ = ["server_tls"]


def server_tls(settings: ServiceSettings) -> ssl.SSLContext | None:
    """Return how the service encrypts and which clients it knows, ``None`` where it does neither.

    Raises:
        ConfigurationError: A file is missing, cannot be read, or does not fit the others.

    Cites: RFC 8446; BCP 195.
    """
    if not settings.tls_certificate:
        if settings.tls_key or settings.client_ca or settings.client_crl:
            raise ConfigurationError("service.tls_key and client_… need service.tls_certificate")
        return None
    if settings.client_crl and not settings.client_ca:
        raise ConfigurationError("service.client_crl needs service.client_ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None, lambda: "")
        if settings.client_ca:
            context.load_verify_locations(settings.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        if settings.client_crl:
            context.load_verify_locations(settings.client_crl)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "the files of service.tls_certificate, tls_key, client_ca and client_crl do not fit: "
            f"{type(error).__name__}"
        ) from error
    return context
