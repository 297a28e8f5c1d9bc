"""Which reports may be approved, by whom, and in which way.

Every refusal names the attribute that stands against it, so that the person can go and look.
Whether the author signed, and whose certificate signs the approval, is not decided here.

Cites: PS3.3 C.17.2; PS3.4 O.3; PS3.15 C.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sr.codes import Code
from sr.dicomfile import DataSet
from sr.document.constraints import DocumentClass
from sr.document.identity import zone_of
from sr.document.reference import SecureReference
from sr.document.values import is_uid
from sr.errors import LifecycleError
from sr.signature.observers import attestors, authors, name_key

__all__ = [
    "Approval",
    "ApprovalMode",
    "VerifyingObserver",
    "approval_touches",
    "check_approvable",
]

_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_CREATION_DATE = 0x00080012
_CREATION_TIME = 0x00080013
_COMPLETION_FLAG = 0x0040A491
_PRELIMINARY_FLAG = 0x0040A496
_VERIFICATION_FLAG = 0x0040A493
_VERIFYING_OBSERVERS = 0x0040A073
_PREDECESSORS = 0x0040A360


class ApprovalMode(StrEnum):
    """What becomes of the SOP Instance UID when a report is approved.

    Cites: PS3.4 O.3; PS3.15 C.4.
    """

    IN_PLACE = "in_place"
    """Same UID: only for a report that never left, nor came from outside, this system."""
    REISSUE = "reissue"
    """New UID; the author's Digital Signature UID and the audit trail link the two."""
    REISSUE_WITH_PREDECESSOR = "reissue_with_predecessor"
    """New UID and a Predecessor Documents Sequence, which the author's signature cannot cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingObserver:
    """The person accountable for the content.

    Cites: PS3.3 C.17.2 Verifying Observer Sequence.
    """

    name: str
    organization: str
    identification: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One act of approving a report."""

    observer: VerifyingObserver
    approved_at: datetime
    """Aware; its own zone is written."""
    mode: ApprovalMode = ApprovalMode.REISSUE
    sop_instance_uid: str = ""
    """UID of the approved document; empty in place."""
    predecessor: SecureReference | None = None
    """Proof of the document approved; for ``reissue_with_predecessor`` only."""
    final: bool = True
    """Whether a PRELIMINARY report becomes FINAL."""


def check_approvable(dataset: DataSet, approval: Approval) -> None:
    """Refuse an approval that the life of a report does not allow.

    Args:
        dataset: The report as it stands.
        approval: What is about to be done.

    Raises:
        LifecycleError: The document has no verification state, is not complete, is verified
            already, the mode does not fit, or the observer is the author.

    Cites: PS3.3 C.17.2; PS3.4 O.3; PS3.15 C.4.
    """
    _check_state(dataset)
    _check_predecessor(dataset, approval.mode)
    _check_mode(dataset, approval)
    _check_observer(dataset, approval)
    _check_time(dataset, approval)


def approval_touches(dataset: DataSet, mode: ApprovalMode) -> tuple[int, ...]:
    """Return the tags that approving a report in some mode changes.

    Raises:
        LifecycleError: It cannot be approved so, whoever wanted to.

    Cites: PS3.3 C.17.2; PS3.4 O.3.
    """
    _check_state(dataset)
    _check_predecessor(dataset, mode)
    touched = [_VERIFICATION_FLAG, _VERIFYING_OBSERVERS]
    if dataset.text(_PRELIMINARY_FLAG) == "PRELIMINARY":
        touched.append(_PRELIMINARY_FLAG)
    if mode is not ApprovalMode.IN_PLACE:
        touched += [_CREATION_DATE, _CREATION_TIME, _SOP_INSTANCE_UID]
    if mode is ApprovalMode.REISSUE_WITH_PREDECESSOR:
        touched.append(_PREDECESSORS)
    return tuple(sorted(touched))


