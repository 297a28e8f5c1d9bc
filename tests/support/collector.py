"""A syslog collector over TLS in this process, on a free port: it keeps what it reads."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from cryptography import x509

from tests.support.pki import Entity, issue

__all__ = ["Collector", "collecting", "frames", "server_files"]


@dataclass(kw_only=True)
class Collector:
    """What arrived, and how it behaves."""

    context: ssl.SSLContext
    answers: bool = True
    """Whether it answers the closing alert; otherwise it drops the connection."""
    reads: bool = True
    """Whether it reads at all; otherwise it takes its leave after the handshake."""
    talks: bool = False
    """Whether it says something that the protocol does not know."""
    left: Event = field(default_factory=Event)
    messages: list[bytes] = field(default_factory=list)
    port: int = 0
    peers: list[dict[str, object] | None] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                plain.settimeout(10)
                with self.context.wrap_socket(plain, server_side=True) as secured:
                    self.peers.append(secured.getpeercert())
                    self._read(secured)

    def _read(self, secured: ssl.SSLSocket) -> None:
        if not self.reads:
            secured.settimeout(0)
            with suppress(ssl.SSLWantReadError):
                secured.unwrap()
            self.left.set()
            secured.settimeout(10)
            while secured.recv(65536):
                continue
            return
        received = bytearray()
        while block := secured.recv(65536):
            received += block
        if not self.answers:
            return
        if self.talks:
            secured.sendall(b"250 thanks")
        secured.unwrap()
        self.messages += frames(bytes(received))


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the messages of octet-counted frames; anything else is an error."""
    while data:
        length, blank, rest = data.partition(b" ")
        if not blank or not length.isdigit() or length.startswith(b"0"):
            raise ValueError(data[:20])
        yield rest[: int(length)]
        data = rest[int(length) :]


def server_files(
    folder: Path, issuer: Entity | None, *, name: str = "localhost", label: str = "server"
) -> tuple[Path, Path]:
    """Write certificate and key of a server."""
    server = issue(issuer, "Collector", key_kind="p256", slot=label, names=[x509.DNSName(name)])
    certificate, key = folder / f"{label}.pem", folder / f"{label}.key"
    certificate.write_bytes(server.pem)
    key.write_bytes(server.key_pem())
    return certificate, key


@contextmanager
def collecting(collector: Collector) -> Iterator[Collector]:
    """Run a collector; on a port that it had before, if it had one."""
    with socket.create_server(("127.0.0.1", collector.port)) as listener:
        collector.port = listener.getsockname()[1]
        thread = Thread(target=collector.serve, args=(listener,))
        thread.start()
        try:
            yield collector
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
