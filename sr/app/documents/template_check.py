"""Use case: try a report template before anybody has to rely on it.

Its example is rendered, so is every choice it offers; each result is built on synthetic images.
Then the report of the example goes the whole way, with throw-away keys: signed by an author,
approved by somebody else, and checked with its evidence. Nothing is left behind.

Cites: PS3.16 TID 2000; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

from sr.app.checks.check import CheckOptions, check_file
from sr.app.demonstration.certificates import DemoPKI, make_demo_pki
from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.app.documents.authoring import author_report
from sr.app.documents.evidence import load_evidence
from sr.app.documents.securing import Securing
from sr.app.ports import Ports
from sr.app.signatures.signing import ApprovalMode, Credentials, approve_file, sign_file
from sr.codes import SignaturePurpose
from sr.document.evidence import Evidence
from sr.document.input_position import InputText
from sr.document.template import (
    ReportTemplate,
    find_templates,
    read_template,
    render_example,
    used_inputs,
)
from sr.document.template_trial import render_trial, trials
from sr.errors import EvidenceError, SRError, TemplateError
from sr.findings import Indication
from sr.keys.secrets import no_secrets
from sr.verification import Verdict

__all__ = ["TemplateCheck", "TemplateStep", "check_templates"]

_IMAGES = 3
_APPROVER = "Template Check"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStep:
    """One thing that was tried with a template."""

    name: str
    passed: bool
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCheck:
    """What became of a template; the last step is the first that failed."""

    template_id: str
    steps: tuple[TemplateStep, ...]

    @property
    def passed(self) -> bool:
        """Whether everything worked."""
        return all(step.passed for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Where templates are tried."""

    folder: Path
    pki: DemoPKI
    evidence: tuple[Evidence, ...]
    ports: Ports

    @property
    def images(self) -> Path:
        return self.folder / "images"

    def credentials(self, name: str) -> Credentials:
        return Credentials(
            key=self.pki.key_uri(name),
            certificates=(self.pki.certificate(name),),
            secrets=no_secrets,
        )


def check_templates(
    template_ids: tuple[str, ...], *, sites: tuple[Path, ...], ports: Ports
) -> Iterator[TemplateCheck]:
    """Yield what became of each template, in the order asked for.

    Args:
        template_ids: Which; all of them where empty.
        sites: Folders with a site's own templates.
        ports: Time and UIDs.

    Raises:
        TemplateError: There is no such template.
        ConfigurationError: A folder of the site redefines a template, or has none.

    Cites: PS3.16 TID 2000; PS3.15 A.4, C.4.
    """
    known = find_templates(sites)
    for template_id in template_ids:
        if template_id not in known:
            raise TemplateError(
                f"no report template {template_id!r}", hint=f"known: {', '.join(known)}"
            )
    with TemporaryDirectory() as folder:
        scene = _scene(Path(folder), ports)
        for template_id in template_ids or tuple(known):
            steps = tuple(_steps(known[template_id], scene))
            yield TemplateCheck(template_id=template_id, steps=steps)


def _scene(folder: Path, ports: Ports) -> _Scene:
    pki = make_demo_pki(folder / "pki", now=ports.now(), names={"supervisor": _APPROVER})
    images = folder / "images"
    images.mkdir()
    series = synthetic_ct_series(_IMAGES, new_uid=ports.new_uid, now=ports.now())
    for number, data in enumerate(series, start=1):
        (images / f"{number:03d}.dcm").write_bytes(data)
    securing = Securing(check=CheckOptions(at=ports.now()))
    evidence = load_evidence([images], securing=securing).evidence
    return _Scene(folder=folder, pki=pki, evidence=evidence, ports=ports)


def _steps(folder: Traversable, scene: _Scene) -> Iterator[TemplateStep]:
    """Yield the steps up to the first that fails."""
    name = "declaration"
    try:
        template = read_template(folder)
        yield _good(name, f"{len(template.inputs)} inputs, {template.document_class.slug}")
        name = "inputs"
        yield _good(name, _inputs(template))
        name = "example"
        data = _built(render_example(template), scene)
        yield _good(name, f"renders, and builds on {len(scene.evidence)} images")
        name = "choices"
        yield _good(name, _choices(template, scene))
        name = "signatures"
        yield _judged(_signed(data, scene))
    except SRError as error:
        yield TemplateStep(name=name, passed=False, message=str(error), hint=error.hint)


def _good(name: str, message: str) -> TemplateStep:
    return TemplateStep(name=name, passed=True, message=message)


def _inputs(template: ReportTemplate) -> str:
    declared, used = {wanted.key for wanted in template.inputs}, used_inputs(template)
    if idle := declared - used:
        raise TemplateError(f"{', '.join(sorted(idle))} is declared and never used")
    if unknown := used - declared:
        raise TemplateError(
            f"{', '.join(sorted(unknown))} is used and not declared",
            hint="declare it as [[input]] in template.toml",
        )
    return "every one is declared and used"


def _built(report: InputText, scene: _Scene) -> bytes:
    try:
        return author_report(
            report.text,
            report.notation,
            evidence=scene.evidence,
            template=None,
            name=report.name,
            ports=scene.ports,
        )
    except EvidenceError as error:
        names = ", ".join(item.label for item in scene.evidence)
        raise TemplateError(
            str(error), where=error.where, hint=f"an example cites images as all, or {names}"
        ) from error


def _choices(template: ReportTemplate, scene: _Scene) -> str:
    tried = [_built(render_trial(template, trial), scene) for trial in trials(template)]
    return f"{len(tried)} variants of the example"


def _signed(data: bytes, scene: _Scene) -> Verdict:
    draft, authored, approved = (
        scene.folder / f"{name}.dcm" for name in ("draft", "authored", "approved")
    )
    draft.write_bytes(data)
    sign_file(
        draft,
        authored,
        purpose=SignaturePurpose.AUTHOR,
        credentials=scene.credentials("author"),
        ports=scene.ports,
    )
    approve_file(
        authored,
        approved,
        observer="Check^Template",
        organization="srsign",
        mode=ApprovalMode.REISSUE,
        credentials=scene.credentials("supervisor"),
        ports=scene.ports,
    )
    options = CheckOptions(
        at=scene.ports.now(),
        anchors=(scene.pki.certificate("root"),),
        intermediates=(scene.pki.certificate("issuing"),),
        crls=scene.pki.revocation_lists,
        evidence=(scene.images,),
        purposes=("1", "5"),
    )
    return check_file(approved, options)


def _judged(verdict: Verdict) -> TemplateStep:
    return TemplateStep(
        name="signatures",
        passed=verdict.indication is Indication.PASSED,
        message=f"signed, approved and checked: {verdict.headline}; {verdict.questions.complete}",
    )
