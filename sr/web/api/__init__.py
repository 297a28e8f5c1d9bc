"""The API: a router a resource, thin over ``sr.service``."""

from sr.web.api import (
    api_keys,
    audit_events,
    checks,
    credentials,
    jobs,
    key_objects,
    reports,
    signatures,
    signing_sessions,
    templates,
    trust_anchors,
)

__all__ = ["ROUTERS"]

ROUTERS = (
    signing_sessions.router,
    checks.router,
    reports.router,
    templates.templates,
    templates.studies,
    key_objects.key_objects,
    key_objects.seals,
    key_objects.manifests,
    signatures.router,
    jobs.router,
    audit_events.router,
    trust_anchors.router,
    credentials.router,
    api_keys.router,
)
"""Every resource for callers whose permission the route declares; routes are tried in this order,
so the busiest come first."""
