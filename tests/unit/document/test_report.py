"""A report as written meets its evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sr.codes import Code
from sr.document.content import (
    Coded,
    Container,
    Number,
    Reference,
    Relationship,
    Text,
    ValueType,
    walk,
)
from sr.document.input import parse_report
from sr.document.input_table import InputFormat
from sr.document.report import subject_of
from sr.document.report_input import ReportInput
from sr.errors import DocumentError, EvidenceError, TemplateError
from tests.support.datasets import ct_evidence, opened
from tests.support.reports import built, composed

HEAD = """
class = "{kind}"
title = "CTChestReport"
procedure = ["24627-2", "LN", "CT Chest"]
[observer]
name = "Meier^Anna"
organization = "Klinikum"
[[section]]
heading = "Findings"
[[section.item]]
"""

PATIENT = '[patient]\nname = "Müller^Jördis"\nid = "1"\n'


def _report(item: str, kind: str = "comprehensive", tail: str = "") -> ReportInput:
    return parse_report(HEAD.format(kind=kind) + item + "\n" + tail, InputFormat.TOML)


def _compose(report: ReportInput) -> Container:
    return composed(report, ct_evidence()).content


def _build(report: ReportInput) -> bytes:
    return built(report, ct_evidence())


def test_the_tree_follows_tid_2000() -> None:
    """Procedure, language, observer context and sections stand in row order."""
    root = _compose(_report('text = "x"'))
    rows = [(c.relationship, c.concept.value if c.concept else "") for c in root.children]
    assert root.template_id == "2000"
    assert rows == [
        (Relationship.HAS_CONCEPT_MOD, "121058"),
        (Relationship.HAS_CONCEPT_MOD, "121049"),
        (Relationship.HAS_OBS_CONTEXT, "121005"),
        (Relationship.HAS_OBS_CONTEXT, "121008"),
        (Relationship.HAS_OBS_CONTEXT, "121009"),
        (Relationship.CONTAINS, "59776-5"),
    ]


def test_the_title_in_words() -> None:
    """What readers see stands beside the coded title, with its language, before the observers."""
    head = 'title_in_words = "CT des Thorax"\nlanguage = "de"\n'
    root = _compose(
        parse_report(head + HEAD.format(kind="basic-text") + 'text = "x"', InputFormat.TOML)
    )
    words = root.children[2]
    assert isinstance(words, Text)
    assert (words.relationship, words.concept) == (
        Relationship.HAS_CONCEPT_MOD,
        Code("121050", "DCM", "Equivalent Meaning of Concept Name"),
    )
    assert words.value == "CT des Thorax"
    (language,) = words.children
    assert isinstance(language, Coded)
    assert language.value.value == "de"


def test_sources_stand_below_the_statement() -> None:
    """A statement is inferred from its measurements and images; they from theirs."""
    item = """text = "x"
    images = ["ct-2.dcm"]
    [[section.item.measurement]]
    concept = "SCT.Diameter"
    value = 20.0
    unit = "mm"
    images = ["ct-3.dcm"]"""
    root = _compose(_report(item))
    text = root.children[-1].children[0]
    assert isinstance(text, Text)
    number, image = text.children
    assert isinstance(number, Number)
    assert isinstance(image, Reference)
    assert image.sop_instance_uid == ct_evidence()[1].sop_instance_uid
    (below,) = number.children
    assert below.relationship is Relationship.INFERRED_FROM
    assert image.concept is None
    assert below.concept == Code("121112", "DCM", "Source of Measurement")


@pytest.mark.parametrize("name", ["ct-2.dcm", "folder", "uid"])
def test_instances_have_several_names(name: str) -> None:
    """Label, file name of a path label, and SOP Instance UID all work."""
    evidence = ct_evidence()
    wanted = evidence[1]
    if name == "folder":
        wanted = replace(wanted, label="series/2/ct-2.dcm")
    evidence = (evidence[0], wanted, evidence[2])
    written = {"folder": "ct-2.dcm", "uid": wanted.sop_instance_uid}.get(name, name)
    report = _report(f'image = "{written}"')
    tree = composed(report, evidence).content
    cited = [i for _, _, i in walk(tree) if isinstance(i, Reference)]
    assert [i.sop_instance_uid for i in cited] == [wanted.sop_instance_uid]


def test_all_means_every_instance() -> None:
    """One word cites the whole evidence, in its order."""
    root = _compose(_report('image = "all"'))
    cited = [i.sop_instance_uid for _, _, i in walk(root) if isinstance(i, Reference)]
    assert cited == [e.sop_instance_uid for e in ct_evidence()]


@pytest.mark.parametrize("kind", ["basic-text", "enhanced", "comprehensive"])
def test_every_class_can_be_built_from_input(kind: str) -> None:
    """The same sentence becomes a document of each class."""
    data = _build(_report('text = "x"\nimages = "all"', kind))
    assert opened(data).dataset.text(0x0040A040) == ValueType.CONTAINER


def test_requests_answer_for_the_documents_study() -> None:
    """A request without study is one of the document's own."""
    tail = '[[request]]\naccession_number = "A-1"\n'
    dataset = opened(_build(_report('text = "x"', tail=tail))).dataset
    (request,) = dataset.items(0x0040A370)
    assert request.text(0x0020000D) == dataset.text(0x0020000D)


