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
from sr.trust.certificate import read_certificate
from sr.trust.identity import BY_NAME, IdentityMapping, persons_of
from sr.verification.facts import DocumentFacts, SignatureFacts
from sr.verification.identity import OBSERVER_ROLES, exceeds_role, names_holder, wrote_alone

__all__ = [
    "APPROVING",
    "NOT_AUTHORING",
    "check_role",
    "check_signer",
    "require_author",
    "require_intact",
    "require_untouched",
]

APPROVING = frozenset({SignaturePurpose.VERIFICATION, SignaturePurpose.VALIDATION})
"""Purposes of a second person."""
NOT_AUTHORING = APPROVING | {SignaturePurpose.REVIEW, SignaturePurpose.SOURCE}
"""Purposes of those who do not answer for the content as its authors."""


def check_signer(
    facts: DocumentFacts,
    certificate: bytes,
    purpose: SignaturePurpose,
    *,
    item: str = "",
    identity: IdentityMapping = BY_NAME,
) -> None:
    """Refuse a signature on a document that is altered, by the wrong person, or misplaced.

    Author and approver are two persons. Where the site says who is who, whom the report names as
    author or as verifying observer is who signs as that.

    Args:
        facts: The document as it stands.
        certificate: DER of the signer's certificate.
        purpose: What the signature is for.
        item: Path of the item that is signed, empty for the document.
        identity: Who is who.

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
    others = _with_purpose(facts, approves=purpose not in APPROVING)
    if purpose not in NOT_AUTHORING or purpose in APPROVING:
        for signature in others:
            if same_person(der_prefix(signature.certificate), certificate, identity):
                raise LifecycleError(
                    "author and approver are one person: CertificateOfSigner (0400,0115) of "
                    f"signature {signature.digital_signature_uid} names the same",
                    where="(0400,0115)",
                    hint="approval needs a second person",
                )
    if purpose in APPROVING and _wrote(facts, certificate, others, identity):
        raise LifecycleError(
            "AuthorObserverSequence (0040,A078) names the approver as an author",
            where="(0040,A078)",
            hint="approval needs a second person",
        )
    if not item and identity.is_configured:
        _check_observer(facts, certificate, purpose, identity)


def check_role(certificate: bytes, purpose: SignaturePurpose, identity: IdentityMapping) -> None:
    """Refuse a signature for a purpose that the site does not let its signer have.

    Raises:
        LifecycleError: It does not.

    Cites: PS3.15 C.4; PS3.16 CID 7007.
    """
    persons = persons_of(read_certificate(certificate), identity)
    for person in exceeds_role(persons, purpose.value, identity):
        raise LifecycleError(
            f"{person!r} does not sign for purpose {purpose.value} "
            "(DigitalSignaturePurposeCodeSequence (0400,0401))",
            where="(0400,0401)",
            hint="the policy of the site lists the purposes of each person",
        )


def _wrote(
    facts: DocumentFacts,
    certificate: bytes,
    authors: tuple[SignatureFacts, ...],
    identity: IdentityMapping,
) -> bool:
    """Return whether a report names the holder of a certificate as its author.

    By name alone that counts only where it is the one author and nobody else signed as such.
    """
    if identity.is_configured:
        return names_holder(facts, "author", certificate, identity) is True
    return not authors and wrote_alone(facts, certificate, identity)


def _check_observer(
    facts: DocumentFacts, certificate: bytes, purpose: SignaturePurpose, identity: IdentityMapping
) -> None:
    role, where = OBSERVER_ROLES.get(purpose.value, ("", ""))
    if role and names_holder(facts, role, certificate, identity) is False:
        raise LifecycleError(
            f"the {role} observer {where} is not the person whose certificate signs",
            where=where,
            hint="the identity mapping of the policy says who is who",
        )


def _with_purpose(facts: DocumentFacts, *, approves: bool) -> tuple[SignatureFacts, ...]:
    """Return the signatures that approve, or those of authors."""
    return tuple(
        s for s in facts.top_level if (_is_approval(s) if approves else _is_author_kind(s))
    )


def _is_approval(signature: SignatureFacts) -> bool:
    return signature.purpose is not None and signature.purpose.value in APPROVING


def _is_author_kind(signature: SignatureFacts) -> bool:
    return signature.purpose is None or signature.purpose.value not in NOT_AUTHORING


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
