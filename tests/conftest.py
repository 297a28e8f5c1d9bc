"""Fixtures shared by all tests; the logic lives in ``tests/support``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.peers import require_peer as _require_peer


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the checkout that the tests run in."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def require_peer() -> Callable[[Path], Path]:
    """Return a function that skips without a peer program, or fails where ``CI=true``."""
    return _require_peer


@pytest.fixture(scope="session")
def require(require_peer: Callable[[Path], Path]) -> Callable[[str | Path], Path]:
    """Return ``require_peer`` for paths given as text."""
    return lambda program: require_peer(Path(program))