def test_a_report_without_evidence_names_its_patient() -> None:
    """Patient and study come from the input, a new study UID from the caller."""
    report = _report('text = "x"', tail=PATIENT)
    subject = subject_of(report, (), study_instance_uid="2.25.55")
    assert (subject.patient_name, subject.study_instance_uid) == ("Müller^Jördis", "2.25.55")


def test_a_named_study_stays() -> None:
    """The UID of the input wins over the caller's."""
    report = _report('text = "x"', tail=PATIENT + '[study]\ninstance_uid = "2.25.66"\n')
    assert subject_of(report, (), study_instance_uid="2.25.55").study_instance_uid == "2.25.66"


def test_a_patient_beside_evidence_is_refused() -> None:
    """Two sources of identity would need a rule who wins."""
    with pytest.raises(TemplateError):
        subject_of(_report('text = "x"', tail=PATIENT), ct_evidence())


def test_nobody_is_no_patient() -> None:
    """Without evidence and without patient there is no report."""
    with pytest.raises(TemplateError):
        subject_of(_report('text = "x"'), ())


def test_a_report_without_study_cannot_be_built() -> None:
    """An empty Study Instance UID is refused, not written."""
    report = _report('text = "x"', tail=PATIENT)
    composed(report, ())
    with pytest.raises(DocumentError):
        built(report, ())


@pytest.mark.parametrize("name", ["ct-9.dcm", "CT-1.DCM", "2.25.404", "../ct-1.dcm", "ct-1"])
def test_unknown_names_are_refused(name: str) -> None:
    """A name that no instance has is an error with the line it stands on."""
    with pytest.raises(EvidenceError) as caught:
        _compose(_report(f'text = "x"\nimages = ["ct-1.dcm", "{name}"]'))
    assert caught.value.where == "section[1].item[1].images[2]"


def test_all_of_nothing_is_refused() -> None:
    """Without evidence there is nothing to cite."""
    report = _report('image = "all"', tail=PATIENT)
    with pytest.raises(EvidenceError):
        composed(report, ())


def test_ambiguous_names_are_refused() -> None:
    """Two files of one name in two folders need the UID."""
    first, second, third = ct_evidence()
    evidence = (replace(first, label="a/ct.dcm"), replace(second, label="b/ct.dcm"), third)
    with pytest.raises(EvidenceError):
        composed(_report('image = "ct.dcm"'), evidence)


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ('concept = "SCT.Diameter"\nvalue = 1\nunit = "mm"', "section[1].item[1]"),
        ('code = "SCT.Lung"\nimages = ["ct-1.dcm"]', "section[1].item[1].images[1]"),
        (
            'text = "x"\nmeasurement = [{concept = "SCT.Diameter", value = 1, unit = "mm"}]',
            "section[1].item[1].measurement[1]",
        ),
    ],
)
def test_basic_text_refuses_what_it_cannot_say(item: str, where: str) -> None:
    """Numbers, and codes inferred from something, do not fit; the line is named."""
    with pytest.raises(TemplateError) as caught:
        _build(_report(item, "basic-text"))
    assert caught.value.where == where


def test_frames_of_a_single_image_are_refused() -> None:
    """A slice has no frames; the line is named."""
    with pytest.raises(EvidenceError) as caught:
        _build(_report('image = "ct-1.dcm"\nframes = [1]'))
    assert caught.value.where == "section[1].item[1]"


def test_the_example_can_be_built(repository: Path) -> None:
    """The example that people start from works."""
    text = (repository / "examples" / "report.toml").read_text(encoding="utf-8")
    dataset = opened(_build(parse_report(text, InputFormat.TOML))).dataset
    assert len(dataset.items(0x0040A730)) == 9
