"""Crashes without traces: a core file would hold PINs, keys and patient data."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress

__all__ = ["leave_no_core"]

_PR_SET_DUMPABLE = 4


def leave_no_core() -> None:
    """Keep this process, and those it starts, from writing core files.

    On Linux its memory is closed to other processes of the same user as well.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # a system without prctl
        # A crash handler that core_pattern names is a pipe, which the limit does not stop.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
