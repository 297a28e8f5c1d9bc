"""The service that settings describe: its context, upkeep, audit and demonstration.

Only what runs the service, or works on its database, imports this: it needs the extra ``http``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from socket import gethostname

from sr.app.audit.message import AuditSource
from sr.app.audit.spool import Spool
from sr.app.checks.check import CheckOptions
from sr.app.files import read_bytes
from sr.app.settings import Settings, load_settings
from sr.app.signatures.signing import Credentials
from sr.app.trust.trust_store import TrustStore
from sr.compose import current_time, secrets, signing_ports
from sr.document.approvable import ApprovalMode
from sr.errors import ConfigurationError
from sr.keys.core_files import leave_no_core
from sr.net.syslog import SyslogCollector, collector_address, tls_context
from sr.service.access import Role
from sr.service.accounts.openid_rules import openid_rules
from sr.service.authoring.evidence import EvidenceRoots
from sr.service.checking.trust import with_database
from sr.service.checking.trust_watch import TrustWatch
from sr.service.context import Context
from sr.service.operation.audit_trail import Forwarding
from sr.service.operation.upkeep import Anchoring, Task, Upkeep, anchor_when_due, forward
from sr.store.database import open_database
from sr.trust import parse_certificates

__all__ = ["audit_forwarding", "audit_source", "demo_service", "service_context", "service_upkeep"]

_MINUTE = timedelta(minutes=1)


def service_context(settings: Settings) -> Context:
    """Return the service that settings describe, its database opened.

    This process writes no core file any more: it would hold patients, logins and keys.

    Raises:
        ConfigurationError: A setting does not make sense.
        ExternalServiceError: The database cannot be opened.
        TrustEvidenceError: Something in the trust store does not parse.
        ProfileError: The policy is unknown or malformed.
    """
    leave_no_core()
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
    trust = _trust_store(settings)
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
    wanted = settings.audit
    watch = TrustWatch(context, _trust_store(settings))
    tasks = [Task(name="trust", every=_MINUTE, run=watch.look)]
    if wanted.anchor_key:
        certificate = _path(wanted.anchor_certificate)
        anchoring = Anchoring(
            credentials=Credentials(
                key=wanted.anchor_key,
                certificates=() if certificate is None else (certificate,),
                secrets=secrets(None, environment=os.environ, prompt=None),
            ),
            every=timedelta(hours=wanted.anchor_hours),
            folder=_path(wanted.anchor_folder),
        )
        tasks.append(
            Task(name="anchor", every=_MINUTE, run=lambda: anchor_when_due(context, anchoring))
        )
    if wanted.syslog:
        forwarding = audit_forwarding(settings)
        tasks.append(Task(name="forward", every=_MINUTE, run=lambda: forward(context, forwarding)))
    return Upkeep(tuple(tasks), context.ports.now, failed)


def audit_source(settings: Settings) -> AuditSource:
    """Return what audit messages call this installation."""
    name = settings.audit.source or f"srsign@{gethostname()}"
    return AuditSource(source_id=name, site=settings.audit.site)


def audit_forwarding(settings: Settings) -> Forwarding:
    """Return where audit messages go.

    Raises:
        ConfigurationError: No collector is set, or a setting does not make sense.
        TrustEvidenceError: The file of anchors holds no certificate.

    Cites: PS3.15 A.6; RFC 5425 5.
    """
    wanted = settings.audit
    host, port = collector_address(wanted.syslog)
    anchors = (
        parse_certificates(read_bytes(Path(wanted.syslog_anchor))) if wanted.syslog_anchor else ()
    )
    context = tls_context(
        anchors,
        certificate=_path(wanted.syslog_certificate),
        key=_path(wanted.syslog_key),
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


def demo_service(folder: Path) -> dict[str, str]:
    """Return the settings of a demonstration, as environment variables; fill its folder at first.

    Raises:
        ConfigurationError: The folder cannot be used.
        ExternalServiceError: The database cannot be opened.
    """
    from sr.service.operation.demonstration import (  # noqa: PLC0415 - what writes reports is slow to load
        fill_worklist,
        make_world,
        trust_of,
    )

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


def _trust_store(settings: Settings) -> TrustStore:
    return TrustStore(Path(settings.trust.directory).expanduser())


def _path(text: str) -> Path | None:
    return Path(text) if text else None
