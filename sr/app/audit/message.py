"""An audit event as a DICOM audit message: XML that the schema of PS3.15 A.5.1 accepts.

Cites: PS3.15 A.5.1, A.5.2, A.5.3.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from sr.app.audit.event import Actor, AuditEvent, Outcome
from sr.app.audit.message_codes import MESSAGES, OWN_SCHEME, Family
from sr.codes import Code

__all__ = ["AuditSource", "audit_message"]

_MOST_INSTANCES = 30
"""Instances that are named one by one; more are only counted, to keep a message short."""
_APPLICATION = Code("110150", "DCM", "Application")
_LAUNCHER = Code("110151", "DCM", "Application Launcher")
_DESTINATION = Code("110152", "DCM", "Destination Role ID")
_SOURCE = Code("110153", "DCM", "Source Role ID")
_MEDIA = Code("110154", "DCM", "Destination Media")
_MEDIA_URI = Code("110037", "DCM", "URI")
_STUDY = Code("110180", "DCM", "Study Instance UID")
_PATIENT_NUMBER = Code("2", "RFC-3881", "Patient Number")
_SEARCH = Code("10", "RFC-3881", "Search Criteria")
_URI = Code("12", "RFC-3881", "URI")
_PERSON, _SYSTEM = "1", "2"
_APPLICATION_SERVER = "4"
_MACHINE_NAME, _IP_ADDRESS, _ACCESS_URI = "1", "2", "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSource:
    """The system that reports events.

    Cites: PS3.15 A.5.2.
    """

    source_id: str
    """AuditSourceID: the name of this installation."""
    site: str = ""
    """AuditEnterpriseSiteID."""
    process: str = "srsign"
    """UserID of the service as a participant."""
    log: str = "urn:srsign:audit"
    """URI of the audit log."""


def audit_message(event: AuditEvent, source: AuditSource) -> bytes:
    """Return an event as XML, UTF-8.

    Cites: PS3.15 A.5.1, A.5.3.
    """
    root = Element("AuditMessage")
    _identification(root, event)
    _PARTICIPANTS[MESSAGES[event.action].family](root, event, source)
    identified = {"AuditSourceID": source.source_id}
    if source.site:
        identified["AuditEnterpriseSiteID"] = source.site
    reported = SubElement(root, "AuditSourceIdentification", identified)
    SubElement(reported, "AuditSourceTypeCode", {"csd-code": _APPLICATION_SERVER})
    for add in _OBJECTS[MESSAGES[event.action].family]:
        add(root, event, source)
    xml: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _identification(root: Element, event: AuditEvent) -> None:
    kind = MESSAGES[event.action]
    what = SubElement(
        root,
        "EventIdentification",
        {
            "EventActionCode": kind.action_code,
            "EventDateTime": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "EventOutcomeIndicator": event.outcome.value,
        },
    )
    _coded(what, "EventID", kind.family.value)
    if kind.event_type is not None:
        _coded(what, "EventTypeCode", kind.event_type)
    meaning = event.action.value.replace("-", " ").capitalize()
    _coded(what, "EventTypeCode", Code(event.action.value, OWN_SCHEME, meaning))
    if event.detail and event.outcome is not Outcome.SUCCESS:
        SubElement(what, "EventOutcomeDescription").text = event.detail


def _coded(parent: Element, name: str, code: Code) -> None:
    members = {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning}
    SubElement(parent, name, members)


def _participant(
    root: Element,
    user_id: str,
    *roles: Code,
    name: str = "",
    address: str = "",
    requestor: bool = False,
) -> Element:
    members = {"UserID": user_id, "UserIsRequestor": "true" if requestor else "false"}
    if name:
        members["UserName"] = name
    if address:
        members |= {
            "NetworkAccessPointID": address,
            "NetworkAccessPointTypeCode": _kind_of(address),
        }
    added = SubElement(root, "ActiveParticipant", members)
    for role in roles:
        _coded(added, "RoleIDCode", role)
    return added


def _kind_of(address: str) -> str:
    if "://" in address:
        return _ACCESS_URI
    try:
        ip_address(address)
    except ValueError:
        return _MACHINE_NAME
    return _IP_ADDRESS


def _person(root: Element, actor: Actor, *roles: Code) -> None:
    """Add who asked; nobody where the service acted by itself."""
    if actor.is_service:
        return
    own = (Code(role, OWN_SCHEME, role.capitalize()) for role in actor.roles)
    _participant(
        root, actor.user_id, *roles, *own, name=actor.name, address=actor.address, requestor=True
    )


def _process(root: Element, event: AuditEvent, source: AuditSource, *roles: Code) -> None:
    _participant(root, source.process, *roles, requestor=event.actor.is_service)


def _plain(root: Element, event: AuditEvent, source: AuditSource) -> None:
    _person(root, event.actor)
    _process(root, event, source)


def _started(root: Element, event: AuditEvent, source: AuditSource) -> None:
    _process(root, event, source, _APPLICATION)
    _person(root, event.actor, _LAUNCHER)


def _asked(root: Element, event: AuditEvent, source: AuditSource) -> None:
    if event.actor.is_service:
        _process(root, event, source, _SOURCE)
        _participant(root, source.process, _DESTINATION)
        return
    _person(root, event.actor, _SOURCE)
    _process(root, event, source, _DESTINATION)


def _logged_in(root: Element, event: AuditEvent, source: AuditSource) -> None:
    """Add the person, who has to have an address, and the service, which is asked."""
    address = event.actor.address or "unknown"
    actor = event.actor
    _participant(root, actor.user_id, name=actor.name, address=address, requestor=True)
    _participant(root, source.process)


def _exporting(root: Element, event: AuditEvent, source: AuditSource) -> None:
    _person(root, event.actor, _SOURCE)
    _process(root, event, source, _SOURCE)
    address = event.subject if "://" in event.subject else ""
    media = _participant(root, event.subject or "unknown", _MEDIA, address=address)
    _coded(SubElement(media, "MediaIdentifier"), "MediaType", _MEDIA_URI)


def _object(
    root: Element, kind: Code, identifier: str, name: str = "", **attributes: str
) -> Element:
    """Add an object; a role, a type and a life cycle are written where they are not empty."""
    members = {f"ParticipantObject{key}": value for key, value in attributes.items() if value}
    added = SubElement(
        root, "ParticipantObjectIdentification", {"ParticipantObjectID": identifier, **members}
    )
    _coded(added, "ParticipantObjectIDTypeCode", kind)
    if name:
        SubElement(added, "ParticipantObjectName").text = name
    return added


def _detail(parent: Element, name: str, value: str) -> None:
    if value:
        encoded = b64encode(value.encode()).decode("ascii")
        SubElement(parent, "ParticipantObjectDetail", {"type": name, "value": encoded})


def _study(root: Element, event: AuditEvent, source: AuditSource) -> None:
    life_cycle = MESSAGES[event.action].life_cycle
    study = _object(
        root, _STUDY, event.study_instance_uid, "Study",
        TypeCode=_SYSTEM, TypeCodeRole="3", DataLifeCycle=life_cycle,
    )  # fmt: skip
    _detail(study, "Purpose of Signature", event.purpose.value if event.purpose else "")
    _detail(study, "Digital Signature UID", event.digital_signature_uid)
    _detail(study, "SHA-256 of Certificate", event.certificate_sha256)
    _detail(study, "Subject", event.subject)
    _detail(study, "Detail", event.detail)
    if len(event.instances) <= _MOST_INSTANCES:
        for each in event.instances:
            digest = f"{each.sop_instance_uid} {each.sha256}" if each.sha256 else ""
            _detail(study, "SHA-256 of Instance", digest)
    _instances(study, event)


def _instances(study: Element, event: AuditEvent) -> None:
    if not event.instances:
        return
    described = SubElement(study, "ParticipantObjectDescription")
    named = len(event.instances) <= _MOST_INSTANCES
    ordered = sorted(event.instances, key=lambda each: each.sop_class_uid)
    for uid, group in groupby(ordered, key=lambda each: each.sop_class_uid):
        instances = tuple(group)
        members = {"UID": uid, "NumberOfInstances": str(len(instances))}
        of_class = SubElement(described, "SOPClass", members)
        for each in instances if named else ():
            SubElement(of_class, "Instance", {"UID": each.sop_instance_uid})


def _patient(root: Element, event: AuditEvent, source: AuditSource) -> None:
    _object(
        root, _PATIENT_NUMBER, event.patient_id, event.patient_name or "unknown",
        TypeCode=_PERSON, TypeCodeRole="1",
    )  # fmt: skip


def _search(root: Element, event: AuditEvent, source: AuditSource) -> None:
    asked = _object(
        root, _SEARCH, event.subject or source.process, TypeCode=_SYSTEM, TypeCodeRole="24"
    )
    query = SubElement(asked, "ParticipantObjectQuery")
    query.text = b64encode(event.detail.encode()).decode("ascii")


def _log(root: Element, event: AuditEvent, source: AuditSource) -> None:
    log = _object(root, _URI, source.log, "Security Audit Log", TypeCode=_SYSTEM, TypeCodeRole="13")
    _detail(log, "Subject", event.subject)
    _detail(log, "Detail", event.detail)


def _alert(root: Element, event: AuditEvent, source: AuditSource) -> None:
    subject = event.subject or event.certificate_sha256 or source.process
    about = _object(root, _URI, subject, subject, TypeCode=_SYSTEM, TypeCodeRole="13")
    _detail(about, "Alert Description", event.detail or event.action.value)
    _detail(about, "SHA-256 of Certificate", event.certificate_sha256)


_Add = Callable[[Element, AuditEvent, AuditSource], None]
_PARTICIPANTS: dict[Family, _Add] = {
    Family.APPLICATION_ACTIVITY: _started,
    Family.AUDIT_LOG_USED: _plain,
    Family.INSTANCES_ACCESSED: _plain,
    Family.EXPORT: _exporting,
    Family.QUERY: _asked,
    Family.SECURITY_ALERT: _plain,
    Family.USER_AUTHENTICATION: _logged_in,
}
_OBJECTS: dict[Family, tuple[_Add, ...]] = {
    Family.APPLICATION_ACTIVITY: (),
    Family.AUDIT_LOG_USED: (_log,),
    Family.INSTANCES_ACCESSED: (_study, _patient),
    Family.EXPORT: (_study, _patient),
    Family.QUERY: (_search,),
    Family.SECURITY_ALERT: (_alert,),
    Family.USER_AUTHENTICATION: (),
}
