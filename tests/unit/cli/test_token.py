"""``srsign token`` over a SoftHSM token, whose PIN is in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.demonstration.softhsm import make_demo_token
from tests.support.canary import PASSPHRASE_CANARY
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.pki import demo_pki, issue
from tests.support.token import PIN, SoftHSM

pytestmark = pytest.mark.peer
pytest.importorskip("pkcs11")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftHSM:
    """Return an empty token with its PIN in a file beside it."""
    token = SoftHSM.create(tmp_path_factory.mktemp("token"))
    (token.folder / "pin").write_text(PIN + "\n", encoding="utf-8")
    (token.folder / "wrong").write_text("0000\n", encoding="utf-8")
    return token


@pytest.fixture(scope="module")
def author(token: SoftHSM, office: Office) -> str:
    """Return the URI of the author's key, imported on the command line."""
    ended = srsign(
        *("token", "import", token.uri("object=author"), *office.signer("author")),
        *("--pin-file", token.folder / "pin", "--json"),
    )
    assert ended.code == 0, ended.err
    uri = ended.json["uri"]
    assert isinstance(uri, str)
    return uri


def _pin(token: SoftHSM, name: str = "pin") -> tuple[object, ...]:
    return "--pin-file", token.folder / name


def test_an_imported_key_signs_a_report(
    token: SoftHSM, author: str, office: Office, tmp_path: Path
) -> None:
    """The printed URI is enough to sign, certificate included, and the report passes."""
    out = tmp_path / "out.dcm"
    ended = srsign("sign", office.draft, "--purpose", "1", "--key", author, *_pin(token), "-o", out)
    assert ended.code == 0, ended.err
    assert srsign("check", out, *office.trust).code == 0


def test_a_key_that_works(token: SoftHSM, author: str) -> None:
    """Each step of the round trip is named."""
    ended = srsign("token", "test", "--key", author, *_pin(token), "--json")
    assert ended.code == 0, ended.err
    names = [step["name"] for step in ended.json["steps"]]
    assert names == ["token", "certificate", "signature", "document"]


def test_a_file_key_can_be_tried_too(office: Office) -> None:
    """The same round trip tells whether a key file works."""
    ended = srsign("token", "test", *office.signer("author"), "--json")
    assert [s["name"] for s in ended.json["steps"]] == ["certificate", "signature", "document"]


BROKEN = {
    "no such token": ("token=srsign", "token=other", "pin", 20, []),
    "no such module": ("libsofthsm2.so", "absent.so", "pin", 2, []),
    "wrong PIN": ("", "", "wrong", 21, ["token", "certificate"]),
    "no such key": ("id=", "id=%09", "pin", 1, ["token"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_step_that_fails_is_told(token: SoftHSM, author: str, name: str) -> None:
    """What worked is listed, and the exit code says what kind of trouble the next step had."""
    old, new, pin, code, steps = BROKEN[name]
    ended = srsign("token", "test", "--key", author.replace(old, new), *_pin(token, pin), "--json")
    assert ended.code == code, ended.err
    assert [step["name"] for step in ended.json["steps"]] == steps


def test_an_elliptic_curve_key(token: SoftHSM, office: Office, tmp_path: Path) -> None:
    """An EC key signs a report only under the profile that lists it."""
    entity = issue(demo_pki().issuing, key_kind="p256", slot="ec")
    key, cert = tmp_path / "ec.key", tmp_path / "ec.pem"
    key.write_bytes(entity.key_pem(PASSPHRASE_CANARY.encode()))
    cert.write_bytes(entity.pem)
    (tmp_path / "passphrase").write_text(PASSPHRASE_CANARY + "\n")
    uri = srsign(
        *("token", "import", token.uri(), "--key", f"file:{key}", "--cert", cert, *_pin(token)),
        *("--passphrase-file", tmp_path / "passphrase", "--json"),
    ).json["uri"]
    assert srsign("token", "test", "--key", uri, *_pin(token)).code == 0
    arguments = ("sign", office.draft, "--purpose", "1", "--key", uri, *_pin(token))
    refused = srsign(*arguments, "-o", tmp_path / "no.dcm")
    assert (refused.code, (tmp_path / "no.dcm").exists()) == (1, False)
    assert srsign(*arguments, "--profile", "site-ec", "-o", tmp_path / "yes.dcm").code == 0
    verdict = srsign("check", tmp_path / "yes.dcm", *office.trust, "--json").json
    assert "KEY_OUTSIDE_PROFILE" in {item["code"] for item in verdict["limitations"]}


REFUSED = {
    "nothing": ([], 2),
    "another's certificate": (["--cert", "supervisor"], 1),
    "no token": (["--cert", "author"], 20),
    "wrong PIN": (["--cert", "author"], 21),
    "twice": (["--cert", "author"], 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_import_that_is_refused(token: SoftHSM, author: str, office: Office, name: str) -> None:
    """What cannot be imported leaves the token as it was."""
    cert, code = REFUSED[name]
    pki = office.pki
    where = {"no token": token.uri().replace("srsign", "other"), "twice": author}
    files = [str(pki.certificate(entry)) if entry != "--cert" else entry for entry in cert]
    ended = srsign(
        *("token", "import", where.get(name, token.uri("id=%44")), *files),
        *(("--key", pki.key_uri("author")) if files else ()),
        *_pin(token, "wrong" if name == "wrong PIN" else "pin"),
    )
    assert (ended.code, ended.out) == (code, "")
    assert srsign("token", "test", "--key", author, *_pin(token)).code == 0
    assert srsign("token", "test", "--key", token.uri("id=%44"), *_pin(token)).code == 1


def test_a_key_does_not_leave_a_token(token: SoftHSM, author: str, tmp_path: Path) -> None:
    """A key on a token is not imported anywhere."""
    pki = demo_pki()
    for name in ("author.key", "author.pem"):
        data = pki.author.key_pem() if name.endswith("key") else pki.author.pem
        (tmp_path / name).write_bytes(data)
    other = make_demo_token(tmp_path / "token", tmp_path, ["author"])["author"]
    ended = srsign("token", "import", author, "--key", other, *_pin(token))
    assert ended.code == 1
