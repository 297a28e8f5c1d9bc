"""The service as a process of its own: it starts from nothing, says so, and stops well."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serving import connect

SRSIGN = Path(sys.executable).with_name("srsign")


@contextmanager
def _served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [SRSIGN, "serve", "--port", "0", *options],
        cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ | {"HOME": str(folder)},
    )  # fmt: skip
    try:
        address = _address(process)
        _wait(process, address)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    """Return where it says that it serves: the port that it got."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"serving at (http://127\.0\.0\.1:[1-9][0-9]*);", line):
            return found[1]
    raise AssertionError("it ended without a word")


def _wait(process: subprocess.Popen[str], address: str) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(process.communicate()[1])


def test_a_demonstration_starts_stops_and_starts_again(tmp_path: Path) -> None:
    """The demonstration is ready at once, ends when told, and is the same the next time."""
    for how in (signal.SIGTERM, signal.SIGINT):
        with _served(tmp_path, "--demo", "--out", "demo") as (process, address):
            with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(how)
            assert process.wait(15) in (0, 130, -how)


def test_a_request_under_way_is_answered(tmp_path: Path) -> None:
    """What was sent before the end was asked for is answered before it comes."""
    with _served(tmp_path, "--demo", "--out", "demo") as (process, address):
        with connect(int(address.rpartition(":")[2])) as client:
            client.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n")
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            client.sendall(b"user=none")
            assert client.recv(16).startswith(b"HTTP/1.1 ")
        assert process.wait(15) is not None


def test_a_process_that_serves_leaves_no_core_and_believes_no_stranger(tmp_path: Path) -> None:
    """No core file may be written, and no client says where it comes from."""
    with _served(tmp_path, "--demo", "--out", "demo") as (process, address):
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
        login = urllib.request.Request(
            f"{address}/login", data=b"login=anna",
            headers={"Origin": address, "X-Forwarded-For": "203.0.113.9"},
        )  # fmt: skip
        with urllib.request.urlopen(login, timeout=10) as answer:
            assert answer.status == 200


def test_a_service_without_anchors_is_not_ready(tmp_path: Path) -> None:
    """A service that nobody set up answers, and says that it cannot do its work."""
    with _served(tmp_path) as (_, address):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/readyz", timeout=10)
        with refused.value as answer:
            assert answer.code == 503


def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    """Where something else listens already nothing is served, and nothing said to be."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = subprocess.run(
            [SRSIGN, "serve", "--port", str(taken.getsockname()[1])],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
            env=os.environ | {"HOME": str(tmp_path)},
        )  # fmt: skip
    assert ended.returncode == 1
    assert "serving at" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "variable",
    [
        {"SRSIGN_SERVICE__APPROVAL_MODE": "backwards"},
        {"SRSIGN_STORE__URL": "no address"},
        {"SRSIGN_STORE__URL": "sqlite:////nonexistent/folder/srsign.db"},
        {"SRSIGN_SERVICE__UNKNOWN": "1"},
        {"SRSIGN_SERVICE__POLICY": "nobody-knows"},
    ],
)
def test_settings_that_make_no_sense_end_the_start(
    tmp_path: Path, variable: dict[str, str]
) -> None:
    """A service with settings that make no sense does not start, and says so without traceback."""
    ended = subprocess.run(
        [SRSIGN, "serve", "--port", "0"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | variable | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr
