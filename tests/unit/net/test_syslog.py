"""Syslog over TLS: only the right collector gets messages, and delivered means read."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sr.app.audit.spool import Spool
from sr.errors import ConfigurationError, ExternalServiceError, LimitError
from sr.net.syslog import LARGEST_MESSAGE, SyslogCollector, syslog_message, tls_context
from tests.support.collector import Collector, collecting, server_files
from tests.support.pki import DAY, Entity, issue

AT = datetime(2026, 11, 20, 12, 0, 0, 1500, tzinfo=UTC)
TODAY = datetime.now(UTC)
MESSAGES = [b"<85>1 one", b"<85>1 " + b"x" * 20000, "<85>1 Ü".encode()]


@pytest.fixture(scope="module")
def root() -> Entity:
    """Return the authority of the right collector."""
    return issue(
        None, "Log Root", ca=True, key_kind="p256", slot="log root", not_before=TODAY - DAY
    )


def server(folder: Path, issuer: Entity | None, **changes: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_files(folder, issuer, **changes))
    return context


def client(collector: Collector, root: Entity, **changes: object) -> SyslogCollector:
    return SyslogCollector(
        host="127.0.0.1",
        server_name="localhost",
        port=collector.port,
        context=tls_context([root.der]),
        timeout=10,
        **changes,
    )


def test_messages_arrive_as_they_are(root: Entity, tmp_path: Path) -> None:
    """Frames are counted in octets, and all of them were read when delivery returns."""
    with collecting(Collector(context=server(tmp_path, root))) as collector:
        client(collector, root).deliver(MESSAGES)
    assert collector.messages == MESSAGES


REFUSED: dict[str, Callable[[Path, Entity], ssl.SSLContext]] = {
    "an unknown authority": lambda f, r: server(
        f, issue(None, "Other", ca=True, key_kind="p256", slot="other", not_before=TODAY - DAY)
    ),
    "no authority": lambda f, r: server(f, None),
    "another name": lambda f, r: server(f, r, name="elsewhere.example"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_another_collector_gets_nothing(fault: str, root: Entity, tmp_path: Path) -> None:
    """A collector with another authority or name is not told anything."""
    wrong = Collector(context=REFUSED[fault](tmp_path, root))
    with collecting(wrong) as collector, pytest.raises(ExternalServiceError):
        client(collector, root).deliver(MESSAGES)
    assert not collector.messages
    assert not collector.peers


def old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """Make a context speak TLS 1.1 and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_old_tls_is_refused(root: Entity, tmp_path: Path) -> None:
    """A collector that speaks TLS 1.1 only gets nothing; a client that speaks it would be heard."""
    with collecting(Collector(context=old_tls(server(tmp_path, root)))) as collector:
        with pytest.raises(ExternalServiceError):
            client(collector, root).deliver(MESSAGES)
        assert not collector.peers
        old = SyslogCollector(
            host="127.0.0.1",
            server_name="localhost",
            port=collector.port,
            context=old_tls(tls_context([root.der])),
        )
        old.deliver(MESSAGES)
    assert collector.messages == MESSAGES


def test_nobody_there_is_an_error(root: Entity, tmp_path: Path) -> None:
    """A port where nobody listens is no collector."""
    with collecting(Collector(context=server(tmp_path, root))) as collector:
        pass
    with pytest.raises(ExternalServiceError):
        client(collector, root).deliver(MESSAGES)


@pytest.mark.parametrize("host", ["", "a" * 300, "no such host.invalid", "\ud800"])
def test_a_host_that_is_none_is_an_error(host: str, root: Entity) -> None:
    """Whatever stands for a host name, no other error leaves."""
    with pytest.raises(ExternalServiceError):
        SyslogCollector(host=host, port=1, context=tls_context([root.der])).deliver(MESSAGES)


def test_what_the_collector_does_not_confirm_was_not_delivered(
    root: Entity, tmp_path: Path
) -> None:
    """A connection that ends without the closing alert may have lost something."""
    silent = Collector(context=server(tmp_path, root), answers=False)
    with collecting(silent) as collector, pytest.raises(ExternalServiceError):
        client(collector, root).deliver(MESSAGES)
    assert len(collector.peers) == 1


