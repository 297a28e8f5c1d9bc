"""Pages: templates of ``templates/render`` filled in, safe for any content.

Everything that enters is escaped, a name that a template does not get is an error, and the page
asks nobody for anything: its only style is its own, named by digest in its policy.

Cites: W3C CSP3; WCAG 2.1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2 import TemplateError as JinjaError
from markupsafe import Markup

from sr import __version__
from sr.app.views.wording import date_time, direction, purpose_words, visible
from sr.codes import Code
from sr.errors import DocumentError
from sr.findings import Indication, Status
from sr.resources import resource_root
from sr.signature.purpose import known_purpose
from sr.verification import Verdict
from sr.verification.facts import ReferenceResult
from sr.verification.render import ICONS

__all__ = ["environment", "failures", "fill"]

_STYLE = "render/report.css"

TONES = {
    Indication.PASSED: "good",
    Indication.INDETERMINATE: "open",
    Indication.FAILED: "bad",
    Indication.NOT_SIGNED: "none",
}
"""Style class of each indication; word and icon stand beside the colour."""

_RESULTS = {
    ReferenceResult.MATCHED: ("good", "✔"),
    ReferenceResult.ALTERED: ("bad", "✘"),
    ReferenceResult.MISSING: ("bad", "✘"),
    ReferenceResult.UNSECURED: ("open", "!"),
    ReferenceResult.UNDECIDED: ("open", "?"),
}
_STATUSES = {
    Status.FAIL: ("bad", "✘"),
    Status.WARN: ("open", "!"),
    Status.NOTICE: ("none", "i"),
    Status.PASS: ("good", "✔"),
    Status.NOT_APPLICABLE: ("none", "–"),
}


def fill(template: str, verdict: Verdict, values: Mapping[str, Any], *, paged: bool) -> str:
    """Return a page about a verdict.

    Args:
        template: Path in ``templates``, e.g. ``render/report.html.j2``.
        verdict: What the page is about.
        values: What else the template asks for.
        paged: For paper: nothing is folded away.

    Raises:
        DocumentError: The page cannot be made.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    style = _resource(_STYLE)
    try:
        return (
            environment()
            .get_template(template)
            .render(
                style=Markup(style),  # noqa: S704 - our own file
                style_digest=b64encode(sha256(style.encode()).digest()).decode("ascii"),
                verdict=verdict,
                judged_at=verdict.judged_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
                paged=paged,
                **values,
            )
        )
    except JinjaError as error:
        raise DocumentError(f"the page cannot be made: {error}") from error


@cache
def environment() -> Environment:
    """Return what fills in templates: everything is escaped, an unknown name is an error."""
    made = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "direction": direction,
        "moment": date_time,
        "purpose": _purpose,
        "visible": visible,
    }
    made.globals |= {
        "icons": ICONS,
        "tones": TONES,
        "results": {result.value: look for result, look in _RESULTS.items()},
        "statuses": _STATUSES,
        "version": __version__,
    }
    return made


def failures(verdict: Verdict) -> tuple[str, ...]:
    """Return why the verdict is what it is, each reason once.

    Cites: ETSI EN 319 102-1 5.1.3.
    """
    findings = (*verdict.findings, *(f for s in verdict.signatures for f in s.findings))
    failing = (f"{f.rule}: {f.message}" for f in findings if f.status is Status.FAIL)
    return tuple(dict.fromkeys(failing))


def _purpose(code: Code | None) -> str:
    """Return the meaning of CID 7007; the one in the file identifies nothing."""
    known = known_purpose(code)
    return purpose_words(known) if known is not None else "Signature without known purpose"


def _resource(name: str) -> str:
    return resource_root("templates").joinpath(*name.split("/")).read_text(encoding="utf-8")
