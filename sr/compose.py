"""Settings to a wired application: the one place that knows every adapter.

Today these are the clock, the source of UIDs, the time-stamp authority, and where secrets come
from. Use cases take them as arguments, so that a test can pass its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from secrets import randbits, token_bytes, token_hex
from socket import gethostname
from typing import TYPE_CHECKING
from uuid import uuid4

from sr.app.ports import Ports, Timestamping
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.audit.message import AuditSource
    from sr.app.doctor import Diagnosis
    from sr.app.responder_update import Asking
    from sr.app.settings import Settings, TimestampSettings
    from sr.app.trust_update import RevocationListSource
    from sr.keys import Secrets
    from sr.service.audit_trail import Forwarding
    from sr.service.context import Context
    from sr.service.upkeep import Upkeep

__all__ = [
    "PIN_FILE_VARIABLE",
    "asking",
    "audit_forwarding",
    "audit_source",
    "current_time",
    "demo_service",
    "diagnosed_service",
    "new_uid",
    "ports",
    "revocation_lists",
    "secrets",
    "service_context",
    "service_upkeep",
    "signing_ports",
]

PIN_FILE_VARIABLE = "SRSIGN_PIN_FILE"
"""Environment variable that names a file with the secret."""
_NONCE_BITS, _OCSP_NONCE_BYTES = 64, 32
_MINUTE = timedelta(minutes=1)
_SERVICE_LIBRARIES = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "structlog")
_OBJECT_IDENTIFIER = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


def ports() -> Ports:
    """Return the clock and the source of UIDs of a real run."""
    return Ports(now=current_time, new_uid=new_uid)


def signing_ports(timestamp: str | None = None, settings: Settings | None = None) -> Ports:
    """Return the ports of a run that signs, with time-stamps where they are asked for.

    Args:
        timestamp: Address of the authority; goes before the setting ``timestamp.url``.
        settings: Those of this process where left out.

    Raises:
        ConfigurationError: An address or setting does not make sense, or a file cannot be read.
        TrustEvidenceError: The file of anchors holds no certificate.

    Cites: RFC 3161 3.4.
    """
    from sr.app.settings import current_settings  # noqa: PLC0415 - most runs need neither

    settings = settings or current_settings()
    wanted = settings.timestamp.url if timestamp is None else timestamp
    return replace(
        ports(),
        clock_skew=timedelta(seconds=settings.clock.skew_seconds),
        timestamping=_timestamping(wanted, settings.timestamp) if wanted else None,
    )


def _timestamping(url: str, settings: TimestampSettings) -> Timestamping:
    from sr.app.files import read_bytes  # noqa: PLC0415
    from sr.net.timestamp import HTTPTimestampAuthority, timestamp_url  # noqa: PLC0415
    from sr.trust import TrustMaterial, parse_certificates  # noqa: PLC0415

    if settings.timeout_seconds == 0:
        raise ConfigurationError("the setting timestamp.timeout_seconds must be at least 1")
    if settings.policy and not _OBJECT_IDENTIFIER.fullmatch(settings.policy):
        raise ConfigurationError("the setting timestamp.policy is not an object identifier")
    anchors = parse_certificates(read_bytes(Path(settings.anchor))) if settings.anchor else ()
    return Timestamping(
        authority=HTTPTimestampAuthority(url=timestamp_url(url), timeout=settings.timeout_seconds),
        new_nonce=lambda: randbits(_NONCE_BITS),
        material=TrustMaterial(timestamp_anchors=anchors),
        policy=settings.policy,
    )


def asking(settings: Settings) -> Asking:
    """Return how OCSP responders are asked.

    Raises:
        ConfigurationError: A setting does not make sense.

    Cites: RFC 6960 A.1; RFC 9654 2.1.
    """
    from sr.app.responder_update import Asking  # noqa: PLC0415
    from sr.net.ocsp import HTTPResponders  # noqa: PLC0415

    return Asking(
        source=HTTPResponders(timeout=_trust_timeout(settings)),
        now=current_time,
        new_nonce=lambda: token_bytes(_OCSP_NONCE_BYTES),
        clock_skew=timedelta(seconds=settings.clock.skew_seconds),
    )


def revocation_lists(settings: Settings) -> RevocationListSource:
    """Return what fetches revocation lists.

    Raises:
        ConfigurationError: A setting does not make sense.
    """
    from sr.net.revocation_list import HTTPRevocationLists  # noqa: PLC0415

    return HTTPRevocationLists(timeout=_trust_timeout(settings))


def _trust_timeout(settings: Settings) -> int:
    if settings.trust.timeout_seconds == 0:
        raise ConfigurationError("the setting trust.timeout_seconds must be at least 1")
    return settings.trust.timeout_seconds


def audit_source(settings: Settings) -> AuditSource:
    """Return what audit messages call this installation."""
    from sr.app.audit.message import AuditSource  # noqa: PLC0415

    name = settings.audit.source or f"srsign@{gethostname()}"
    return AuditSource(source_id=name, site=settings.audit.site)


def audit_forwarding(settings: Settings) -> Forwarding:
    """Return where audit messages go.

    Raises:
        ConfigurationError: No collector is set, or a setting does not make sense.
        TrustEvidenceError: The file of anchors holds no certificate.

    Cites: PS3.15 A.6; RFC 5425 5.
    """
    from sr.app.audit.spool import Spool  # noqa: PLC0415
    from sr.app.files import read_bytes  # noqa: PLC0415
    from sr.net.syslog import SyslogCollector, collector_address, tls_context  # noqa: PLC0415
    from sr.service.audit_trail import Forwarding  # noqa: PLC0415
    from sr.trust import parse_certificates  # noqa: PLC0415

    wanted = settings.audit
    host, port = collector_address(wanted.syslog)
    anchors = (
        parse_certificates(read_bytes(Path(wanted.syslog_anchor))) if wanted.syslog_anchor else ()
    )
    context = tls_context(
        anchors,
        certificate=Path(wanted.syslog_certificate) if wanted.syslog_certificate else None,
        key=Path(wanted.syslog_key) if wanted.syslog_key else None,
    )
    collector = SyslogCollector(
        host=host, port=port, context=context, server_name=wanted.syslog_name
    )
    return Forwarding(
        source=audit_source(settings),
        spool=Spool(folder=Path(wanted.spool), most_messages=wanted.spool_messages),
        hostname=gethostname(),
        deliver=collector.deliver,
    )


def service_context(settings: Settings) -> Context:
    """Return the service that settings describe, its database opened.

    Raises:
        ConfigurationError: A setting does not make sense.
        ExternalServiceError: The database cannot be opened.
        TrustEvidenceError: Something in the trust store does not parse.
        ProfileError: The policy is unknown or malformed.
    """
    from sr.app.check import CheckOptions  # noqa: PLC0415 - a service only
    from sr.app.trust_store import TrustStore  # noqa: PLC0415
    from sr.document.approvable import ApprovalMode  # noqa: PLC0415
    from sr.service.access import Role  # noqa: PLC0415
    from sr.service.context import Context  # noqa: PLC0415
    from sr.service.evidence import EvidenceRoots  # noqa: PLC0415
    from sr.service.openid_rules import openid_rules  # noqa: PLC0415
    from sr.service.trust import with_database  # noqa: PLC0415
    from sr.store.database import open_database  # noqa: PLC0415

    roots = tuple(Path(each) for each in settings.service.evidence.split(os.pathsep) if each)
    try:
        mode = ApprovalMode(settings.service.approval_mode)
    except ValueError as error:
        raise ConfigurationError("the setting service.approval_mode is unknown") from error
    try:
        signers = frozenset(Role(each) for each in settings.service.server_signers.split())
    except ValueError as error:
        raise ConfigurationError(
            "the setting service.server_signers names an unknown role",
            hint="known: " + ", ".join(Role),
        ) from error
    trust = TrustStore(Path(settings.trust.directory).expanduser())
    database = open_database(settings.store.url)
    return Context(
        database=database,
        ports=signing_ports(settings=settings),
        material=with_database(trust.material, database),
        policy=CheckOptions(at=current_time(), policy=settings.service.policy).trust_policy,
        evidence=EvidenceRoots(roots),
        limits=settings.limits,
        new_token=lambda: token_hex(16),
        approval_mode=mode,
        session_lifetime=timedelta(minutes=settings.service.session_minutes),
        server_signers=signers,
        demo=settings.service.demo,
        openid=openid_rules(settings.openid) if settings.openid.issuer else None,
        login_lifetime=timedelta(hours=settings.http.login_hours),
        idle_lifetime=timedelta(minutes=settings.http.idle_minutes),
    )


def service_upkeep(
    settings: Settings, context: Context, failed: Callable[[str, str], None]
) -> Upkeep:
    """Return what the service does again and again, as far as settings ask for it.

    Args:
        settings: Which key signs heads of the audit trail, and which collector has its messages.
        context: The service.
        failed: Told a task and the code of its error.

    Raises:
        ConfigurationError: A setting does not make sense.
        TrustEvidenceError: The file of anchors for the collector holds no certificate.
    """
    from sr.app.signing import Credentials  # noqa: PLC0415 - a service only
    from sr.service.upkeep import (  # noqa: PLC0415
        Anchoring,
        Task,
        Upkeep,
        anchor_when_due,
        forward,
    )

    wanted, tasks = settings.audit, []
    if wanted.anchor_key:
        anchoring = Anchoring(
            credentials=Credentials(
                key=wanted.anchor_key,
                certificates=_path_if(wanted.anchor_certificate),
                secrets=secrets(None, environment=os.environ, prompt=None),
            ),
            every=timedelta(hours=wanted.anchor_hours),
            folder=next(iter(_path_if(wanted.anchor_folder)), None),
        )
        tasks.append(
            Task(name="anchor", every=_MINUTE, run=lambda: anchor_when_due(context, anchoring))
        )
    if wanted.syslog:
        forwarding = audit_forwarding(settings)
        tasks.append(Task(name="forward", every=_MINUTE, run=lambda: forward(context, forwarding)))
    return Upkeep(tuple(tasks), context.ports.now, failed)


def _path_if(text: str) -> tuple[Path, ...]:
    return (Path(text),) if text else ()


def diagnosed_service(environment: Mapping[str, str]) -> tuple[Diagnosis, ...]:
    """Return the state of what the service needs; one line where its libraries are not there."""
    from sr.app.doctor import Condition, Diagnosis  # noqa: PLC0415 - a diagnosis only
    from sr.app.settings import load_settings, setting_files  # noqa: PLC0415

    missing = [name for name in _SERVICE_LIBRARIES if find_spec(name) is None]
    if missing:
        remedy = "not installed; pip install 'srsign[http]'"
        return (Diagnosis(subject="service", condition=Condition.ABSENT, message=remedy),)
    from sr.service.diagnosis import diagnose_service  # noqa: PLC0415

    try:
        return diagnose_service(load_settings(setting_files(), environment))
    except ConfigurationError:
        return ()  # said already, under "settings"


def demo_service(folder: Path) -> dict[str, str]:
    """Return the settings of a demonstration, as environment variables; fill its folder at first.

    Raises:
        ConfigurationError: The folder cannot be used.
        ExternalServiceError: The database cannot be opened.
    """
    from sr.app.settings import load_settings  # noqa: PLC0415 - a demonstration only
    from sr.service.demonstration import fill_worklist, make_world, trust_of  # noqa: PLC0415

    variables = {
        "SRSIGN_STORE__URL": f"sqlite:///{folder / 'srsign.db'}",
        "SRSIGN_SERVICE__EVIDENCE": str(folder / "evidence"),
        "SRSIGN_SERVICE__DEMO": "true",
        "SRSIGN_SERVICE__SERVER_SIGNERS": "author approver sealer",
        "SRSIGN_TRUST__DIRECTORY": str(folder / "trust"),
    }
    if not (folder / "srsign.db").exists():
        (folder / "evidence").mkdir(parents=True, exist_ok=True)
        context = service_context(load_settings((), variables))
        world = make_world(context, folder, studies=6)
        trust_of(world, folder / "trust")
        fill_worklist(context, world)
        context.database.close()
    return variables


def current_time() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


def new_uid() -> str:
    """Return a UID under the root for UUIDs, which needs no registration.

    Cites: PS3.5 B.2.
    """
    return f"2.25.{uuid4().int}"


def secrets(
    pin_file: Path | None, *, environment: Mapping[str, str], prompt: Secrets | None
) -> Secrets:
    """Return where PINs and passphrases come from; this process writes no core file any more.

    Args:
        pin_file: A file named by the caller; goes before everything else.
        environment: May name a file in ``SRSIGN_PIN_FILE``.
        prompt: Asks a person; ``None`` where there is nobody to ask.
    """
    from sr.keys.core_files import leave_no_core  # noqa: PLC0415 - loads signers
    from sr.keys.secrets import no_secrets, secrets_from_file  # noqa: PLC0415

    leave_no_core()
    named = pin_file or (Path(v) if (v := environment.get(PIN_FILE_VARIABLE)) else None)
    if named is not None:
        return secrets_from_file(named)
    return prompt or no_secrets
