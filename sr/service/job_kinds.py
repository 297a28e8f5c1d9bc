"""Which kinds of jobs there are, and what does them."""

from __future__ import annotations

from collections.abc import Mapping

from sr.service.jobs import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {}
"""By kind of job."""
