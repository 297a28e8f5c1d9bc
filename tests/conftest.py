"""Fixtures shared by all tests; the logic lives in ``tests/support``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sr.app.demonstration.demo import run_demo
from tests.support.leak_watch import LeakWatch
from tests.support.office import Office, open_office
from tests.support.peers import require_peer as _require_peer
from tests.support.story import Story, real_ports

pytest_plugins = ["pytester"]

# No test depends on how busy the machine is; ``properties`` sets more than that.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Search what every test says for planted patients and secrets."""
    config.pluginmanager.register(LeakWatch(), "leak-watch")


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


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return images, a PKI and a report in each state of its life; not to be changed."""
    return open_office(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Return the demonstration on synthetic images, told once a session."""
    out = tmp_path_factory.mktemp("story") / "demo"
    lines: list[str] = []
    good = run_demo(out, images=None, token=None, tell=lines.append, ports=real_ports())
    return Story(out=out, good=good, lines=tuple(lines))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: content made at test time differs from worker to worker."""
    return argname if isinstance(val, bytes) else None
