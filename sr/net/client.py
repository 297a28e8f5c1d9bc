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
from typing import Any, Protocol, Self, TypeVar
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding

from sr import errors
from sr.app.match_code import match_code
from sr.codes import SignaturePurpose
from sr.errors import ConflictError, ExternalServiceError, SignerRefusedError, SRError
from sr.keys import Signer
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest

__all__ = ["HTTP", "Answer", "Client", "Job", "Report", "Session", "SessionItem"]

_API = "/api/v1"
_PROBLEM = "urn:srsign:problem:"
_TRIES = 5
_ENDED = ("done", "failed")


class Answer(Protocol):
    """What an HTTP library gives back."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whatever the case of their names."""
        ...

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON."""
        ...


class HTTP(Protocol):
    """An HTTP library with an address and credentials; ``httpx.Client`` is one."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Any = ...,  # noqa: ANN401 - each library's own types
        params: Any = ...,  # noqa: ANN401
        json: Any = ...,  # noqa: ANN401
        content: Any = ...,  # noqa: ANN401
        files: Any = ...,  # noqa: ANN401
    ) -> Answer:
        """Send a request and return the answer."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


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
        http: Something else to speak with, instead of ``httpx``.
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
        self._http = http or _httpx(url, token, timeout)
        self._wait = wait

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
        self._http.close()

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies that a report can be written about."""
        return list(self._json("GET", "/studies")["items"])

    def reports(self, **asked: object) -> Iterator[Report]:
        """Yield documents, those that changed last first; ``state``, ``mine``, … restrict."""
        offset: int | None = 0
        while offset is not None:
            page = self._json("GET", "/reports", params={**asked, "offset": offset})
            yield from (_of(Report, each) for each in page["items"])
            offset = page["next_offset"]

    def report(self, sop_instance_uid: str) -> Report:
        """Return what the service knows of a report.

        Raises:
            NotFoundError: There is none.
        """
        return _of(Report, self._json("GET", f"/reports/{sop_instance_uid}"))

    def file(self, sop_instance_uid: str) -> bytes:
        """Return a report as a DICOM file.

        Raises:
            NotFoundError: There is none.
        """
        return self._send("GET", f"/reports/{sop_instance_uid}/file").content

    def verdict(self, sop_instance_uid: str, *, evidence: bool = True) -> dict[str, Any]:
        """Return the verdict on a report, judged now: the object of ``srsign check --json``."""
        asked = {"evidence": "true" if evidence else "false"}
        return dict(self._json("GET", f"/reports/{sop_instance_uid}/verdict", params=asked))

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
        return _of(Report, self._once("/reports", body))

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
        return _of(Report, self._json("PUT", path, json=body, headers=_seen(report)))

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
        return _of(Report, self._once(path, body, _seen(report)))

    def return_report(self, report: Report, comment: str) -> Report:
        """Return a report that waits for approval to its author.

        Raises:
            PreconditionError: It was changed meanwhile.
            LifecycleError: It does not wait for approval.
        """
        path = f"/reports/{report.sop_instance_uid}/return"
        body = {"comment": comment}
        return _of(Report, self._json("POST", path, json=body, headers=_seen(report)))

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
        opened = self._once("/signing-sessions", body)
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
            self._once(f"/signing-sessions/{session_id}/complete", {"items": items})["results"]
        )

    def cancel(self, session_id: str) -> None:
        """Give a session up."""
        self._send("DELETE", f"/signing-sessions/{session_id}")

    def check(self, data: bytes) -> dict[str, Any]:
        """Return the verdict on a file.

        Raises:
            NotDICOMError: It is no DICOM.
        """
        headers = {"Content-Type": "application/dicom"}
        return dict(self._json("POST", "/checks", content=data, headers=headers))

    def check_set(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """Return what is intact, altered, missing or unexpected in a set of named files."""
        parts = [("file", (name, data, "application/dicom")) for name, data in files]
        return dict(self._json("POST", "/checks", files=parts))

    def seal(self, study_instance_uid: str) -> Job:
        """Ask for a seal over a study."""
        return _of(Job, self._once("/seals", {"study_instance_uid": study_instance_uid}))

    def manifest(self, study_instance_uid: str) -> Job:
        """Ask for a manifest over a study and its signed reports."""
        return _of(Job, self._once("/manifests", {"study_instance_uid": study_instance_uid}))

    def job(self, job_id: str) -> Job:
        """Return how far a job is.

        Raises:
            NotFoundError: There is none.
        """
        return _of(Job, self._json("GET", f"/jobs/{job_id}"))

    def wait_for(self, job: Job, *, every: float = 1.0) -> Job:
        """Return a job once it ended."""
        while job.state not in _ENDED:
            self._wait(every)
            job = self.job(job.id)
        return job

    def signatures(self, **asked: object) -> Iterator[dict[str, Any]]:
        """Yield signatures, the latest first; ``signer``, ``purpose``, ``since``, … restrict."""
        offset: int | None = 0
        while offset is not None:
            page = self._json("GET", "/signatures", params={**asked, "offset": offset})
            yield from page["items"]
            offset = page["next_offset"]

    def _digest(self, session: Session, item: SessionItem, algorithm: MACAlgorithm) -> bytes:
        """Return the digest of what would be signed, computed here."""
        stream = self._send("GET", f"/signing-sessions/{session.id}/items/{item.n}/stream").content
        digest = new_digest(algorithm)
        digest.update(stream)
        computed = digest.digest()
        if computed.hex() != item.digest or item.algorithm != algorithm.value:
            raise SignerRefusedError(
                "the digest to sign is not that of the bytes that the service shows"
            )
        return computed

    def _once(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        """Send a request that is done once, however often it has to be sent."""
        sent = {**(headers or {}), "Idempotency-Key": str(uuid4())}
        for left in reversed(range(_TRIES)):
            try:
                return self._json("POST", path, json=body, headers=sent)
            except ConflictError as error:
                if error.retry_after is None or not left:
                    raise
                self._wait(error.retry_after)
        raise AssertionError  # the last try returned or raised

    def _json(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        return self._send(method, path, **more).json()

    def _send(self, method: str, path: str, **more: Any) -> Answer:  # noqa: ANN401
        answer = self._http.request(method, f"{_API}{path}", **more)
        if answer.status_code >= 400:
            raise _error(answer)
        return answer


_ERRORS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SRError)
}
"""Error class by the slug of a problem."""


def _error(answer: Answer) -> SRError:
    """Return the error that a problem stands for."""
    try:
        problem = answer.json()
        code = str(problem["type"]).removeprefix(_PROBLEM)
        detail, where, hint = problem["detail"], problem.get("where"), problem.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ExternalServiceError(f"the service answers {answer.status_code}")
    error = _ERRORS.get(code, ExternalServiceError)(detail, where=where, hint=hint)
    wait = answer.headers.get("retry-after", "")
    if isinstance(error, ConflictError) and wait.isdigit():
        error.retry_after = int(wait)
    return error


def _of(kind: type[_T], members: Mapping[str, Any]) -> _T:
    """Return a value from a JSON object; what a later service adds is left out."""
    return kind(**{each.name: members[each.name] for each in fields(kind)})


def _seen(report: Report) -> dict[str, str]:
    return {"If-Match": f'"{report.sha256}"'}


def _httpx(url: str, token: str, timeout: float) -> HTTP:
    try:
        import httpx  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise errors.ConfigurationError(
            "the client is not installed", hint="pip install 'srsign[http]'"
        ) from error

    class Reached(httpx.Client):
        """Says in our words that the other side does not answer."""

        def request(self, method: str, url: Any, **more: Any) -> httpx.Response:  # noqa: ANN401
            """Send a request and return the answer.

            Raises:
                ExternalServiceError: There is none.
            """
            try:
                return super().request(method, url, **more)
            except httpx.TransportError as error:
                name = type(error).__name__
                raise ExternalServiceError(f"the service does not answer: {name}") from error

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Reached(base_url=url, headers=headers, timeout=timeout)
