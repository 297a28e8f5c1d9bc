"""Fixtures that several unit tests share."""

from __future__ import annotations

import pytest

from tests.support.office import Office, open_office


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return images, a PKI and a report in each state of its life; not to be changed."""
    return open_office(tmp_path_factory.mktemp("office"))
