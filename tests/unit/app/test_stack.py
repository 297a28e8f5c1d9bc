"""Stacks of documents: what is confirmed is signed, and one entry of the PIN reaches so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials
from sr.app.signatures.stack import Signed, StackDocument, sign_stack
from sr.codes import SignaturePurpose
from sr.errors import (
    ConfigurationError,
    PINError,
    ProfileFormatError,
    ProfileViolationError,
    UnknownProfileError,
)
from sr.signature.signing_policy import (
    SigningPolicy,
    load_signing_policy,
    parse_signing_policy,
    signing_policy_ids,
)
from tests.support.canary import PASSPHRASE_CANARY as PASSPHRASE
from tests.support.datasets import ct_files, uid_source
from tests.support.pki import NOW, demo_pki
from tests.support.signed import author_report, plain_report

STANDARD = load_signing_policy("standard")


class Desk:
    """An author with an encrypted key, a clock, and a count of the prompts."""

    def __init__(self, folder: Path) -> None:
        author = demo_pki().author
        self.folder, self.prompts, self.time = folder, 0, NOW
        self.answers = [PASSPHRASE]
        (folder / "a.key").write_bytes(author.key_pem(PASSPHRASE.encode()))
        (folder / "a.pem").write_bytes(author.pem)

    def _ask(self, _prompt: str) -> str:
        self.prompts += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def files(self, number: int) -> list[Path]:
        """Return that many reports."""
        paths = [self.folder / f"{n}.dcm" for n in range(number)]
        for n, path in enumerate(paths, 1):
            path.write_bytes(plain_report(n))
        return paths

    def sign(
        self,
        sources: Sequence[Path],
        *,
        policy: SigningPolicy = STANDARD,
        confirm: Callable[[StackDocument], bool] = lambda _: True,
        out: str = "out",
        minutes: int = 0,
    ) -> list[Signed]:
        """Sign a stack while the clock goes on by so many minutes a document."""

        def confirmed(document: StackDocument) -> bool:
            self.time += timedelta(minutes=minutes)
            return confirm(document)

        return list(
            sign_stack(
                sources,
                self.folder / out,
                purpose=SignaturePurpose.AUTHOR,
                credentials=Credentials(
                    key=f"file:{self.folder / 'a.key'}",
                    certificates=(self.folder / "a.pem",),
                    secrets=self._ask,
                ),
                ports=Ports(now=lambda: self.time, new_uid=uid_source(7)),
                policy=policy,
                confirm=confirmed,
            )
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk."""
    return Desk(tmp_path)


def test_a_stack_after_one_prompt(desk: Desk) -> None:
    """Three reports are signed after one passphrase, each under its own name."""
    made = desk.sign(desk.files(3))
    assert desk.prompts == 1
    outputs = [item.result.output for item in made if item.result is not None]
    assert outputs == [desk.folder / "out" / f"{n}.dcm" for n in range(3)]
    assert all(path is not None and path.is_file() for path in outputs)


def test_what_is_not_confirmed_is_not_signed(desk: Desk) -> None:
    """A document that the person leaves out appears nowhere."""
    made = desk.sign(desk.files(3), confirm=lambda document: document.source.name != "1.dcm")
    assert [item.result is not None for item in made] == [True, False, True]
    assert sorted(p.name for p in (desk.folder / "out").iterdir()) == ["0.dcm", "2.dcm"]


def test_nobody_is_asked_for_a_secret_that_is_not_needed(desk: Desk) -> None:
    """A stack of which nothing is confirmed asks for no passphrase."""
    desk.sign(desk.files(2), confirm=lambda _: False)
    assert desk.prompts == 0


def test_a_person_sees_whom_and_what_they_sign(desk: Desk) -> None:
    """Title and patient of each document are shown before it is confirmed."""
    shown: list[StackDocument] = []
    desk.sign(desk.files(1), confirm=lambda document: bool(shown.append(document)))
    assert shown[0].title
    assert shown[0].patient_name
    assert shown[0].patient_id


@pytest.mark.parametrize(
    ("documents", "minutes", "prompts"), [(1, 0, 4), (2, 0, 2), (3, 0, 2), (50, 6, 2), (50, 5, 2)]
)
def test_the_policy_limits_one_entry(
    desk: Desk, documents: int, minutes: int, prompts: int
) -> None:
    """After so many documents, or so many minutes, the passphrase is asked for again."""
    policy = replace(STANDARD, documents=documents, lifetime=timedelta(minutes=15))
    desk.sign(desk.files(4), policy=policy, minutes=minutes)
    assert desk.prompts == prompts


