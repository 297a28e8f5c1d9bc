"""Planted strings: patient, text, PIN and passphrase are shown to nobody, also when work fails."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from sr.errors import SignerUnavailableError
from sr.keys.process import BOOT, TokenProcess
from tests.support.canary import (
    PASSPHRASE_CANARY,
    PATIENT_CANARY,
    PIN_CANARY,
    TEXT_CANARY,
    is_asked_to_show,
    leaks,
)
from tests.support.console import srsign
from tests.support.office import Office
from tests.support.pki import demo_pki
from tests.support.token import SoftHSM

_REPORT = f"""
class = "basic-text"
title = "CTChestReport"
language = "de"
completion = "COMPLETE"

[observer]
name = "Meier^Anna"
organization = "Klinikum"

[[section]]
heading = "Findings"

[[section.item]]
text = "{TEXT_CANARY}"
"""


class Plant:
    """A folder in which everything that must not be shown is planted."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.folder, self.office = folder, office
        (folder / "images").mkdir()
        image = pydicom.dcmread(office.images / "ct-1.dcm")
        image.PatientName = PATIENT_CANARY
        image.PatientID = PASSPHRASE_CANARY
        image.save_as(folder / "images" / "ct.dcm")
        self.write("report.toml", _REPORT)
        self.write("broken.toml", _REPORT.replace("text =", "txet ="))
        self.write("no.toml", _REPORT.replace("[observer]", "[observer"))
        self.write("passphrase", PASSPHRASE_CANARY + "\n")
        self.write("pin", PIN_CANARY + "\n")
        self.write("wrong", PIN_CANARY + PASSPHRASE_CANARY + "\n")
        author = demo_pki().author
        (folder / "a.key").write_bytes(author.key_pem(PASSPHRASE_CANARY.encode()))
        (folder / "a.pem").write_bytes(author.pem)

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def make(self) -> None:
        """Make a draft, a signed report, and both kinds of damage."""
        assert self.run("create") == 0
        assert self.run("sign") == 0
        data = (self.folder / "signed.dcm").read_bytes()
        (self.folder / "altered.dcm").write_bytes(
            data.replace(TEXT_CANARY.encode(), TEXT_CANARY.swapcase().encode())
        )
        (self.folder / "cut.dcm").write_bytes(data[:-99])
        (self.folder / "wild.dcm").write_bytes(data.replace(b"PN", b"ZZ", 3))

    def run(self, name: str, *options: str) -> int:
        """Run a command by its name in the table; the console looks for leaks."""
        arguments = [part.format(f=self.folder) for part in _COMMANDS[name].split(" ")]
        return srsign(*arguments, *options).code


_KEY = "--key file:{f}/a.key --cert {f}/a.pem --pin-file {f}/passphrase"
_WRONG = _KEY.replace("/passphrase", "/wrong")
_COMMANDS = {
    "create": "create {f}/report.toml --evidence {f}/images -o {f}/draft.dcm",
    "create broken": "create {f}/broken.toml --evidence {f}/images -o {f}/x.dcm",
    "create no TOML": "create {f}/no.toml --evidence {f}/images -o {f}/x.dcm",
    "sign": f"sign {{f}}/draft.dcm --purpose author {_KEY} -o {{f}}/signed.dcm",
    "sign wrong": f"sign {{f}}/draft.dcm --purpose author {_WRONG} -o {{f}}/x.dcm",
    "sign verified": f"sign {{f}}/draft.dcm --purpose verification {_KEY} -o {{f}}/x.dcm",
    "sign cut": f"sign {{f}}/cut.dcm --purpose author {_KEY} -o {{f}}/x.dcm",
    "sign wild": f"sign {{f}}/wild.dcm --purpose author {_KEY} -o {{f}}/x.dcm",
    "sign stack": f"sign {{f}}/draft.dcm {{f}}/cut.dcm --yes --purpose 1 {_KEY} -o {{f}}/stack",
    "sign secret": "sign {f}/draft.dcm --purpose 1 --key pkcs11:pin-value=" + PIN_CANARY,
    "approve": "approve {f}/signed.dcm --observer Meier^Anna --organization X "
    + _KEY + " -o {f}/x.dcm",
    "check": "check {f}/signed.dcm --trust-anchor {f}/a.pem",
    "check evidence": "check {f}/signed.dcm --trust-anchor {f}/a.pem --evidence {f}/images",
    "check draft": "check {f}/draft.dcm",
    "check altered": "check {f}/altered.dcm",
    "check cut": "check {f}/cut.dcm",
    "check wild": "check {f}/wild.dcm",
    "check folder": "check {f}",
    "compute": "mac compute {f}/images",
    "key file": f"token test {_KEY}",
    "key file wrong": f"token test {_WRONG}",
}  # fmt: skip


