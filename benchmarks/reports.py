"""Reports and signatures, as the command line makes them, for rates of whole documents."""

from __future__ import annotations

from collections.abc import Iterable

from sr.app.authoring import author_report
from sr.app.evidence import secure_reference
from sr.app.ports import Ports
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.document.evidence import Evidence, read_evidence
from sr.document.input_table import InputFormat

__all__ = ["write_report"]

_TEXT = """
class = "comprehensive"
title = "CTChestReport"
language = "de"
procedure = ["24627-2", "LN", "CT Chest"]
completion = "COMPLETE"

[observer]
name = "Meier^Anna"
organization = "Klinikum Musterstadt"

[[section]]
heading = "Findings"

[[section.item]]
text = "{finding}"
images = "all"

[[section.item.measurement]]
concept = "SCT.Diameter"
value = 20.0
unit = "mm"

[[section.item]]
text = "Kein Pleuraerguss."
{measurements}
[[section]]
heading = "Impressions"

[[section.item]]
text = "Rundherd, am ehesten Granulom."
"""
_MEASUREMENT = """
[[section.item.measurement]]
concept = "SCT.{}"
value = {}
unit = "{}"
"""
_MEASURED = (
    ("Length", 31.5, "mm"),
    ("Width", 12.0, "mm"),
    ("Depth", 8.0, "mm"),
    ("Volume", 4.2, "cm3"),
    ("Area", 3.1, "cm2"),
    ("Diameter", 20.5, "mm"),
    ("Length", 14.25, "mm"),
    ("Width", 6.75, "mm"),
    ("Depth", 5.5, "mm"),
    ("Volume", 0.25, "cm3"),
)
_FINDINGS = (
    "Solider Rundherd im linken Oberlappen.",
    "Kein Nachweis suspekter Rundherde.",
    "Mehrere kleine, teils verkalkte Rundherde beidseits, zur Voruntersuchung unverändert.",
    "Milchglasinfiltrate basal rechts, vereinbar mit einer beginnenden Pneumonie.",
)


def write_report(images: Iterable[bytes], number: int, ports: Ports) -> bytes:
    """Return an unsigned report that cites the images, each with its MAC.

    Words and figures differ with the number; the form is that of one template.
    """
    measured = ((name, value + number % 13, unit) for name, value, unit in _MEASURED)
    text = _TEXT.format(
        finding=_FINDINGS[number % len(_FINDINGS)],
        measurements="".join(_MEASUREMENT.format(*m) for m in measured),
    )
    evidence = tuple(
        _cited(read(BytesSource(data)), f"{n}.dcm") for n, data in enumerate(images, 1)
    )
    return author_report(
        text, InputFormat.TOML, evidence=evidence, template=None, name="report", ports=ports
    )


def _cited(file: DICOMFile, label: str) -> Evidence:
    return read_evidence(file.dataset, reference=secure_reference(file), label=label)
