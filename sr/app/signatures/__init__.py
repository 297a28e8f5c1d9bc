"""Use cases that sign: here, on tokens, in stacks, and for a service elsewhere."""
