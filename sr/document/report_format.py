"""The keys of a report file, declared once for the reader, the JSON Schema and the help.

This module only declares, in the words of `declaration`. `input` reads by it, `report_schema` and
`report_explanation` publish it.

Cites: PS3.16 TID 1204, TID 1210, TID 1500, TID 2000, TID 2002, TID 2005, TID 2006; CID 7000, 7001,
7002.
"""

from __future__ import annotations

from dataclasses import replace

from sr.document.constraints import DocumentClass
from sr.document.declaration import Form, Key, Kind
from sr.document.measurement_format import (
    GROUP,
    IMAGE_KEYS,
    IMAGES,
    MEASUREMENT_KEYS,
    MEASUREMENTS,
)
from sr.document.participant_format import PARTICIPANTS, PERSON
from sr.document.root_template import RootTemplateID
from sr.document.structured_report import CompletionFlag

__all__ = ["CLASSES", "COMPLETIONS", "REPORT", "ROOT_TEMPLATES", "inheriting"]

CLASSES = {
    kind.slug: kind for kind in DocumentClass if kind is not DocumentClass.KEY_OBJECT_SELECTION
}
"""The SOP classes a report may have, by name."""

COMPLETIONS = {flag.value: flag for flag in CompletionFlag}
"""What an author may say about how complete the content is."""

ROOT_TEMPLATES = {kind.value: kind for kind in RootTemplateID}
"""The root templates a report may follow, by identifier."""


def _named(example: str) -> Key:
    return Key(
        name="concept", kind=Kind.CODE, required=True, about="what the value is", example=example
    )


_CONCEPT = Key(
    name="concept",
    kind=Kind.CODE,
    group=7002,
    about="what the statement is; the heading decides without it",
    example='"Finding"',
)

_ITEMS = (
    Form(
        name="text",
        about="a sentence or paragraph",
        keys=(
            Key(
                name="text",
                required=True,
                vr="UT",
                about="plain text",
                example='"Solid nodule in the left upper lobe."',
            ),
            _CONCEPT,
            IMAGES,
            MEASUREMENTS,
        ),
    ),
    Form(
        name="code",
        about="a coded statement",
        keys=(
            Key(
                name="code",
                kind=Kind.CODE,
                required=True,
                about="what is stated",
                example='"SCT.Nodule"',
            ),
            _CONCEPT,
            IMAGES,
            MEASUREMENTS,
        ),
    ),
    Form(name="value", about="a measurement by itself", keys=MEASUREMENT_KEYS),
    Form(name="image", about="an instance to look at", keys=IMAGE_KEYS),
    Form(
        name="date",
        about="a date",
        keys=(
            Key(
                name="date",
                kind=Kind.OF_STUDY,
                required=True,
                vr="DA",
                about="YYYYMMDD, or study for that of the study",
                example='"study"',
            ),
            _named('"DCM.StudyDate"'),
        ),
    ),
    Form(
        name="time",
        about="a time of day",
        keys=(
            Key(
                name="time",
                kind=Kind.OF_STUDY,
                required=True,
                vr="TM",
                about="HHMMSS, or study for that of the study",
                example='"study"',
            ),
            _named('"DCM.StudyTime"'),
        ),
    ),
    Form(
        name="person",
        about="a person",
        keys=(
            Key(
                name="person",
                kind=Kind.PERSON_NAME,
                required=True,
                about="the person's name",
                example='"Weber^Sam"',
            ),
            _named('"DCM.IrradiationAuthorizing"'),
        ),
    ),
)

_SECTION = Form(
    name="section",
    about="a heading and what stands below it",
    keys=(
        Key(
            name="heading",
            kind=Kind.CODE,
            group=7001,
            required=True,
            about="the heading",
            example='"Findings"',
        ),
        Key(
            name="item",
            kind=Kind.TABLES,
            required=True,
            filled=True,
            about="statements in the order of reading",
            forms=_ITEMS,
        ),
    ),
)

_OBSERVER = Form(
    name="observer",
    about="who reports",
    keys=(
        *PERSON,
        Key(
            name="role_in_organization",
            kind=Kind.CODE,
            about="role in the organization",
            example='["121081", "DCM", "Physician"]',
        ),
        Key(
            name="role_in_procedure",
            kind=Kind.CODE,
            about="role in this procedure",
            example='["121094", "DCM", "Performing"]',
        ),
    ),
)

_REQUEST = Form(
    name="request",
    about="a request that the report answers",
    keys=(
        Key(name="accession_number", vr="SH", about="accession number", example='"A-2026-0815"'),
        Key(name="study_instance_uid", vr="UI", about="study, the report's own without it"),
        Key(name="placer_order_number", vr="LO", about="the orderer's number"),
        Key(name="filler_order_number", vr="LO", about="the department's number"),
        Key(name="requested_procedure_id", vr="SH", about="requested procedure"),
        Key(name="requested_procedure_description", vr="LO", about="the same in words"),
        Key(name="requested_procedure_code", kind=Kind.CODE, about="the same as code"),
    ),
)

