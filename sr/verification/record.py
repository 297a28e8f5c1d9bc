"""What was remembered of a document, held against what is there now.

The certificate stands outside the MAC: another one for the same key verifies as well, and a
signature that is gone leaves no trace. Only a record tells: an earlier verdict on the document,
kept by those who signed or first received it.

Cites: PS3.3 C.12.1.1.3; PS3.15 C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sr.findings import Finding, Status, SubIndication
from sr.trust import TrustPolicy
from sr.verification.facts import DocumentFacts
from sr.verification.signature_rules import Judgement, weigh

__all__ = ["RecordedSignature", "held_against_record", "stripped_findings"]

_CITES = "PS3.3 C.12.1.1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSignature:
    """One signature as it was remembered."""

    sop_instance_uid: str
    digital_signature_uid: str
    certificate: str
    """SHA-256 of the signer's certificate, hexadecimal, lower case."""


Record = tuple[RecordedSignature, ...]


def held_against_record(
    judgement: Judgement, record: Record | None, policy: TrustPolicy
) -> Judgement:
    """Return a judgement with what a record says about the signer's certificate.

    Args:
        judgement: About one signature.
        record: What was remembered; ``None`` where there is no record.
        policy: Weighs the finding.

    Cites: PS3.3 C.12.1.1.3.
    """
    finding = _certificate_finding(judgement, record)
    if finding is None:
        return judgement
    return replace(judgement, findings=(*judgement.findings, *weigh([finding], policy)))


def _certificate_finding(judgement: Judgement, record: Record | None) -> Finding | None:
    if judgement.trust is None or not judgement.trust.chain:
        return None
    uid, now = judgement.facts.digital_signature_uid, judgement.trust.chain[0].sha256
    known = {each.certificate for each in record or () if each.digital_signature_uid == uid}
    if not known:
        return Finding(
            rule="CERT_NOT_RECORDED",
            status=Status.NOTICE,
            message="nothing signed binds the certificate, and no record says which one it was: "
            "another certificate for the same key would verify as well",
            where=judgement.facts.where,
            cites=_CITES,
        )
    same = known == {now}
    return Finding(
        rule="CERT_RECORD",
        status=Status.PASS if same else Status.FAIL,
        message="the certificate is the one on record"
        if same
        else f"the certificate {now} is not the one on record, {', '.join(sorted(known))}: "
        "somebody gave the signature another name",
        where=judgement.facts.where,
        cites=_CITES,
        sub_indication=None if same else SubIndication.SIG_CONSTRAINTS_FAILURE,
    )


def stripped_findings(facts: DocumentFacts, record: Record | None) -> Iterator[Finding]:
    """Yield the signatures on record that the document no longer has.

    Cites: PS3.15 C.4.
    """
    present = {each.digital_signature_uid for each in facts.signatures}
    wanted = {
        each.digital_signature_uid: None
        for each in record or ()
        if each.sop_instance_uid == facts.sop_instance_uid
    }
    for uid in wanted:
        if uid not in present:
            yield Finding(
                rule="SIGNATURE_STRIPPED",
                status=Status.FAIL,
                message=f"the signature {uid} is on record and no longer there",
                where="(FFFA,FFFA)",
                cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )
