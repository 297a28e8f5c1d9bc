"""``/api-keys``: the keys of machines, made and taken away by administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.accounts.people import list_keys, make_key, revoke_key
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Body, View
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(prefix="/api-keys", tags=["api-keys"])

_KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]


class NewKey(Body):
    """For whom, and how long."""

    login: Annotated[str, Field(min_length=1, max_length=128)]
    label: Annotated[str, Field(max_length=128)] = ""
    days: Annotated[int, Field(ge=1, le=3660)] = 365


class MadeKey(View):
    """A key, this once."""

    id: str
    key: str
    """To be sent as ``Authorization: Bearer``; nobody can show it again."""


class KeyView(View):
    """A key, without the key itself."""

    id: str
    login: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyList(View):
    """Every key."""

    items: list[KeyView]


_MANAGE = Permission.MANAGE_PEOPLE


@router.get("", **protected(_MANAGE))
def search(context: Wired, caller: Caller) -> KeyList:
    """Return the keys of machines, the youngest first."""
    return KeyList(items=[KeyView.model_validate(each) for each in list_keys(context, caller)])


@router.post(
    "",
    status_code=201,
    **protected(_MANAGE, audit=AuditAction.CREDENTIAL_ADDED, errors=(404,)),
)
def make(context: Wired, caller: Caller, body: NewKey, response: Response) -> MadeKey:
    """Make a key for a user; it is shown once."""
    key_id, key = make_key(context, caller, body.login, label=body.label, days=body.days)
    response.headers["Location"] = f"/api/v1/api-keys/{key_id}"
    return MadeKey(id=key_id, key=key)


@router.delete(
    "/{key_id}",
    status_code=204,
    response_class=Response,
    **protected(_MANAGE, audit=AuditAction.CREDENTIAL_REMOVED, errors=(404,)),
)
def revoke(context: Wired, caller: Caller, key_id: _KeyId) -> None:
    """Let a key open nothing any more."""
    revoke_key(context, caller, key_id)
