"""Use cases: the templates that reports are written with.

Cites: PS3.16 TID 2000.
"""

from __future__ import annotations

from sr.document.template import ReportTemplate, find_templates, load_template, read_template
from sr.errors import NotFoundError, TemplateError
from sr.service.access import Permission, Principal, require

__all__ = ["report_template", "report_templates"]


def report_templates(principal: Principal) -> tuple[ReportTemplate, ...]:
    """Return the report templates.

    Raises:
        AccessError: The principal reads no documents.
    """
    require(principal, Permission.READ_DOCUMENTS)
    return tuple(read_template(folder) for folder in find_templates().values())


def report_template(principal: Principal, template_id: str) -> ReportTemplate:
    """Return a report template.

    Raises:
        AccessError: The principal reads no documents.
        NotFoundError: There is none.
    """
    require(principal, Permission.READ_DOCUMENTS)
    try:
        return load_template(template_id)
    except TemplateError as error:
        raise NotFoundError("there is no such template") from error