_PATIENT = Form(
    name="patient",
    about="whom a report without evidence is about",
    keys=(
        Key(
            name="name",
            kind=Kind.PERSON_NAME,
            required=True,
            about="the patient's name",
            example='"Müller^Jördis"',
        ),
        Key(name="id", vr="LO", about="patient ID", example='"4711"'),
        Key(name="issuer", vr="LO", about="issuer of the patient ID", example='"Klinikum"'),
        Key(name="birth_date", vr="DA", about="birth date, YYYYMMDD", example='"19610314"'),
        Key(name="sex", vr="CS", about="F, M or O", example='"F"'),
    ),
)

_STUDY = Form(
    name="study",
    about="the study that a report without evidence belongs to",
    keys=(
        Key(name="instance_uid", vr="UI", about="Study Instance UID, a new one without it"),
        Key(name="date", vr="DA", about="study date, YYYYMMDD", example='"20261120"'),
        Key(name="time", vr="TM", about="study time, HHMMSS", example='"093000"'),
        Key(name="id", vr="SH", about="study ID", example='"1"'),
        Key(name="description", vr="LO", about="study description", example='"CT Thorax"'),
        Key(name="accession_number", vr="SH", about="accession number", example='"A-2026-0815"'),
        Key(
            name="referring_physician",
            kind=Kind.PERSON_NAME,
            about="who asked for the study",
            example='"Weiß^Jürgen"',
        ),
    ),
)

REPORT = Form(
    name="report",
    about="a structured report",
    together=(("study", "patient"),),
    one_of=("section", "group"),
    keys=(
        Key(
            name="class",
            kind=Kind.TERM,
            terms=CLASSES,
            default=DocumentClass.COMPREHENSIVE.slug,
            about="SOP class of the document",
            example='"comprehensive"',
        ),
        Key(
            name="tid",
            kind=Kind.TERM,
            terms=ROOT_TEMPLATES,
            default=RootTemplateID.BASIC_DIAGNOSTIC_IMAGING_REPORT.value,
            about="root template of PS3.16",
            example='"2000"',
        ),
        Key(
            name="title",
            kind=Kind.CODE,
            group=7000,
            required=True,
            about="document title",
            example='"CTChestReport"',
        ),
        Key(
            name="title_in_words",
            vr="UT",
            about="the title as readers see it, in the language of the report",
            example='"CT of the chest"',
        ),
        Key(
            name="language",
            kind=Kind.LANGUAGE,
            default="en",
            about="language of the report, RFC 5646",
            example='"de"',
        ),
        Key(
            name="procedure",
            kind=Kind.CODE,
            about="procedure reported",
            example='["24627-2", "LN", "CT Chest"]',
        ),
        Key(
            name="completion",
            kind=Kind.TERM,
            terms=COMPLETIONS,
            default=CompletionFlag.COMPLETE.value,
            about="PARTIAL while it is being written",
            example='"COMPLETE"',
        ),
        Key(
            name="completion_description",
            vr="LO",
            about="what is still missing",
            example='"measurements follow"',
        ),
        Key(
            name="preliminary",
            kind=Kind.FLAG,
            about="whether a final version will follow",
            example="false",
        ),
        Key(
            name="observer",
            kind=Kind.TABLE,
            required=True,
            about="who reports",
            forms=(_OBSERVER,),
        ),
        Key(
            name="participant",
            kind=Kind.TABLES,
            about="who else took part",
            forms=PARTICIPANTS,
        ),
        Key(
            name="request",
            kind=Kind.TABLES,
            about="requests that the report answers",
            forms=(_REQUEST,),
        ),
        Key(
            name="patient",
            kind=Kind.TABLE,
            about="only without evidence, which names the patient otherwise",
            forms=(_PATIENT,),
        ),
        Key(name="study", kind=Kind.TABLE, about="only beside patient", forms=(_STUDY,)),
        Key(
            name="section",
            kind=Kind.TABLES,
            filled=True,
            about="the content of the report, in all root templates but 1500",
            forms=(_SECTION,),
        ),
        Key(
            name="group",
            kind=Kind.TABLES,
            filled=True,
            about="the content of a report of root template 1500",
            forms=(GROUP,),
        ),
    ),
)


def inheriting(document_class: DocumentClass) -> Form:
    """Return the format of an addendum: title and class may be left to the document it joins.

    Cites: nothing of DICOM; this is our own file format.
    """
    keys = {key.name: key for key in REPORT.keys}
    keys["title"] = replace(keys["title"], required=False)
    keys["class"] = replace(keys["class"], default=document_class.slug)
    return replace(REPORT, keys=tuple(keys.values()))
