"""Settings to a wired application: the one place that knows every adapter.

Today these are the clock, the source of UIDs, and where secrets come from. Use cases take them as
arguments, so that a test can pass its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sr.app.ports import Ports

if TYPE_CHECKING:
    from sr.keys import Secrets

__all__ = ["PIN_FILE_VARIABLE", "current_time", "new_uid", "ports", "secrets"]

PIN_FILE_VARIABLE = "SRSIGN_PIN_FILE"
"""Environment variable that names a file with the secret."""


def ports() -> Ports:
    """Return the clock and the source of UIDs of a real run."""
    return Ports(now=current_time, new_uid=new_uid)


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
    """Return where PINs and passphrases come from.

    Args:
        pin_file: A file named by the caller; goes before everything else.
        environment: May name a file in ``SRSIGN_PIN_FILE``.
        prompt: Asks a person; ``None`` where there is nobody to ask.
    """
    from sr.keys.secrets import no_secrets, secrets_from_file  # noqa: PLC0415 - loads signers

    named = pin_file or (Path(v) if (v := environment.get(PIN_FILE_VARIABLE)) else None)
    if named is not None:
        return secrets_from_file(named)
    return prompt or no_secrets
