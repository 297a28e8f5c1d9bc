"""``openssl ocsp`` as a responder over HTTP, on a free port of this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509

from tests.support.peers import OPENSSL, require_peer

__all__ = ["index_row", "openssl_responder"]


def index_row(certificate: Path, status: str) -> str:
    """Return a certificate's line in the index of a CA; status ``V``, or ``R`` and since when."""
    parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    expiry = f"{parsed.not_valid_after_utc:%y%m%d%H%M%SZ}"
    row = (status[:1], expiry, status[1:], f"{parsed.serial_number:X}", "unknown", "/CN=x")
    return "\t".join(row) + "\n"


@contextmanager
def openssl_responder(
    folder: Path, rows: str, *, authority: Path, signer: Path, key: Path
) -> Iterator[str]:
    """Serve what an index says for as long as the block runs; yields the address."""
    index = folder / "index.txt"
    index.write_text(rows, encoding="ascii")
    command = [
        require_peer(OPENSSL), "ocsp", "-port", "0", "-index", index, "-CA", authority,
        "-rsigner", signer, "-rkey", key, "-ndays", "1",
    ]  # fmt: skip
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            accepting = next(line for line in process.stdout if line.startswith("ACCEPT"))
            port = accepting.split()[1].rpartition(":")[2]
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
