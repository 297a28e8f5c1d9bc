"""The QR code: it leads to one signature over the very bytes, and to no patient."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from sr.app.checks.mac import dump
from sr.app.views.signature_code import code_payload, code_svg
from sr.codes import SignaturePurpose
from tests.support.datasets import opened
from tests.support.hard_report import hard_report
from tests.support.pki import demo_pki
from tests.support.signed import approved_report, author_report, plain_report, sign

PAYLOAD = re.compile(r"SRSIGN:1:(?P<uid>[0-9.]{1,64}):(?P<digest>[0-9A-F]{32})")


def _stream_digest(data: bytes, uid: str, folder: Path) -> str:
    path = folder / "in.dcm"
    path.write_bytes(data)
    stream = b"".join(block for c in dump(path, signature=uid) for block in c.blocks())
    return sha256(stream).hexdigest()[:32].upper()


@pytest.mark.parametrize("make", [author_report, approved_report])
def test_the_code_names_the_latest_signature(make: object, tmp_path: Path) -> None:
    """It has the UID of the last signature and half the digest of what ``mac dump`` writes."""
    data = make()  # type: ignore[operator]
    match = PAYLOAD.fullmatch(code_payload(opened(data)) or "")
    assert match is not None
    assert match["uid"] == ("2.25.4711.1" if make is author_report else "2.25.4711.2")
    assert match["digest"] == _stream_digest(data, match["uid"], tmp_path)


def test_a_changed_letter_changes_the_code() -> None:
    """The code of an altered report is another one, though its signature has the same UID."""
    data = author_report()
    changed = data.replace(b"Rundherd", b"Rundherb")
    before, after = (code_payload(opened(each)) or "" for each in (data, changed))
    assert before.rsplit(":", 1)[0] == after.rsplit(":", 1)[0]
    assert before != after


def test_the_code_has_nothing_of_the_patient() -> None:
    """Neither name, number, date of birth nor any UID of the study is in it."""
    data = hard_report(2)
    payload = code_payload(opened(data)) or ""
    dataset = opened(data).dataset
    tags = (0x00100020, 0x00100030, 0x0020000D, 0x0020000E, 0x00080018, 0x00080050)
    values = [dataset.text(tag) for tag in tags]
    assert all(values)
    assert not [value for value in values if value in payload]


def test_no_signature_no_code() -> None:
    """A report that nobody signed has no code."""
    assert code_payload(opened(plain_report())) is None


def test_a_section_speaks_for_itself_only() -> None:
    """A signature in a section does not give the document a code."""
    path = ((0x0040A730, 0),)
    data = sign(plain_report(), demo_pki().author, SignaturePurpose.AUTHOR, path=path)
    assert code_payload(opened(data)) is None


@pytest.mark.parametrize("uid", [b"2.25.4711:1", b"2.25.4711 1", b"SRSIGN:1:12"])
def test_an_odd_identifier_makes_no_code(uid: bytes) -> None:
    """What is no UID could be read as another payload."""
    data = author_report()
    assert b"2.25.4711.1" in data
    assert code_payload(opened(data.replace(b"2.25.4711.1", uid))) is None


def test_the_code_is_a_drawing() -> None:
    """It is one SVG element, black on white, that refers to nothing and sets no style."""
    svg = code_svg(f"SRSIGN:1:{'1' * 64}:{'A' * 32}")
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert not re.search(r"style=|href|url\(|<script", svg)
