"""Signing and approving under the mapping of a site: four eyes are two persons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sr.app.checks.check import check_file, named_policy
from sr.app.documents.authoring import seal
from sr.app.documents.securing import Securing
from sr.app.settings import current_settings
from sr.app.signatures.signing import (
    ApprovalMode,
    Credentials,
    SigningResult,
    approve_file,
    sign_file,
)
from sr.codes import Code
from sr.codes import SignaturePurpose as P
from sr.errors import LifecycleError
from sr.findings import Indication
from sr.keys.secrets import no_secrets
from sr.trust.identity import IdentityMapping
from tests.support.console import srsign
from tests.support.desk import PORTS, Desk
from tests.support.forge import set_value
from tests.support.office import Office
from tests.support.pki import Entity, demo_pki, issue, name

ISSUING = demo_pki().issuing
ACCOUNTS = {
    "second account": issue(ISSUING, "amhuber", slot="second"),
    "renewed, other spelling": issue(
        ISSUING, subject=name("Dr. A. Meier-Huber", serial_number="0815"), slot="renewed"
    ),
    "married": issue(ISSUING, "Anna Huber", slot="married"),
}
"""Certificates of Anna Meier's that share nothing with the one that she signed with as author."""
CODED = issue(ISSUING, subject=name("S. W.", serial_number="4711"), slot="coded")

ANNA = """
[[identity.person]]
person = "anna"
names = ["Meier^Anna", "Huber^Anna"]
subjects = ["*CN=Anna Meier,*", "CN=Anna Huber,*", "CN=amhuber,*", "*serialNumber=0815*"]
cites = "staff list"
"""
SAM = """
[[identity.person]]
person = "sam"
names = ["Weber^Sam"]
subjects = ["*CN=Sam Weber,*"]
cites = "staff list"
"""
EVA = SAM.replace("sam", "eva").replace("Weber^Sam", "Huber^Eva").replace("Sam Weber", "Eva Huber")


def _site(folder: Path, persons: str = ANNA + SAM, by: str = "['name']") -> Path:
    path = folder / "site.toml"
    path.write_text(
        "id = 'site'\nextends = 'standard'\ntitle = 'Site'\ncites = 'site rules'\n"
        f"[identity]\nby = {by}\ncites = 'site rules'\n{persons}"
    )
    return path


