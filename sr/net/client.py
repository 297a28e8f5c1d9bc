"""A client of the service: reports, signatures in two steps, checks, seals.

The key stays here: ``sign`` computes the digest itself from the bytes that the service would have
signed, and refuses to sign where that digest, or the code that both sides show, is another one.
Needs the extra ``http``.

    from sr.net.client import Client

    with Client("https://srsign.example", token=token) as client:
        report = client.write_report(study, template="free-text", values=values)
        (verdict,) = client.sign([report.sop_instance_uid], SignaturePurpose.AUTHOR, signer)

Cites: PS3.15 A.4; RFC 9457.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.signatures.match_code import match_code
from sr.codes import SignaturePurpose
from sr.errors import SignerRefusedError, SRError
from sr.keys import Signer
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.net.service_requests import HTTP, Requests, open_http

__all__ = ["Client", "Job", "Report", "Session", "SessionItem"]

_ENDED = ("done", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the service knows of a document."""

    sop_instance_uid: str
    study_instance_uid: str
    lineage: str
    predecessor: str | None
    kind: str
    state: str
    title: str
    patient_name: str
    patient_id: str
    owner: str
    approver: str | None
    revision: int
    sha256: str
    """Of its bytes: what is named to change or to sign it."""
    indication: str | None
    sub_indication: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionItem:
    """What one signature is over."""

    n: int
    sop_instance_uid: str
    digital_signature_uid: str
    digest: str
    algorithm: str
    display: dict[str, str]
    """Patient, title and purpose, as the service shows them."""
    covers: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signing session."""

    id: str
    state: str
    match_code: str
    expires_at: datetime
    items: tuple[SessionItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Long work that was asked for."""

    id: str
    kind: str
    state: str
    done: int
    total: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None


_T = TypeVar("_T", Report, SessionItem, Job)


