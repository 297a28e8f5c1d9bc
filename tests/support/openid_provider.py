"""An OpenID provider on this machine: discovery, keys, codes with PKCE, and tokens of any make."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

__all__ = ["Provider", "provider"]


@dataclass
class Provider:
    """What the provider has and says."""

    issuer: str = ""
    keys: list[Key] = field(default_factory=list)
    codes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Challenge and claims by code; a code is taken once."""
    key_requests: int = 0
    answers_keys: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)
    """In place of what it says of itself."""

    def token(
        self, claims: dict[str, Any], *, key: Key | None = None, alg: str = "RS256", **header: Any
    ) -> str:
        """Return signed claims."""
        used = key or self.keys[0]
        return jwt.encode(
            {"alg": alg, "kid": used.kid, **header}, claims, used,
            algorithms=["RS256", "ES256", "HS256", "none"],
        )  # fmt: skip

    def agree(self, url: str, claims: dict[str, Any]) -> dict[str, str]:
        """Log somebody in at the address that a browser was sent to; return what comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code {len(self.codes)}"
        assert asked["code_challenge_method"] == "S256"
        self.codes[code] = (asked["code_challenge"], {"nonce": asked["nonce"], **claims})
        return {"code": code, "state": asked["state"]}

    def answer(self, method: str, path: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and document."""
        match (method, path):
            case ("GET", "/.well-known/openid-configuration"):
                said = {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
                return 200, {**said, **self.metadata}
            case ("GET", "/keys"):
                self.key_requests += 1
                if not self.answers_keys:
                    return 503, {}
                return 200, dict(KeySet(self.keys).as_dict(private=False))
            case ("POST", "/token"):
                challenge, claims = self.codes.pop(body.get("code", ""), ("", {}))
                digest = sha256(body.get("code_verifier", "").encode()).digest()
                if urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                    return 400, {"error": "invalid_grant"}
                token = self.token(claims)
                return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}
        return 404, {}


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve a provider with an RSA and an EC key for as long as the block runs."""
    made = Provider(
        keys=[RSAKey.generate_key(2048, {"kid": "r"}), ECKey.generate_key("P-256", {"kid": "e"})]
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(*made.answer("GET", self.path, {}))

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = {name: values[0] for name, values in parse_qs(text).items()}
            self._say(*made.answer("POST", self.path, body))

        def _say(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
