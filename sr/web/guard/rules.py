"""How the service answers over HTTP: its address, whom it answers, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from sr.app.settings import HTTPSettings
from sr.errors import ConfigurationError

__all__ = ["HTTPRules", "http_rules"]

_ANY = "*"
_FORM_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRules:
    """What a site decides about HTTP; a limit of 0 is none."""

    url: str = ""
    """Public address without path, e.g. ``https://srsign.example.org``; empty for the request's."""
    hosts: frozenset[str] | None = None
    """Names that it answers to beside addresses and ``localhost``; ``None`` for any."""
    proxies: frozenset[str] = frozenset()
    """Addresses and networks that are believed when they say for whom they ask."""
    body_bytes: int = 0
    """Of files that are sent."""
    form_bytes: int = 0
    """Of any other request; it is parsed before it is known who sends it."""
    request_seconds: int = 0
    """Until an answer begins."""
    stall_seconds: int = 0
    """For the whole body of a request, and for each piece of an answer to be taken."""
    requests_per_minute: int = 0
    """From one caller."""
    refusals_per_minute: int = 0
    """Of unknown callers, at one address."""
    concurrent_requests: int = 0
    concurrent_requests_per_caller: int = 0

    def answers_to(self, host: str) -> bool:
        """Return whether a Host header names this service.

        An address cannot be made to point here by whoever owns a domain; a name can.

        Cites: RFC 9110 7.2.
        """
        if self.hosts is None:
            return True
        try:
            parts = urlsplit(f"//{host}")
            if parts.netloc != host or "@" in host:  # it would lead addresses made of it elsewhere
                return False
            name = parts.hostname or ""
            return name in self.hosts or name == "localhost" or bool(ip_address(name))
        except ValueError:
            return False


def http_rules(settings: HTTPSettings) -> HTTPRules:
    """Return the rules that settings describe.

    Raises:
        ConfigurationError: A setting does not make sense.
    """
    url = urlsplit(settings.url)
    if settings.url and (
        url.scheme not in ("http", "https")
        or not url.hostname
        or url.path.strip("/")
        or url.query
        or url.username is not None
    ):
        raise ConfigurationError(
            "the setting http.url is not an address without path",
            hint="for example https://srsign.example.org",
        )
    names = {*settings.hosts.lower().split(), *filter(None, [url.hostname])}
    return HTTPRules(
        url=settings.url.rstrip("/"),
        hosts=None if _ANY in names else frozenset(names),
        proxies=frozenset(map(_network, settings.proxies.split())),
        body_bytes=settings.body_megabytes << 20,
        form_bytes=_FORM_BYTES,
        request_seconds=settings.request_seconds,
        stall_seconds=settings.stall_seconds,
        requests_per_minute=settings.requests_per_minute,
        refusals_per_minute=settings.refusals_per_minute,
        concurrent_requests=settings.concurrent_requests,
        concurrent_requests_per_caller=settings.concurrent_requests_per_caller,
    )


def _network(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ConfigurationError(
            "the setting http.proxies names what is no address and no network",
            hint="for example 127.0.0.1 or 10.1.2.0/29",
        ) from error
    if network.prefixlen == 0:
        raise ConfigurationError("the setting http.proxies believes everybody")
    return text
