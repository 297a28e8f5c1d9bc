"""Bytes to elements and back: a strict bounded reader, canonical padding and a splice writer.

Nothing in here decodes a value and encodes it again, except ``canonicalise``, which is for our own
documents before their first signature.
"""

from sr.dicomfile.dataset import DataSet, DICOMFile, Element
from sr.dicomfile.limits import Limits
from sr.dicomfile.padding import canonicalise
from sr.dicomfile.reader import read
from sr.dicomfile.source import BytesSource, Source
from sr.dicomfile.tags import describe_tag, format_tag, keyword_for_tag, tag_for_keyword

__all__ = [
    "BytesSource",
    "DICOMFile",
    "DataSet",
    "Element",
    "Limits",
    "Source",
    "canonicalise",
    "describe_tag",
    "format_tag",
    "keyword_for_tag",
    "read",
    "tag_for_keyword",
]
