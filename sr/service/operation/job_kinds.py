"""Which kinds of jobs there are, and what does them."""

from __future__ import annotations

from collections.abc import Mapping

from sr.service.authoring.key_objects import seal_job
from sr.service.checking.check_jobs import CHECK, check_job
from sr.service.operation.jobs import Handler
from sr.store.documents import DocumentKind

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    CHECK: check_job,
    DocumentKind.SEAL.value: seal_job,
    DocumentKind.MANIFEST.value: seal_job,
}
"""By kind of job."""
