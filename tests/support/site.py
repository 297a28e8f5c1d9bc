"""The report templates of a site: one that works, to be spoilt by tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["SOUND", "write_template"]

SOUND = {
    "template.toml": """\
id = "sound"
title = "Sound"
description = "One sentence."
tid = "2000"
class = "basic-text"
cites = "PS3.16 TID 2000"
[[input]]
key = "observer"
type = "text"
description = "who"
[[input]]
key = "side"
type = "choice"
choices = ["left", "right"]
description = "which"
[[input]]
key = "more"
type = "rows"
required = false
description = "further sentences"
[[input.field]]
key = "sentence"
type = "text"
description = "what"
[[input.field]]
key = "urgent"
type = "flag"
required = false
description = "whether it is"
""",
    "report.toml.j2": """\
class = "basic-text"
title = "CTReport"
[observer]
name = "{{ observer }}"
[[section]]
heading = "Findings"
[[section.item]]
text = "On the {{ side }}."
images = "all"
{% for row in more or [] %}
[[section.item]]
text = "{{ row.sentence }}{{ '!' if row.urgent }}"
{% endfor %}
""",
    "example.toml": """\
observer = "A^B"
side = "left"
more = [{ sentence = "Another." }]
""",
}
"""The files of a template that works, by name."""


def write_template(folder: Path, files: Mapping[str, str] = SOUND) -> None:
    """Write the files of a template into a new folder."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
