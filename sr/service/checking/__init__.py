"""Verdicts of the service, and whom it trusts."""
