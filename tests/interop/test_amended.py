"""Amended reports and addenda: other implementations read them and accept their signatures."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.codes import SignaturePurpose as P
from tests.support.desk import ADDENDUM, NEW, Desk
from tests.support.office import Office, open_office
from tests.support.peers import dciodvfy, dcmsign_verify, dsrdump, pixelmed

pytestmark = pytest.mark.peer

KINDS = {"amended": NEW, "addendum": ADDENDUM}


@pytest.fixture(scope="module")
def finals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, dict[str, Path]]:
    """Return an approved amended report and an approved addendum to it, which it amends."""
    office = open_office(tmp_path_factory.mktemp("office"))
    made: dict[str, Path] = {}
    source = office.report
    for kind, text in KINDS.items():
        desk = Desk(office, tmp_path_factory.mktemp(kind))
        addendum = text is ADDENDUM
        more = '[[participant]]\nname = "Huber^Eva"\nwhen = "20261120090000+0100"\n'
        desk.amend(source, desk.file(text + more), addendum=addendum)
        signed = desk.signed(desk.output, P.ADDENDUM if addendum else P.MODIFICATION)
        source = made[kind] = desk.approved(signed)
    return office, made


@pytest.mark.parametrize("kind", KINDS)
def test_other_implementations_read_it(finals: tuple[Office, dict[str, Path]], kind: str) -> None:
    """Dciodvfy has no errors, dsrdump reads it, dcmsign accepts it under the SR profile."""
    office, made = finals
    checked = dciodvfy(made[kind])
    assert checked.output
    assert checked.errors == ()
    assert dsrdump(made[kind]).returncode == 0
    root, issuing = office.pki.certificate("root"), office.pki.certificate("issuing")
    assert dcmsign_verify(made[kind], anchor=root, intermediate=issuing).returncode == 0


@pytest.mark.prove
@pytest.mark.parametrize("kind", KINDS)
def test_pixelmed_finds_no_fault(finals: tuple[Office, dict[str, Path]], kind: str) -> None:
    """PixelMed's validator has no errors about TID 2000 or the header."""
    _, made = finals
    assert [e for e in pixelmed(made[kind]).output.splitlines() if "Error" in e] == []