class Client:
    """The service as somebody sees it.

    Args:
        url: Of the service, e.g. ``https://srsign.example``.
        token: Key of a machine, or an access token.
        timeout: Seconds for each step of an exchange.
        http: Something else to speak with, instead of ``httpx2``.
        wait: Waits some seconds before a request is sent again.

    Raises:
        ConfigurationError: The extra ``http`` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout: float = 30,
        http: HTTP | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._requests = Requests(http or open_http(url, token, timeout), wait)

    def __enter__(self) -> Self:
        """Return the client, to be closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of connections."""
        self._requests.http.close()

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies that a report can be written about."""
        return list(self._requests.json("GET", "/studies")["items"])

    def reports(self, **asked: object) -> Iterator[Report]:
        """Yield documents, those that changed last first; ``state``, ``mine``, … restrict."""
        offset: int | None = 0
        while offset is not None:
            page = self._requests.json("GET", "/reports", params={**asked, "offset": offset})
            yield from (_of(Report, each) for each in page["items"])
            offset = page["next_offset"]

    def report(self, sop_instance_uid: str) -> Report:
        """Return what the service knows of a report.

        Raises:
            NotFoundError: There is none.
        """
        return _of(Report, self._requests.json("GET", f"/reports/{sop_instance_uid}"))

    def file(self, sop_instance_uid: str) -> bytes:
        """Return a report as a DICOM file.

        Raises:
            NotFoundError: There is none.
        """
        return self._requests.send("GET", f"/reports/{sop_instance_uid}/file").content

    def verdict(self, sop_instance_uid: str, *, evidence: bool = True) -> dict[str, Any]:
        """Return the verdict on a report, judged now: the object of ``srsign check --json``."""
        asked = {"evidence": "true" if evidence else "false"}
        return dict(
            self._requests.json("GET", f"/reports/{sop_instance_uid}/verdict", params=asked)
        )

    def write_report(
        self, study_instance_uid: str, *, values: Mapping[str, Any], template: str | None = None
    ) -> Report:
        """Write a draft from values for a template, or from a whole report.

        Raises:
            TemplateError: The values do not fit.
            EvidenceError: There is no such evidence, or it is damaged.
        """
        body = {
            "study_instance_uid": study_instance_uid,
            "values": dict(values),
            "template": template,
        }
        return _of(Report, self._requests.once("/reports", body))

    def change_report(
        self, report: Report, *, values: Mapping[str, Any], template: str | None = None
    ) -> Report:
        """Write a draft anew, as long as it is what was seen.

        Raises:
            PreconditionError: It was changed meanwhile.
            LifecycleError: It is no draft any more.
        """
        body = {"values": dict(values), "template": template}
        path = f"/reports/{report.sop_instance_uid}"
        return _of(Report, self._requests.json("PUT", path, json=body, headers=_seen(report)))

    def amend_report(
        self, report: Report, *, values: Mapping[str, Any], template: str | None = None
    ) -> Report:
        """Write the next version of a report as a draft.

        Raises:
            PreconditionError: It was changed meanwhile.
            LifecycleError: It is not amended as it stands.
        """
        body = {"values": dict(values), "template": template}
        path = f"/reports/{report.sop_instance_uid}/amend"
        return _of(Report, self._requests.once(path, body, _seen(report)))

    def return_report(self, report: Report, comment: str) -> Report:
        """Return a report that waits for approval to its author.

        Raises:
            PreconditionError: It was changed meanwhile.
            LifecycleError: It does not wait for approval.
        """
        path = f"/reports/{report.sop_instance_uid}/return"
        body = {"comment": comment}
        return _of(Report, self._requests.json("POST", path, json=body, headers=_seen(report)))

    def sign(
        self,
        sop_instance_uids: Iterable[str],
        purpose: SignaturePurpose,
        signer: Signer,
        *,
        algorithm: MACAlgorithm = MACAlgorithm.SHA256,
        confirm: Callable[[Session], bool] = lambda _session: True,
    ) -> tuple[dict[str, Any], ...]:
        """Sign documents with a key that is here, and return the verdict on each.

        Args:
            sop_instance_uids: The documents, as they stand.
            purpose: Of every signature.
            signer: The key, with its certificates.
            algorithm: Digest of the MACs.
            confirm: Shown what will be signed, the code to compare included; ``False`` gives up.

        Raises:
            SignerRefusedError: The digest is not that of the bytes, or nobody confirmed.
            ConflictError: A document was changed meanwhile.
            ExpiredError: The time of the session is over.
            TimestampError: There is no time-stamp now; ``complete`` tries again without the key.

        Cites: PS3.15 A.4; PS3.3 C.12.1.1.3.
        """
        session = self.open_session(sop_instance_uids, purpose, signer, algorithm=algorithm)
        try:
            digests = tuple(self._digest(session, item, algorithm) for item in session.items)
            if match_code(session.id, digests) != session.match_code:
                raise SignerRefusedError("the service shows another code than these bytes have")
            if not confirm(session):
                raise SignerRefusedError("nobody confirmed what would be signed")
            values = {
                item.n: signer.sign_digest(digest, algorithm)
                for item, digest in zip(session.items, digests, strict=True)
            }
        except SRError:
            self.cancel(session.id)
            raise
        return self.complete(session.id, values)

    def open_session(
        self,
        sop_instance_uids: Iterable[str],
        purpose: SignaturePurpose,
        signer: Signer,
        *,
        algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    ) -> Session:
        """Let the service prepare signatures.

        Raises:
            ConflictError: A document was changed meanwhile.
            ProfileViolationError: The result would break a rule.

        Cites: PS3.15 A.4.
        """
        seen = [self.report(uid) for uid in sop_instance_uids]
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in signer.certificate_chain)
        body = {
            "items": [
                {"sop_instance_uid": each.sop_instance_uid, "if_match": each.sha256}
                for each in seen
            ],
            "purpose": purpose.value,
            "certificate_chain": chain.decode("ascii"),
            "mac_algorithm": algorithm.value,
        }
        opened = self._requests.once("/signing-sessions", body)
        return Session(
            id=opened["id"],
            state=opened["state"],
            match_code=opened["match_code"],
            expires_at=datetime.fromisoformat(opened["expires_at"]),
            items=tuple(_of(SessionItem, each) for each in opened["items"]),
        )

    def complete(
        self, session_id: str, values: Mapping[int, bytes] | None = None
    ) -> tuple[dict[str, Any], ...]:
        """Send signature values, or none to try again with those that the service kept.

        Raises:
            SignerRefusedError: A value does not fit.
            ExpiredError: The time of the session is over.
            TimestampError: There is no time-stamp now.
        """
        items = [
            {"n": n, "signature": b64encode(value).decode("ascii")}
            for n, value in (values or {}).items()
        ]
        return tuple(
            self._requests.once(f"/signing-sessions/{session_id}/complete", {"items": items})[
                "results"
            ]
        )

    def cancel(self, session_id: str) -> None:
        """Give a session up."""
        self._requests.send("DELETE", f"/signing-sessions/{session_id}")

    def check(self, data: bytes) -> dict[str, Any]:
        """Return the verdict on a file.

        Raises:
            NotDICOMError: It is no DICOM.
        """
        headers = {"Content-Type": "application/dicom"}
        return dict(self._requests.json("POST", "/checks", content=data, headers=headers))

    def check_set(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """Return what is intact, altered, missing or unexpected among two named files or more."""
        parts = [("file", (name, data, "application/dicom")) for name, data in files]
        return dict(self._requests.json("POST", "/checks", files=parts))

    def seal(self, study_instance_uid: str) -> Job:
        """Ask for a seal over a study."""
        return _of(Job, self._requests.once("/seals", {"study_instance_uid": study_instance_uid}))

    def manifest(self, study_instance_uid: str) -> Job:
        """Ask for a manifest over a study and its signed reports."""
        return _of(
            Job, self._requests.once("/manifests", {"study_instance_uid": study_instance_uid})
        )

    def job(self, job_id: str) -> Job:
        """Return how far a job is.

        Raises:
            NotFoundError: There is none.
        """
        return _of(Job, self._requests.json("GET", f"/jobs/{job_id}"))

    def wait_for(self, job: Job, *, every: float = 1.0) -> Job:
        """Return a job once it ended."""
        while job.state not in _ENDED:
            self._requests.wait(every)
            job = self.job(job.id)
        return job

    def signatures(self, **asked: object) -> Iterator[dict[str, Any]]:
        """Yield signatures, the latest first; ``signer``, ``purpose``, ``since``, … restrict."""
        offset: int | None = 0
        while offset is not None:
            page = self._requests.json("GET", "/signatures", params={**asked, "offset": offset})
            yield from page["items"]
            offset = page["next_offset"]

    def _digest(self, session: Session, item: SessionItem, algorithm: MACAlgorithm) -> bytes:
        """Return the digest of what would be signed, computed here."""
        stream = self._requests.send(
            "GET", f"/signing-sessions/{session.id}/items/{item.n}/stream"
        ).content
        digest = new_digest(algorithm)
        digest.update(stream)
        computed = digest.digest()
        if computed.hex() != item.digest or item.algorithm != algorithm.value:
            raise SignerRefusedError(
                "the digest to sign is not that of the bytes that the service shows"
            )
        return computed


def _of(kind: type[_T], members: Mapping[str, Any]) -> _T:
    """Return a value from a JSON object; what a later service adds is left out."""
    return kind(**{each.name: members[each.name] for each in fields(kind)})


def _seen(report: Report) -> dict[str, str]:
    return {"If-Match": f'"{report.sha256}"'}
