"""Edge: one SQL database for documents, signatures, signing sessions, people, jobs and the audit.

Each module is a table or two and the functions that read and write them, inside a transaction that
the caller opened. Nothing here decides; use cases are in ``sr.service``.
"""