@pytest.fixture(scope="module")
def plant(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Return the folder."""
    planted = Plant(office, tmp_path_factory.mktemp("canary"))
    planted.make()
    return planted


@pytest.mark.parametrize("option", ["-v", "--json"])
@pytest.mark.parametrize("name", _COMMANDS)
def test_nothing_planted_is_shown(
    plant: Plant, name: str, option: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither output nor log of a command holds a planted string, whether it works or not."""
    caplog.set_level(logging.DEBUG)
    plant.run(name, option)
    assert not leaks(caplog.text)


def test_the_search_finds_what_is_shown(plant: Plant) -> None:
    """Where content is asked for it is there, so the search would have found it."""
    arguments = ("inspect", plant.folder / "signed.dcm")
    assert is_asked_to_show(arguments)
    assert leaks(srsign(*arguments).out)
    assert leaks(f'"{PATIENT_CANARY!a}"')


@pytest.mark.peer
@pytest.mark.parametrize("secret", ["pin", "wrong", "absent"])
def test_a_token_keeps_its_pin(plant: Plant, tmp_path: Path, secret: str) -> None:
    """Listing, importing and trying a key show no PIN, right or wrong."""
    pytest.importorskip("pkcs11")
    token = SoftHSM.create(tmp_path, pin=PIN_CANARY)
    pin = ("--pin-file", plant.folder / secret)
    key = ("--key", f"file:{plant.folder / 'a.key'}", "--cert", plant.folder / "a.pem")
    passphrase = ("--passphrase-file", plant.folder / "passphrase")
    for option in ("-v", "--json"):
        srsign("token", "import", token.uri("object=a"), *key, *passphrase, *pin, option)
        srsign("token", "test", "--key", token.uri("object=a"), *pin, option)


def test_a_dying_worker_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that aborts with a PIN in its memory writes no core file and tells nobody."""
    pytest.importorskip("pkcs11")
    monkeypatch.chdir(tmp_path)
    boot = BOOT.replace(
        "serve()",
        "import sr.keys.worker as w, os; w._OPERATIONS['sign'] = lambda *_: os.abort(); serve()",
    )
    worker = TokenProcess(boot=boot)
    with pytest.raises(SignerUnavailableError) as caught:
        worker.call(
            {"operation": "sign", "uri": "pkcs11:?module-path=/no.so", "pin": PIN_CANARY},
            environment={},
        )
    assert not leaks(repr(caught.value), str(caught.value.hint))
    assert not list(tmp_path.iterdir())


def test_children_are_not_told_on_their_command_line() -> None:
    """While a key on a token signs, no command line or environment of ours holds a secret."""
    pytest.importorskip("pkcs11")
    seen: list[str] = []
    echo = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    worker = TokenProcess(boot=echo)

    worker.call({"pin": PIN_CANARY}, environment={})
    for pid in ("self", str(worker.pid)):
        for name in ("cmdline", "environ"):
            seen.append(Path(f"/proc/{pid}/{name}").read_text(errors="replace"))  # noqa: PERF401
    worker.close()
    assert len(seen) == 4
    assert not leaks(*seen)


_LIMITS = """
import ctypes, resource
from sr.keys.core_files import close_memory
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))
close_memory()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_worker_is_closed_to_others() -> None:
    """A process that keeps secrets may not be dumped, neither to a file nor to a crash handler."""
    run = subprocess.run(
        [sys.executable, "-c", _LIMITS], check=True, capture_output=True, text=True
    )
    assert run.stdout.split(") ") == ["(0, 0", "0\n"]
