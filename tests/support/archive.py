"""Archives that documents are sent to and fetched from: DCMTK's storescp and Orthanc.

Both listen on the loopback interface, on ports that were free a moment ago, and keep everything in
a folder of the test.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.peers import require_peer, run_peer

__all__ = ["ORTHANC", "STORESCP", "STORESCU", "Orthanc", "free_port", "orthanc", "send", "storescp"]

STORESCP = Path("/usr/bin/storescp")
STORESCU = Path("/usr/bin/storescu")
ORTHANC = Path("/usr/sbin/Orthanc")
_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_PATIENCE = 30.0
_BOUNDARY = "srsign-part"


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return as soon as something listens on a port."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def _running(command: list[object], port: int) -> Iterator[None]:
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port)
            yield
        finally:
            process.terminate()


@contextmanager
def storescp(folder: Path, *options: str) -> Iterator[int]:
    """Run DCMTK's storage SCP over a folder; yields its port."""
    port = free_port()
    with _running([require_peer(STORESCP), *options, "-od", folder, port], port):
        yield port


def send(port: int, file: Path, *options: str) -> None:
    """Send a file with DCMTK's storage SCU."""
    result = run_peer(STORESCU, *options, "127.0.0.1", port, file)
    assert result.returncode == 0, result.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthanc:
    """A running Orthanc."""

    http: int
    dicom: int

    def get(self, path: str, accept: str = "*/*") -> tuple[bytes, str]:
        """Return body and content type of a resource."""
        request = urllib.request.Request(self._url(path), headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            return answer.read(), answer.headers.get("Content-Type", "")

    def stow(self, data: bytes) -> None:
        """Store an instance over DICOMweb, as raw bytes."""
        head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = head + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
        request = urllib.request.Request(
            self._url("/dicom-web/studies"), data=body, headers={"Content-Type": kind}
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            assert answer.status == 200

    def file(self, sop_instance_uid: str) -> bytes:
        """Return the stored file of an instance."""
        found = json.loads(self.get("/instances")[0])
        for identifier in found:
            tags = json.loads(self.get(f"/instances/{identifier}/simplified-tags")[0])
            if tags["SOPInstanceUID"] == sop_instance_uid:
                return self.get(f"/instances/{identifier}/file")[0]
        raise LookupError(sop_instance_uid)

    def wado(self, study: str, series: str, instance: str, syntax: str) -> bytes:
        """Return an instance over DICOMweb in a transfer syntax."""
        accept = f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'
        body, kind = self.get(
            f"/dicom-web/studies/{study}/series/{series}/instances/{instance}", accept
        )
        boundary = kind.split("boundary=")[1].split(";")[0].strip('"').encode()
        part = body.split(b"--" + boundary)[1]
        return part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http}{path}"


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """Run Orthanc with DICOMweb over a folder."""
    server = Orthanc(http=free_port(), dicom=free_port())
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Plugins": [str(require_peer(_PLUGIN))],
                "HttpPort": server.http,
                "DicomPort": server.dicom,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAlwaysAllowStore": True,
                "DicomCheckCalledAet": False,
                "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "index"),
            }
        ),
        encoding="utf-8",
    )
    with _running([require_peer(ORTHANC), configuration], server.http):
        yield server
