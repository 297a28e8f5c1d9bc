"""How databases come to have the tables of ``sr.store.schema``: one module a step, in order."""

__all__ = ["HEAD"]

HEAD = "0002"
"""The last step."""
