"""Crashes without traces: a core file would hold PINs, keys and patient data."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress

__all__ = ["close_memory", "leave_no_core"]

_PR_SET_DUMPABLE = 4


def leave_no_core() -> None:
    """Keep this process, and those it starts, from writing core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def close_memory() -> None:
    """Leave no core file, not even to a crash handler, and no memory to others of the same user.

    For a process that does nothing but keep secrets; debuggers are shut out of it, too.
    """
    leave_no_core()
    with suppress(OSError, AttributeError):  # a system without prctl
        # A crash handler that core_pattern names is a pipe, which the limit does not stop.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
