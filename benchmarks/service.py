"""The service under load: many clients who sign, check and list; ratios to the raw key's rate."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from secrets import token_hex
from socket import socket
from threading import Lock
from typing import Self

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sr.app.settings import load_settings
from sr.compose import current_time
from sr.compose.service import service_context
from sr.dicomfile import BytesSource, read
from sr.document.template import load_template
from sr.service.authoring.reports import write_report
from sr.service.context import Context
from sr.service.operation.demonstration import (
    DemoWorld,
    chain_of,
    make_world,
    principal_for,
    trust_of,
)
from sr.service.reading.documents import described
from sr.store.documents import DocumentKind, DocumentState, add_document, content_of
from sr.store.people import add_api_key

__all__ = ["Latency", "ServiceLoad", "service_load"]

_MIX = {"sign": 0.4, "check": 0.4, "list": 0.2}
_AUTHOR = "anna"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Of one kind of request, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLoad:
    """What the service did in one run."""

    clients: int
    seconds: float
    raw: float
    """Signatures a second with the key alone, RSA-3072, one thread: mean of before and after."""
    signed: float
    """Documents signed a second, in sessions of one, beside checks and lists."""
    stacked: float
    """Documents signed a second in sessions of 50, nothing beside."""
    raw_processor: float
    """Milliseconds of processor time for a signature with the key alone."""
    stacked_processor: float
    """Milliseconds of the server's processor time for a document in sessions of 50."""
    mixed_processor: float
    """Milliseconds of the server's processor time for an exchange of the load, of whatever kind."""
    errors: int
    latencies: dict[str, Latency]
    megabytes_first: float
    """Memory of the server after a tenth of the time."""
    megabytes_last: float


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A service that runs, and what clients need to use it."""

    port: int
    keys: tuple[str, ...]
    """One for each client."""
    chain: str
    private_key: rsa.RSAPrivateKey
    drafts: SimpleQueue[tuple[str, str]]
    signed: bytes
    pid: int


@dataclass(slots=True)
class _Tally:
    lock: Lock = field(default_factory=Lock)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def add(self, kind: str, milliseconds: float) -> None:
        with self.lock:
            self.milliseconds.setdefault(kind, []).append(milliseconds)

    def fail(self, kind: str, what: str) -> None:
        with self.lock:
            self.errors.append(f"{kind}: {what}")


def service_load(*, clients: int = 50, seconds: float = 120, drafts: int = 8000) -> ServiceLoad:
    """Serve a database of drafts from a process of its own, and use it.

    Args:
        clients: How many at once, each with a connection of its own.
        seconds: How long.
        drafts: Documents that wait to be signed; more than can be in that time.
    """
    with _service(drafts, clients) as prepared:
        before = _raw(prepared.private_key, min(5.0, seconds / 4))
        stacked, stacked_processor = _stacked(prepared, sessions=max(2, int(seconds // 10)))
        used = _processor(prepared.pid)
        tally = _Tally()
        until = time.perf_counter() + seconds
        memory: list[float] = []
        with ThreadPoolExecutor(clients + 1) as pool:
            watched = pool.submit(_watch, prepared.pid, until, seconds, memory)
            for done in [pool.submit(_client, n, prepared, until, tally) for n in range(clients)]:
                done.result()
            watched.result()
        used = _processor(prepared.pid) - used
        after = _raw(prepared.private_key, min(5.0, seconds / 4))
        exchanges = sum(map(len, tally.milliseconds.values()))
        for fault in sorted(set(tally.errors)):
            print(f"  {fault}", file=sys.stderr)
        return ServiceLoad(
            clients=clients,
            seconds=seconds,
            raw=(before.rate + after.rate) / 2,
            signed=len(tally.milliseconds.get("sign", ())) / seconds,
            stacked=stacked,
            raw_processor=(before.processor + after.processor) / 2,
            stacked_processor=stacked_processor,
            mixed_processor=1e3 * used / max(1, exchanges),
            errors=len(tally.errors),
            latencies={kind: _latency(each) for kind, each in sorted(tally.milliseconds.items())},
            megabytes_first=memory[0],
            megabytes_last=memory[-1],
        )


@contextmanager
def _service(drafts: int, clients: int) -> Iterator[_Prepared]:
    with tempfile.TemporaryDirectory(prefix="srsign-load-") as name:
        folder, port = Path(name), _free_port()
        keys = tuple(token_hex(32) for _ in range(clients))
        variables = {
            "SRSIGN_STORE__URL": f"sqlite:///{folder / 'srsign.db'}",
            "SRSIGN_SERVICE__EVIDENCE": str(folder / "evidence"),
            "SRSIGN_TRUST__DIRECTORY": str(folder / "trust"),
            "SRSIGN_HTTP__REQUESTS_PER_MINUTE": "0",  # all clients are one user
            "SRSIGN_HTTP__CONCURRENT_REQUESTS_PER_CALLER": "0",
        }
        (folder / "evidence").mkdir()
        context = service_context(load_settings((), variables))
        world = make_world(context, folder, studies=1, slices=2)
        trust_of(world, folder / "trust")
        queue, first = _drafts(context, world, drafts)
        with context.database.write() as connection:
            for key in keys:
                add_api_key(
                    connection, id=token_hex(8), digest=sha256(key.encode()).hexdigest(),
                    user_id=_AUTHOR, label="load", at=current_time(),
                )  # fmt: skip
        context.database.close()
        private = load_pem_private_key((folder / "pki" / "author.key").read_bytes(), None)
        assert isinstance(private, rsa.RSAPrivateKey)
        srsign = Path(sys.executable).with_name("srsign")
        program = [str(srsign), "serve", "--port", str(port)]
        server = subprocess.Popen(
            program, env=os.environ | variables, stderr=subprocess.DEVNULL, cwd=folder
        )
        prepared = _Prepared(
            port=port, keys=keys, chain=chain_of(world.pki, "author").decode(),
            private_key=private, drafts=queue, signed=first, pid=server.pid,
        )  # fmt: skip
        try:
            _wait(port)
            yield replace(prepared, signed=_signed(prepared))
        finally:
            server.terminate()
            server.wait(20)


def _drafts(
    context: Context, world: DemoWorld, number: int
) -> tuple[SimpleQueue[tuple[str, str]], bytes]:
    """Write one draft, and copies of it under UIDs of the same length."""
    document = write_report(
        context,
        principal_for(_AUTHOR),
        study_instance_uid=world.studies[0],
        values=tomllib.loads(load_template("ct-chest").example),
        template="ct-chest",
    )
    queue: SimpleQueue[tuple[str, str]] = SimpleQueue()
    queue.put((document.sop_instance_uid, document.sha256))
    with context.database.write() as connection:
        content = content_of(connection, document.sop_instance_uid).content
        old = document.sop_instance_uid.encode()
        for n in range(number - 1):
            tail = f"{n:09d}"
            data = content.replace(old, old[: -len(tail)] + tail.encode())
            copy = described(
                read(BytesSource(data)), kind=DocumentKind.REPORT, state=DocumentState.DRAFT,
                owner=_AUTHOR, at=context.ports.now(), template=document.template,
            )  # fmt: skip
            add_document(connection, copy, data, signed=False, by=_AUTHOR)
            queue.put((copy.sop_instance_uid, copy.sha256))
    return queue, content


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with _Connection(port, "") as connection:
                connection.call("GET", "/livez")
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class _Connection:
    """A connection that is kept, as one client has it."""

    def __init__(self, port: int, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        headers = self.headers | ({"Content-Type": kind} if body is not None else {})
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} {data[:120]!r}")
        return data

    def sign(self, prepared: _Prepared, wanted: list[tuple[str, str]]) -> None:
        body = {
            "items": [{"sop_instance_uid": uid, "if_match": digest} for uid, digest in wanted],
            "purpose": "author",
            "certificate_chain": prepared.chain,
        }
        path = "/api/v1/signing-sessions"
        session = json.loads(self.call("POST", path, json.dumps(body).encode()))
        items = [
            {"n": item["n"], "signature": _value(prepared.private_key, item["digest"])}
            for item in session["items"]
        ]
        done = f"{path}/{session['id']}/complete"
        self.call("POST", done, json.dumps({"items": items}).encode())


def _value(key: rsa.RSAPrivateKey, digest: str) -> str:
    value = key.sign(bytes.fromhex(digest), padding.PKCS1v15(), Prehashed(SHA256()))
    return b64encode(value).decode()


def _signed(prepared: _Prepared) -> bytes:
    wanted = prepared.drafts.get()
    with _Connection(prepared.port, prepared.keys[0]) as connection:
        connection.sign(prepared, [wanted])
        return connection.call("GET", f"/api/v1/reports/{wanted[0]}/file")


def _client(number: int, prepared: _Prepared, until: float, tally: _Tally) -> None:
    random = Random(number)
    kinds, weights = tuple(_MIX), tuple(_MIX.values())
    with _Connection(prepared.port, prepared.keys[number]) as connection:
        does: dict[str, Callable[[], object]] = {
            "sign": lambda: connection.sign(prepared, [prepared.drafts.get_nowait()]),
            "check": lambda: connection.call(
                "POST", "/api/v1/checks", prepared.signed, "application/dicom"
            ),
            "list": lambda: connection.call("GET", "/api/v1/reports?limit=50"),
        }
        while time.perf_counter() < until:
            kind = random.choices(kinds, weights)[0]
            started = time.perf_counter()
            try:
                does[kind]()
            except (RuntimeError, OSError, http.client.HTTPException, Empty) as error:
                tally.fail(kind, repr(error)[:200])
                connection.connection.close()
                continue
            tally.add(kind, 1e3 * (time.perf_counter() - started))


def _stacked(prepared: _Prepared, *, sessions: int) -> tuple[float, float]:
    """Return documents a second, and milliseconds of the server's processor time for each."""
    used = _processor(prepared.pid)
    with _Connection(prepared.port, prepared.keys[0]) as connection:
        started = time.perf_counter()
        for _ in range(sessions):
            connection.sign(prepared, [prepared.drafts.get() for _ in range(50)])
        rate = 50 * sessions / (time.perf_counter() - started)
    return rate, 1e3 * (_processor(prepared.pid) - used) / (50 * sessions)


@dataclass(frozen=True, slots=True)
class _Raw:
    rate: float
    """Signatures a second."""
    processor: float
    """Milliseconds of processor time for one."""


def _raw(key: rsa.RSAPrivateKey, seconds: float) -> _Raw:
    digest, known = bytes(32), Prehashed(SHA256())
    started, used = time.perf_counter(), time.thread_time()
    for made in count(1):
        key.sign(digest, padding.PKCS1v15(), known)
        if (taken := time.perf_counter() - started) >= seconds:
            return _Raw(made / taken, 1e3 * (time.thread_time() - used) / made)
    raise AssertionError


def _processor(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _watch(pid: int, until: float, seconds: float, memory: list[float]) -> None:
    time.sleep(seconds / 10)
    memory.append(_megabytes(pid))
    time.sleep(max(0.0, until - time.perf_counter() - 0.5))
    memory.append(_megabytes(pid))


def _megabytes(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _latency(milliseconds: list[float]) -> Latency:
    ordered = sorted(milliseconds)

    def quantile(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return Latency(count=len(ordered), p50=quantile(0.5), p95=quantile(0.95), p99=quantile(0.99))
