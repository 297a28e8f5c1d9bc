"""The client of a time-stamp authority: one question, one bounded answer, nothing else."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from sr import compose
from sr.app.settings import load_settings
from sr.errors import ConfigurationError, TimestampError
from sr.net.http import Exchange
from sr.net.timestamp import HTTPTimestampAuthority, timestamp_url
from tests.support.tsa_server import Answer, http_server

TIMEOUT = 20.0


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask this machine itself, whatever the environment says about others."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def client(url: str, timeout: float = TIMEOUT) -> HTTPTimestampAuthority:
    return HTTPTimestampAuthority(url=timestamp_url(url), timeout=timeout)


def test_the_answer_comes_back_as_it_is() -> None:
    """The request goes out unchanged, and the body of the answer comes back unjudged."""
    asked: list[bytes] = []

    def answer(request: bytes) -> Answer:
        asked.append(request)
        return Answer(body=b"whatever")

    with http_server(answer) as url:
        assert client(url).respond(b"request") == b"whatever"
    assert asked == [b"request"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=401, headers={"WWW-Authenticate": "Basic realm=x"}),
        Answer(status=500, body=b"down"),
        Answer(status=503, headers={"Retry-After": "1"}),
        Answer(kind="text/html", body=b"<html>sign in to the hospital network</html>"),
        Answer(kind=None, body=b"?"),
        Answer(body=b"x" * (256 * 1024 + 1)),
    ],
    ids=["absent", "unauthorised", "broken", "busy", "page", "untyped", "endless"],
)
def test_other_answers_are_none(answer: Answer) -> None:
    """An error, another content type or too much is refused with the one error."""
    with http_server(lambda _: answer) as url, pytest.raises(TimestampError):
        client(url).respond(b"request")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Nobody is asked but the address that was configured."""
    asked: list[bytes] = []

    def elsewhere(request: bytes) -> Answer:
        asked.append(request)
        return Answer(body=b"gotcha")

    with http_server(elsewhere) as other:
        moved = Answer(status=status, headers={"Location": other})
        with http_server(lambda _: moved) as url, pytest.raises(TimestampError):
            client(url).respond(b"request")
    assert not asked


@contextmanager
def listener() -> Iterator[tuple[socket.socket, str]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_silence_ends() -> None:
    """An authority that takes the question and says nothing is given up."""
    with listener() as (_, url), pytest.raises(TimestampError):
        client(url, timeout=0.05).respond(b"request")


def test_nobody_there() -> None:
    """A closed port is an error with the exit code of time-stamps, like any other."""
    with listener() as (_, url):
        pass
    with pytest.raises(TimestampError):
        client(url).respond(b"request")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tsa.example.org",
        "ftp://tsa.example.org/",
        "file:///etc/passwd",
        "http://",
        "http://tsa.example.org:port/",
        "http://tsa.example.org:0/",
        "http://tsa.example.org/a b",
        "http://tsa.example.org/\r\nX: y",
        "http://[::1/",
        "https://user:secret@tsa.example.org/",
        "https://user@tsa.example.org/",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """Only http and https addresses without user name are accepted."""
    with pytest.raises(ConfigurationError):
        timestamp_url(text)


def test_a_query_is_not_shown() -> None:
    """What may be an access key does not stand in messages."""
    assert "secret" not in client("https://tsa.example.org/ts?key=secret").name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEOUT_SECONDS", "0"),
        ("POLICY", "not an identifier"),
        ("POLICY", "1.2.03"),
        ("ANCHOR", "/nowhere/tsa.pem"),
    ],
)
def test_settings_that_make_no_sense(name: str, value: str) -> None:
    """A setting is refused when it is needed, before anything is signed."""
    settings = load_settings((), {f"SRSIGN_TIMESTAMP__{name}": value})
    with pytest.raises(ConfigurationError):
        compose.signing_ports("http://127.0.0.1:9/", settings)


def test_the_option_goes_before_the_setting() -> None:
    """--timestamp wins over timestamp.url; an empty one means none at all."""
    settings = load_settings((), {"SRSIGN_TIMESTAMP__URL": "http://tsa.example.org/"})
    for said, expected in ((None, "http://tsa.example.org/"), ("http://b/", "http://b/")):
        given = compose.signing_ports(said, settings).timestamping
        assert given is not None
        assert given.authority.name == expected
    assert compose.signing_ports("", settings).timestamping is None
    assert compose.signing_ports(None, load_settings((), {})).timestamping is None


def test_nonces_are_new() -> None:
    """Each nonce is another one."""
    given = compose.signing_ports("http://tsa.example.org/", load_settings((), {})).timestamping
    assert given is not None
    assert len({given.new_nonce() for _ in range(100)}) == 100


@contextmanager
def endless_server() -> Iterator[str]:
    """Answer the first request with bytes for as long as somebody takes them."""
    with listener() as (server, url):

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n")
                while True:
                    connection.sendall(bytes(1024))

        thread = Thread(target=serve)
        thread.start()
        yield url
        thread.join()


def test_an_answer_that_does_not_end_is_given_up() -> None:
    """Bytes that keep coming in time, one by one, do not make an answer as a whole."""
    exchange = Exchange(timeout=0.1, largest=1 << 40, failure=TimestampError)
    with endless_server() as url, pytest.raises(TimestampError):
        exchange.run(urllib.request.Request(url, data=b"request"))
