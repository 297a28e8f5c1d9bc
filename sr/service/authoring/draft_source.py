"""Use case: what the newest version of a report was made from, to be changed."""

from __future__ import annotations

from sr.service.authoring.drafting import DraftSource
from sr.service.context import Context
from sr.store.documents import Document, content_of

__all__ = ["kept_source"]


def kept_source(context: Context, lineage: tuple[Document, ...], document: Document) -> DraftSource:
    """Return what a document, or the newest before it that was kept with one, was made from.

    Args:
        context: The service.
        lineage: Of the document, newest first.
        document: The document.
    """
    here = [each.sop_instance_uid for each in lineage].index(document.sop_instance_uid)
    with context.database.read() as connection:
        for each in lineage[here:]:
            for revision in range(each.revision, 0, -1):
                kept = content_of(connection, each.sop_instance_uid, revision).source
                if kept is not None:
                    return DraftSource.of(kept, document)
    return DraftSource.of({}, document)
