"""Audit events as the bytes that are chained: one form for each event, read only in that form.

JSON in UTF-8, keys sorted, no blanks, no numbers but the version, nothing that is empty.

Cites: RFC 8259; RFC 8785 (the idea of it).
"""

from __future__ import annotations

import json
from typing import Any

from sr.app.audit.event import AuditEvent
from sr.errors import DatasetError
from sr.verification.facts_json import as_json, from_json

__all__ = ["columns_of", "decode_event", "encode_event"]

_VERSION = 1
_LONGEST_COLUMN = 64


def encode_event(event: AuditEvent) -> bytes:
    """Return the bytes of an event."""
    members = {"v": _VERSION, **_filled(as_json(event))}
    return json.dumps(
        members, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def decode_event(encoded: bytes) -> AuditEvent:
    """Return the event that some bytes are.

    Raises:
        DatasetError: They are not what ``encode_event`` makes of an event; rule ``AUDIT_EVENT``.
    """
    try:
        members = json.loads(encoded)
        version = members.pop("v")
        event = from_json(AuditEvent, members, where="event")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _refused("it is not the JSON of one") from error
    except DatasetError as error:
        raise _refused(str(error)) from error
    if type(version) is not int or version != _VERSION:
        raise _refused(f"it is of version {version!r}, known is {_VERSION}")
    if encode_event(event) != encoded:
        raise _refused("it is not in the form in which events are written")
    return event


def columns_of(event: AuditEvent) -> dict[str, str | None]:
    """Return what a table of events repeats of one to search by; nobody is to believe it alone."""
    first = event.instances[0].sop_instance_uid if event.instances else ""
    return {
        "at": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "action": event.action.value,
        "outcome": event.outcome.value,
        "user_id": event.actor.user_id[:_LONGEST_COLUMN],
        "sop_instance_uid": first[:_LONGEST_COLUMN] or None,
    }


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, which reading gives back."""
    return {
        key: _filled(value) if isinstance(value, dict) else _each_filled(value)
        for key, value in members.items()
        if value not in ("", [], None, False)
    }


def _each_filled(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    if not isinstance(value, list):
        return value
    return [_filled(each) if isinstance(each, dict) else each for each in value]


def _refused(what: str) -> DatasetError:
    return DatasetError(f"not an audit event: {what}", rule="AUDIT_EVENT", cites="PS3.15 A.5")
