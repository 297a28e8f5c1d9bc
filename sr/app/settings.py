"""Settings: defaults, then files, then the environment; a key that nobody knows is an error.

Order, later wins: defaults, ``/etc/srsign/config.toml``, ``~/.config/srsign/config.toml``,
``./srsign.toml``, ``SRSIGN_SECTION__KEY``. Flags of the command line stand above all of them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from sr.dicomfile import Limits
from sr.errors import ConfigurationError

__all__ = [
    "AuditSettings",
    "ClockSettings",
    "HTTPSettings",
    "MACSettings",
    "OpenIDSettings",
    "Origin",
    "ServiceSettings",
    "Settings",
    "StoreSettings",
    "TimestampSettings",
    "TrustSettings",
    "current_settings",
    "effective",
    "load_settings",
    "origins",
    "setting_files",
]

_PREFIX = "SRSIGN_"
_SEPARATOR = "__"
_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^@/\s]*@")
_WANTED: dict[type, str] = {
    int: "a whole number, not negative",
    bool: "true or false",
    str: "a text",
}
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class MACSettings:
    """How MACs of many files are computed."""

    jobs: int = 0
    """Processes for the evidence of seals, manifests and checks; 0 for one a core."""
    cache: str = ""
    """File that remembers the MACs of unchanged files; empty, the default, for no such memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampSettings:
    """How the time-stamps of new signatures are obtained."""

    url: str = ""
    """Address of the authority; empty, the default, for signatures without time-stamp."""
    anchor: str = ""
    """File with certificates, PEM or DER, that the authority must lead to; empty for any."""
    policy: str = ""
    """Object identifier of the policy to ask for; empty for the authority's default."""
    timeout_seconds: int = 15
    """For each step of the exchange, and for the answer as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSettings:
    """How far the clock of this machine may be from others when it signs."""

    skew_seconds: int = 300
    """Either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """Whom checks trust where they are not told."""

    directory: str = "~/.config/srsign/trust"
    """Folder that ``srsign trust`` keeps."""
    policy: str = "standard"
    """Id or file of the policy where none is named; signing takes from it who is who."""
    lists: str = ""
    """Addresses, with blanks between, from which ``srsign trust update`` fetches CRLs."""
    responders: str = ""
    """OCSP responders, with blanks between, each ``ISSUER=URL``; issuers as ``srsign trust list``
    shows them."""
    timeout_seconds: int = 30
    """For each step of an exchange, and for the answer as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the service keeps documents, signatures, sessions, people and the audit."""

    url: str = "sqlite:///srsign.db"
    """Of SQLAlchemy; SQLite for one machine, PostgreSQL where several serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How the service is reached, and what it works with."""

    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 for all of this machine."""
    port: int = 8080
    """Port to listen at."""
    tls_certificate: str = ""
    """File with the certificate of the server and its issuers, PEM; empty for no encryption."""
    tls_key: str = ""
    """File with its key, PEM."""
    client_ca: str = ""
    """File with the authorities whose clients may prove who they are by certificate, PEM."""
    client_crl: str = ""
    """File with the revocation lists of these authorities, PEM; then each of them needs one."""
    evidence: str = ""
    """Folders with the instances that reports cite, with colons between."""
    policy: str = "standard"
    """Id of a shipped trust policy, or path of a policy file."""
    approval_mode: str = "reissue"
    """in_place, reissue or reissue_with_predecessor."""
    session_minutes: int = 10
    """How long a signing session waits for its values."""
    demo: bool = False
    """Whether everybody may log in as anybody: with the people of ``srsign serve --demo`` only."""
    server_signers: str = "sealer"
    """Roles, with blanks between, for whose purposes the server signs with keys that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPSettings:
    """How the service is seen from outside, and what it takes."""

    url: str = ""
    """Public address, e.g. ``https://srsign.example.org``; empty for that of each request."""
    login_hours: int = 10
    """How long a login with a browser lasts at most."""
    idle_minutes: int = 30
    """How long it lasts without a request."""
    hosts: str = ""
    """Names, with blanks between, that it answers to beside addresses and ``url``; * for any."""
    proxies: str = ""
    """Addresses or networks, with blanks between, of proxies in front of it: only these may say
    where a request comes from (X-Forwarded-For) and that it was encrypted (X-Forwarded-Proto)."""
    body_megabytes: int = 64
    """Largest request with files; as all limits here, 0 is for none."""
    request_seconds: int = 120
    """Until an answer begins."""
    stall_seconds: int = 60
    """For the body of a request to arrive, and for each piece of an answer to be taken."""
    requests_per_minute: int = 6000
    """From one caller."""
    refusals_per_minute: int = 60
    """Of unknown callers at one address; then they wait."""
    concurrent_requests: int = 128
    """At work at a time."""
    concurrent_requests_per_caller: int = 64
    """At work at a time, of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """What the audit trail calls this installation, and where its messages go."""

    source: str = ""
    """AuditSourceID of exported messages; empty for the name of the machine."""
    site: str = ""
    """AuditEnterpriseSiteID."""
    syslog: str = ""
    """Collector, ``HOST`` or ``HOST:PORT``; empty for none. Port 6514 where none is named."""
    syslog_anchor: str = ""
    """File with the certificates, PEM or DER, that the collector must lead to."""
    syslog_name: str = ""
    """Name in the collector's certificate, where it is not the host."""
    syslog_certificate: str = ""
    """PEM file with our certificate, where the collector wants to know us."""
    syslog_key: str = ""
    """PEM file with its key, not encrypted."""
    spool: str = "srsign-audit-spool"
    """Folder where messages wait for the collector."""
    spool_messages: int = 10_000
    """How many wait there at most; the others wait in the trail."""
    anchor_key: str = ""
    """URI of the key that signs a head for the trail; empty where that is done elsewhere."""
    anchor_certificate: str = ""
    """PEM file with its certificate and the issuers; empty for those beside the key."""
    anchor_hours: int = 24
    """How old the last head may be."""
    anchor_folder: str = ""
    """Where copies of heads go, best on another machine; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIDSettings:
    """Which OpenID provider says who somebody is."""

    issuer: str = ""
    """Its address, as in its tokens; empty, the default, for none."""
    client_id: str = ""
    """Under which it knows this service."""
    client_secret_file: str = ""
    """File with the secret of the client; empty for a client without one."""
    audience: str = ""
    """That access tokens for the API must be for; empty, the default, to take none."""
    algorithms: str = "RS256 ES256"
    """Of signatures of tokens, with blanks between."""
    scope: str = "openid profile"
    """What a login asks the provider for."""
    roles_claim: str = ""
    """Claim that decides the roles at each login; empty for roles that are set here."""
    roles: str = ""
    """What its values mean, e.g. ``radiologists=author chief=author chief=approver``."""
    provision: bool = False
    """Whether people that only the provider knows get an account."""
    organization: str = ""
    """Of such people, as in reports."""
    timeout_seconds: int = 10
    """For each step of an exchange with the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    limits: Limits = field(default_factory=Limits)
    mac: MACSettings = field(default_factory=MACSettings)
    timestamp: TimestampSettings = field(default_factory=TimestampSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)
    trust: TrustSettings = field(default_factory=TrustSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    http: HTTPSettings = field(default_factory=HTTPSettings)
    openid: OpenIDSettings = field(default_factory=OpenIDSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One setting, its value, and where the value comes from."""

    section: str
    key: str
    value: object
    source: str

    @property
    def shown(self) -> str:
        """The value as it may be printed: an address without the password in it."""
        text = repr(self.value) if isinstance(self.value, str) else str(self.value)
        return _PASSWORD.sub(r"\1***@", text)


@cache
def current_settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        ConfigurationError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    return load_settings(setting_files(), os.environ)


def load_settings(files: tuple[Path, ...], environment: Mapping[str, str]) -> Settings:
    """Return the settings that files and an environment amount to.

    Raises:
        ConfigurationError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    settings = Settings()
    for origin in origins(files, environment):
        section = getattr(settings, origin.section)
        changed = replace(section, **{origin.key: origin.value})
        settings = replace(settings, **{origin.section: changed})
    return settings


def origins(files: tuple[Path, ...], environment: Mapping[str, str]) -> tuple[Origin, ...]:
    """Return every value that is set somewhere, weakest first.

    Raises:
        ConfigurationError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    found: list[Origin] = []
    for path in files:
        if path.is_file():
            found += _of_file(path)
    for name, text in sorted(environment.items()):
        if name.startswith(_PREFIX) and _SEPARATOR in name:
            section, _, key = name.removeprefix(_PREFIX).lower().partition(_SEPARATOR)
            found.append(_origin(section, key, _parsed(text), name))
    return tuple(found)


def effective(files: tuple[Path, ...], environment: Mapping[str, str]) -> tuple[Origin, ...]:
    """Return every setting there is, with the value that counts and where it comes from.

    Raises:
        ConfigurationError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    defaults = Settings()
    found = {
        (section.name, key.name): Origin(
            section=section.name,
            key=key.name,
            value=getattr(getattr(defaults, section.name), key.name),
            source="default",
        )
        for section in fields(Settings)
        for key in fields(getattr(defaults, section.name))
    }
    found |= {(each.section, each.key): each for each in origins(files, environment)}
    return tuple(found.values())


def setting_files() -> tuple[Path, ...]:
    """Return where settings are looked for, weakest first."""
    return (
        Path("/etc/srsign/config.toml"),
        Path("~/.config/srsign/config.toml").expanduser(),
        Path("srsign.toml"),
    )


def _of_file(path: Path) -> list[Origin]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    found = []
    for section, values in content.items():
        if not isinstance(values, dict):
            raise ConfigurationError(f"{path}: {section!r} is not a section")
        found += [_origin(section, key, value, str(path)) for key, value in values.items()]
    return found


def _origin(section: str, key: str, value: object, source: str) -> Origin:
    """Return a checked setting."""
    known: dict[str, Any] = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}
    if section not in known or key not in {f.name for f in fields(known[section])}:
        raise ConfigurationError(
            f"{source}: there is no setting {section}.{key}",
            hint="known: " + ", ".join(f"{s}.{f.name}" for s in known for f in fields(known[s])),
        )
    expected = type(getattr(known[section], key))
    if type(value) is not expected or (expected is int and value < 0):  # type: ignore[operator]
        raise ConfigurationError(f"{source}: {section}.{key} must be {_WANTED[expected]}")
    return Origin(section=section, key=key, value=value, source=source)


def _parsed(text: str) -> object:
    if text.isascii() and text.isdigit():
        return int(text)
    return _WORDS.get(text, text)
