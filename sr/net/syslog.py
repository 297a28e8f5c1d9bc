"""Client of a syslog collector over TLS, for audit messages.

A batch counts as delivered when the collector has answered our closing alert with its own: that
answer is authenticated and comes after everything before it was read. Anything else leaves the
batch to be sent again, so nothing is lost, and a collector may see a message twice.

Cites: RFC 5424 6; RFC 5425 4, 5; PS3.15 A.6.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sr.errors import ConfigurationError, ExternalServiceError, LimitError

__all__ = [
    "LARGEST_MESSAGE",
    "SyslogCollector",
    "collector_address",
    "syslog_message",
    "tls_context",
]

LARGEST_MESSAGE = 32768
"""Octets that every collector of the profile takes; a longer message may be cut off unseen."""
_SECURITY = 10
_NOTICE, _WARNING = 5, 4
_MESSAGE_ID = "DICOM+RFC3881"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LAST_SEQUENCE = 2**31 - 1
_PORT = 6514
_BLOCK = 16 * 1024
_NAME_LENGTHS = {"hostname": 255, "application": 48}


def syslog_message(
    body: bytes,
    *,
    at: datetime,
    sequence: int,
    succeeded: bool,
    hostname: str,
    application: str = "srsign",
) -> bytes:
    """Return an audit message with its syslog header.

    Args:
        body: XML, UTF-8.
        at: When it happened, aware, UTC.
        sequence: Number of its row: by it a collector sees what came twice.
        succeeded: Whether it is a notice; otherwise a warning.
        hostname: Of this machine.
        application: That reports.

    Raises:
        LimitError: It is longer than collectors have to take; rule ``SYSLOG_SIZE``.

    Cites: RFC 5424 6, 7.3.1; PS3.15 A.6.
    """
    priority = _SECURITY * 8 + (_NOTICE if succeeded else _WARNING)
    header = " ".join(
        (
            f"<{priority}>1",
            at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            _name(hostname, "hostname"),
            _name(application, "application"),
            "-",
            _MESSAGE_ID,
            f'[meta sequenceId="{(sequence - 1) % _LAST_SEQUENCE + 1}"]',
        )
    )
    message = header.encode("ascii") + b" " + _BYTE_ORDER_MARK + body
    if len(message) > LARGEST_MESSAGE:
        raise LimitError(
            f"the audit message of row {sequence} has {len(message)} octets", rule="SYSLOG_SIZE"
        )
    return message


def _name(text: str, kind: str) -> str:
    """Return a name as the header takes it: printable ASCII without blanks."""
    kept = "".join(c for c in text if "!" <= c <= "~")
    return kept[: _NAME_LENGTHS[kind]] or "-"


def collector_address(text: str) -> tuple[str, int]:
    """Return host and port of a collector.

    Args:
        text: ``HOST``, ``HOST:PORT``, ``[IPv6]`` or ``[IPv6]:PORT``.

    Raises:
        ConfigurationError: It is none of these.

    Cites: RFC 5425 4.1.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or not text.isprintable() or set(text) & set("/?#@ "):
        raise ConfigurationError(
            "the setting audit.syslog names no collector", hint="for example audit.example.org:6514"
        )
    return host, port or _PORT


def tls_context(
    anchors: Iterable[bytes], *, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return how collectors are believed: by these certificates and no others, and by name.

    Args:
        anchors: DER.
        certificate: PEM file with our own, where the collector wants to know us.
        key: PEM file with its private key, not encrypted.

    Raises:
        ConfigurationError: There is no anchor, or a file does not fit.

    Cites: RFC 5425 5; BCP 195.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    known = b"".join(anchors)
    if not known:
        raise ConfigurationError(
            "no certificate is named that a syslog collector has to lead to",
            hint="the setting audit.syslog_anchor",
        )
    try:
        context.load_verify_locations(cadata=known)
        if certificate is not None:
            context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "the certificates for the syslog collector cannot be used"
        ) from error
    return context


def _no_password() -> str:
    """Refuse to ask anybody at a terminal."""
    raise ValueError("the key is encrypted")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogCollector:
    """A collector at an address.

    Cites: RFC 5425 4.
    """

    host: str
    context: ssl.SSLContext
    port: int = _PORT
    timeout: float = 15.0
    """Seconds for each step."""
    server_name: str = ""
    """Name in its certificate, where it is not ``host``."""

    @property
    def name(self) -> str:
        """Where it is; safe to show."""
        return f"{self.host}:{self.port}"

    def deliver(self, messages: Sequence[bytes]) -> None:
        """Send messages over one connection, and wait until all of them were read.

        Raises:
            ExternalServiceError: The collector is not there, not the right one, or broke off; the
                messages have to be sent again.

        Cites: RFC 5425 4.3, 4.4.
        """
        try:
            with socket.create_connection((self.host, self.port), self.timeout) as plain:
                channel = _Channel(plain, self.context, self.server_name or self.host)
                for message in messages:
                    channel.send(b"%d %b" % (len(message), message))
                channel.close()
        except (OSError, ValueError) as error:  # a host name may be none at all
            raise ExternalServiceError(
                f"the syslog collector {self.name} did not take the messages: {_reason(error)}",
                hint="they are kept and sent again",
            ) from error


class _Channel:
    """A TLS connection that can tell an answered closing alert from every other end.

    ``SSLSocket.unwrap`` cannot: it returns after a fatal alert, too, and after an alert that was
    sent before ours.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._exchange(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        """Send all of some bytes."""
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        """Send the closing alert and wait for the answer."""
        timeout = self._plain.gettimeout()
        self._plain.settimeout(0)
        with suppress(BlockingIOError):
            self._receive()
        self._plain.settimeout(timeout)
        with suppress(ssl.SSLWantReadError):
            self._tls.read(1)
            raise ConnectionAbortedError
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()
        with suppress(ssl.SSLZeroReturnError):
            self._exchange(self._read)
            raise ConnectionAbortedError

    def _read(self) -> None:
        self._tls.read(1)

    def _exchange(self, step: Callable[[], None]) -> None:
        """Do a step that needs what the other side says."""
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            else:
                break
        self._flush()

    def _receive(self) -> None:
        received = self._plain.recv(_BLOCK)
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._plain.sendall(self._outgoing.read())


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "it broke off"
    return getattr(error, "strerror", None) or type(error).__name__
