"""A time-stamp authority over HTTP around ``openssl ts``, and servers that are none.

The server listens on a free port of this machine only; ``http_server`` serves whatever a test wants
an authority to say.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

__all__ = ["OPENSSL", "REPLY", "Answer", "http_server", "openssl_reply", "openssl_tsa"]

OPENSSL = Path("/usr/bin/openssl")
REPLY = "application/timestamp-reply"
_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {certificate}
signer_key = {key}
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_chain = no
ess_cert_id_alg = {naming}
crypto_device = builtin
{more}
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an HTTP server answers with."""

    body: bytes = b""
    status: int = 200
    kind: str | None = REPLY
    headers: dict[str, str] = field(default_factory=dict)


def openssl_reply(
    folder: Path,
    query: bytes,
    *,
    certificate: Path,
    key: Path,
    chain: Path | None = None,
    naming: str = "sha256",
) -> bytes:
    """Return what ``openssl ts -reply`` answers; with a chain, its certificates come unsorted."""
    folder.mkdir(exist_ok=True)
    more = f"certs = {chain}" if chain is not None else ""
    configuration = folder / "tsa.cnf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder, certificate=certificate, key=key, naming=naming, more=more
        )
    )
    question, answer = folder / "q.tsq", folder / "q.tsr"
    question.write_bytes(query)
    subprocess.run(
        [OPENSSL, "ts", "-reply", "-config", configuration, "-queryfile", question, "-out", answer],
        check=True,
        capture_output=True,
    )
    return answer.read_bytes()


@contextmanager
def http_server(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """Serve answers for as long as the block runs; yields the address. GET asks for ``GET``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            said = answer(body)
            self.send_response(said.status)
            if said.kind is not None:
                self.send_header("Content-Type", said.kind)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def do_GET(self) -> None:
            self._answer(b"GET")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def openssl_tsa(
    folder: Path, *, certificate: Path, key: Path, chain: Path | None = None
) -> Iterator[str]:
    """Serve time-stamps made by openssl; yields the address."""

    def reply(query: bytes) -> Answer:
        made = openssl_reply(folder, query, certificate=certificate, key=key, chain=chain)
        return Answer(body=made)

    with http_server(reply) as url:
        yield url
