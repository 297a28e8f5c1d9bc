"""Tags, keywords and the table of PS3.6."""

from __future__ import annotations

import pytest
from pydicom.datadict import DicomDictionary

from sr.dicomfile import describe_tag, format_tag, keyword_for_tag, tag_for_keyword
from sr.dicomfile.tags import dictionary_vr, is_private


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (0x00100010, "(0010,0010) PatientName"),
        (0xFFFAFFFA, "(FFFA,FFFA) DigitalSignaturesSequence"),
        (0x60023000, "(6002,3000) OverlayData"),
        (0x00091001, "(0009,1001)"),
        (0x00090010, "(0009,0010) PrivateCreator"),
        (0x00100000, "(0010,0000) GroupLength"),
        (0x0018FFF0, "(0018,FFF0)"),
    ],
)
def test_describe(tag, text):
    """A tag is shown with its keyword where PS3.6 has one."""
    assert describe_tag(tag) == text
    assert format_tag(tag) == text[:11]


def test_keywords_there_and_back():
    """A keyword leads to its tag and back; an unknown one is a KeyError."""
    assert tag_for_keyword("ContentSequence") == 0x0040A730
    assert keyword_for_tag(0x0040A730) == "ContentSequence"
    with pytest.raises(KeyError):
        tag_for_keyword("PatientsName")


@pytest.mark.parametrize(("tag", "private"), [(0x00090010, True), (0x00100010, False)])
def test_private(tag, private):
    """Odd groups are private."""
    assert is_private(tag) is private


def test_the_table_agrees_with_pydicom():
    """Every data element of another dictionary has the same VR and keyword here."""
    differs = [
        (format_tag(tag), vr, dictionary_vr(tag))
        for tag, (vr, _vm, _name, _retired, keyword) in DicomDictionary.items()
        if (dictionary_vr(tag), keyword_for_tag(tag)) != (vr.replace(" or ", "|"), keyword)
        and tag >> 16 not in (0x0000, 0xFFFE)
    ]
    assert differs == []
