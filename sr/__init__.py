"""srsign: author, sign and check DICOM Structured Reports and Key Object Selection documents.

The tree reads as two sentences::

    author :  evidence → secure reference → document → prepare → signer → complete → store → export
    check  :  bytes → strict read → MAC stream → MAC → signature item → profile → trust → verdict

``docs/architecture.md`` walks through the rooms.
"""

__version__ = "0.1.0"
