"""Edge: the use cases of the service, over the store. Shells call them; they decide who may what.

Every use case takes the context and the principal first, refuses before it looks anything up, and
writes what it did to the audit in the transaction that does it.
"""