def _mapping(folder: Path, persons: str = ANNA + SAM, by: str = "['name']") -> IdentityMapping:
    return named_policy(str(_site(folder, persons, by))).identity


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Return a desk in the office."""
    return Desk(office, tmp_path)


def _credentials(desk: Desk, who: str | Entity) -> Credentials:
    if isinstance(who, str):
        return desk.office.credentials(who)
    key, certificate = desk.folder / "x.key", desk.folder / "x.pem"
    key.write_bytes(who.key_pem())
    certificate.write_bytes(who.pem)
    return Credentials(key=f"file:{key}", certificates=(certificate,), secrets=no_secrets)


def _approve(
    desk: Desk,
    who: str | Entity,
    mapping: IdentityMapping | None,
    *,
    observer: str = "Weber^Sam",
    source: Path | None = None,
    code: Code | None = None,
) -> SigningResult:
    return approve_file(
        source or desk.office.authored,
        desk.output,
        observer=observer,
        organization="Klinikum",
        mode=ApprovalMode.REISSUE,
        credentials=_credentials(desk, who),
        ports=PORTS,
        observer_code=code,
        **({} if mapping is None else {"identity": mapping}),
    )


def _where(desk: Desk, *arguments: object, **options: object) -> str | None:
    """Return the attribute that stands against an approval, after which nothing was written."""
    with pytest.raises(LifecycleError) as caught:
        _approve(desk, *arguments, **options)  # type: ignore[arg-type]
    assert not desk.output.exists()
    return caught.value.where


def test_two_persons_of_the_mapping(desk: Desk) -> None:
    """What is approved under a mapping passes a check under the same one."""
    _approve(desk, "supervisor", _mapping(desk.folder))
    options = replace(desk.options(), policy=str(desk.folder / "site.toml"))
    assert check_file(desk.output, options).indication is Indication.PASSED


@pytest.mark.parametrize("account", ACCOUNTS)
def test_another_certificate_is_no_second_person(desk: Desk, account: str) -> None:
    """The author does not approve with a second account, a renewed certificate or a new name."""
    mapping, who = _mapping(desk.folder), ACCOUNTS[account]
    assert _where(desk, who, mapping, observer="Huber^Anna") == "(0400,0115)"
    assert _where(desk, who, mapping, observer="Weber^Sam") == "(0400,0115)"


def test_only_the_mapping_knows_the_second_account(desk: Desk) -> None:
    """Without a mapping nothing tells that the two are one; so the refusals above are its own."""
    assert _approve(desk, ACCOUNTS["second account"], None).output == desk.output


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_author_who_did_not_sign_is_no_second_person(desk: Desk, account: str) -> None:
    """Whom the report names as an author does not approve it, under any of the names."""
    mapping, draft = _mapping(desk.folder), desk.office.draft
    where = _where(desk, ACCOUNTS[account], mapping, observer="Huber^Anna", source=draft)
    assert where == "(0040,A078)"


def test_an_author_for_whom_somebody_signed_is_no_second_person(desk: Desk) -> None:
    """Neither does the named author where somebody else signed as such."""
    signed = desk.signed(desk.office.draft, P.AUTHOR, "archive")
    where = _where(
        desk, ACCOUNTS["married"], _mapping(desk.folder), observer="Huber^Anna", source=signed
    )
    assert where == "(0040,A078)"


@pytest.mark.parametrize(
    ("persons", "by", "observer"),
    [
        (ANNA + SAM, "['name']", "Huber^Eva"),
        (ANNA + SAM + EVA, "['name']", "Huber^Eva"),
        (ANNA, "['name']", "Weber^Sam"),
        (ANNA + SAM.replace("Sam Weber", "Sam Huber"), "['name']", "Weber^Sam"),
        ("", "['serialnumber']", "Weber^Sam"),
        ("", "['email', 'uid']", "Weber^Sam"),
    ],
    ids=["nobody", "another", "not listed", "other holder", "no code", "no mail"],
)
def test_the_observer_has_to_be_who_signs(desk: Desk, persons: str, by: str, observer: str) -> None:
    """A name for which the mapping has another certificate, or none, is not approved under."""
    mapping = _mapping(desk.folder, persons, by)
    assert _where(desk, "supervisor", mapping, observer=observer) == "(0040,A073)"


@pytest.mark.parametrize(("value", "where"), [("4711", None), ("4712", "(0040,A073)")])
def test_a_code_identifies_the_observer(desk: Desk, value: str, where: str | None) -> None:
    """Where the number in the certificate decides, the observer's code has to be that number."""
    mapping = _mapping(desk.folder, "", "['serialnumber']")
    code = Code(value, "99STAFF", "Sam Weber")
    if where is None:
        assert _approve(desk, CODED, mapping, code=code).output == desk.output
    else:
        assert _where(desk, CODED, mapping, code=code) == where


@pytest.mark.parametrize(
    ("source", "purpose", "who", "where"),
    [
        ("draft", P.AUTHOR, "supervisor", "(0040,A078)"),
        ("draft", P.AUTHOR, "archive", "(0040,A078)"),
        ("authored", P.VALIDATION, "second account", "(0400,0115)"),
        ("report", P.VALIDATION, "married", "(0400,0115)"),
        ("draft", P.VALIDATION, "married", "(0040,A078)"),
    ],
)
def test_the_mapping_counts_for_every_signature(
    desk: Desk, source: str, purpose: P, who: str, where: str
) -> None:
    """The author signature is by whom the report names; validation is by another person."""
    with pytest.raises(LifecycleError) as caught:
        sign_file(
            getattr(desk.office, source),
            desk.output,
            purpose=purpose,
            credentials=_credentials(desk, ACCOUNTS.get(who, who)),
            ports=PORTS,
            identity=_mapping(desk.folder),
        )
    assert (caught.value.where, desk.output.exists()) == (where, False)


def test_a_report_of_an_approver_is_not_signed_by_the_alias(desk: Desk) -> None:
    """Who approved does not sign as author afterwards, under another certificate."""
    persons = ANNA + SAM.replace('"*CN=Sam Weber,*"', '"*CN=Sam Weber,*", "*serialNumber=4711*"')
    with pytest.raises(LifecycleError) as caught:
        sign_file(
            desk.office.report,
            desk.output,
            purpose=P.ADDENDUM,
            credentials=_credentials(desk, CODED),
            ports=PORTS,
            identity=_mapping(desk.folder, persons),
        )
    assert caught.value.where == "(0400,0115)"


