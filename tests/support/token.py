"""A SoftHSM store for one test, and a token that exists only in memory.

``SoftHSM`` is filled with the tokens' own tools, so that a mistake of ours does not hide itself.
``FakeModule`` implements the port of ``sr.keys.token`` and can do what SoftHSM cannot: lock a PIN,
be pulled out, want the PIN at each signature. ``LocalWorker`` puts it where the process would be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from sr.errors import PINError, SignerUnavailableError
from sr.keys.token import KeptLogin
from sr.keys.token_port import StoredCertificate, StoredKey, TokenFlag
from sr.keys.worker import answer, raise_answer
from tests.support.canary import TOKEN_PIN as PIN
from tests.support.peers import PKCS11_TOOL, SOFTHSM_MODULE, SOFTHSM_UTIL, require_peer
from tests.support.pki import Entity

__all__ = ["PIN", "FakeKey", "FakeModule", "FakeToken", "LocalWorker", "SoftHSM"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftHSM:
    """A SoftHSM store in a folder, with one token."""

    folder: Path
    label: str = "srsign test"
    pin: str = PIN

    @classmethod
    def create(cls, folder: Path, *, label: str = "srsign test", pin: str = PIN) -> SoftHSM:
        """Initialise a token in a new store, or one more in an old store."""
        for program in (SOFTHSM_MODULE, SOFTHSM_UTIL, PKCS11_TOOL):
            require_peer(program)
        store = cls(folder=folder, label=label, pin=pin)
        (folder / "tokens").mkdir(parents=True, exist_ok=True)
        store.configuration.write_text(
            f"directories.tokendir = {folder / 'tokens'}\n"
            "objectstore.backend = file\nlog.level = ERROR\n"
        )
        store._run(SOFTHSM_UTIL, "--init-token", "--free", "--label", label,
                   "--so-pin", "12345678", "--pin", pin)  # fmt: skip
        return store

    @property
    def configuration(self) -> Path:
        """The file SOFTHSM2_CONF names."""
        return self.folder / "softhsm2.conf"

    def uri(self, *path: str, **query: object) -> str:
        """Return a key URI on this token, e.g. ``uri("object=author", pin_source=file)``."""
        token = "token=" + self.label.replace(" ", "%20")
        options = {"module-path": SOFTHSM_MODULE, "x-softhsm2-conf": self.configuration} | {
            name.replace("_", "-"): value for name, value in query.items()
        }
        tail = "&".join(f"{name}={value}" for name, value in options.items())
        return "pkcs11:" + ";".join((token, *path)) + "?" + tail

    def add(
        self,
        entity: Entity,
        *,
        label: str,
        object_id: str,
        key: bool = True,
        cert: bool = True,
        always_authenticate: bool = False,
    ) -> None:
        """Import a key and a certificate; ``object_id`` is hexadecimal."""
        where = ("--label", label, "--id", object_id)
        file = self.folder / "import"
        if always_authenticate:
            file.write_bytes(entity.key_pem())
            self._write("privkey", file, *where, "--always-auth", "--usage-sign")
        elif key:
            file.write_bytes(entity.key_pem())
            self._run(SOFTHSM_UTIL, "--import", file, "--token", self.label, "--pin", self.pin,
                      "--force", *where)  # fmt: skip
        if cert:
            file.write_bytes(entity.der)
            self._write("cert", file, *where)
        file.unlink(missing_ok=True)

    def _write(self, kind: str, file: Path, *options: str) -> None:
        self._run(PKCS11_TOOL, "--module", SOFTHSM_MODULE, "--token-label", self.label, "--login",
                  "--pin", self.pin, "--write-object", file, "--type", kind, *options)  # fmt: skip

    def generate(
        self, kind: str, *, label: str, object_id: str
    ) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
        """Make a key pair on the token and return its public half; ``kind`` as in ``issue``."""
        made = subprocess.run(
            [
                sys.executable,
                "-c",
                _GENERATE,
                str(SOFTHSM_MODULE),
                self.label,
                kind,
                label,
                object_id,
            ],
            check=True,
            capture_output=True,
            input=self.pin.encode(),
            env=os.environ | {"SOFTHSM2_CONF": str(self.configuration)},
        )
        key = serialization.load_der_public_key(made.stdout)
        assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        return key

    def _run(self, program: Path, *arguments: object) -> None:
        subprocess.run(
            [program, *map(str, arguments)],
            check=True,
            capture_output=True,
            env=os.environ | {"SOFTHSM2_CONF": str(self.configuration)},
        )


# A process of its own, because python-pkcs11 keeps what it loaded.
_GENERATE = """
import sys
from pkcs11 import Attribute, KeyType, Mechanism, lib
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key
module, token, kind, label, identifier = sys.argv[1:]
about = {"label": label, "id": bytes.fromhex(identifier), "store": True}
with lib(module).get_token(token_label=token).open(rw=True, user_pin=sys.stdin.read()) as session:
    if kind.startswith("rsa"):
        public, _ = session.generate_keypair(KeyType.RSA, int(kind[3:]), **about)
        from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
        der = PublicKeyInfo.wrap(RSAPublicKey.load(encode_rsa_public_key(public)), "rsa").dump()
    else:
        curve = encode_named_curve_parameters(f"secp{kind[1:]}r1")
        parameters = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True
        )
        public, _ = parameters.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, **about)
        der = encode_ec_public_key(public)
