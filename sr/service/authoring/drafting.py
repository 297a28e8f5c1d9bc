"""What a draft is made from, and the bytes that it makes.

The source of every version is kept beside it, so that a draft can be opened again and changed.

Cites: PS3.16 TID 2000; PS3.3 C.17.2; PS3.15 A.4.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from sr.app.checks.check import CheckOptions
from sr.app.documents.amending import Amendment, amend_document, refuse_altered
from sr.app.documents.authoring import author_report
from sr.app.documents.evidence import LoadedEvidence, load_evidence
from sr.app.documents.evidence_folder import survey
from sr.app.documents.securing import Securing
from sr.dicomfile import BytesSource, read
from sr.document.identity import DocumentIdentity
from sr.document.input_position import InputText
from sr.document.input_table import InputFormat
from sr.errors import EvidenceError, TemplateError
from sr.service.context import Context
from sr.store.documents import Document, content_of

__all__ = ["DraftSource", "study_evidence", "written"]

_NAME = "values"
"""What messages call the input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSource:
    """What a draft is made from."""

    study_instance_uid: str
    values: dict[str, Any]
    """A report, or the values for the template."""
    template: str | None
    amends: str | None = None
    """SOP Instance UID of the report that it is the next version of."""
    addendum: bool = False

    @classmethod
    def of(cls, kept: dict[str, Any], document: Document) -> DraftSource:
        """Return what was kept of a draft."""
        known: dict[str, Any] = {
            "study_instance_uid": document.study_instance_uid,
            "values": {},
            "template": None,
        }
        return cls(**{**known, **kept})

    def with_values(self, values: dict[str, Any], template: str | None) -> DraftSource:
        """Return it with other content."""
        return replace(self, values=values, template=template)

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept."""
        return asdict(self)


def written(
    context: Context, source: DraftSource, *, identity: DocumentIdentity | None = None
) -> bytes:
    """Return the draft that a source makes, every instance of its study cited with proof.

    Args:
        context: The service.
        source: What to make it from.
        identity: Of a draft that is written anew; ``None`` for a new one.

    Raises:
        EvidenceError: There is no such evidence, or it is damaged or altered.
        LifecycleError: What it amends is not amended so.
        TemplateError: The values do not fit; names the key path.

    Cites: PS3.16 TID 2000; PS3.15 A.4; PS3.3 C.17.2.
    """
    text = InputText(text=_json(source.values), notation=InputFormat.JSON, name=_NAME)
    if source.amends is None:
        loaded = study_evidence(context, source.study_instance_uid)
        return author_report(
            text.text,
            text.notation,
            evidence=loaded.evidence,
            anchors=loaded.anchors,
            template=source.template,
            name=text.name,
            ports=context.ports,
            identity=identity,
        )
    with context.database.read() as connection:
        content = content_of(connection, source.amends).content
    file = read(BytesSource(content), limits=context.limits)
    refuse_altered(file, survey(context.evidence.study(source.study_instance_uid)))
    loaded = study_evidence(context, source.study_instance_uid)
    return amend_document(
        file,
        text,
        amendment=Amendment(addendum=source.addendum),
        evidence=loaded.evidence,
        anchors=loaded.anchors,
        template=source.template,
        ports=context.ports,
        identity=identity,
    )[0]


def study_evidence(context: Context, study_instance_uid: str) -> LoadedEvidence:
    """Return every instance of a study in the configured folders, with its proof.

    Raises:
        EvidenceError: There is none, or some are damaged or contradictory.

    Cites: PS3.15 A.4.
    """
    paths = context.evidence.study(study_instance_uid)
    if not paths:
        raise EvidenceError("no evidence folder holds that study", where="(0020,000D)")
    return load_evidence(paths, securing=Securing(check=CheckOptions(at=context.ports.now())))


def _json(values: dict[str, Any]) -> str:
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:
        raise TemplateError("the values hold what no JSON text can hold") from error
    return text
