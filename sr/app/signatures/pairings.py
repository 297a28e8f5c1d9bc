"""Where a signing agent keeps which services it is paired with: a file each, for its owner only.

The file holds the token. Nothing but the agent reads it, and it is refused where others could.

Cites: RFC 8628 3.5.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sr.app.files import write_atomically
from sr.errors import ConfigurationError, NotFoundError

__all__ = ["Pairing", "Pairings"]

_OWNER_ONLY = 0o600
_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A service that knows this agent."""

    url: str
    """Without a slash at the end."""
    agent_id: str
    token: str
    login: str
    display_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pairings:
    """A folder with a file for each service."""

    folder: Path

    def all(self) -> tuple[Pairing, ...]:
        """Return what is kept, in order of the addresses.

        Raises:
            ConfigurationError: A file cannot be read, is damaged, or is open to others.
        """
        found = (_load(path) for path in sorted(self.folder.glob("*.json")))
        return tuple(sorted(found, key=lambda each: each.url))

    def one(self, url: str | None) -> Pairing:
        """Return the pairing with a service, or the only one there is.

        Raises:
            NotFoundError: There is none.
            ConfigurationError: There are several and none is named, or a file is not usable.
        """
        kept = self.all()
        matching = [each for each in kept if url in (None, each.url)]
        if not matching:
            raise NotFoundError(
                "this agent is not paired with that service" if url else "this agent is not paired",
                hint="srsign agent pair URL",
            )
        if len(matching) > 1:
            raise ConfigurationError(
                "this agent is paired with several services", hint="name one with --service URL"
            )
        return matching[0]

    def keep(self, pairing: Pairing) -> None:
        """Write a pairing in place of an earlier one with the same service.

        Raises:
            ConfigurationError: It cannot be written.
        """
        path = self._path(pairing.url)
        values = {**asdict(pairing), "expires_at": pairing.expires_at.isoformat()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=_OWNER_ONLY)
            path.chmod(_OWNER_ONLY)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
        write_atomically(path, json.dumps(values, indent=2).encode())

    def forget(self, pairing: Pairing) -> None:
        """Remove a pairing.

        Raises:
            ConfigurationError: It cannot be removed.
        """
        path = self._path(pairing.url)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be removed: {error.strerror}") from error

    def _path(self, url: str) -> Path:
        return self.folder / f"{sha256(url.encode()).hexdigest()[:16]}.json"


def _load(path: Path) -> Pairing:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            mode, content = os.fstat(descriptor).st_mode, file.read()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise ConfigurationError(
            f"{path} holds a token and is open to others", hint=f"chmod 600 {path}"
        )
    try:
        values = json.loads(content)
        texts = {field.name: str(values[field.name]) for field in fields(Pairing)}
        expires_at = datetime.fromisoformat(texts.pop("expires_at"))
        return Pairing(**texts, expires_at=expires_at)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is not a pairing of a signing agent", hint="remove it and pair again"
        ) from error