def _check_state(dataset: DataSet) -> None:
    if dataset.text(_SOP_CLASS_UID) == DocumentClass.KEY_OBJECT_SELECTION:
        raise LifecycleError(
            "a key object selection has no VerificationFlag (0040,A493) and cannot be approved",
            where="(0008,0016)",
            hint="sign it again with another purpose, e.g. review",
        )
    if dataset.text(_COMPLETION_FLAG) != "COMPLETE":
        raise LifecycleError(
            "only a report whose CompletionFlag (0040,A491) is COMPLETE can be approved, not "
            f"{dataset.text(_COMPLETION_FLAG) or 'one without it'}",
            where="(0040,A491)",
        )
    if dataset.text(_VERIFICATION_FLAG) != "UNVERIFIED" or _VERIFYING_OBSERVERS in dataset:
        raise LifecycleError(
            "only a report whose VerificationFlag (0040,A493) is UNVERIFIED and that has no "
            "VerifyingObserverSequence (0040,A073) can be approved, not "
            f"{dataset.text(_VERIFICATION_FLAG) or 'one without it'}",
            where="(0040,A493)",
            hint="a second approval is a further signature, purpose validation or review",
        )


def _check_mode(dataset: DataSet, approval: Approval) -> None:
    in_place = approval.mode is ApprovalMode.IN_PLACE
    if in_place and approval.sop_instance_uid:
        raise LifecycleError("approval in place keeps SOPInstanceUID (0008,0018)")
    if not in_place and (
        not is_uid(approval.sop_instance_uid)
        or approval.sop_instance_uid == dataset.text(_SOP_INSTANCE_UID)
    ):
        raise LifecycleError(
            "a reissued report needs a new SOPInstanceUID (0008,0018)", where="(0008,0018)"
        )
    with_predecessor = approval.mode is ApprovalMode.REISSUE_WITH_PREDECESSOR
    if with_predecessor != (approval.predecessor is not None):
        raise LifecycleError(
            "a secure reference to the predecessor belongs to reissue_with_predecessor, and only "
            "to it"
        )


def _check_predecessor(dataset: DataSet, mode: ApprovalMode) -> None:
    if mode is ApprovalMode.REISSUE_WITH_PREDECESSOR and _PREDECESSORS in dataset:
        raise LifecycleError(
            "PredecessorDocumentsSequence (0040,A360) is covered by the author's signature and "
            "cannot be extended",
            where="(0040,A360)",
            hint="approve with the mode reissue",
        )


def _check_observer(dataset: DataSet, approval: Approval) -> None:
    if not approval.observer.name.strip(" ^=") or not approval.observer.organization.strip():
        raise LifecycleError(
            "an approval needs VerifyingObserverName (0040,A075) and VerifyingOrganization "
            "(0040,A027)",
            where="(0040,A073)",
        )
    approver = name_key(approval.observer.name)
    if approver in {name_key(author) for author in authors(dataset)}:
        raise LifecycleError(
            "an author cannot approve his own report: VerifyingObserverName (0040,A075) is that of "
            "AuthorObserverSequence (0040,A078)",
            where="(0040,A078)",
            hint="another person has to approve it",
        )
    if approver in {name_key(attestor) for attestor in attestors(dataset)}:
        raise LifecycleError(
            "who attested a report cannot approve it: VerifyingObserverName (0040,A075) is that of "
            "a participant of type ATTEST (ParticipantSequence (0040,A07A))",
            where="(0040,A07A)",
            hint="another person has to approve it",
        )


def _check_time(dataset: DataSet, approval: Approval) -> None:
    if approval.approved_at.utcoffset() is None:
        raise LifecycleError("VerificationDateTime (0040,A030) needs a UTC offset")
    offset = dataset.text(0x00080201)
    written = dataset.text(0x00080023) + dataset.text(0x00080033)[:6]
    if not offset or len(written) != 14 or not written.isdigit():
        return
    content = datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=zone_of(offset))
    if approval.approved_at < content:
        raise LifecycleError(
            "VerificationDateTime (0040,A030) would be before ContentDate (0008,0023): check the "
            "clock",
            where="(0040,A030)",
        )
