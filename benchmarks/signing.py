"""Whole documents against the key alone: software keys, and a token with eight callers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from sr.app.demonstration.softhsm import make_demo_token
from sr.app.signatures.signing import sign_bytes
from sr.codes import SignaturePurpose
from sr.compose import current_time
from sr.compose import ports as real_ports
from sr.keys import Signer, open_signer
from sr.keys.secrets import no_secrets
from sr.keys.software import SoftwareSigner
from sr.keys.uri import PKCS11URI, parse_key_uri

__all__ = ["SoftwareRate", "TokenRate", "software_rates", "token_rate"]

_KEYS = Path(__file__).parent.parent / "certs-example"
_PURPOSE = SignaturePurpose.AUTHOR
_CALLERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareRate:
    """In a second of processor time, with one key."""

    bits: int
    raw: float
    """Signatures of a digest by ``cryptography``."""
    documents: float
    """Reports read, prepared, signed, verified, spliced and written."""
    ratio: float
    """Median over interleaved rounds."""
    fsync_milliseconds: float
    """What making one file durable adds, by the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRate:
    """By the clock, with RSA-3072 on a SoftHSM token."""

    raw: float
    """Signatures in one session of python-pkcs11."""
    documents: float
    """Reports signed by eight callers of one stack."""
    single: float
    """Reports signed one after another, each with a login of its own."""


def software_rates(drafts: Sequence[bytes], *, seconds: float) -> tuple[SoftwareRate, ...]:
    """Return the rates with RSA-3072 and RSA-2048, in rounds that alternate."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple(_software(bits, drafts, Path(folder), seconds) for bits in (3072, 2048))


def _software(bits: int, drafts: Sequence[bytes], folder: Path, seconds: float) -> SoftwareRate:
    signer = _signer(bits)
    key, known, digest, ports = signer.key, Prehashed(SHA256()), bytes(32), real_ports()
    assert isinstance(key, rsa.RSAPrivateKey)
    out = folder / "signed.dcm"

    def document(number: int) -> None:
        draft = drafts[number % len(drafts)]
        out.write_bytes(sign_bytes(draft, purpose=_PURPOSE, signer=signer, ports=ports)[0])

    rounds = [
        (
            _rate(lambda _: key.sign(digest, padding.PKCS1v15(), known), seconds / 10),
            _rate(document, seconds / 10),
        )
        for _ in range(10)
    ]
    return SoftwareRate(
        bits=bits,
        raw=median(raw for raw, _ in rounds),
        documents=median(made for _, made in rounds),
        ratio=median(made / raw for raw, made in rounds),
        fsync_milliseconds=1e3 * median(_fsync(out) for _ in range(20)),
    )


def _signer(bits: int) -> SoftwareSigner:
    key = rsa.generate_private_key(65537, bits)
    name, now = x509.Name([]), current_time()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return SoftwareSigner(certificate_chain=(certificate,), key=key)


def _rate(work: Callable[[int], object], seconds: float) -> float:
    work(0)
    start, number = time.process_time(), 0
    while (taken := time.process_time() - start) < seconds:
        work(number)
        number += 1
    return number / taken


def _fsync(path: Path) -> float:
    with path.open("r+b") as file:
        file.write(b"\0")
        file.flush()
        start = time.perf_counter()
        os.fsync(file.fileno())
        return time.perf_counter() - start


def token_rate(drafts: Sequence[bytes], *, documents: int) -> TokenRate:
    """Return the rates of a token, in rounds that alternate.

    Raises:
        ConfigurationError: SoftHSM or python-pkcs11 is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        uri = make_demo_token(Path(folder), _KEYS, ["archive"])["archive"]
        rounds = [_round(uri, Path(folder), drafts, documents) for _ in range(3)]
    raw, together, single = (median(column) for column in zip(*rounds, strict=True))
    return TokenRate(raw=raw, documents=together, single=single)


def _round(
    uri: str, folder: Path, drafts: Sequence[bytes], documents: int
) -> tuple[float, float, float]:
    module = str(cast("PKCS11URI", parse_key_uri(uri)).module_path)
    alone = subprocess.run(
        [sys.executable, "-c", _RAW, module, folder / "pin"],
        check=True,
        capture_output=True,
        env=os.environ | {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")},
    )
    work = [drafts[n % len(drafts)] for n in range(documents)]
    with open_signer(uri, secrets=no_secrets, stack=True) as signer:
        together = _clocked(lambda draft: _sign(draft, signer), work, _CALLERS)
    with open_signer(uri, secrets=no_secrets) as signer:
        single = _clocked(lambda draft: _sign(draft, signer), work[: documents // 4], 1)
    return float(alone.stdout), together, single


def _sign(draft: bytes, signer: Signer) -> None:
    sign_bytes(draft, purpose=_PURPOSE, signer=signer, ports=real_ports())


def _clocked(work: Callable[[bytes], None], drafts: Sequence[bytes], callers: int) -> float:
    work(drafts[0])
    with ThreadPoolExecutor(callers) as pool:
        start = time.perf_counter()
        list(pool.map(work, drafts))
        return len(drafts) / (time.perf_counter() - start)


# In a process of its own: python-pkcs11 does not share one with threads.
_RAW = """
import sys, time
from pathlib import Path
from pkcs11 import Mechanism, ObjectClass, Attribute, lib
module, pin = sys.argv[1:]
(token,) = [t for t in lib(module).get_tokens() if t.label]
with token.open(user_pin=Path(pin).read_text().strip()) as session:
    (key,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    start, number = time.perf_counter(), 0
    while time.perf_counter() - start < 1:
        key.sign(bytes(51), mechanism=Mechanism.RSA_PKCS)
        number += 1
    print(number / (time.perf_counter() - start))
"""
