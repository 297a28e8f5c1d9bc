"""Settings to a wired application: the one place that knows every adapter.

Here are the clock, the source of UIDs, the time-stamp authority, and where secrets come from; in
``sr.compose.service`` is what only the service needs. Use cases take them as arguments, so that a
test can pass its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from secrets import randbits, token_bytes
from typing import TYPE_CHECKING
from uuid import uuid4

from sr.app.ports import Ports, Timestamping
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.doctor import Diagnosis
    from sr.app.settings import Settings, TimestampSettings
    from sr.app.trust.responder_update import Asking
    from sr.app.trust.trust_update import RevocationListSource
    from sr.keys import Secrets

__all__ = [
    "PIN_FILE_VARIABLE",
    "asking",
    "current_time",
    "diagnosed_service",
    "new_uid",
    "ports",
    "revocation_lists",
    "secrets",
    "signing_ports",
]

PIN_FILE_VARIABLE = "SRSIGN_PIN_FILE"
"""Environment variable that names a file with the secret."""
_NONCE_BITS, _OCSP_NONCE_BYTES = 64, 32
_SERVICE_LIBRARIES = (
    "alembic",
    "authlib",
    "fastapi",
    "httpx2",
    "joserfc",
    "prometheus_client",
    "python_multipart",
    "sqlalchemy",
    "structlog",
    "uvicorn",
)
_OBJECT_IDENTIFIER = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


def ports() -> Ports:
    """Return the clock and the source of UIDs of a real run."""
    return Ports(now=current_time, new_uid=new_uid)


def signing_ports(timestamp: str | None = None, settings: Settings | None = None) -> Ports:
    """Return the ports of a run that signs, with time-stamps where they are asked for.

    Args:
        timestamp: Address of the authority; goes before the setting ``timestamp.url``.
        settings: Those of this process where left out.

    Raises:
        ConfigurationError: An address or setting does not make sense, or a file cannot be read.
        TrustEvidenceError: The file of anchors holds no certificate.

    Cites: RFC 3161 3.4.
    """
    from sr.app.settings import current_settings  # noqa: PLC0415 - most runs need neither

    settings = settings or current_settings()
    wanted = settings.timestamp.url if timestamp is None else timestamp
    return replace(
        ports(),
        clock_skew=timedelta(seconds=settings.clock.skew_seconds),
        timestamping=_timestamping(wanted, settings.timestamp) if wanted else None,
    )


def _timestamping(url: str, settings: TimestampSettings) -> Timestamping:
    from sr.app.files import read_bytes  # noqa: PLC0415
    from sr.net.timestamp import HTTPTimestampAuthority, timestamp_url  # noqa: PLC0415
    from sr.trust import TrustMaterial, parse_certificates  # noqa: PLC0415

    if settings.timeout_seconds == 0:
        raise ConfigurationError("the setting timestamp.timeout_seconds must be at least 1")
    if settings.policy and not _OBJECT_IDENTIFIER.fullmatch(settings.policy):
        raise ConfigurationError("the setting timestamp.policy is not an object identifier")
    anchors = parse_certificates(read_bytes(Path(settings.anchor))) if settings.anchor else ()
    return Timestamping(
        authority=HTTPTimestampAuthority(url=timestamp_url(url), timeout=settings.timeout_seconds),
        new_nonce=lambda: randbits(_NONCE_BITS),
        material=TrustMaterial(timestamp_anchors=anchors),
        policy=settings.policy,
    )


def asking(settings: Settings) -> Asking:
    """Return how OCSP responders are asked.

    Raises:
        ConfigurationError: A setting does not make sense.

    Cites: RFC 6960 A.1; RFC 9654 2.1.
    """
    from sr.app.trust.responder_update import Asking  # noqa: PLC0415
    from sr.net.ocsp import HTTPResponders  # noqa: PLC0415

    return Asking(
        source=HTTPResponders(timeout=_trust_timeout(settings)),
        now=current_time,
        new_nonce=lambda: token_bytes(_OCSP_NONCE_BYTES),
        clock_skew=timedelta(seconds=settings.clock.skew_seconds),
    )


def revocation_lists(settings: Settings) -> RevocationListSource:
    """Return what fetches revocation lists.

    Raises:
        ConfigurationError: A setting does not make sense.
    """
    from sr.net.revocation_list import HTTPRevocationLists  # noqa: PLC0415

    return HTTPRevocationLists(timeout=_trust_timeout(settings))


def _trust_timeout(settings: Settings) -> int:
    if settings.trust.timeout_seconds == 0:
        raise ConfigurationError("the setting trust.timeout_seconds must be at least 1")
    return settings.trust.timeout_seconds


def diagnosed_service(environment: Mapping[str, str]) -> tuple[Diagnosis, ...]:
    """Return the state of what the service needs; one line where its libraries are not there."""
    from sr.app.doctor import Condition, Diagnosis  # noqa: PLC0415 - a diagnosis only
    from sr.app.settings import load_settings, setting_files  # noqa: PLC0415

    missing = [name for name in _SERVICE_LIBRARIES if find_spec(name) is None]
    if missing:
        remedy = "not installed; pip install 'srsign[http]'"
        return (Diagnosis(subject="service", condition=Condition.ABSENT, message=remedy),)
    from sr.service.operation.diagnosis import diagnose_service  # noqa: PLC0415

    try:
        return diagnose_service(load_settings(setting_files(), environment))
    except ConfigurationError:
        return ()  # said already, under "settings"


def current_time() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


def new_uid() -> str:
    """Return a UID under the root for UUIDs, which needs no registration.

    Cites: PS3.5 B.2.
    """
    return f"2.25.{uuid4().int}"


def secrets(
    pin_file: Path | None, *, environment: Mapping[str, str], prompt: Secrets | None
) -> Secrets:
    """Return where PINs and passphrases come from; this process writes no core file any more.

    Args:
        pin_file: A file named by the caller; goes before everything else.
        environment: May name a file in ``SRSIGN_PIN_FILE``.
        prompt: Asks a person; ``None`` where there is nobody to ask.
    """
    from sr.keys.core_files import leave_no_core  # noqa: PLC0415 - loads signers
    from sr.keys.secrets import no_secrets, secrets_from_file  # noqa: PLC0415

    leave_no_core()
    named = pin_file or (Path(v) if (v := environment.get(PIN_FILE_VARIABLE)) else None)
    if named is not None:
        return secrets_from_file(named)
    return prompt or no_secrets
