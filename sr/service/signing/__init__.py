"""Signing sessions, from the first step to what they leave behind."""
