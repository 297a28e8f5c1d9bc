"""Attempts to change what is written once, as SQL that both databases know."""

__all__ = ["CHANGES", "HEAD_ROW"]

HEAD_ROW = "INSERT INTO audit_heads (sequence, digest, at, signature) VALUES (1, 'x', 'x', 'x')"
CHANGES = {
    "version changed": "UPDATE versions SET sha256 = 'x' WHERE signed",
    "version unsigned": "UPDATE versions SET signed = (1 = 0) WHERE signed",
    "version deleted": "DELETE FROM versions WHERE signed",
    "version replaced": "REPLACE INTO versions SELECT * FROM versions WHERE signed",
    "signature changed": "UPDATE signatures SET indication = 'PASSED'",
    "signature deleted": "DELETE FROM signatures",
    "signature replaced": "REPLACE INTO signatures SELECT * FROM signatures",
    "event changed": "UPDATE audit_events SET at = 'x' WHERE sequence = 1",
    "event deleted": "DELETE FROM audit_events WHERE sequence = 1",
    "event replaced": "REPLACE INTO audit_events SELECT * FROM audit_events WHERE sequence = 2",
    "head changed": "UPDATE audit_heads SET digest = 'y'",
    "head deleted": "DELETE FROM audit_heads",
    "head replaced": "REPLACE INTO audit_heads SELECT * FROM audit_heads",
}
"""By what they do; each must be refused."""
