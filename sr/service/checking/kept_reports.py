"""What a manifest cites beside the images of its study: reports that the service itself keeps.

Cites: PS3.17 Annex W, case 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sr.service.context import Context
from sr.store.document_search import DocumentQuery, search_documents
from sr.store.documents import Document, DocumentKind, content_of

__all__ = ["kept_reports"]

_MOST = 1000


@contextmanager
def kept_reports(context: Context, document: Document) -> Iterator[dict[Path, str]]:
    """Give the reports of a manifest's study as files, each with a name; none for other documents.

    Args:
        context: The service.
        document: What is checked.
    """
    if document.kind is not DocumentKind.MANIFEST:
        yield {}
        return
    query = DocumentQuery(
        kinds=(DocumentKind.REPORT,), study_instance_uid=document.study_instance_uid
    )
    with TemporaryDirectory(prefix="srsign-") as name:
        files = {}
        with context.database.read() as connection:
            for report in search_documents(connection, query, limit=_MOST):
                path = Path(name) / f"{report.sop_instance_uid}.dcm"
                path.write_bytes(content_of(connection, report.sop_instance_uid).content)
                files[path] = path.name
        yield files
