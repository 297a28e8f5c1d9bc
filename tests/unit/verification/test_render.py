"""A verdict as text: what is told, what is told once, and what cannot be smuggled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sr.codes import Code, SignaturePurpose
from sr.findings import Finding, Indication, Limitation, LimitationCode, Status, SubIndication
from sr.trust import CertificateSummary
from sr.verification.facts import ReferenceFacts, ReferenceResult
from sr.verification.render import ICONS, printable, render_verdict
from sr.verification.verdict import Questions, ReferenceSummary, SignatureVerdict, Verdict

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SIGNER = CertificateSummary(
    subject="CN=Anna Meier,O=Klinikum,C=DE",
    issuer="CN=Issuing CA,O=Klinikum,C=DE",
    serial="1f",
    sha256="ab" * 32,
    not_before=AT,
    not_after=AT,
    der=b"",
)
SIGNATURE = SignatureVerdict(
    digital_signature_uid="2.25.1",
    location="",
    purpose=SignaturePurpose.AUTHOR.code,
    signer=SIGNER,
    claimed_at="20261120090000+0000",
    proven_at=None,
    mac_algorithm="SHA256",
    profile="structured-report",
    covers=(0x00080005, 0x00080016),
    indication=Indication.PASSED,
    sub_indication=None,
    findings=(),
)
VERDICT = Verdict(
    subject="report.dcm",
    sop_class_uid="1.2",
    sop_instance_uid="2.25.2",
    indication=Indication.PASSED,
    sub_indication=None,
    judged_at=AT,
    policy="standard",
    questions=Questions(unchanged="yes", signer="x", time="x", complete="yes: all match"),
    signatures=(SIGNATURE,),
    findings=(),
    limitations=(),
    uncovered=(),
)
LIMITATION = Limitation(code=LimitationCode.TIME_CLAIMED_ONLY, message="only claimed")


def _finding(status: Status = Status.FAIL, **changes: object) -> Finding:
    made = Finding(rule="RULE_A", status=status, message="the message", cites="PS3.15 C.4")
    return replace(made, **changes)  # type: ignore[arg-type]


def _lines(width: int = 100, **changes: object) -> tuple[str, ...]:
    return render_verdict(replace(VERDICT, **changes), width=width)  # type: ignore[arg-type]


def _text(**changes: object) -> str:
    return "\n".join(_lines(**changes))


@pytest.mark.parametrize("indication", Indication)
def test_the_headline_has_the_word(indication: Indication) -> None:
    """The first line has sign, word and subject, whatever the indication."""
    line = _lines(indication=indication)[0]
    assert line == f"{ICONS[indication]} {indication.value} · report.dcm"


def test_limitations_are_in_the_headline() -> None:
    """A PASSED with limitations never looks like one without."""
    assert _lines(limitations=(LIMITATION,))[0].startswith("✔ PASSED, with limitations")


def test_the_sub_indication_is_in_the_headline() -> None:
    """The reason follows the word."""
    line = _lines(indication=Indication.FAILED, sub_indication=SubIndication.HASH_FAILURE)[0]
    assert "FAILED / HASH_FAILURE" in line


def test_every_signature_is_shown() -> None:
    """Purpose, whole name, time, profile and reach of each signature are told."""
    other = replace(SIGNATURE, purpose=SignaturePurpose.SOURCE.code, location="(0040,A730)[1]")
    text = _text(signatures=(SIGNATURE, other))
    assert "signature 1: Author's Signature (1) · ✔ PASSED" in text
    assert "signature 2 at (0040,A730)[1]: Source Signature (14)" in text
    assert text.count(SIGNER.subject) == 2
    assert "2 elements, SHA256, profile structured-report" in text


@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN])
def test_what_matters_is_shown(status: Status) -> None:
    """Failures and warnings appear with rule, place and clause."""
    text = _text(findings=(_finding(status, where="(0040,A493)"),))
    assert all(word in text for word in ("RULE_A", "(0040,A493)", "PS3.15 C.4"))


@pytest.mark.parametrize("status", [Status.PASS, Status.NOTICE, Status.NOT_APPLICABLE])
def test_what_does_not_matter_is_not_shown(status: Status) -> None:
    """What passed, was noticed or does not apply is left to the JSON."""
    assert "RULE_A" not in _text(findings=(_finding(status),))


def test_failures_come_before_warnings() -> None:
    """The order of the findings is that of their weight."""
    text = _text(findings=(_finding(Status.WARN, rule="AAA"), _finding(rule="ZZZ")))
    assert text.index("ZZZ") < text.index("AAA")


def test_a_warning_that_is_a_limitation_is_told_once() -> None:
    """The same sentence does not stand under findings and limitations."""
    warning = _finding(Status.WARN, message="only claimed")
    assert _text(findings=(warning,), limitations=(LIMITATION,)).count("only claimed") == 1


def test_a_failure_is_never_left_out_for_a_limitation() -> None:
    """A failure stays, whatever the limitations say."""
    failure = _finding(message="only claimed")
    assert _text(findings=(failure,), limitations=(LIMITATION,)).count("only claimed") == 2


def test_long_lists_end_in_a_count() -> None:
    """Of many findings of one rule eight are shown, the others counted."""
    many = tuple(_finding(message=f"number {n}") for n in range(20))
    text = _text(findings=many)
    assert text.count("number ") == 8
    assert "… and 12 more" in text


def test_elements_that_are_not_covered_share_a_sentence() -> None:
    """What is said alike about several elements is said once, with their names."""
    tags = ("(0008,0012)", "(0008,0013)", "(0008,0018)")
    names = ("InstanceCreationDate", "InstanceCreationTime", "SOPInstanceUID")
    text = _text(
        limitations=tuple(
            Limitation(
                code=LimitationCode.INSTANCE_NOT_COVERED,
                message=f"{tag} {name} is not covered by a signature",
                where=tag,
            )
            for tag, name in zip(tags, names, strict=True)
        )
    )
    assert text.count("covered by") == 1
    assert all(f"{tag} {name}" in " ".join(text.split()) for tag, name in zip(tags, names))  # noqa: B905


def _references(*results: ReferenceResult, **more: object) -> ReferenceSummary:
    items = tuple(
        ReferenceFacts(where="x", sop_instance_uid=f"2.25.{n}", result=result, file=f"f{n}.dcm")
        for n, result in enumerate(results)
    )
    return ReferenceSummary(total=len(items), items=items, **more)  # type: ignore[arg-type]


def test_instances_that_differ_are_named() -> None:
    """Altered, missing and unexpected instances are listed by file, matching ones are not."""
    results = (ReferenceResult.MATCHED, ReferenceResult.ALTERED, ReferenceResult.MISSING)
    text = _text(references=_references(*results, unexpected=("extra.dcm",)))
    assert "f0.dcm" not in text
    assert all(name in text for name in ("f1.dcm", "f2.dcm", "extra.dcm"))


def test_matching_references_are_not_listed() -> None:
    """Where everything matches the fourth question says it, and no list follows."""
    assert "references" not in _text(references=_references(ReferenceResult.MATCHED))


def test_unsecured_references_are_counted() -> None:
    """References without proof are told even where everything else matches."""
    summary = _references(ReferenceResult.MATCHED, unsecured=1)
    assert "1 of 1 carry no proof" in _text(references=summary)


def test_the_purpose_is_what_the_code_says() -> None:
    """The meaning in the file does not decide: code 1 is the author, whatever it calls itself."""
    lying = Code("1", "ASTM-sigpurpose", "Verification Signature")
    text = _text(signatures=(replace(SIGNATURE, purpose=lying),))
    assert "Verification Signature" not in text


def test_an_unknown_purpose_is_quoted() -> None:
    """A purpose of another scheme is shown as a quotation."""
    foreign = Code("1", "99LOCAL", "Author's Signature")
    assert "unknown purpose" in _text(signatures=(replace(SIGNATURE, purpose=foreign),))


def test_an_unconfirmed_signer_is_marked() -> None:
    """A name that nothing confirms does not stand there as if it were known."""
    doubtful = replace(SIGNATURE, indication=Indication.INDETERMINATE)
    assert "Anna Meier (not confirmed)" in _text(signatures=(doubtful,))


def test_an_unreadable_time_is_quoted() -> None:
    """A claimed time that is none is shown as it is stored."""
    text = _text(signatures=(replace(SIGNATURE, claimed_at="yesterday"),))
    assert "unreadable: 'yesterday'" in text


HOSTILE = "x\x1b[2J\r✔ PASSED\n✔ PASSED\u202e\u2066\x9b"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": HOSTILE},
        {"signatures": (replace(SIGNATURE, claimed_at=HOSTILE),)},
        {"signatures": (replace(SIGNATURE, mac_algorithm=HOSTILE),)},
        {"signatures": (replace(SIGNATURE, location=HOSTILE),)},
        {"signatures": (replace(SIGNATURE, purpose=Code(HOSTILE, HOSTILE, HOSTILE)),)},
        {"signatures": (replace(SIGNATURE, signer=replace(SIGNER, subject=HOSTILE)),)},
        {"findings": (_finding(message=HOSTILE, where=HOSTILE),)},
        {"limitations": (replace(LIMITATION, message=HOSTILE),)},
        {"references": _references(ReferenceResult.ALTERED, unexpected=(HOSTILE,))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_line_can_be_forged(changes: dict[str, object]) -> None:
    """Text from a file makes no line of its own and steers no terminal."""
    verdict = {"indication": Indication.FAILED, **changes}
    lines = _lines(**verdict)  # type: ignore[arg-type]
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines[1:] if line.startswith("✔ PASSED")]
    assert lines[0].startswith("✘ FAILED")


@pytest.mark.parametrize("width", [10, 60, 80, 100, 200])
def test_lines_keep_the_width(width: int) -> None:
    """Long sentences are folded at the width, though never below sixty columns."""
    finding = _finding(message="word " * 100)
    assert all(len(line) <= max(width, 60) for line in _lines(width, findings=(finding,))[1:])


@pytest.mark.parametrize("text", ["", "Größe ≥ 20 mm", "日本語", "a  b"])
def test_ordinary_text_stays(text: str) -> None:
    """What people write is shown as they wrote it."""
    assert printable(text) == text
