"""``/credentials``: one's own certificates, each added with a proof that its key is at hand.

Cites: RFC 4211 4.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cryptography import x509
from fastapi import APIRouter, Path, Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.accounts.credentials import (
    add_certificate,
    draw_challenge,
    own_credentials,
    withdraw_certificate,
)
from sr.store.people import Credential
from sr.trust.name import name_text
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Base64Value, Body, Certificates, View
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(prefix="/credentials", tags=["credentials"])

_MAY = Permission.OWN_CREDENTIALS


class CredentialView(View):
    """A certificate of the caller's."""

    id: str
    label: str
    sha256: str
    subject: str
    not_after: datetime
    created_at: datetime
    chain: str
    """PEM, the caller's certificate first."""
    key: str
    """Where its key is: ``caller``, ``agent`` or ``service``."""


class CredentialList(View):
    """The caller's certificates."""

    items: list[CredentialView]


class ChallengeView(View):
    """What the key of a certificate has to sign."""

    challenge: str
    digest: str
    """SHA-256, hexadecimal: what is signed."""
    expires_at: datetime


class NewCredential(Body):
    """A certificate, and the proof that its key is at hand."""

    certificate_chain: Annotated[Certificates, Field(max_length=65536)]
    """The caller's certificate first: PEM, or a list of PEM or Base64 of DER."""
    challenge: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    signature: Base64Value
    """Over the digest of the challenge: RSASSA-PKCS1-v1_5 or ECDSA with SHA-256."""
    label: Annotated[str, Field(min_length=1, max_length=128)]


@router.get("", **protected(_MAY))
def search(context: Wired, caller: Caller) -> CredentialList:
    """Return the caller's certificates."""
    return CredentialList(items=[_view(each) for each in own_credentials(context, caller)])


@router.post("/challenges", status_code=201, **protected(_MAY))
def draw(context: Wired, caller: Caller) -> ChallengeView:
    """Return what the key of a new certificate has to sign, good once."""
    challenge, digest = draw_challenge(context, caller)
    return ChallengeView(
        challenge=challenge.challenge, digest=digest.hex(), expires_at=challenge.expires_at
    )


@router.post(
    "",
    status_code=201,
    **protected(_MAY, audit=AuditAction.CREDENTIAL_ADDED, errors=(400, 409)),
)
def add(context: Wired, caller: Caller, body: NewCredential) -> CredentialView:
    """Keep a certificate as the caller's, to sign with."""
    return _view(
        add_certificate(
            context,
            caller,
            chain=body.certificate_chain,
            challenge=body.challenge,
            signature=body.signature,
            label=body.label,
        )
    )


@router.delete(
    "/{credential_id}",
    status_code=204,
    response_class=Response,
    **protected(_MAY, audit=AuditAction.CREDENTIAL_REMOVED, errors=(404,)),
)
def withdraw(
    context: Wired,
    caller: Caller,
    credential_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Its id.")],
) -> None:
    """Sign with a certificate no longer; what it signed stays as good as it was."""
    withdraw_certificate(context, caller, credential_id)


def _view(credential: Credential) -> CredentialView:
    leaf = x509.load_pem_x509_certificates(credential.chain)[0]
    key = "service" if credential.key_uri else "agent" if credential.agent_id else "caller"
    return CredentialView(
        id=credential.id,
        label=credential.label,
        sha256=credential.sha256,
        subject=name_text(leaf.subject),
        not_after=credential.not_after,
        created_at=credential.created_at,
        chain=credential.chain.decode("ascii"),
        key=key,
    )
