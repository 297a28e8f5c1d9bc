"""Client of an OpenID provider: its keys, its tokens, and the code flow with PKCE.

Only the configured issuer is asked, and only keys from its own key set count: what a token names in
its header chooses among them and nothing else. Algorithms are pinned by configuration.

Cites: OpenID Connect Core 1.0 3.1; RFC 7636; RFC 8725; RFC 9700.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from sr.errors import AuthenticationError, ConfigurationError, ExternalServiceError
from sr.net.http import Exchange, http_url, shown_url

__all__ = ["ALGORITHMS", "OpenIDProvider", "issuer_url"]

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
"""With public keys; a shared secret, or none, proves nothing here."""
_LARGEST = 512 * 1024
_KEYS_LAST = 3600.0
_LEEWAY = 60


def issuer_url(text: str) -> str:
    """Return the address of an issuer.

    Raises:
        ConfigurationError: It is not one of HTTPS, nor of this machine.
    """
    url = http_url(text, "the OpenID provider", "https://login.example.org/realms/hospital")
    _require_encrypted(url, ConfigurationError("the setting openid.issuer must be an https URL"))
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIDProvider:
    """The provider that a site trusts to say who somebody is.

    Cites: OpenID Connect Discovery 1.0 4.
    """

    issuer: str
    """From ``issuer_url``; as in the tokens, to the letter."""
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty for a client that has none; PKCE protects the code either way."""
    algorithms: frozenset[str] = frozenset({"RS256", "ES256"})
    timeout: float = 10
    """Seconds for each step of an exchange."""
    ask_again: float = 30
    """Seconds between two looks for a key that a token names and nobody knows, and until a provider
    that did not answer is asked for its keys again: who waits for it holds up a thread."""
    _metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    _keys: list[tuple[float, KeySet]] = field(default_factory=list, repr=False)
    _failed: list[float] = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str, scope: str
    ) -> str:
        """Return where a browser is sent to log in.

        Raises:
            ExternalServiceError: The provider does not answer.

        Cites: RFC 7636 4.3; OpenID Connect Core 1.0 3.1.2.1.
        """
        client = self._client(redirect_uri)
        url, _ = client.create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            scope=scope,
        )
        return str(url)

    def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> str:
        """Return the ID token for a code.

        Raises:
            AuthenticationError: The provider does not take the code.
            ExternalServiceError: The provider does not answer.

        Cites: OpenID Connect Core 1.0 3.1.3.
        """
        import httpx2  # noqa: PLC0415 - what Authlib raises
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415

        endpoint = self._endpoint("token_endpoint")
        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(endpoint, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise AuthenticationError("the OpenID provider does not take the code") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise self._failure(f"broke off: {type(error).__name__}") from error
        found = token.get("id_token")
        if not isinstance(found, str):
            raise self._failure("sends no ID token")
        return found

    def claims(
        self, token: str, *, audience: str, now: int, nonce: str | None = None
    ) -> dict[str, Any]:
        """Return what a token says, once it is known to be the provider's, for us, and of today.

        Args:
            token: Signed, compact.
            audience: That it must be for.
            now: Seconds since 1970.
            nonce: That it must repeat; ``None`` for a token that was not asked for with one.

        Raises:
            AuthenticationError: It is not.
            ExternalServiceError: The provider does not answer.

        Cites: RFC 7519 4.1; RFC 8725 3; OpenID Connect Core 1.0 3.1.3.7.
        """
        needed: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "sub": {"essential": True},
            "aud": {"essential": True, "value": audience},
            "exp": {"essential": True},
        }
        if nonce is not None:
            needed["nonce"] = {"essential": True, "value": nonce}
        try:
            claims = self._decoded(token)
            JWTClaimsRegistry(now=now, leeway=_LEEWAY, **needed).validate(claims)
        except (JoseError, ValueError, RecursionError) as error:
            raise AuthenticationError("the token proves nothing here") from error
        many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if nonce is not None and (many or "azp" in claims) and claims.get("azp") != self.client_id:
            raise AuthenticationError("the token proves nothing here")
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._key_set(), algorithms=sorted(self.algorithms)).claims
        except InvalidKeyIdError:  # the provider may have had the key for a moment only
            keys = self._key_set(older_than=self.ask_again)
            return jwt.decode(token, keys, algorithms=sorted(self.algorithms)).claims

    def _key_set(self, older_than: float = _KEYS_LAST) -> KeySet:
        """Return the keys of the provider, fetched anew where those at hand are older."""
        with self._lock:
            if self._keys and monotonic() - self._keys[0][0] < older_than:
                return self._keys[0][1]
            if self._failed and monotonic() - self._failed[0] < self.ask_again:
                raise self._failure("did not give its keys just now")
            self._failed[:] = [monotonic()]
            document = self._fetch(self._endpoint("jwks_uri"))
            public = [
                key
                for key in document.get("keys", ())
                if isinstance(key, dict)
                and key.get("kty") in ("RSA", "EC")
                and key.get("use", "sig") == "sig"
            ]
            try:
                keys = KeySet.import_key_set({"keys": public})
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise self._failure("has a key set that does not parse") from error
            self._keys[:] = [(monotonic(), keys)]
            self._failed.clear()
            return keys

    def _endpoint(self, name: str) -> str:
        if not self._metadata:
            found = self._fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise self._failure("says that it is another issuer")
            self._metadata.update(found)
        url = self._metadata.get(name)
        failure = self._failure(f"has no usable {name}")
        if not isinstance(url, str):
            raise failure
        _require_encrypted(url, failure)
        return url

    def _fetch(self, url: str) -> dict[str, Any]:
        exchange = Exchange(timeout=self.timeout, largest=_LARGEST, failure=self._failure)
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
        try:
            document = json.loads(exchange.run(request))
        except ValueError as error:
            raise self._failure("does not answer in JSON") from error
        if not isinstance(document, dict):
            raise self._failure("does not answer with a JSON object")
        return document

    def _client(self, redirect_uri: str) -> Any:  # noqa: ANN401 - Authlib has no types
        from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415

        return OAuth2Client(
            self.client_id,
            self.client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=self.timeout,
        )

    def _failure(self, what: str) -> ExternalServiceError:
        return ExternalServiceError(f"the OpenID provider {shown_url(self.issuer)} {what}")


def _require_encrypted(url: str, error: ConfigurationError | ExternalServiceError) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise error
