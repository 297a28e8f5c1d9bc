"""What the commands of the service share: its libraries, its context, its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.service.context import Context
    from sr.store.database import Database

__all__ = ["configured_service", "existing_database", "service_libraries"]


@contextmanager
def service_libraries() -> Iterator[None]:
    """Say what to install where a block imports what is not there.

    Raises:
        ConfigurationError: The extra ``http`` is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            "the service is not installed", hint="pip install 'srsign[http]'"
        ) from error


def configured_service() -> Context:
    """Return the service that the settings describe, its database opened.

    Raises:
        ConfigurationError: A setting does not make sense, or the service is not installed.
        ExternalServiceError: The database cannot be opened.
        TrustEvidenceError: Something in the trust store does not parse.
        ProfileError: The policy is unknown or malformed.
    """
    from sr.app.settings import current_settings

    with service_libraries():
        from sr.compose.service import service_context
    return service_context(current_settings())


def existing_database(url: str | None) -> Database:
    """Return the database of the service, which has to be there.

    Args:
        url: As given; otherwise that of the setting ``store.url``.

    Raises:
        ConfigurationError: It is not there, or the service is not installed.
        ExternalServiceError: It cannot be opened.
    """
    from sr.app.settings import current_settings

    with service_libraries():
        from sr.store.database import open_database
    return open_database(url or current_settings().store.url, existing=True)