def test_a_document_that_cannot_be_signed_holds_up_no_other(desk: Desk) -> None:
    """Of three files the damaged and the altered one are reported, and the third is signed."""
    good, bad, locked = desk.files(3)
    bad.write_bytes(b"no DICOM")
    locked.write_bytes(author_report()[:-40] + bytes(40))
    made = {item.source: item for item in desk.sign([bad, good, locked])}
    assert made[good].result is not None
    assert made[bad].error is not None
    assert made[locked].error is not None
    assert [p.name for p in (desk.folder / "out").iterdir()] == [good.name]


def test_an_image_among_reports_is_signed_too(desk: Desk) -> None:
    """What has no title of its own is shown by its series."""
    image = desk.folder / "ct.dcm"
    image.write_bytes(ct_files(1)[0])
    assert all(item.result is not None for item in desk.sign([*desk.files(1), image]))


def test_a_wrong_pin_ends_the_stack(desk: Desk) -> None:
    """A wrong passphrase is not tried again with the next document."""
    desk.answers = ["wrong"]
    with pytest.raises(PINError):
        desk.sign(desk.files(3))
    assert desk.prompts == 1


def test_a_wrong_pin_at_the_limit_ends_the_stack(desk: Desk) -> None:
    """What was signed before stays; what comes after the wrong passphrase is not signed."""
    desk.answers = [PASSPHRASE, "wrong"]
    with pytest.raises(PINError):
        desk.sign(desk.files(3), policy=replace(STANDARD, documents=1))
    assert [p.name for p in (desk.folder / "out").iterdir()] == ["0.dcm"]


def test_files_of_one_name_are_refused(desk: Desk) -> None:
    """Two inputs that would become one output are refused before anything is signed."""
    (other := desk.folder / "other").mkdir()
    (other / "0.dcm").write_bytes(plain_report())
    with pytest.raises(ConfigurationError):
        desk.sign([*desk.files(1), other / "0.dcm"])
    assert desk.prompts == 0


@pytest.mark.parametrize("out", [".", "no/such", "a.pem"])
def test_a_folder_that_cannot_be_written_is_refused(desk: Desk, out: str) -> None:
    """The folder of the inputs, one without a parent and a file are no output."""
    with pytest.raises(ConfigurationError):
        desk.sign(desk.files(2), out=out)
    assert desk.prompts == 0


def test_a_rule_that_is_broken_is_reported(desk: Desk) -> None:
    """A document that may not be signed keeps its findings."""
    verified = desk.folder / "verified.dcm"
    data = plain_report().replace(b"UNVERIFIED", b"VERIFIED  ")
    verified.write_bytes(data)
    (made,) = desk.sign([verified])
    assert isinstance(made.error, ProfileViolationError)


def test_the_shipped_policies() -> None:
    """From standard to single, each reaches less far than the one before."""
    policies = [load_signing_policy(name) for name in ("standard", "supervised", "single")]
    assert set(signing_policy_ids()) == {policy.id for policy in policies}
    assert sorted(policies, key=lambda p: (-p.documents, -p.lifetime)) == policies
    assert [policy.unattended for policy in policies] == [True, False, False]
    assert policies[-1].documents == 1


BROKEN = {
    "no limit": ("documents = 50", "documents = 0"),
    "negative": ("minutes = 15", "minutes = -1"),
    "no number": ("minutes = 15", 'minutes = "15"'),
    "unknown key": ("documents = 50", "documents = 50\nseconds = 1"),
    "no citation": ('cites = "', 'comment = "'),
    "no confirmation": ("unattended = true", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_policy_that_is_none(repository: Path, name: str) -> None:
    """A limit that is missing, misspelt or absurd does not load."""
    text = (repository / "profiles" / "signing" / "standard.toml").read_text(encoding="utf-8")
    old, new = BROKEN[name]
    assert old in text
    with pytest.raises(ProfileFormatError):
        parse_signing_policy(text.replace(old, new), "broken.toml")


def test_a_policy_that_does_not_exist() -> None:
    """An id that nobody knows is refused."""
    with pytest.raises(UnknownProfileError):
        load_signing_policy("../trust/standard")
