"""Who asks for too much is refused, and others are served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from selectors import EVENT_READ, DefaultSelector
from socket import socket
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from httpx2 import Client

from sr.app.settings import HTTPSettings
from sr.errors import ConfigurationError
from sr.web.application import create_application
from sr.web.guard.connection import Connection
from sr.web.guard.headers import SecurityHeaders
from sr.web.guard.limits import Limiter
from sr.web.guard.rates import Buckets
from sr.web.guard.rules import HTTPRules, http_rules
from tests.support.service import Service, open_service
from tests.support.serving import connect, served

HERE = "http://srsign.test"


class _Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def _application(rules: HTTPRules, now: _Time | None = None, wait: Event | None = None) -> FastAPI:
    """Return an application that reads, refuses, and waits."""
    app = FastAPI()
    app.add_middleware(Limiter, rules=rules, now=now or _Time())
    app.add_middleware(SecurityHeaders, rules=rules)

    @app.get("/known")
    def known(request: Request) -> str:
        named = request.headers.get("authorization", "").split()[-1:]
        request.state.principal = SimpleNamespace(user_id=f"user {named}")
        return "hello"

    @app.get("/public")
    def public() -> str:
        return "hello"

    @app.get("/livez")
    def live() -> str:
        return "ok"

    @app.get("/unknown", status_code=401)
    def unknown() -> str:
        return "who"

    @app.get("/waits")
    def waits() -> str:
        assert wait is not None
        wait.wait(20)
        return "at last"

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.post("/json")
    def parsed(body: dict[str, Any]) -> int:
        return len(body)

    @app.post("/upload")
    def upload(file: UploadFile) -> int:
        return file.size or 0

    @app.get("/stream")
    def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0)
                yield b"part"

        return StreamingResponse(parts())

    return app


_POST = b"POST /raw HTTP/1.1\r\nHost: x\r\n"


def _is_ended(connection: socket) -> bool:
    """Return whether the server let go of a connection; it waits for that."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def _chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b" " * 1024


