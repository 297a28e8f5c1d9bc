"""The tables. Signed documents and the audit are written once: triggers refuse to change them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

__all__ = [
    "agents",
    "api_keys",
    "audit_events",
    "audit_heads",
    "challenges",
    "credentials",
    "documents",
    "idempotency",
    "jobs",
    "login_attempts",
    "metadata",
    "pairing_failures",
    "remarks",
    "session_items",
    "signatures",
    "signing_sessions",
    "trust_anchors",
    "users",
    "versions",
    "web_sessions",
]


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as ISO 8601 text in UTC, which sorts like the times do."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return what is kept."""
        if value is None:
            return None
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Return what was kept."""
        return None if value is None else datetime.fromisoformat(value)


_UID = String(64)
_DIGEST = String(64)
"""SHA-256, lower-case hexadecimal."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("login", String(128), nullable=False, unique=True),
    Column("display_name", String(256), nullable=False),
    Column("person_name", String(324), nullable=False),  # PN, as in reports
    Column("organization", String(64), nullable=False),  # LO, as in reports
    Column("person", String(64), nullable=False),  # shared by the accounts of one person
    Column("aliases", JSON, nullable=False),  # other names and codes, as in reports
    Column("roles", JSON, nullable=False),
    Column("issuer", String(512)),  # OpenID provider, with the subject below
    Column("subject", String(256)),
    Column("password", Text),  # demonstrations only
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    UniqueConstraint("issuer", "subject"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of the cookie's value
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_web_sessions_expires_at", "expires_at"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of what the browser keeps meanwhile
    Column("expires_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", _DIGEST, nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("label", String(128), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)

agents = Table(
    "agents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("label", String(128), nullable=False),
    Column("address", String(64), nullable=False),  # that asked to be paired
    Column("user_code", String(16), unique=True),  # until somebody entered it
    Column("device_digest", _DIGEST, nullable=False, unique=True),
    Column("token_digest", _DIGEST, unique=True),
    Column("challenge", String(64)),  # to prove a key with, once
    Column("user_id", ForeignKey("users.id")),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("seen_at", Moment),
    Column("revoked_at", Moment),
    Index("ix_agents_user_id", "user_id"),
)

pairing_failures = Table(
    "pairing_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_pairing_failures_user_id_at", "user_id", "at"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("sha256", _DIGEST, nullable=False),  # of the certificate
    Column("chain", LargeBinary, nullable=False),  # PEM, leaf first
    Column("label", String(128), nullable=False),
    Column("key_uri", String(1024)),  # a key that the server itself may use
    Column("agent_id", ForeignKey("agents.id")),  # that proved last to hold the key
    Column("not_after", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    UniqueConstraint("user_id", "sha256"),
)

challenges = Table(
    "challenges",
    metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("challenge", String(32), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("sop_instance_uid", _UID, primary_key=True),
    Column("sop_class_uid", _UID, nullable=False),
    Column("study_instance_uid", _UID, nullable=False),
    Column("series_instance_uid", _UID, nullable=False),
    Column("lineage", _UID, nullable=False),  # the first document that this one goes back to
    Column("predecessor", _UID),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("title", String(256), nullable=False),
    Column("patient_name", String(324), nullable=False),
    Column("patient_id", String(64), nullable=False),
    Column("template", String(64)),
    Column("owner", ForeignKey("users.id"), nullable=False),
    Column("approver", ForeignKey("users.id")),
    Column("revision", Integer, nullable=False),  # the current one
    Column("sha256", _DIGEST, nullable=False),  # of the current one
    Column("indication", String(16)),  # of the last verdict
    Column("sub_indication", String(64)),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_documents_state_changed_at", "state", "changed_at"),
    Index("ix_documents_kind_changed_at", "kind", "changed_at"),
    Index("ix_documents_owner_changed_at", "owner", "changed_at"),
    Index("ix_documents_lineage", "lineage"),
    Index("ix_documents_study_instance_uid", "study_instance_uid"),
)

versions = Table(
    "versions",
    metadata,
    Column("sop_instance_uid", ForeignKey("documents.sop_instance_uid"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sha256", _DIGEST, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("source", JSON),  # what a draft was made from
    Column("created_at", Moment, nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
)

remarks = Table(
    "remarks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sop_instance_uid", ForeignKey("documents.sop_instance_uid"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("text", Text, nullable=False),
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digital_signature_uid", _UID, nullable=False),
    Column("sop_instance_uid", ForeignKey("documents.sop_instance_uid"), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("user_id", ForeignKey("users.id")),  # who signed here; nobody for what came with it
    Column("signer_subject", Text, nullable=False),
    Column("signer_issuer", Text, nullable=False),
    Column("signer_serial", String(64), nullable=False),
    Column("certificate_sha256", _DIGEST, nullable=False),
    Column("certificate_not_after", Moment, nullable=False),
    Column("mac_algorithm", String(16), nullable=False),
    Column("content_sha256", _DIGEST, nullable=False),  # of the document before it was signed
    Column("claimed_at", Moment),
    Column("proven_at", Moment),
    Column("indication", String(16), nullable=False),
    Column("sub_indication", String(64)),
    Column("verdict", JSON, nullable=False),  # of the document, when this signature was made
    UniqueConstraint("sop_instance_uid", "digital_signature_uid"),
    # The same thing signed twice by one certificate for one purpose is one signature.
    UniqueConstraint("content_sha256", "purpose", "certificate_sha256"),
    Index("ix_signatures_certificate_not_after", "certificate_not_after"),
    Index("ix_signatures_claimed_at", "claimed_at"),
)

signing_sessions = Table(
    "signing_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("agent_id", ForeignKey("agents.id")),
    Column("purpose", String(16), nullable=False),
    Column("certificate_sha256", _DIGEST, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("profile", String(64)),
    Column("mac_algorithm", String(16), nullable=False),
    Column("timestamped", Boolean, nullable=False),
    Column("match_code", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # open valued completed expired voided
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("ix_signing_sessions_state", "state"),
    Index("ix_signing_sessions_user_id", "user_id"),
)

session_items = Table(
    "session_items",
    metadata,
    Column("session_id", ForeignKey("signing_sessions.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("sop_instance_uid", ForeignKey("documents.sop_instance_uid"), nullable=False),
    Column("revision", Integer, nullable=False),  # of the document when it was prepared
    Column("base", LargeBinary, nullable=False),  # what is signed, before it is signed
    Column("base_sha256", _DIGEST, nullable=False),
    Column("digital_signature_uid", _UID, nullable=False, unique=True),
    Column("signed_at", Moment, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("value", LargeBinary),  # kept until everything that belongs to it is there
    Column("result", _UID),  # the document that came of it
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # queued running done failed
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", JSON),
    Column("error", JSON),
    Column("notes", JSON, nullable=False),  # what a second attempt must know of the first
    Column("attempts", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("seen_at", Moment),  # a worker that runs it says so every few seconds
    Column("finished_at", Moment),
    Index("ix_jobs_state_created_at", "state", "created_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_digest", _DIGEST, nullable=False),
    Column("status", Integer),  # nothing while the first request is at work
    Column("headers", JSON),
    Column("body", LargeBinary),
    Column("created_at", Moment, nullable=False),
)

trust_anchors = Table(
    "trust_anchors",
    metadata,
    Column("sha256", _DIGEST, primary_key=True),
    Column("use", String(16), primary_key=True),  # anchor intermediate timestamp
    Column("certificate", LargeBinary, nullable=False),  # DER
    Column("label", String(256), nullable=False),
    Column("added_by", ForeignKey("users.id"), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("removed_at", Moment),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("action", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("sop_instance_uid", _UID),
    Column("encoded", LargeBinary, nullable=False),  # what the chain is over
    Column("digest", LargeBinary, nullable=False),  # of this event and the digest before it
    Index("ix_audit_events_at", "at"),
    Index("ix_audit_events_sop_instance_uid", "sop_instance_uid"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    Column("signature", LargeBinary, nullable=False),  # CMS, detached, DER
    Column("timestamp", LargeBinary),  # RFC 3161 token, DER
)