sys.stdout.buffer.write(der)
"""


@dataclass(kw_only=True)
class FakeKey:
    """A private key on a fake token."""

    entity: Entity
    label: str = "author"
    object_id: bytes = b"\x01"
    kind: str = ""
    session: FakeSession | None = None

    def __post_init__(self) -> None:
        self.kind = self.kind or ("RSA" if isinstance(self.entity.key, rsa.RSAPrivateKey) else "EC")

    @property
    def wants_pin(self) -> bool:
        """As the token says."""
        return self.session is not None and self.session.token.pin_each_time

    def sign(self, payload: bytes, pin: str | None) -> bytes:
        """Sign like a token: PKCS #1 padding around the payload, or r and s side by side."""
        assert self.session is not None
        token = self.session.token
        token.log.append("sign")
        if token.pulled_while_signing:
            raise SignerUnavailableError("the token was removed")
        if token.pin_each_time and pin != token.pin:
            raise PINError("the PIN is wrong")
        key = self.entity.key
        if isinstance(key, rsa.RSAPrivateKey):
            return _pkcs1(key, payload)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        half = (key.key_size + 7) // 8
        hashed = Prehashed(_HASHES[len(payload)])
        r, s = decode_dss_signature(key.sign(payload, ec.ECDSA(hashed)))
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _pkcs1(key: rsa.RSAPrivateKey, payload: bytes) -> bytes:
    """Pad and exponentiate by hand, as RFC 8017 8.2.1 says."""
    size = key.key_size // 8
    padded = b"\0\1" + b"\xff" * (size - len(payload) - 3) + b"\0" + payload
    numbers = key.private_numbers()
    value = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(size, "big")


