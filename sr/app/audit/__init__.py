"""The audit trail: what happened, chained so that a change shows, and exported in DICOM's words.

Modules here take and give values; where rows are kept is for ``sr.store``.

Cites: PS3.15 A.5.
"""

from sr.app.audit.chain import START, ChainRow, link
from sr.app.audit.event import Actor, AuditAction, AuditedInstance, AuditEvent, Outcome
from sr.app.audit.event_encoding import columns_of, decode_event, encode_event

__all__ = [
    "START",
    "Actor",
    "AuditAction",
    "AuditEvent",
    "AuditedInstance",
    "ChainRow",
    "Outcome",
    "columns_of",
    "decode_event",
    "encode_event",
    "link",
]
