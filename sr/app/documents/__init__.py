"""Use cases that write documents, and the evidence that these cite."""
