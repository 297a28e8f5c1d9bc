"""Verdicts of the service: under its policy, with whom it trusts and knows at the moment."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

from sr.app.checks.check import refusal
from sr.app.checks.comparison import compare_evidence
from sr.app.documents.evidence_folder import EvidenceFolder
from sr.dicomfile import BytesSource, Source, read
from sr.errors import DatasetError, NotDICOMError
from sr.service.accounts.identity import identity_here
from sr.service.context import Context
from sr.trust import TrustMaterial, TrustPolicy
from sr.verification import Verdict, gather, judge
from sr.verification.document import format_failure_verdict

__all__ = ["TrustNow", "trust_now", "verdict_of", "verdict_on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustNow:
    """Whom the service trusts, and who is who, at one moment."""

    policy: TrustPolicy
    material: TrustMaterial


def trust_now(context: Context) -> TrustNow:
    """Return whom the service trusts at this moment, for one verdict or all of one request."""
    return TrustNow(
        policy=replace(context.policy, identity=identity_here(context)),
        material=context.material(),
    )


def verdict_on(
    context: Context, content: bytes, subject: str, *, trust: TrustNow | None = None
) -> Verdict:
    """Return the verdict on some bytes.

    Args:
        context: The service.
        content: The bytes.
        subject: Their name in the verdict.
        trust: That of this moment where left out.

    Raises:
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5.
    """
    return verdict_of(context, BytesSource(content), subject, trust=trust)


def verdict_of(
    context: Context,
    source: Source,
    subject: str,
    *,
    folder: EvidenceFolder | None = None,
    trust: TrustNow | None = None,
) -> Verdict:
    """Return the verdict on a file.

    Args:
        context: The service.
        source: The file.
        subject: Its name in the verdict.
        folder: Instances to compare its references with; ``None`` to leave them unchecked.
        trust: That of this moment where left out.

    Raises:
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5; PS3.15 A.4.
    """
    trust, at = trust or trust_now(context), context.ports.now()
    with context.computing if folder is None else nullcontext():
        try:
            file = read(source, limits=context.limits)
            facts = gather(file, None if folder is None else compare_evidence(file, folder))
        except DatasetError as error:
            if isinstance(error, NotDICOMError):
                raise
            return format_failure_verdict(
                refusal(error), subject=subject, policy=context.policy.id, judged_at=at
            )
        if folder is not None:
            facts = replace(facts, findings=(*facts.findings, *folder.findings))
        return judge(
            facts,
            subject=subject,
            policy=trust.policy,
            material=trust.material,
            judged_at=at,
        )
