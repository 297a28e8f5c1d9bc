"""What a real run is wired with."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from sr import compose
from sr.document.values import is_uid
from sr.errors import ConfigurationError, PINError


def test_the_clock_is_aware() -> None:
    """The time of a real run is in UTC."""
    assert compose.ports().now().tzinfo is UTC


def test_uids_are_new_and_valid() -> None:
    """Each UID is another one, no longer than 64 characters, without leading zeros."""
    uids = [compose.ports().new_uid() for _ in range(200)]
    assert len(set(uids)) == 200
    assert all(is_uid(uid) for uid in uids)


def test_a_named_file_goes_before_everything(tmp_path: Path) -> None:
    """--pin-file wins over the environment, the environment over a prompt."""
    named, other = tmp_path / "named", tmp_path / "other"
    named.write_text("1111\n")
    other.write_text("2222\n")
    environment = {"SRSIGN_PIN_FILE": str(other)}

    def ask(prompt: str) -> str:
        return "3333"

    assert compose.secrets(named, environment=environment, prompt=ask)("PIN") == "1111"
    assert compose.secrets(None, environment=environment, prompt=ask)("PIN") == "2222"
    assert compose.secrets(None, environment={}, prompt=ask)("PIN") == "3333"


def test_nobody_to_ask_is_an_error() -> None:
    """Without file and prompt a secret that is needed is refused, not empty."""
    with pytest.raises(PINError):
        compose.secrets(None, environment={}, prompt=None)("PIN")


def test_an_empty_variable_names_no_file() -> None:
    """An empty SRSIGN_PIN_FILE is as good as none."""
    with pytest.raises(PINError):
        compose.secrets(None, environment={"SRSIGN_PIN_FILE": ""}, prompt=None)("PIN")


def test_a_file_that_is_not_there_is_an_error_when_asked(tmp_path: Path) -> None:
    """A secret file is read when the secret is needed, and must be there then."""
    secrets = compose.secrets(tmp_path / "absent", environment={}, prompt=lambda _: "1")
    with pytest.raises(ConfigurationError):
        secrets("PIN")
