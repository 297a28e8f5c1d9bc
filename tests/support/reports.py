"""A report as written becomes a document: what the tests of templates and report files share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from sr.document.evidence import Evidence
from sr.document.input_table import InputFormat
from sr.document.report import compose_report, subject_of
from sr.document.report_input import ReportInput
from sr.document.structured_report import StructuredReport, build_structured_report
from sr.document.template import load_template, render_report
from tests.support.datasets import ct_evidence, evidence_of, identity, instance, uid_source

__all__ = ["DOSE_REPORT", "IMAGES", "built", "composed", "example"]

IMAGES = tuple(
    replace(item, label=f"{number:03d}.dcm") for number, item in enumerate(ct_evidence(4), start=1)
)
"""Four CT images, called as the examples of templates call them."""

DOSE_REPORT = evidence_of(
    instance(
        "1.2.840.10008.5.1.4.1.1.88.67",
        SOPInstanceUID="2.25.77.67",
        SeriesInstanceUID="2.25.77.68",
        Modality="SR",
    ),
    "dose.dcm",
)


@cache
def example(template_id: str) -> ReportInput:
    """Return the report that a shipped template makes of its example."""
    template = load_template(template_id)
    return render_report(template, template.example, InputFormat.TOML)


def composed(report: ReportInput, evidence: tuple[Evidence, ...] | None = None) -> StructuredReport:
    """Return a report as content tree; by default on `IMAGES`."""
    cited = IMAGES if evidence is None else evidence
    return compose_report(
        report, subject=subject_of(report, cited), evidence=cited, new_uid=uid_source(7)
    )


def built(
    report: ReportInput,
    evidence: tuple[Evidence, ...] | None = None,
    *,
    predecessors: tuple[Evidence, ...] = (),
) -> bytes:
    """Return a report as a document; by default on `IMAGES`."""
    cited = IMAGES if evidence is None else evidence
    return build_structured_report(
        composed(report, cited),
        subject=subject_of(report, cited),
        evidence=cited,
        identity=identity(),
        predecessors=predecessors,
    )
