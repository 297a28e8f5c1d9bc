"""Who may add a signature to a document that is signed already, and who may not.

What the document must be by itself is checked when a signature is prepared. Here the signatures
that it carries are verified, because a further one would vouch for content that an earlier one
disowns, and the persons behind them are compared.

Cites: PS3.15 C.4; PS3.17 Annex W.
"""

from __future__ import annotations

from collections.abc import Iterable

from sr.codes import SignaturePurpose
from sr.dicomfile.tags import describe_tag, format_tag
from sr.errors import LifecycleError
from sr.findings import Finding, Status
from sr.signature.integrity import der_prefix
from sr.trust import same_person
from sr.trust.identity import IdentityMapping, Naming
from sr.verification.facts import DocumentFacts, SignatureFacts
from sr.verification.identity import wrote_alone

__all__ = ["check_signer", "require_author", "require_intact", "require_untouched"]

_APPROVES = frozenset({SignaturePurpose.VERIFICATION, SignaturePurpose.VALIDATION})
_BY_NAME = IdentityMapping(by=frozenset({Naming.NAME}), persons=())
_NO_AUTHOR = _APPROVES | {SignaturePurpose.REVIEW, SignaturePurpose.SOURCE}


def check_signer(
    facts: DocumentFacts, certificate: bytes, purpose: SignaturePurpose, *, item: str = ""
) -> None:
    """Refuse a signature on a document that is altered, by both author and approver, or misplaced.

    Args:
        facts: The document as it stands.
        certificate: DER of the signer's certificate.
        purpose: What the signature is for.
        item: Path of the item that is signed, empty for the document.

    Raises:
        LifecycleError: Naming the attribute that stands against it.

    Cites: PS3.15 C.4.
    """
    require_intact(facts)
    if item and not facts.top_level:
        raise LifecycleError(
            "a document needs a signature at its top level before one in an item (DigitalSignatures"
            "Sequence (FFFA,FFFA)): alone, the item's would vouch for nothing else",
            where="(FFFA,FFFA)",
            hint="sign the document first, without --item",
        )
    others = _with_purpose(facts, approves=purpose not in _APPROVES)
    if purpose not in _NO_AUTHOR or purpose in _APPROVES:
        for signature in others:
            if same_person(der_prefix(signature.certificate), certificate):
                raise LifecycleError(
                    "author and approver are one person: CertificateOfSigner (0400,0115) of "
                    f"signature {signature.digital_signature_uid} names the same",
                    where="(0400,0115)",
                    hint="approval needs a second person",
                )
    if purpose in _APPROVES and not others and wrote_alone(facts, certificate, _BY_NAME):
        raise LifecycleError(
            "AuthorObserverSequence (0040,A078) names the approver as the only author",
            where="(0040,A078)",
            hint="approval needs a second person",
        )


def _with_purpose(facts: DocumentFacts, *, approves: bool) -> tuple[SignatureFacts, ...]:
    """Return the signatures that approve, or those of authors."""
    return tuple(
        s for s in facts.top_level if (_is_approval(s) if approves else _is_author_kind(s))
    )


def _is_approval(signature: SignatureFacts) -> bool:
    return signature.purpose is not None and signature.purpose.value in _APPROVES


def _is_author_kind(signature: SignatureFacts) -> bool:
    return signature.purpose is None or signature.purpose.value not in _NO_AUTHOR


def require_intact(facts: DocumentFacts) -> None:
    """Refuse a document one of whose signatures does not verify.

    Raises:
        LifecycleError: Naming the signature.

    Cites: PS3.17 Annex W.
    """
    for signature in facts.top_level:
        if not signature.integrity.is_intact:
            raise LifecycleError(
                f"the document carries a signature (DigitalSignatureUID (0400,0100) "
                f"{signature.digital_signature_uid}) that is {signature.integrity.value}",
                where="(FFFA,FFFA)",
                hint="srsign check says what is wrong; go back to the document as it was signed",
            )


def require_untouched(facts: DocumentFacts, edited: Iterable[int]) -> None:
    """Refuse edits of what a signature of the document covers.

    Raises:
        LifecycleError: Naming the first attribute that is covered.

    Cites: PS3.15 C.4; PS3.4 O.3.
    """
    tags = frozenset(edited)
    for signature in facts.top_level:
        for tag in sorted(tags.intersection(signature.data_elements_signed)):
            raise LifecycleError(
                f"approval changes {describe_tag(tag)}, which signature "
                f"{signature.digital_signature_uid} covers: it would be broken",
                where=format_tag(tag),
                hint="srsign survives tells beforehand; sign for other purposes after approval",
            )


def require_author(facts: DocumentFacts) -> tuple[Finding, ...]:
    """Return a notice where nobody signed a report as its author.

    Cites: PS3.17 Annex W.
    """
    if _with_purpose(facts, approves=False):
        return ()
    return (
        Finding(
            rule="NO_AUTHOR_SIGNATURE",
            status=Status.NOTICE,
            message="nobody signed this report as its author",
            cites="PS3.17 Annex W",
            where="(FFFA,FFFA)",
        ),
    )
