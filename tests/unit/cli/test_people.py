"""``srsign user`` and ``srsign api-key``: people and machines, at the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sr.app.settings import current_settings
from sr.cli.exit_codes import UNABLE, USAGE
from sr.cli.main import main
from sr.compose.service import service_context
from sr.web.application import create_application


@pytest.fixture(autouse=True)
def _database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Use a database of the test."""
    monkeypatch.setenv("SRSIGN_STORE__URL", f"sqlite:///{tmp_path / 'srsign.db'}")
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def _status(key: str) -> int:
    client = TestClient(create_application(service_context(current_settings())))
    return client.get("/api/v1/api-keys", headers={"Authorization": f"Bearer {key}"}).status_code


def _key(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert _run("api-key", "add", "root", "--json") == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_first_administrator(capsys: pytest.CaptureFixture[str]) -> None:
    """A user and a key made at the database open the service, until the key is revoked."""
    assert _run("user", "add", "root", "--name", "Admin", "--role", "admin") == 0
    made = _key(capsys)
    assert _status(made["key"]) == 200
    assert _run("api-key", "list", "--json") == 0
    assert made["key"] not in capsys.readouterr().out
    assert _run("api-key", "revoke", made["id"]) == 0
    assert _status(made["key"]) == 401


def test_a_disabled_user_has_no_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever is disabled opens nothing, whatever keys there are."""
    _run("user", "add", "root", "--name", "Admin", "--role", "admin")
    made = _key(capsys)
    assert _run("user", "disable", "root") == 0
    assert _status(made["key"]) == 401


def test_accounts_of_one_person(capsys: pytest.CaptureFixture[str]) -> None:
    """A second account is told to be the same person's."""
    _run("user", "add", "anna", "--name", "Meier^Anna", "--role", "author")
    _run("user", "add", "anna-2", "--name", "Meier^A", "--role", "approver",
         "--same-person-as", "anna", "--alias", "4711^L")  # fmt: skip
    capsys.readouterr()
    assert _run("user", "list", "--json") == 0
    users = json.loads(capsys.readouterr().out)["users"]
    assert len({user["person"] for user in users}) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("user", "add", "anna", "--name", "Meier^Anna", "--role", "king"), USAGE),
        (("user", "add", "anna", "--name", " ", "--role", "author"), USAGE),
        (("user", "add", "a" * 129, "--name", "Meier^Anna", "--role", "author"), USAGE),
        (("user", "add", "a\nb", "--name", "Meier^Anna", "--role", "author"), USAGE),
        (("user", "add", "root", "--name", "Admin", "--role", "admin"), UNABLE),
        (("user", "add", "x", "--name", "X", "--role", "author", "--issuer", "https://a"), USAGE),
        (("user", "add", "x", "--name", "X", "--role", "author", "--same-person-as", "y"), USAGE),
        (("user", "disable", "nobody"), UNABLE),
        (("api-key", "add", "nobody"), UNABLE),
        (("api-key", "add", "root", "--days", "0"), USAGE),
        (("api-key", "revoke", "0" * 32), UNABLE),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], code: int) -> None:
    """Nobody is added, disabled or given a key by mistake."""
    assert _run("user", "add", "root", "--name", "Admin", "--role", "admin") == 0
    assert _run(*arguments) == code
