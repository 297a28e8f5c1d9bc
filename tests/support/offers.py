"""A service in memory that offers documents to sign, and can be made to lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sr.app.signatures.match_code import match_code
from sr.app.signatures.offer import Display, Offer, OfferedDocument, ShownDocument
from sr.app.signatures.remote_signing import Refusal, Signatory
from sr.app.signatures.signing_span import SigningSpan
from sr.app.views.document_view import title_of
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, canonicalise, read
from sr.errors import SRError
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.signature import PreparedSignature, SigningRequest, prepare
from sr.signature.prepare import signed_stream
from sr.signature.signing_policy import load_signing_policy
from tests.support.pki import NOW, Entity, demo_pki
from tests.support.signed import plain_report, sign_digest

__all__ = ["FakeService", "KeyHere", "offer_for", "prepared", "signatory"]

SESSION = "5" * 32


def prepared(
    data: bytes,
    purpose: SignaturePurpose = SignaturePurpose.AUTHOR,
    *,
    signer: Entity | None = None,
    uid: str = "2.25.1",
) -> PreparedSignature:
    """Return a prepared signature on a document."""
    request = SigningRequest(
        purpose=purpose,
        certificate=(signer or demo_pki().author).der,
        signed_at=NOW,
        digital_signature_uid=uid,
    )
    return prepare(read(BytesSource(canonicalise(data))), request)


def offer_for(
    streams: Mapping[int, bytes],
    ready: Mapping[int, PreparedSignature],
    *,
    purpose: SignaturePurpose = SignaturePurpose.AUTHOR,
) -> Offer:
    """Return an offer whose digests and match code are those of the streams."""
    digests = {}
    for n, stream in streams.items():
        hashed = new_digest(MACAlgorithm.SHA256)
        hashed.update(stream)
        digests[n] = hashed.digest()
    return Offer(
        id=SESSION,
        purpose=purpose,
        certificate_sha256=sha256(ready[1].request.certificate).hexdigest(),
        mac_algorithm=MACAlgorithm.SHA256,
        match_code=match_code(SESSION, tuple(digests.values())),
        expires_at=NOW + timedelta(minutes=10),
        has_values=False,
        documents=tuple(
            OfferedDocument(
                n=n,
                digital_signature_uid=each.request.digital_signature_uid,
                digest=digests[n],
                covers=each.covers,
                display=Display(
                    title=title_of(each.file.dataset),
                    patient_name=each.file.dataset.text(0x00100010),
                    patient_id=each.file.dataset.text(0x00100020),
                    purpose=purpose.code.meaning,
                ),
            )
            for n, each in ready.items()
        ),
    )


@dataclass
class FakeService:
    """What a service does with an offer; ``fails`` is raised once by each completion in turn."""

    streams: dict[int, bytes]
    fails: list[SRError] = field(default_factory=list)
    values: dict[int, bytes] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    @classmethod
    def of(cls, *documents: bytes) -> tuple[FakeService, Offer]:
        """Return a service and its one offer of some documents to their author."""
        ready = {
            n: prepared(data, uid=f"2.25.{n}")
            for n, data in enumerate(documents or (plain_report(),), start=1)
        }
        streams = {n: signed_stream(each) for n, each in ready.items()}
        return cls(streams=streams), offer_for(streams, ready)

    def stream(self, session_id: str, n: int) -> bytes:
        """Return the stream of a document."""
        return self.streams[n]

    def complete(self, session_id: str, values: Mapping[int, bytes]) -> tuple[dict[str, Any], ...]:
        """Keep the values."""
        self.values |= values
        if self.fails:
            raise self.fails.pop(0)
        return tuple({"indication": "PASSED"} for _ in self.values)

    def refuse(self, session_id: str, why: Refusal) -> None:
        """Note the refusal."""
        self.refused.append(why)


@dataclass
class KeyHere:
    """A key that counts how often it was opened, which is how often a PIN was asked."""

    entity: Entity
    opened: int = 0
    closed: int = 0
    fails: SRError | None = None

    @contextmanager
    def open(self):  # type: ignore[no-untyped-def]
        """Open the key."""
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    @property
    def certificate_chain(self) -> tuple[()]:
        """Nothing that is asked for here."""
        return ()

    def sign_digest(self, digest: bytes, algorithm: MACAlgorithm) -> bytes:
        """Sign."""
        if self.fails is not None:
            raise self.fails
        return sign_digest(self.entity.key, algorithm, digest)


def signatory(
    key: KeyHere,
    *,
    confirm: Callable[[Offer, ShownDocument], bool] = lambda _offer, _document: True,
    policy: str = "standard",
    **changes: object,
) -> Signatory:
    """Return somebody who signs with a key."""
    policies = load_signing_policy(policy)
    who = Signatory(
        certificate=key.entity.der,
        span=SigningSpan(key.open, now=lambda: NOW, policy=policies),
        confirm=confirm,
        now=lambda: NOW,
        clock_skew=timedelta(minutes=5),
    )
    return replace(who, **changes)  # type: ignore[arg-type]