_HASHES = {28: hashes.SHA224(), 32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


@dataclass(kw_only=True)
class FakeToken:
    """A token in memory; ``log`` tells what was done to it."""

    label: str = "fake"
    serial: str = "0001"
    manufacturer: str = "tests"
    model: str = "memory"
    slot_id: int = 0
    pin: str = PIN
    keys: list[FakeKey] = field(default_factory=list)
    stored: list[StoredCertificate] = field(default_factory=list)
    known: list[Entity] = field(default_factory=list)
    """Whose keys may be imported."""
    attempts_left: int = 3
    login_required: bool = True
    pin_pad: bool = False
    pin_each_time: bool = False
    tells_its_counter: bool = True
    present: bool = True
    pulled_while_signing: bool = False
    open_sessions: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def flags(self) -> frozenset[TokenFlag]:
        """State now."""
        told = self.tells_its_counter
        return frozenset(
            flag
            for flag, holds in (
                (TokenFlag.LOGIN_REQUIRED, self.login_required),
                (TokenFlag.PIN_PAD, self.pin_pad),
                (TokenFlag.PIN_COUNT_LOW, told and self.attempts_left < 3),
                (TokenFlag.PIN_FINAL_TRY, told and self.attempts_left == 1),
                (TokenFlag.PIN_LOCKED, told and self.attempts_left == 0),
            )
            if holds
        )

    def open(self, *, login: bool, pin: str | None, writable: bool = False) -> FakeSession:
        """Open a session and count attempts at the PIN."""
        self.log.append("login" if login else "open")
        if login:
            if self.attempts_left == 0:
                raise PINError("the PIN is locked")
            if pin != (None if self.pin_pad else self.pin):
                self.attempts_left -= 1
                raise PINError("the PIN is wrong")
            self.attempts_left = 3
        self.open_sessions += 1
        return FakeSession(token=self, login=login, writable=writable)


@dataclass(kw_only=True)
class FakeSession:
    """An open session."""

    token: FakeToken
    login: bool
    writable: bool

    def certificates(self) -> Sequence[StoredCertificate]:
        """Return all certificates."""
        return tuple(self.token.stored)

    def private_keys(self, label: str | None, object_id: bytes | None) -> Sequence[FakeKey]:
        """Return the keys that match; none without login, as real tokens do."""
        found = [
            key
            for key in self.token.keys
            if label in (None, key.label) and object_id in (None, key.object_id)
        ]
        for key in found:
            key.session = self
        return found if self.login or not self.token.login_required else ()

    def store(self, certificate: StoredCertificate) -> None:
        """Write a certificate."""
        assert self.writable
        self.token.stored.append(certificate)

    def store_key(self, key: StoredKey) -> None:
        """Write a private key."""
        assert self.writable
        loaded = serialization.load_der_private_key(key.der, None)
        entity = next(e for e in self.token.known if e.key.public_key() == loaded.public_key())
        self.token.keys.append(FakeKey(entity=entity, label=key.label, object_id=key.object_id))

    def close(self) -> None:
        """Close."""
        self.token.log.append("close")
        self.token.open_sessions -= 1


@dataclass(kw_only=True)
class FakeModule:
    """A module with the given tokens."""

    inserted: list[FakeToken]
    appears_after_reset: list[FakeToken] = field(default_factory=list)

    def tokens(self) -> Sequence[FakeToken]:
        """Return what is present now."""
        return tuple(token for token in self.inserted if token.present)

    def reset(self) -> None:
        """Show the tokens that came later."""
        self.inserted += self.appears_after_reset
        self.appears_after_reset = []


@dataclass(kw_only=True)
class LocalWorker:
    """Answers in this process what the worker process would; keeps what went over the pipe."""

    module: FakeModule
    requests: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)
    queued: list[bool] = field(default_factory=list)
    kept: KeptLogin = field(default_factory=KeptLogin)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def restart(self) -> None:
        """Do what the process does after a failure: end, and nobody is logged in."""
        self.kept.end()

    def call(
        self, request: dict[str, Any], *, environment: Mapping[str, str], queued: bool = False
    ) -> dict[str, Any]:
        """Answer one after another, through JSON as the pipe does."""
        line = json.dumps(request)
        with self.lock:
            reply = json.dumps(answer(json.loads(line), lambda _path: self.module, self.kept))
        self.queued.append(queued)
        self.requests.append(line)
        self.replies.append(reply)
        self.environments.append(dict(environment))
        result: dict[str, Any] = json.loads(reply)
        raise_answer(result)
        return result
