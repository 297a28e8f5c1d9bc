"""Prepared signatures between the two steps: remembered while there is room, else made again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.errors import ConflictError
from sr.mac import MACAlgorithm
from sr.signature import PreparedSignature, SigningRequest, prepare
from sr.store.signing_sessions import SessionItem, SigningSession
from sr.trust import parse_certificates

if TYPE_CHECKING:
    from sr.service.context import Context

__all__ = ["PreparedSignatures", "prepared_of"]

_KEPT = 512
_LARGEST = 1 << 18  # bytes of a document; larger ones are read again


class PreparedSignatures:
    """A bounded memory of prepared signatures; nothing is wrong where it forgot one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, PreparedSignature] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, ready: PreparedSignature) -> None:
        """Keep a prepared signature for its second step."""
        if ready.file.source.size > _LARGEST:
            return
        with self._lock:
            self._kept[ready.request.digital_signature_uid] = ready
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def get(self, digital_signature_uid: str) -> PreparedSignature | None:
        """Return a prepared signature, unless it was forgotten."""
        with self._lock:
            return self._kept.get(digital_signature_uid)

    def forget(self, digital_signature_uid: str) -> None:
        """Drop what is needed no more."""
        with self._lock:
            self._kept.pop(digital_signature_uid, None)


def prepared_of(context: Context, session: SigningSession, item: SessionItem) -> PreparedSignature:
    """Return the prepared signature that a kept item stands for.

    Raises:
        ConflictError: It cannot be made again: its digest would be another.

    Cites: PS3.15 A.4, C.1, C.4.
    """
    ready = context.prepared.get(item.digital_signature_uid)
    if ready is not None and ready.digest == item.digest:
        return ready
    request = SigningRequest(
        purpose=SignaturePurpose(session.purpose),
        certificate=parse_certificates(session.chain)[0],
        signed_at=item.signed_at,
        digital_signature_uid=item.digital_signature_uid,
        mac_algorithm=MACAlgorithm(session.mac_algorithm),
        profile=session.profile,
        timestamped=session.timestamped,
        clock_skew=context.ports.clock_skew,
    )
    ready = prepare(read(BytesSource(item.base), limits=context.limits), request)
    if ready.digest != item.digest:
        raise ConflictError("what was prepared cannot be made again", hint="open another session")
    return ready
