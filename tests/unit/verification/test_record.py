"""What was remembered: a certificate exchanged, a signature removed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from sr.dicomfile import BytesSource, read
from sr.findings import Indication, Status, SubIndication
from sr.trust import load_policy
from sr.verification import Verdict, gather, judge
from sr.verification.record import RecordedSignature
from tests.support.forge import CERTIFICATE, Node, at, edited, remove, signature_item
from tests.support.pki import NOW, demo_pki, issue
from tests.support.signed import approved_report, author_report, material

V, S = Indication, SubIndication
PKI = demo_pki()
RENAMED = issue(PKI.issuing, "Anna Huber", slot="author")
"""Another certificate for the author's key."""


@cache
def _renamed() -> bytes:
    def exchange(nodes: list[Node]) -> None:
        value = RENAMED.der + b"\0" * (len(RENAMED.der) % 2)
        at(signature_item(nodes), CERTIFICATE).value = value

    return edited(approved_report(), exchange)


def _stripped(nodes: list[Node]) -> None:
    for tag in (0x4FFE0001, 0xFFFAFFFA):
        items = at(nodes, tag).items
        assert items is not None
        items.pop()


def _judged(
    data: bytes, record: tuple[RecordedSignature, ...] | None = None, policy: str = "standard"
) -> Verdict:
    return judge(
        gather(read(BytesSource(data))),
        subject="x.dcm",
        policy=load_policy(policy),
        material=material(),
        judged_at=NOW,
        record=record,
    )


@cache
def _record(data: bytes) -> tuple[RecordedSignature, ...]:
    verdict = _judged(data)
    return tuple(
        RecordedSignature(
            sop_instance_uid=verdict.sop_instance_uid,
            digital_signature_uid=each.digital_signature_uid,
            certificate=each.signer.sha256,
        )
        for each in verdict.signatures
        if each.signer is not None
    )


def _rules(verdict: Verdict, status: Status) -> set[str]:
    of_signatures = (f for s in verdict.signatures for f in s.findings)
    return {f.rule for f in (*verdict.findings, *of_signatures) if f.status is status}


def test_a_name_exchanged_passes_where_nobody_remembers() -> None:
    """Another certificate for the same key verifies; without a record that much is said."""
    verdict = _judged(_renamed())
    assert verdict.indication is V.PASSED
    assert "CERT_NOT_RECORDED" in _rules(verdict, Status.NOTICE)
    assert verdict.signatures[0].signer is not None
    assert "Anna Huber" in verdict.signatures[0].signer.subject


@pytest.mark.parametrize("policy", ["standard", "strict", "interop", "demo"])
def test_a_record_tells_that_a_name_was_exchanged(policy: str) -> None:
    """With a record of the document, an exchanged certificate is not PASSED in any policy."""
    verdict = _judged(_renamed(), _record(approved_report()), policy)
    assert (verdict.indication, verdict.sub_indication) == (
        V.INDETERMINATE,
        S.SIG_CONSTRAINTS_FAILURE,
    )
    assert _rules(verdict, Status.FAIL) == {"CERT_RECORD"}
    assert verdict.signatures[0].indication is V.INDETERMINATE
    assert verdict.signatures[1].indication is V.PASSED


def test_what_is_on_record_passes() -> None:
    """The same document with its record passes, and the rule says so."""
    verdict = _judged(approved_report(), _record(approved_report()))
    assert verdict.indication is V.PASSED
    assert "CERT_RECORD" in _rules(verdict, Status.PASS)
    assert not _rules(verdict, Status.NOTICE) & {"CERT_NOT_RECORDED"}


def test_a_record_of_something_else_says_nothing() -> None:
    """A record without the document's signatures neither confirms nor contradicts."""
    other = tuple(
        replace(each, sop_instance_uid="2.25.1", digital_signature_uid="2.25.2")
        for each in _record(approved_report())
    )
    verdict = _judged(_renamed(), other)
    assert verdict.indication is V.PASSED
    assert "CERT_NOT_RECORDED" in _rules(verdict, Status.NOTICE)


def test_two_records_that_differ_confirm_nothing() -> None:
    """Where kept verdicts contradict each other, neither certificate is confirmed."""
    both = (*_record(approved_report()), *_record(_renamed()))
    assert _rules(_judged(approved_report(), both), Status.FAIL) == {"CERT_RECORD"}


def test_a_signature_removed_is_on_record() -> None:
    """A document from which a signature was taken is not PASSED where somebody remembers it."""
    data = edited(approved_report(), _stripped)
    verdict = _judged(data, _record(approved_report()))
    assert "SIGNATURE_STRIPPED" in _rules(verdict, Status.FAIL)
    assert "SIGNATURE_STRIPPED" not in _rules(_judged(data), Status.FAIL)


def test_a_document_without_any_signature_left_is_not_signed() -> None:
    """Stripped of all signatures it is NOT_SIGNED; the record says which ones there were."""
    data = edited(author_report(), lambda nodes: remove(nodes, 0x4FFE0001, 0xFFFAFFFA))
    verdict = _judged(data, _record(author_report()))
    assert verdict.indication is V.NOT_SIGNED
    assert "SIGNATURE_STRIPPED" in _rules(verdict, Status.FAIL)


def test_another_instance_with_fewer_signatures_was_not_stripped() -> None:
    """The record of one instance demands nothing of another one."""
    verdict = _judged(author_report(), _record(approved_report()))
    assert "SIGNATURE_STRIPPED" not in _rules(verdict, Status.FAIL)