@pytest.mark.parametrize("purposes", ["['1']", "['13', '14']"])
def test_nobody_signs_beyond_the_role(desk: Desk, purposes: str) -> None:
    """Somebody whom the site does not let approve does not; what is allowed works."""
    sam = SAM + f"purposes = {purposes}\n"
    assert _where(desk, "supervisor", _mapping(desk.folder, ANNA + sam)) == "(0400,0401)"
    allowed = SAM + "purposes = ['5']\n"
    assert _approve(desk, "supervisor", _mapping(desk.folder, ANNA + allowed)).output


def test_roles_hold_for_images_and_seals(desk: Desk) -> None:
    """A person without the purpose source signs neither an image nor a seal."""
    mapping = _mapping(desk.folder, ANNA + "purposes = ['1']\n")
    image = next(desk.office.images.iterdir())
    with pytest.raises(LifecycleError):
        sign_file(
            image,
            desk.output,
            purpose=P.SOURCE,
            credentials=_credentials(desk, "author"),
            ports=PORTS,
            identity=mapping,
        )
    options = replace(desk.options(), policy=str(desk.folder / "site.toml"))
    with pytest.raises(LifecycleError):
        seal(
            desk.office.images,
            desk.output,
            credentials=_credentials(desk, "author"),
            ports=PORTS,
            securing=Securing(check=options),
        )
    assert not desk.output.exists()


def test_a_mapping_does_not_help_an_altered_report(desk: Desk) -> None:
    """Who is who changes nothing of what else is refused."""
    altered = desk.forged(set_value(0x00100020, to="OTHER"), of="authored")
    where = _where(desk, "supervisor", _mapping(desk.folder), source=altered)
    assert where == "(FFFA,FFFA)"


def _command(desk: Desk, *options: object, who: str = "supervisor") -> int:
    return srsign(
        *("approve", desk.office.authored, "--organization", "Klinikum", "-o", desk.output),
        *desk.office.signer(who),
        *options,
    ).code


@pytest.mark.parametrize(
    ("observer", "policy", "code"),
    [
        ("Weber^Sam", "site.toml", 0),
        ("Huber^Eva", "site.toml", 1),
        ("Huber^Eva", "standard", 0),
        ("Weber^Sam", "nonsense", 2),
        ("Weber^Sam", "absent.toml", 1),
    ],
)
def test_the_policy_on_the_command_line(desk: Desk, observer: str, policy: str, code: int) -> None:
    """--policy takes an id or a file; its mapping is used, and one that is not there stops."""
    _site(desk.folder)
    named = desk.folder / policy if policy.endswith(".toml") else policy
    assert _command(desk, "--observer", observer, "--policy", named) == code
    assert desk.output.exists() == (code == 0)


@pytest.mark.parametrize("code", ["4711", "4711^99STAFF", "^99STAFF^Sam", "4711^^Sam"])
def test_a_code_has_three_parts(desk: Desk, code: str) -> None:
    """An identification code is value, scheme and meaning, or a usage error."""
    assert _command(desk, "--observer", "Weber^Sam", "--observer-code", code) == 2
    assert not desk.output.exists()


def test_the_policy_of_the_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting trust.policy counts for approving, signing stacks and checking."""
    monkeypatch.setenv("SRSIGN_TRUST__POLICY", str(_site(desk.folder)))
    current_settings.cache_clear()
    try:
        draft, authored, signer = desk.office.draft, desk.office.authored, desk.office.signer
        assert _command(desk, "--observer", "Huber^Eva") == 1
        stack = ("sign", draft, authored, "--yes", *signer("supervisor"), "-o", desk.folder / "s")
        assert srsign(*stack, "--purpose", "author").code == 1
        assert not list((desk.folder / "s").iterdir())
        assert srsign("check", authored, *desk.office.trust, "--json").json["policy"] == "site"
        assert _command(desk, "--observer", "Huber^Eva", "--policy", "standard") == 0
    finally:
        monkeypatch.undo()
        current_settings.cache_clear()
