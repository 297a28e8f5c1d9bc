"""Real files of every kind: each is sealed and checked, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest

from sr.app.checks.check import check_file, exit_code
from sr.app.documents.authoring import author_key_objects
from sr.app.documents.evidence import load_evidence
from sr.app.documents.securing import Securing
from sr.app.files import write_atomically
from sr.app.signatures.signing import load_certificates, sign_bytes
from sr.codes import SignaturePurpose, key_object_title
from sr.errors import SRError
from sr.keys import open_signer
from tests.support.story import Story, no_secret, real_ports

BUNDLED = Path(pydicom.data.__file__).parent / "test_files"
NO_INSTANCE = ("DICOMDIR", ".json", ".txt", ".gz", ".dump", ".icc", "README")
REFUSED = {
    "MR_truncated.dcm": "cut off",
    "rtplan_truncated.dcm": "cut off",
    "SC_rgb_jpeg.dcm": "its transfer syntax is not the one it declares",
    "no_meta.dcm": "begins in the middle of nothing",
}
"""What no reader could vouch for, and why."""


def real_files() -> Iterator[Path]:
    """Yield pydicom's bundled test files that are meant to be instances."""
    for path in sorted(BUNDLED.rglob("*")):
        if path.is_file() and not any(word in path.name for word in NO_INSTANCE):
            yield path


def seal_and_check(path: Path, story: Story, folder: Path) -> str:
    """Return how sealing a file and checking the seal came out, or why it was refused."""
    try:
        found = load_evidence([path], securing=Securing(check=story.options()), tolerant=True)
        if not found.evidence:
            return f"refused: {[s.reason for s in found.skipped]}"
        (data,) = author_key_objects(key_object_title("113035"), found.evidence, ports=real_ports())
        with open_signer(
            f"file:{story.pki / 'archive.key'}",
            certificates=load_certificates((story.pki / "archive.pem",)),
            secrets=no_secret,
        ) as signer:
            data, _ = sign_bytes(
                data, purpose=SignaturePurpose.SOURCE, signer=signer, ports=real_ports()
            )
    except SRError as error:
        return f"refused: {error}"
    seal = folder / "seal.dcm"
    write_atomically(seal, data)
    verdict = check_file(seal, story.options(path))
    return f"exit {exit_code(verdict)}, {verdict.references.as_dict()['items'][0]['result']}"


def outcomes(paths: list[Path], story: Story, folder: Path) -> dict[str, str]:
    """Return how each file came out that was neither sealed and matched, nor named otherwise."""
    came = {str(path): seal_and_check(path, story, folder) for path in paths}
    expected = ("exit 0, matched", "exit 11, undecided", "refused: ")
    assert all(outcome.startswith(expected) for outcome in came.values()), came
    return came


def test_real_files_are_sealed_and_checked_or_refused(story: Story, tmp_path: Path) -> None:
    """Every eighth bundled file passes, is named as undecided, or is refused with the reason."""
    came = outcomes(list(real_files())[::8], story, tmp_path)
    assert sum(outcome == "exit 0, matched" for outcome in came.values()) > len(came) // 2


@pytest.mark.prove
def test_every_real_file_is_sealed_and_checked_or_refused(story: Story, tmp_path: Path) -> None:
    """The same for all bundled CT, MR, US, RT, SR, waveform and other files."""
    came = outcomes(list(real_files()), story, tmp_path)
    refused = {Path(path).name for path, outcome in came.items() if outcome.startswith("refused")}
    assert refused >= REFUSED.keys()
    assert sum(outcome == "exit 0, matched" for outcome in came.values()) > 100


@pytest.mark.parametrize("name", REFUSED)
def test_the_refused_are_among_the_bundled(name: str) -> None:
    """The list of refused files names files that exist."""
    assert any(path.name == name for path in real_files())
