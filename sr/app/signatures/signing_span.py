"""How far one entry of a PIN reaches: a signer that is opened again at the limits of a policy.

Cites: Regulation (EU) 910/2014 Article 26 (c).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sr.keys import Signer
from sr.signature.signing_policy import SigningPolicy

__all__ = ["SigningSpan"]


class SigningSpan:
    """The signer between two entries of the PIN; closed when it is left.

    Cites: Regulation (EU) 910/2014 Article 26 (c).
    """

    def __init__(
        self,
        open_signer: Callable[[], AbstractContextManager[Signer]],
        *,
        now: Callable[[], datetime],
        policy: SigningPolicy,
    ) -> None:
        self._open, self._now, self._policy = open_signer, now, policy
        self._closing = ExitStack()
        self._signer: Signer | None = None
        self._since: datetime | None = None
        self._signed = 0

    def __enter__(self) -> Self:
        """Return itself; nothing is opened yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the signer."""
        self._close()

    def signer(self) -> Signer:
        """Return the signer, opened anew where a limit was reached.

        Raises:
            ConfigurationError: A URI, file or installation is not usable.
            SigningError: The key cannot be opened.
        """
        self.end_if_over()
        if self._signer is None:
            self._signer = self._closing.enter_context(self._open())
            self._since, self._signed = self._now(), 0
        return self._signer

    def count(self) -> None:
        """Count a signature towards the limit."""
        self._signed += 1

    def end_if_over(self) -> None:
        """Close the signer where a limit was reached, so that a token is not left logged in."""
        if self._since is None:
            return
        lasted: timedelta = self._now() - self._since
        if self._signed >= self._policy.documents or lasted >= self._policy.lifetime:
            self._close()

    def _close(self) -> None:
        self._signer, self._since = None, None
        self._closing.close()