@pytest.mark.parametrize("path", ["/raw", "/json", "/upload"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_large_body_is_refused(path: str, chunked: bool) -> None:
    """More bytes than the limit are refused, said beforehand or not, however they are parsed."""
    client = TestClient(_application(HTTPRules(body_bytes=4096)))
    if path == "/upload":
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        kind = "multipart/form-data; boundary=x"
    else:
        head, kind = b"{", "application/json"
    whole = head + b"".join(_chunks(8))
    content = iter([head, *_chunks(8)]) if chunked else whole
    answer = client.post(path, content=content, headers={"content-type": kind})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/reports", 413), ("/login", 413), ("/api/v1/checks", 401), ("/check", 401)],
)
def test_only_where_files_are_sent_a_body_is_large(path: str, status: int) -> None:
    """What is parsed before it is known who sends it is short, whatever it says it is."""
    app = FastAPI()
    app.add_middleware(Limiter, rules=HTTPRules(body_bytes=8192, form_bytes=1024), now=_Time())

    @app.post(path)
    async def refuse(request: Request) -> Response:
        await request.body()
        return Response(status_code=401)

    client = TestClient(app)
    for kind in ("application/json", "application/dicom", "multipart/form-data; boundary=x"):
        answer = client.post(path, content=b" " * 2048, headers={"content-type": kind})
        assert answer.status_code == status
        assert client.post(path, content=_chunks(2)).status_code == status


@pytest.mark.parametrize("length", ["4294967296", "99999999999999999999999", "-1", "1e3", "0x10"])
def test_a_length_that_is_none_or_too_large_is_refused(length: str) -> None:
    """What a request says of its length is believed where it is refused for it."""
    client = TestClient(_application(HTTPRules(body_bytes=4096)))
    answer = client.post("/raw", content=b"x", headers={"content-length": length})
    assert answer.status_code == 413


def test_a_body_within_the_limit_arrives() -> None:
    """The last byte that is allowed is read."""
    client = TestClient(_application(HTTPRules(body_bytes=4096)))
    assert client.post("/raw", content=_chunks(4)).json() == 4096


def test_a_caller_who_asks_too_often_waits() -> None:
    """A minute's requests are answered, the next is not, and after some time it is."""
    now = _Time()
    client = TestClient(_application(HTTPRules(requests_per_minute=6), now))
    client.headers["Authorization"] = "Bearer one"
    client.get("/known")  # who is not known yet counts as the address
    assert [client.get("/known").status_code for _ in range(7)] == [200] * 6 + [429]
    answer = client.get("/known")
    assert answer.headers["retry-after"] == "10"
    now.seconds += 10
    assert [client.get("/known").status_code for _ in range(2)] == [200, 429]


def test_others_are_not_held_up() -> None:
    """A caller's requests are that caller's only."""
    client = TestClient(_application(HTTPRules(requests_per_minute=3)))
    for name in ("one", "two"):
        client.headers["Authorization"] = f"Bearer {name}"
        client.get("/known")
        assert [client.get("/known").status_code for _ in range(4)] == [200] * 3 + [429]


def test_drawing_new_credentials_helps_nobody() -> None:
    """Requests of callers whom nobody knows are those of their address."""
    client = TestClient(_application(HTTPRules(requests_per_minute=5)))
    cookies = [{"Cookie": f"srsign={n}"} for n in range(8)]
    answers = [client.get("/public", headers=each).status_code for each in cookies]
    assert answers == [200] * 5 + [429] * 3


def test_another_spelling_of_credentials_helps_nobody() -> None:
    """A user's requests are that user's, whatever else they carry."""
    client = TestClient(_application(HTTPRules(requests_per_minute=5)))
    spellings = [
        {"Authorization": f"Bearer {' ' * n}one", "Cookie": f"theme={n}"} for n in range(3)
    ]
    answers = [client.get("/known", headers=spellings[n % 3]).status_code for n in range(12)]
    assert answers.count(200) <= 5 + 3  # the first of each is the address's


def test_bodies_that_do_not_arrive_leave_places_for_others() -> None:
    """One address that holds up requests under many names holds up its own share of the places."""
    rules = HTTPRules(concurrent_requests=6, concurrent_requests_per_caller=4)
    known = {"Authorization": "Bearer one"}
    with served(_application(rules)) as port, ExitStack() as stack:
        client = stack.enter_context(Client(base_url=f"http://127.0.0.1:{port}"))
        assert client.get("/known", headers=known).status_code == 200
        answers = stack.enter_context(DefaultSelector())
        for n in range(12):
            slow = stack.enter_context(connect(port))
            answers.register(slow, EVENT_READ)
            slow.sendall(_POST + b"Authorization: Bearer %d\r\nContent-Length: 9\r\n\r\nx" % n)
        for _ in range(8):
            (answered, _), *_ = answers.select()
            assert answered.fileobj.recv(12) == b"HTTP/1.1 429"
            answers.unregister(answered.fileobj)
        assert client.get("/known", headers=known).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/agent/sessions", "/api/v1/jobs/1/events"])
def test_who_waits_takes_nobody_s_place(path: str) -> None:
    """However many wait for something to happen, others are served, and work takes its places."""
    wait = Event()
    app = _application(HTTPRules(concurrent_requests=2), wait=wait)

    @app.get(path)
    async def waits() -> None:
        await asyncio.to_thread(wait.wait, 20)

    with served(app) as port, ExitStack() as stack:
        stack.callback(wait.set)
        for where in (*[path] * 5, "/waits", "/waits"):
            caller = stack.enter_context(connect(port))
            caller.sendall(f"GET {where} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if where == path:
                with Client(base_url=f"http://127.0.0.1:{port}") as client:
                    assert client.get("/known").status_code == 200
        with Client(base_url=f"http://127.0.0.1:{port}") as client:
            answers = (client.get("/known").status_code for _ in range(100))
            assert 503 in answers
        wait.set()


def test_whoever_guesses_keys_waits_and_the_known_do_not() -> None:
    """An address with many refusals is refused, except for callers who were known before."""
    client = TestClient(_application(HTTPRules(refusals_per_minute=5)))
    known = {"Authorization": "Bearer right"}
    assert client.get("/known", headers=known).status_code == 200
    for n in range(5):
        wrong = {"Authorization": f"Bearer {n}"}
        assert client.get("/unknown", headers=wrong).status_code == 401
    assert client.get("/unknown", headers={"Authorization": "Bearer x"}).status_code == 429
    assert client.get("/known").status_code == 429
    assert client.get("/known", headers=known).status_code == 200


def test_what_everybody_may_see_makes_nobody_known() -> None:
    """Who asked for a public page with a guessed key is not known by it."""
    client = TestClient(_application(HTTPRules(refusals_per_minute=5)))
    guesses = [{"Authorization": f"Bearer {n}"} for n in range(8)]
    assert {client.get("/public", headers=each).status_code for each in guesses} == {200}
    answers = [client.get("/unknown", headers=each).status_code for each in guesses]
    assert answers == [401] * 5 + [429] * 3


def test_whether_it_lives_can_always_be_asked() -> None:
    """The question whether the process lives is not counted."""
    client = TestClient(_application(HTTPRules(requests_per_minute=1)))
    assert [client.get("/livez").status_code for _ in range(5)] == [200] * 5


def test_memory_of_callers_is_bounded() -> None:
    """However many callers there are, a bounded number is remembered."""
    buckets = Buckets(10)
    for n in range(10_050):
        buckets.take(str(n), float(n))
    assert len(buckets._buckets) == 10_000


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        (HTTPRules(concurrent_requests=2), 503),
        (HTTPRules(concurrent_requests_per_caller=2), 429),
    ],
)
def test_only_so_many_at_once(rules: HTTPRules, status: int) -> None:
    """With as many requests under way as are allowed, a further one is refused at once."""
    wait = Event()
    with served(_application(rules, wait=wait)) as port, ExitStack() as stack:
        stack.callback(wait.set)
        for _ in range(2):
            waiting = stack.enter_context(connect(port))
            waiting.sendall(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n")
        with Client(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(100):
                answer = client.get("/known")
                if answer.status_code != 200:  # both have arrived
                    break
            assert answer.status_code == status
            assert client.get("/livez").status_code == 200
        wait.set()
        assert waiting.recv(4096).startswith(b"HTTP/1.1 200")


def test_what_takes_too_long_is_given_up() -> None:
    """A caller is told after the time for a request, and the request keeps its place."""
    wait = Event()
    rules = HTTPRules(request_seconds=1, concurrent_requests_per_caller=1)
    with (
        served(_application(rules, wait=wait)) as port,
        Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        assert client.get("/waits").status_code == 503
        assert client.get("/known").status_code == 429
        wait.set()
        for _ in range(1000):
            answer = client.get("/known")
            if answer.status_code == 200:
                break
        assert answer.status_code == 200


def test_an_answer_that_has_begun_may_go_on() -> None:
    """A stream is passed on as it is."""
    client = TestClient(_application(HTTPRules(request_seconds=30, stall_seconds=30)))
    assert client.get("/stream").text == "partpartpart"


def test_half_a_request_does_not_hold_up_others() -> None:
    """Sixty clients that never finish their headers lose their connections; others are served."""
    with served(_application(HTTPRules())) as port, ExitStack() as stack:
        slow = [stack.enter_context(connect(port)) for _ in range(60)]
        for each in slow[:40]:
            each.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            assert [client.get("/known").status_code for _ in range(5)] == [200] * 5
            assert all(map(_is_ended, slow))
            assert client.get("/known").status_code == 200


def test_half_a_second_request_does_not_either() -> None:
    """A connection that was used once is closed too where the next request does not arrive."""
    with served(_application(HTTPRules())) as port, connect(port) as slow:
        slow.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n")
        received = slow.recv(4096)
        slow.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\n")
        while data := slow.recv(4096):
            received += data
        assert received.count(b"HTTP/1.1 200") == 1


def test_half_requests_make_room_for_whole_ones() -> None:
    """With as many connections as there may be, whoever has waited longest loses his."""

    class Small(Connection):
        most = 8
        header_seconds = 3600

    with served(_application(HTTPRules()), http=Small) as port, ExitStack() as stack:
        slow = [stack.enter_context(connect(port)) for _ in range(20)]
        for each in slow:
            each.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            assert client.get("/known").status_code == 200
        assert all(map(_is_ended, slow[:12]))


def test_who_is_served_makes_no_room() -> None:
    """A connection whose request is at work is kept, and one without a request let go of."""
    begun, wait = Event(), Event()
    app = _application(HTTPRules(), wait=wait)

    @app.get("/work")
    def work() -> str:
        begun.set()
        wait.wait(20)
        return "done"

    class Small(Connection):
        most = 2
        header_seconds = 3600

    with served(app, http=Small) as port, ExitStack() as stack:
        stack.callback(wait.set)
        at_work = stack.enter_context(connect(port))
        at_work.sendall(b"GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(20)
        idle, other = (stack.enter_context(connect(port)) for _ in range(2))
        other.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(12) == b"HTTP/1.1 200"
        assert _is_ended(idle)
        wait.set()
        assert at_work.recv(12) == b"HTTP/1.1 200"


def test_who_does_not_read_loses_the_connection() -> None:
    """A client that asks for much and reads nothing is let go of by the system."""

    class Curt(Connection):
        unread_seconds = 0.3

    app = _application(HTTPRules())
    ended = Event()

    @app.get("/much")
    def much() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    await asyncio.sleep(0)
                    yield b" " * 65536
            finally:
                ended.set()

        return StreamingResponse(parts())

    with served(app, http=Curt) as port, connect(port) as deaf:
        deaf.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(60)


_TWO_WAYS = (
    _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    _POST + b"Content-Length: 5, 6\r\n\r\nabcdef",
    _POST + b"Content-Length: +5\r\n\r\nabcde",
    _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    _POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    _POST + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX0\r\n\r\n",
    _POST + b"Host: y\r\nContent-Length: 0\r\n\r\n",
)


def test_a_request_that_a_proxy_may_read_otherwise_is_refused() -> None:
    """What could be one request for a proxy and two for us is refused, and nothing after it read.

    Cites: RFC 9112 6.3, 11.2.
    """
    hidden = b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(_application(HTTPRules(body_bytes=1 << 20))) as port:
        for shape in _TWO_WAYS:
            with connect(port) as client:
                client.sendall(shape + hidden)
                received = b""
                while data := client.recv(4096):
                    received += data
            assert (received[:12], received.count(b"HTTP/1.1 ")) == (b"HTTP/1.1 400", 1), shape


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "x"])
def test_packed_bodies_are_refused(coding: str) -> None:
    """A body is never unpacked: what says that it is packed is refused before it is read."""
    client = TestClient(_application(HTTPRules(body_bytes=4096)))
    answer = client.post("/raw", content=b"x", headers={"Content-Encoding": coding})
    assert answer.status_code == 415


def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    """A client that sends a byte of a body and then nothing is told and let go."""
    with served(_application(HTTPRules(stall_seconds=1))) as port, connect(port) as slow:
        slow.sendall(b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        received = b""
        while data := slow.recv(4096):
            received += data
        assert received.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "srsign.example.org.evil.example", "", "localhost.evil.example", "a b", "[::1",
     "srsign.example.org@evil.example", "127.0.0.1.evil.example", "evil.example:80",
     "localhost/?x=", "localhost#x", "evil@localhost", "127.0.0.1/reports"],
)  # fmt: skip
def test_names_of_others_are_not_answered_to(host: str) -> None:
    """A page that had its own name point here gets nothing."""
    rules = http_rules(HTTPSettings(url="https://srsign.example.org"))
    client = TestClient(_application(rules), headers={"Host": host})
    assert client.get("/known").status_code == 400


@pytest.mark.parametrize(
    "host",
    ["srsign.example.org", "SRSIGN.example.org:443", "localhost:8080", "127.0.0.1", "[::1]:8080",
     "reading-room"],
)  # fmt: skip
def test_its_own_names_are_answered_to(host: str) -> None:
    """Addresses, localhost, and the names of the settings are its own."""
    rules = http_rules(HTTPSettings(url="https://srsign.example.org", hosts="reading-room pacs"))
    client = TestClient(_application(rules), headers={"Host": host})
    assert client.get("/known").status_code == 200


@pytest.mark.parametrize(
    "url",
    ["srsign.example.org", "ftp://x", "https://", "https://a/b", "https://u:p@a", "https://a?b"],
)
def test_a_public_address_is_one(url: str) -> None:
    """What is no address of a server is refused at the start."""
    with pytest.raises(ConfigurationError):
        http_rules(HTTPSettings(url=url))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.mark.parametrize(
    "path", ["/api/v1/reports", "/livez", "/nothing", "/openapi.json", "/login"]
)
def test_every_answer_is_for_this_browser_only(service: Service, path: str) -> None:
    """Errors too forbid frames, foreign content, caches and guessing of types."""
    headers = service.browser("anna").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_an_encrypted_service_stays_encrypted(service: Service) -> None:
    """Behind https, browsers are told to use nothing else."""
    app = create_application(service.context, HTTPRules(url="https://srsign.test"))
    assert "max-age" in TestClient(app).get("/livez").headers["strict-transport-security"]
