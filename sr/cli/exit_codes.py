"""Which error is which exit code: the table of the public contract.

A class that is not named has the code of its nearest named ancestor. A verdict has its own codes,
see ``sr.app.checks.check.exit_code``.
"""

from __future__ import annotations

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerUnavailableError,
    SRError,
    TimestampError,
    UnknownProfileError,
)

__all__ = ["EXIT_CODES", "INTERRUPTED", "PARTLY_FAILED", "UNABLE", "USAGE", "exit_code_of"]

UNABLE = 1
USAGE = 2
PARTLY_FAILED = 3
INTERRUPTED = 130

EXIT_CODES: dict[type[SRError], int] = {
    SRError: UNABLE,
    ConfigurationError: USAGE,
    UnknownProfileError: USAGE,
    SignerUnavailableError: 20,
    PINError: 21,
    TimestampError: 22,
}
"""Exit code by error class; 23 comes with archives."""


def exit_code_of(error: SRError) -> int:
    """Return the exit code of an error.

    A file name is an argument, but a file that the system will not open is no mistake in the
    usage: such an error was converted from an ``OSError`` and counts as "could not do the job".
    """
    if isinstance(error, ConfigurationError) and isinstance(error.__cause__, OSError):
        return UNABLE
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