def test_a_collector_that_closes_early_did_not_read(root: Entity, tmp_path: Path) -> None:
    """A closing alert that is no answer to ours says nothing about the messages."""
    hasty = Collector(context=server(tmp_path, root), reads=False)

    class Late(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            assert hasty.left.wait(10)
            return super().__iter__()

    with collecting(hasty) as collector, pytest.raises(ExternalServiceError):
        client(collector, root).deliver(Late([b"<85>1 one"]))
    assert len(collector.peers) == 1


def test_a_collector_that_talks_is_none(root: Entity, tmp_path: Path) -> None:
    """The protocol knows no answers; whoever gives one is something else."""
    talking = Collector(context=server(tmp_path, root), talks=True)
    with collecting(talking) as collector, pytest.raises(ExternalServiceError):
        client(collector, root).deliver(MESSAGES)


def test_a_collector_that_was_down_gets_everything_once(root: Entity, tmp_path: Path) -> None:
    """What waited while nobody listened arrives when somebody does: none lost, none doubled."""
    collector = Collector(context=server(tmp_path, root))
    with collecting(collector):
        pass
    spool = Spool(folder=tmp_path / "spool")
    sent = [(number, b"<85>1 %d" % number) for number in range(1, 61)]
    for last in (20, 40):
        spool.take(sent[:last])
        with pytest.raises(ExternalServiceError):
            spool.forward(client(collector, root).deliver)
    with collecting(collector):
        spool.take(sent)
        assert spool.forward(client(collector, root).deliver) == 60
        assert spool.forward(client(collector, root).deliver) == 0
    assert collector.messages == [message for _, message in sent]


def test_a_collector_may_demand_to_know_us(root: Entity, tmp_path: Path) -> None:
    """With a client certificate the messages are taken; without one they count as not delivered."""
    demanding = server(tmp_path, root)
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(cadata=root.der)
    certificate, key = server_files(tmp_path, root, name="srsign", label="client")
    with collecting(Collector(context=demanding)) as collector:
        with pytest.raises(ExternalServiceError):
            client(collector, root).deliver(MESSAGES)
        assert not collector.messages
        known = SyslogCollector(
            host="127.0.0.1",
            server_name="localhost",
            port=collector.port,
            context=tls_context([root.der], certificate=certificate, key=key),
        )
        known.deliver(MESSAGES)
    assert collector.messages == MESSAGES


@pytest.mark.parametrize("fault", ["no anchor", "no file", "encrypted", "other key"])
def test_unusable_certificates_are_named(fault: str, root: Entity, tmp_path: Path) -> None:
    """A context is never made with less than was asked for, and nobody is asked for a password."""
    certificate, key = server_files(tmp_path, root, label="client")
    _, other = server_files(tmp_path, root, label="another")
    encrypted = tmp_path / "encrypted.key"
    made = issue(root, "Collector", key_kind="p256", slot="client")
    encrypted.write_bytes(made.key_pem(b"secret"))
    keys = {"no file": tmp_path / "none", "encrypted": encrypted, "other key": other}
    with pytest.raises(ConfigurationError):
        tls_context(
            [] if fault == "no anchor" else [root.der],
            certificate=certificate,
            key=keys.get(fault, key),
        )


def test_junk_is_no_anchor() -> None:
    """Bytes that are no certificate are refused."""
    with pytest.raises(ConfigurationError):
        tls_context([b"junk"])


def test_a_message_has_the_header_of_the_profile() -> None:
    """Facility 10, severity 5, MSGID, byte order mark, and a number to see doubles by."""
    made = syslog_message(b"<a/>", at=AT, sequence=7, succeeded=True, hostname="pacs 7\n")
    assert made == (
        b"<85>1 2026-11-20T12:00:00.001500Z pacs7 srsign - DICOM+RFC3881 "
        b'[meta sequenceId="7"] \xef\xbb\xbf<a/>'
    )


def test_a_failure_is_a_warning() -> None:
    """What failed has severity 4."""
    made = syslog_message(b"<a/>", at=AT, sequence=2**31, succeeded=False, hostname="")
    assert made.startswith(b"<84>1 2026-11-20T12:00:00.001500Z - srsign ")
    assert b'sequenceId="1"' in made


def test_a_message_that_collectors_may_cut_off_is_refused() -> None:
    """Nothing longer than every collector has to take is sent."""
    with pytest.raises(LimitError) as error:
        syslog_message(b"x" * LARGEST_MESSAGE, at=AT, sequence=1, succeeded=True, hostname="h")
    assert error.value.rule == "SYSLOG_SIZE"
