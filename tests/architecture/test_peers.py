"""The wrappers around peer programs answer, and a missing peer is never mistaken for agreement."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from tests.support import peers

SR = Path(str(get_testdata_file("test-SR.dcm")))


def test_missing_peer_skips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a developer's machine a missing peer skips."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        peers.require_peer(tmp_path / "absent")


def test_missing_peer_fails_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where CI=true a missing peer fails."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        peers.require_peer(tmp_path / "absent")


@pytest.mark.peer
def test_dcmsign_answers_no_signature() -> None:
    """DCMTK's dcmsign, told to require one, answers 100 for an unsigned report."""
    assert peers.dcmsign("--verify", "+rg", SR).returncode == 100


@pytest.mark.peer
def test_dcmsign_accepts_an_unsigned_file_by_default() -> None:
    """Without a requirement dcmsign answers 0 for an unsigned report, so we always require."""
    assert peers.dcmsign("--verify", SR).returncode == 0


@pytest.mark.peer
def test_dsrdump_reads_a_report() -> None:
    """DCMTK's dsrdump reads the sample report."""
    assert peers.dsrdump(SR).returncode == 0


@pytest.mark.peer
def test_dciodvfy_names_errors() -> None:
    """An error line of dciodvfy is found although its return code may be 0."""
    ct = Path(str(get_testdata_file("CT_small.dcm")))
    assert peers.dciodvfy(SR).errors or peers.dciodvfy(ct).errors


@pytest.mark.peer
def test_pixelmed_completes() -> None:
    """PixelMed's validator runs to its end on the sample report."""
    assert peers.pixelmed(SR).warnings
