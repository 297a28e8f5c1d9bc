"""Write sr/dicomfile/dictionary.csv (tag, VR, keyword) from pydicom's copy of PS3.6.

The reader needs only these three facts, without the cost of importing pydicom.
Run it when pydicom ships a newer edition; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

from pydicom import _dicom_dict as edition

TARGET = Path(__file__).parent.parent / "sr" / "dicomfile" / "dictionary.csv"


def rows() -> list[str]:
    """Return one ``tag,VR,keyword`` line an attribute; repeating groups keep their ``x``."""
    single = {f"{tag:08X}": entry for tag, entry in edition.DicomDictionary.items()}
    repeating = {
        tag.upper().replace("X", "x"): entry for tag, entry in edition.RepeatersDictionary.items()
    }
    lines = []
    for tag, (vr, _vm, _name, _retired, keyword) in sorted({**single, **repeating}.items()):
        if vr != "NONE" and not tag.startswith("0000"):
            lines.append(f"{tag},{vr.replace(' or ', '|')},{keyword}")
    return lines


if __name__ == "__main__":
    TARGET.write_text("\n".join(rows()) + "\n", encoding="ascii")
    print(f"{TARGET.name}: {len(rows())} attributes")
