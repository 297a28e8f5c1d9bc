"""Use cases: one module each, between the pure core and the shells."""
